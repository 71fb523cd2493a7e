import { concat, fromHex, toHex } from '@keepwatch/base';
import fc from 'fast-check';
import { keccak256, parseTransaction, serializeTransaction, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import {
  addressBytes,
  checkSignedTransaction,
  checksumAddress,
  encodeTransfer,
  type EtherTransfer,
} from './transaction.ts';

// The published test key of EIP-155's example.
const account = privateKeyToAccount('0x4646464646464646464646464646464646464646464646464646464646464646');
const stranger = privateKeyToAccount('0x8f2a55949038a9610f50fb23b5883af3b4ecb3c3bb792cbcefbd1542c692be63');

const TRANSFER: EtherTransfer = {
  chainId: 31337,
  nonce: 7,
  to: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
  value: 500_000_000_000_000_000n,
  maxFeePerGas: 20_000_000_000n,
  maxPriorityFeePerGas: 1_000_000_000n,
};

const hexBytes = (text: string) => fromHex(text)!;
const viemFields = (transfer: EtherTransfer) => ({
  type: 'eip1559' as const,
  gas: 21_000n,
  ...transfer,
  to: transfer.to as Hex,
});

const transfers = fc.record({
  chainId: fc.integer({ min: 1, max: 2 ** 40 }),
  nonce: fc.integer({ min: 0, max: 2 ** 40 }),
  to: fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => checksumAddress(bytes)),
  value: fc.bigInt(0n, (1n << 256n) - 1n),
  maxFeePerGas: fc.bigInt(1n << 60n, 1n << 90n),
  maxPriorityFeePerGas: fc.bigInt(0n, 1n << 60n),
  gasLimit: fc.bigInt(1n, (1n << 64n) - 1n),
});

describe('encodeTransfer', () => {
  it('gives the bytes that viem gives, for any transfer', () => {
    fc.assert(
      fc.property(transfers, (transfer) => {
        const oracle = serializeTransaction({ ...viemFields(transfer), gas: transfer.gasLimit });
        expect(`0x${toHex(encodeTransfer(transfer))}`).toBe(oracle);
      }),
    );
  });

  it('takes 21,000 gas where none is named', () => {
    const parsed = parseTransaction(`0x${toHex(encodeTransfer(TRANSFER))}`);
    expect(parsed.gas).toBe(21_000n);
  });

  it.each([
    ['a negative amount', { value: -1n }],
    ['an amount beyond 256 bits', { value: 1n << 256n }],
    ['a nonce that is no integer', { nonce: 1.5 }],
    ['chain 0', { chainId: 0 }],
    ['a tip above the fee', { maxPriorityFeePerGas: 20_000_000_001n }],
    ['a short address', { to: '0x7099' }],
    ['an address with a wrong checksum', { to: '0x70997970c51812dc3A010C7d01b50e0d17dc79C8' }],
    ['gas beyond 64 bits', { gasLimit: 1n << 64n }],
  ])('refuses %s', (_, change) => {
    expect(() => encodeTransfer({ ...TRANSFER, ...change })).toThrow(
      expect.objectContaining({ code: 'transfer_invalid' }),
    );
  });
});

describe('addresses', () => {
  // EIP-55, "Test Cases".
  it.each([
    '0x52908400098527886E0F7030069857D2E4169EE7',
    '0xde709f2102306220921060314715629080e2fb77',
    '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
    '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
    '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
    '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
  ])('%s has its checksum', (address) => {
    expect(checksumAddress(addressBytes(address)!)).toBe(address);
  });

  it('any other mixture of cases is refused', () => {
    expect(addressBytes('0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed')).toBeUndefined();
    expect(addressBytes('0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed')).toBeDefined();
  });
});

describe('checkSignedTransaction', () => {
  const unsigned = encodeTransfer(TRANSFER);
  const sign = async (transfer: EtherTransfer, by = account) =>
    hexBytes(await by.signTransaction(viemFields(transfer)));

  it('accepts what viem signs, for any transfer, and names the hash', async () => {
    await fc.assert(
      fc.asyncProperty(transfers, async (transfer) => {
        const signed = hexBytes(await account.signTransaction({ ...viemFields(transfer), gas: transfer.gasLimit }));
        const checked = checkSignedTransaction(encodeTransfer(transfer), signed, account.address);
        expect(checked).toEqual({ ok: true, value: { hash: keccak256(signed) } });
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ['value', { value: TRANSFER.value + 1n }],
    ['recipient', { to: '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC' }],
    ['chain', { chainId: 1 }],
    ['nonce', { nonce: 8 }],
    ['fee', { maxFeePerGas: 30_000_000_000n }],
  ])('refuses a transaction with another %s, properly signed', async (_, change) => {
    const other = await sign({ ...TRANSFER, ...change });
    expect(checkSignedTransaction(unsigned, other, account.address)).toEqual({
      ok: false,
      error: 'transaction_differs',
    });
  });

  it('refuses the signature of another wallet', async () => {
    const signed = await sign(TRANSFER, stranger);
    expect(checkSignedTransaction(unsigned, signed, account.address)).toEqual({
      ok: false,
      error: 'signature_of_another_wallet',
    });
  });

  it('refuses the unsigned transaction itself, and the high-s twin of a signature', async () => {
    expect(checkSignedTransaction(unsigned, unsigned, account.address).ok).toBe(false);
    const parsed = parseTransaction(`0x${toHex(await sign(TRANSFER))}`);
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const twin = serializeTransaction(viemFields(TRANSFER), {
      r: parsed.r!,
      s: `0x${(order - BigInt(parsed.s!)).toString(16).padStart(64, '0')}`,
      yParity: 1 - parsed.yParity!,
    });
    expect(checkSignedTransaction(unsigned, hexBytes(twin), account.address)).toEqual({
      ok: false,
      error: 'signature_malformed',
    });
  });

  it('refuses every change of a byte, every cut and every addition', async () => {
    const signed = await sign(TRANSFER);
    for (let at = 0; at < signed.length; at++) {
      for (const flip of [0x01, 0x80]) {
        const changed = signed.slice();
        changed[at]! ^= flip;
        expect(checkSignedTransaction(unsigned, changed, account.address).ok, `byte ${at} ^ ${flip}`).toBe(false);
      }
      expect(checkSignedTransaction(unsigned, signed.subarray(0, at), account.address).ok, `cut at ${at}`).toBe(false);
    }
    expect(checkSignedTransaction(unsigned, concat(signed, Uint8Array.of(0)), account.address).ok).toBe(false);
  });
});
