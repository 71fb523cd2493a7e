import { concat, fromHex, toHex } from '@keepwatch/base';
import fc from 'fast-check';
import {
  hashMessage,
  keccak256,
  parseTransaction,
  serializeSignature,
  serializeTransaction,
  type Hex,
  type TransactionSerializable,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { parseSignature, signatureFault, signedTransaction } from './signed-transaction.ts';
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

/** The signature of a transaction that viem signed, as the vault answers it. */
function signatureIn(signed: Hex): Hex {
  const { r, s, v, yParity } = parseTransaction(signed as never) as Record<'r' | 's', Hex> & {
    v?: bigint;
    yParity?: number;
  };
  return serializeSignature({ r, s, yParity: yParity ?? Number((v! + 1n) % 2n) });
}

describe('signedTransaction', () => {
  const unsigned = encodeTransfer(TRANSFER);
  const sign = async (transfer: EtherTransfer, by = account) =>
    signatureIn(await by.signTransaction(viemFields(transfer)));

  const transfers = fc.record({
    chainId: fc.integer({ min: 1, max: 2 ** 40 }),
    nonce: fc.integer({ min: 0, max: 2 ** 40 }),
    to: fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => checksumAddress(bytes)),
    value: fc.bigInt(0n, (1n << 256n) - 1n),
    maxFeePerGas: fc.bigInt(1n << 60n, 1n << 90n),
    maxPriorityFeePerGas: fc.bigInt(0n, 1n << 60n),
    gasLimit: fc.bigInt(1n, (1n << 64n) - 1n),
  });

  it('is what viem signs, for any transfer, and names the hash', async () => {
    await fc.assert(
      fc.asyncProperty(transfers, async (transfer) => {
        const signed = await account.signTransaction({ ...viemFields(transfer), gas: transfer.gasLimit });
        const made = signedTransaction(encodeTransfer(transfer), signatureIn(signed), account.address);
        expect(made).toEqual({ ok: true, value: { raw: hexBytes(signed), hash: keccak256(signed) } });
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
  ])('is not made with the signature over a transaction with another %s', async (_, change) => {
    const other = await sign({ ...TRANSFER, ...change });
    expect(signedTransaction(unsigned, other, account.address)).toEqual({
      ok: false,
      error: 'signature_of_another_wallet',
    });
  });

  it('is not made with the signature of another wallet', async () => {
    expect(signedTransaction(unsigned, await sign(TRANSFER, stranger), account.address)).toEqual({
      ok: false,
      error: 'signature_of_another_wallet',
    });
  });

  it('is not made with the high-s twin of a signature, nor with what is none', async () => {
    const signature = parseSignature(await sign(TRANSFER))!;
    const { r, s, yParity } = signature;
    const hex = (scalar: bigint) => `0x${scalar.toString(16).padStart(64, '0')}` as const;
    const twin = serializeSignature({ r: hex(r), s: hex(ORDER - s), yParity: 1 - yParity });
    const zeros = ['00'.repeat(65), `${'00'.repeat(64)}1b`, `${'ff'.repeat(64)}1b`].map((digits) => `0x${digits}`);
    for (const bad of [twin, '', '0x', ...zeros]) {
      const error = 'signature_malformed';
      expect(signedTransaction(unsigned, bad, account.address), bad).toEqual({ ok: false, error });
    }
  });

  it('is not made with any byte of the signature changed', async () => {
    const signature = hexBytes(await sign(TRANSFER));
    for (let at = 0; at < signature.length; at++) {
      for (const flip of [0x01, 0x80]) {
        const changed = signature.slice();
        changed[at]! ^= flip;
        const made = signedTransaction(unsigned, `0x${toHex(changed)}`, account.address);
        expect(made.ok, `byte ${at} ^ ${flip}`).toBe(false);
      }
    }
  });

  it('is not made of what is no unsigned transaction, even where its signature is right', async () => {
    const list = unsigned.subarray(1);
    const bad = [
      new Uint8Array(0),
      Uint8Array.of(2),
      unsigned.subarray(0, -1),
      concat(unsigned, Uint8Array.of(0)),
      concat(Uint8Array.of(0), list),
      concat(Uint8Array.of(5), list),
      // Legacy forms without a chain id: an empty list, three members that are none, and six fields alone.
      Uint8Array.of(0xc0),
      Uint8Array.of(0xc3, 0x80, 0x80, 0x80),
      Uint8Array.of(0xc3, 0x01, 0x01, 0x80),
      Uint8Array.of(0xc6, 1, 1, 1, 1, 1, 1),
    ];
    for (const bytes of bad) {
      const signature = await account.sign({ hash: keccak256(bytes) });
      const error = 'transaction_malformed';
      expect(signedTransaction(bytes, signature, account.address), toHex(bytes)).toEqual({ ok: false, error });
    }
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
    ['legacy with much data', { type: 'legacy', ...base, data: `0x${'ab'.repeat(70_000)}`, gasPrice: 20n }],
    ['EIP-2930', { type: 'eip2930', ...base, gasPrice: 20n, accessList }],
    ['EIP-1559 with data', { type: 'eip1559', ...base, ...fees, accessList }],
    ['EIP-1559 with much data', { type: 'eip1559', ...base, ...fees, data: `0x${'ab'.repeat(300)}` }],
    ['EIP-4844', { type: 'eip4844', ...base, ...fees, maxFeePerBlobGas: 3n, blobVersionedHashes, sidecars: false }],
    [
      'EIP-7702',
      { type: 'eip7702', ...base, ...fees, authorizationList: [await stranger.signAuthorization(authorization)] },
    ],
  ];

  it('is made of what was asked for and its signature, byte for byte', async () => {
    for (const [name, transaction] of await transactions()) {
      const unsigned = hexBytes(serializeTransaction(transaction));
      const signed = await account.signTransaction(transaction);
      const made = signedTransaction(unsigned, signatureIn(signed), account.address);
      expect(made, name).toEqual({ ok: true, value: { raw: hexBytes(signed), hash: keccak256(signed) } });
      const other = signedTransaction(unsigned, signatureIn(signed), stranger.address);
      expect(other, name).toEqual({ ok: false, error: 'signature_of_another_wallet' });
    }
  });

  it('has signatures with leading zeros written as integers', async () => {
    // Of 300 signatures some have a scalar that begins with a zero byte (each one in 128).
    let short = 0;
    for (let nonce = 0; nonce < 300; nonce++) {
      const transaction = { type: 'legacy', ...base, nonce, gasPrice: 20n } as const;
      const signed = await account.signTransaction(transaction);
      const signature = signatureIn(signed);
      if (!/^0x00|^0x.{64}00/.test(signature)) continue;
      short++;
      const made = signedTransaction(hexBytes(serializeTransaction(transaction)), signature, account.address);
      expect(made).toMatchObject({ ok: true, value: { hash: keccak256(signed) } });
    }
    expect(short).toBeGreaterThan(0);
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
