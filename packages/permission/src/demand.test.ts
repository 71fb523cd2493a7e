import { describe, expect, it } from 'vitest';
import { demandOf, dueOf } from './demand.ts';
import { BOB, feeOf, outflow, requestOf } from './engine.fixture.ts';
import type { Outflow } from './intent.ts';

const COIN = 'erc20:0xc1';
const ask = (outflows: readonly Outflow[], maxFeeWei = 10n) => requestOf({ outflows, fee: feeOf(maxFeeWei) });

describe('the demand of a request', () => {
  it('adds up what leaves by asset; what is without a limit stays so', () => {
    const demand = demandOf(
      ask([
        ...[outflow('native', 1n, BOB), outflow(COIN, 2n, BOB), outflow('native', 4n, BOB), outflow('x', 0n, BOB)],
        ...[
          outflow('y', 'unlimited', BOB),
          outflow('y', 3n, BOB),
          outflow('z', 3n, BOB),
          outflow('z', 'unlimited', BOB),
        ],
      ]),
    );
    expect([...demand.totals]).toEqual([
      ['native', 5n],
      [COIN, 2n],
      ['x', 0n],
      ['y', 'unlimited'],
      ['z', 'unlimited'],
    ]);
    expect(demand).toMatchObject({ feeDue: 10n, counts: 1, fee: feeOf(10n) });
    expect(demand.due).toBe(demand.totals);
    expect(['native', COIN, 'y', 'none'].map((asset) => dueOf(demand, asset))).toEqual([15n, 2n, 'unlimited', 0n]);
  });

  it('of ether without a limit is without a limit, fees and all', () => {
    expect(dueOf(demandOf(ask([outflow('native', 'unlimited', BOB)])), 'native')).toBe('unlimited');
  });

  it('of a replacement is what it adds to the highest fee, and nothing else', () => {
    const replacing = (maxFeeWei: bigint) =>
      demandOf({
        ...ask([outflow('native', 7n, BOB)]),
        replaces: { by: 'same-intent', grant: 'g1', maxFeeWei },
      });
    const demand = replacing(4n);
    expect(demand).toMatchObject({ feeDue: 6n, counts: 0, outflows: [] });
    expect([...demand.totals]).toEqual([['native', 7n]]);
    expect([...demand.due]).toEqual([]);
    expect(dueOf(demand, 'native')).toBe(6n);
    expect([9n, 10n, 11n].map((fee) => replacing(fee).feeDue)).toEqual([1n, 0n, 0n]);
  });

  it('of a replacement that another grant has to pay for is all of it', () => {
    const asked = ask([outflow('native', 7n, BOB)]);
    const taken = { ...asked, replaces: { by: 'same-intent' as const, grant: null, maxFeeWei: 0n } };
    expect(demandOf(taken)).toEqual(demandOf(asked));
  });

  it('is refused where an amount is negative: charging it would give budget back', () => {
    expect(() => demandOf(ask([], -1n))).toThrow(new RangeError('a fee is not negative'));
    expect(() => demandOf(ask([outflow('native', -1n, BOB)]))).toThrow(new RangeError('an outflow is not negative'));
    expect(demandOf(ask([], 0n)).feeDue).toBe(0n);
    expect(demandOf(requestOf({ fee: null })).feeDue).toBe(0n);
  });
});
