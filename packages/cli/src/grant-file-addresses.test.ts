import { describe, expect, it } from 'vitest';
import { withoutChecksums } from './grant-file-addresses.ts';

const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const LOWER = ALICE.toLowerCase();
const file = (grant: object) => ({ grants: [grant] });

describe('addresses in a file of grants', () => {
  it('may have their checksum, wherever they stand', () => {
    const grant = (address: string) => ({
      ...{ recipients: [address], spenders: [LOWER, address], contracts: [address], contract: address },
      ...{ accounts: [address], delegates: [address], addresses: [address], unlimited: [`erc721:${address}`] },
      assets: [{ asset: `erc20:${address}`, symbol: 'TUSD' }],
      constraints: [
        { type: 'volume', asset: `erc1155:${address}/7`, limit: '1' },
        { type: 'quorum', above: { asset: `erc20:${address}`, amount: '1' }, approvals: 2 },
      ],
    });
    expect(withoutChecksums(file(grant(ALICE)))).toEqual(file(grant(LOWER)));
    expect(withoutChecksums(file({ kind: 'deny', assets: [`erc20:${ALICE}`] }))).toEqual(
      file({ kind: 'deny', assets: [`erc20:${LOWER}`] }),
    );
  });

  it.each([
    ['an address', { recipients: [ALICE.replace('C8', 'c8')] }],
    ['an asset', { assets: [{ asset: `erc20:${ALICE.replace('C8', 'c8')}` }] }],
  ])('with a checksum that does not fit are refused, in %s', (_, grant) => {
    const fault = expect.objectContaining({ code: 'grant_invalid' });
    expect(() => withoutChecksums(file(grant))).toThrow(fault);
  });

  it('are no texts, names or values that look like them, and what is none is left alone', () => {
    const grant = {
      ...{ client: ALICE, wallet: ALICE, label: ALICE, messages: [{ prefix: ALICE }], recipients: 'any' },
      functions: [{ function: 'f(address)', where: [{ path: '/to', test: 'equals', value: ALICE }] }],
      ...{ contract: 'none', addresses: ['0x7099', 7, null], unlimited: ['native'] },
    };
    expect(withoutChecksums(file(grant))).toEqual(file(grant));
    for (const other of [null, 7, 'x', [], { __proto__: null }]) expect(withoutChecksums(other)).toEqual(other);
  });
});
