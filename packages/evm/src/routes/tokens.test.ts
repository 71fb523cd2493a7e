import { describe, expect, it } from 'vitest';
import { BOB, calldata, contractOf, flowsOf, judged, WALLET } from './world.fixture.ts';

const items = contractOf('erc1155');

function batch(ids: readonly bigint[], amounts: readonly bigint[]) {
  const line = 'safeBatchTransferFrom(address from, address to, uint256[] ids, uint256[] amounts, bytes data)';
  return judged({ to: items, data: calldata(line, [WALLET, BOB, ids, amounts, '0x']) });
}

describe('a batch of items (ERC-1155)', () => {
  it('moves each amount of the item in the same place', () => {
    const { opaque, outflows } = batch([7n, 8n], [1n, 2n]);
    expect(opaque).toBeNull();
    expect(flowsOf(outflows).map(([, asset, amount]) => [asset, amount])).toEqual([
      [`erc1155:${items}/7`, 1n],
      [`erc1155:${items}/8`, 2n],
    ]);
  });

  it.each<[string, readonly bigint[], readonly bigint[]]>([
    ['nothing in it', [], []],
    ['fewer amounts than items', [7n, 8n], [1n]],
    ['more amounts than items', [7n], [1n, 2n]],
  ])('is not understood with %s', (_, ids, amounts) => {
    expect(batch(ids, amounts).opaque).toBe('malformed_batch');
  });
});
