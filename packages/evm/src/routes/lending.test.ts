import { expect, it } from 'vitest';
import { BOB, COIN, COIN2, calldata, contractOf, entry, flowsOf, judged, named, registryOf } from './world.fixture.ts';

const pool = contractOf('aave-v3-pool');
const [lent, other, elsewhere] = [named('lent coin'), named('lent other coin'), named('lent coin of another pool')];

it('taking out of a pool spends the lending token of that pool and asset, and no other', () => {
  const token = (address: typeof lent, issuer: typeof pool, underlying: typeof COIN) =>
    entry('erc20', { address, issuer, underlying, name: address });
  const registry = registryOf(
    entry('aave-v3-pool'),
    entry('erc20'),
    ...[token(lent, pool, COIN), token(other, pool, COIN2), token(elsewhere, named('another pool'), COIN)],
  );
  const data = calldata('withdraw(address asset, uint256 amount, address to)', [COIN, 5n, BOB]);
  const { opaque, outflows } = judged({ to: pool, data, registry });
  expect(opaque).toBeNull();
  expect(flowsOf(outflows).map(([, asset, amount, to]) => [asset, amount, to])).toEqual([
    [`erc20:${COIN}`, 5n, BOB],
    [`erc20:${lent}`, 5n, BOB],
  ]);
});
