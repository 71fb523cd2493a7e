import { CodedError, toHex } from '@keepwatch/base';
import fc from 'fast-check';
import { parseTransaction, serializeTransaction, type Hex } from 'viem';
import { describe, expect, it } from 'vitest';
import { addressBytes, checksumAddress, encodeTransfer, type EtherTransfer } from './transaction.ts';

const TRANSFER: EtherTransfer = {
  chainId: 31337,
  nonce: 7,
  to: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
  value: 500_000_000_000_000_000n,
  maxFeePerGas: 20_000_000_000n,
  maxPriorityFeePerGas: 1_000_000_000n,
};

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
    ['an amount as a number', { value: 1 }],
    ['an amount as a fraction', { value: 0.5 }],
    ['an amount as text', { value: '1' }],
    ['gas as a number', { gasLimit: 21_000 }],
    ['a fee as a number', { maxFeePerGas: 20_000_000_000, maxPriorityFeePerGas: 1n }],
    ['a chain id as a bigint', { chainId: 1n }],
    ['no recipient', { to: undefined }],
    ['a recipient in a list', { to: [TRANSFER.to] }],
  ])('refuses %s', (_, change) => {
    expect(() => encodeTransfer({ ...TRANSFER, ...change } as EtherTransfer)).toThrow(
      expect.objectContaining({ code: 'transfer_invalid' }),
    );
  });

  it.each([
    ['data', { data: '0xa9059cbb00' }, 'serializeTransaction'],
    ['data', { data: '0xa9059cbb00', gas: 60_000n }, 'serializeTransaction'],
    ['accessList', { accessList: [] }, 'serializeTransaction'],
    ['gas', { gas: 60_000n }, 'gasLimit'],
    ['gasPrice', { gasPrice: 1n }, 'maxFeePerGas'],
    ['type', { type: 'eip1559' }, 'EIP-1559'],
    ['from', { from: TRANSFER.to }, 'wallet'],
    ['memo', { memo: 'rent' }, 'Leave it out'],
  ])('takes no %s for nothing: it would not be signed', (name, members, advice) => {
    const fault = refusalOf({ ...TRANSFER, ...members } as EtherTransfer);
    expect(fault).toMatchObject({ code: 'transfer_invalid' });
    expect(fault.message).toContain(`“${name}”`);
    expect(fault.remedy).toContain(advice);
  });

  it('finds members that a class has, as those of ethers', () => {
    class Built {
      readonly chainId = 1;
      get data() {
        return '0xa9059cbb00';
      }
    }
    const hidden = Object.defineProperty({ ...TRANSFER }, 'data', { value: '0xa9', enumerable: false });
    const inherited = Object.assign(Object.create({ calldata: '0xa9' }) as object, TRANSFER);
    expect(refusalOf(Object.assign(new Built(), TRANSFER)).message).toContain('“data”');
    expect(refusalOf(hidden).message).toContain('“data”');
    expect(refusalOf(inherited as EtherTransfer).message).toContain('“calldata”');
  });

  it('passes over members without a value, as viem has them', () => {
    const transfer = { ...TRANSFER, data: undefined, gas: undefined };
    expect(encodeTransfer(transfer)).toEqual(encodeTransfer(TRANSFER));
  });

  it.each([['0x02f8'], [null], [undefined], [7]])('refuses %s, which is no transfer', (value) => {
    expect(refusalOf(value as never)).toMatchObject({ code: 'transfer_invalid' });
  });
});

function refusalOf(transfer: EtherTransfer): CodedError {
  try {
    encodeTransfer(transfer);
  } catch (error) {
    if (error instanceof CodedError) return error;
    throw error;
  }
  throw new Error('it was encoded');
}

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
