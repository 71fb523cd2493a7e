import { wei } from '@keepwatch/base';
import { describe, expect, it } from 'vitest';
import type { Eip1559Transaction } from './eip1559.ts';
import { intentOf } from './intent.ts';

const TRANSFER: Eip1559Transaction = {
  type: 'eip1559',
  chainId: 31337,
  nonce: 7,
  maxPriorityFeePerGas: wei(1_000_000_000n),
  maxFeePerGas: wei(20_000_000_000n),
  gasLimit: 25_000n,
  to: '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
  value: wei(5n * 10n ** 17n),
  data: new Uint8Array(0),
  accessList: [],
};

describe('intentOf', () => {
  it('takes a plain transfer for what it is, at the fee that it could cost', () => {
    expect(intentOf(TRANSFER)).toEqual({
      ok: true,
      value: {
        kind: 'ether-transfer',
        chain: 'eip155:31337',
        nonce: 7,
        recipient: '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
        valueWei: 500_000_000_000_000_000n,
        maxFeeWei: 500_000_000_000_000n,
        gasLimit: 25_000n,
        maxFeePerGas: 20_000_000_000n,
        maxPriorityFeePerGas: 1_000_000_000n,
      },
    });
  });

  it('takes the older types for what they are: the price is the cap', () => {
    const { chainId, nonce, gasLimit, to, value, data, accessList } = TRANSFER;
    const older = { chainId, nonce, gasLimit, to, value, data, gasPrice: wei(20_000_000_000n) };
    const expected = {
      ok: true,
      value: {
        maxFeeWei: 500_000_000_000_000n,
        maxFeePerGas: 20_000_000_000n,
        maxPriorityFeePerGas: 20_000_000_000n,
        recipient: to,
      },
    };
    expect(intentOf({ type: 'legacy', ...older })).toMatchObject(expected);
    expect(intentOf({ type: 'eip2930', ...older, accessList })).toMatchObject(expected);
    expect(intentOf({ type: 'eip2930', ...older, accessList: [{ address: to!, storageKeys: [] }] })).toEqual({
      ok: false,
      error: 'access_list_not_supported',
    });
  });

  it('refuses blobs and delegations', () => {
    const { to, ...rest } = TRANSFER;
    expect(
      intentOf({ ...rest, to: to!, type: 'eip4844', maxFeePerBlobGas: wei(1n), blobVersionedHashes: ['0x01'] }),
    ).toEqual({ ok: false, error: 'blobs_not_supported' });
    expect(intentOf({ ...rest, to: to!, type: 'eip7702', authorizationList: [] })).toEqual({
      ok: false,
      error: 'delegation_not_supported',
    });
  });

  it.each<[string, Partial<Eip1559Transaction>]>([
    ['contract_creation_not_supported', { to: null }],
    ['contract_creation_not_supported', { to: null, data: Uint8Array.from([0x60]) }],
    ['calldata_not_supported', { data: Uint8Array.from([0]) }],
    ['access_list_not_supported', { accessList: [{ address: TRANSFER.to!, storageKeys: [] }] }],
  ])('refuses everything else: %s', (error, patch) => {
    expect(intentOf({ ...TRANSFER, ...patch })).toEqual({ ok: false, error });
  });
});
