import { concat, fromHex, toHex } from '@keepwatch/base';
import fc from 'fast-check';
import {
  hashMessage,
  keccak256,
  parseTransaction,
  serializeTransaction,
  type Hex,
  type TransactionSerializable,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { checkSignedTransaction, parseSignature, signatureFault } from './signed-transaction.ts';
import { checksumAddress, encodeTransfer, type EtherTransfer } from './transaction.ts';

// The published test key of EIP-155's example.
const account = privateKeyToAccount('0x4646464646464646464646464646464646464646464646464646464646464646');
const stranger = privateKeyToAccount('0x8f2a55949038a9610f50fb23b5883af3b4ecb3c3bb792cbcefbd1542c692be63');
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

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

describe('checkSignedTransaction', () => {
  const unsigned = encodeTransfer(TRANSFER);
  const sign = async (transfer: EtherTransfer, by = account) =>
    hexBytes(await by.signTransaction(viemFields(transfer)));

  const transfers = fc.record({
    chainId: fc.integer({ min: 1, max: 2 ** 40 }),
    nonce: fc.integer({ min: 0, max: 2 ** 40 }),
    to: fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => checksumAddress(bytes)),
    value: fc.bigInt(0n, (1n << 256n) - 1n),
    maxFeePerGas: fc.bigInt(1n << 60n, 1n << 90n),
    maxPriorityFeePerGas: fc.bigInt(0n, 1n << 60n),
    gasLimit: fc.bigInt(1n, (1n << 64n) - 1n),
  });

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
    const twin = serializeTransaction(viemFields(TRANSFER), {
      r: parsed.r!,
      s: `0x${(ORDER - BigInt(parsed.s!)).toString(16).padStart(64, '0')}`,
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

describe('every type of transaction', () => {
  const to = TRANSFER.to as Hex;
  const data = '0xa9059cbb00';
  const key = `0x${'11'.repeat(32)}` as Hex;
  const fees = { maxFeePerGas: 20n, maxPriorityFeePerGas: 1n };
  const base = { chainId: 31337, nonce: 7, gas: 50_000n, to, value: 1n, data } as const;
  const accessList = [{ address: to, storageKeys: [key] }];
  const blobVersionedHashes = [`0x01${'22'.repeat(31)}` as Hex];
  const authorization = { address: to, chainId: 31337, nonce: 0 };

  const transactions = async (): Promise<[string, TransactionSerializable][]> => [
    ['legacy', { type: 'legacy', ...base, gasPrice: 20n }],
    ['legacy on a chain with a large id', { type: 'legacy', ...base, chainId: 2 ** 40 + 7, gasPrice: 20n }],
    ['legacy, creating a contract', { type: 'legacy', ...base, to: null, gasPrice: 20n }],
    ['EIP-2930', { type: 'eip2930', ...base, gasPrice: 20n, accessList }],
    ['EIP-1559 with data', { type: 'eip1559', ...base, ...fees, accessList }],
    ['EIP-4844', { type: 'eip4844', ...base, ...fees, maxFeePerBlobGas: 3n, blobVersionedHashes, sidecars: false }],
    [
      'EIP-7702',
      { type: 'eip7702', ...base, ...fees, authorizationList: [await stranger.signAuthorization(authorization)] },
    ],
  ];

  it('is accepted as it was asked for, and refused with any byte changed', async () => {
    for (const [name, transaction] of await transactions()) {
      const unsigned = hexBytes(serializeTransaction(transaction));
      const signed = hexBytes(await account.signTransaction(transaction));
      const checked = checkSignedTransaction(unsigned, signed, account.address);
      expect(checked, name).toEqual({ ok: true, value: { hash: keccak256(signed) } });
      for (let at = 0; at < signed.length; at++) {
        const changed = signed.slice();
        changed[at]! ^= 0x01;
        expect(checkSignedTransaction(unsigned, changed, account.address).ok, `${name}: byte ${at}`).toBe(false);
      }
      const other = checkSignedTransaction(unsigned, signed, stranger.address);
      expect(other, name).toEqual({ ok: false, error: 'signature_of_another_wallet' });
    }
  });

  it('is refused in place of another', async () => {
    const all = await transactions();
    for (const [wanted, asked] of all) {
      for (const [got, answered] of all) {
        if (wanted === got) continue;
        const unsigned = hexBytes(serializeTransaction(asked));
        const signed = hexBytes(await account.signTransaction(answered));
        expect(checkSignedTransaction(unsigned, signed, account.address).ok, `${got} for ${wanted}`).toBe(false);
      }
    }
  });
});

describe('a signature of 65 bytes', () => {
  const digest = hexBytes(hashMessage('hello'));

  it('is read and checked against what was signed', async () => {
    const signature = parseSignature(await account.signMessage({ message: 'hello' }))!;
    expect(signatureFault(digest, signature, account.address)).toBeUndefined();
    expect(signatureFault(digest, signature, stranger.address)).toBe('signature_of_another_wallet');
    expect(signatureFault(hexBytes(hashMessage('hullo')), signature, account.address)).toBeDefined();
    const twin = { r: signature.r, s: ORDER - signature.s, yParity: 1 - signature.yParity };
    expect(signatureFault(digest, twin, account.address)).toBe('signature_malformed');
  });

  it('has no other form', async () => {
    const text = await account.signMessage({ message: 'hello' });
    for (const bad of ['', '0x', text.slice(0, -2), `${text}00`, text.toUpperCase(), `${text.slice(0, -2)}00`]) {
      expect(parseSignature(bad)).toBeUndefined();
    }
  });
});
