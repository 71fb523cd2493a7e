import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BudgetLine, Charge } from './decision.ts';
import { toJson } from './json.ts';
import { areShown, shownCharges } from './shown-charges.ts';

const amount = fc.oneof(fc.bigInt(0n, 3n), fc.bigInt(0n, 10n ** 30n));
const line: fc.Arbitrary<BudgetLine> = fc
  .record({
    grant: fc.constantFrom('g1', 'g2'),
    rule: fc.constantFrom('volume', 'count', 'max-fee', 'outstanding'),
    spentBefore: amount,
    taken: amount,
    window: fc.constantFrom('86400s', 'day UTC', 'ever'),
  })
  .map(({ taken, window, ...rest }) => {
    const spent = { ...rest, limit: 10n ** 31n, spentAfter: rest.spentBefore + taken };
    switch (rest.rule) {
      case 'volume':
        return { ...spent, asset: 'native', window };
      case 'count':
        return { ...spent, window };
      case 'outstanding':
        return { ...spent, asset: 'native' };
      default:
        return spent;
    }
  });
const lines = fc.array(line, { maxLength: 5 });

/** As a permit of `g1` is journaled: its own lines do not name it. */
const journaled = (all: readonly BudgetLine[]) =>
  all.map((each) => {
    const { grant, ...rest } = toJson(each);
    return grant === 'g1' ? rest : { grant, ...rest };
  });

describe('charges that lines show', () => {
  it('are those of volumes and counts that went up, whichever grant or cap they are of', () => {
    fc.assert(
      fc.property(lines, (all) => {
        const shown = shownCharges(journaled(all), 'g1');
        const expected = all
          .filter(({ rule, spentBefore, spentAfter }) => /^(volume|count)$/.test(rule) && spentAfter !== spentBefore)
          .map(({ grant, rule, asset, window, spentBefore, spentAfter }) => ({
            grant,
            budget: [rule, asset, window].filter((word) => word !== undefined).join(' '),
            amount: spentAfter - spentBefore,
          }));
        expect(shown).toEqual(expected);
        expect(areShown(shown, all)).toBe(true);
      }),
    );
  });

  it('are exactly those that were charged, wherever they are taken for shown', () => {
    const change = fc.constantFrom<(charges: Charge[]) => Charge[]>(
      (charges) => charges,
      (charges) => charges.slice(1),
      (charges) => [...charges].reverse(),
      (charges) => [...charges, { grant: 'g1', budget: 'min-interval', amount: 0n }],
      (charges) => charges.map((each) => ({ ...each, amount: each.amount + 1n })),
      (charges) => charges.map((each) => ({ ...each, grant: 'g3' })),
      (charges) => charges.map((each) => ({ ...each, budget: `${each.budget}x` })),
      (charges) => charges.map((each) => ({ ...each, fromMs: 0, untilMs: 86_400_000 })),
      (charges) => charges.map((each) => ({ ...each, holds: 'spent' as const })),
    );
    fc.assert(
      fc.property(lines, change, (all, changed) => {
        const shown = shownCharges(journaled(all), 'g1');
        const charges = changed(shown);
        // Nothing but the very same charges may be left out of the journal.
        const same = JSON.stringify(toJson(charges)) === JSON.stringify(toJson(shown));
        expect(areShown(charges, all)).toBe(same);
      }),
      { numRuns: 1_000 },
    );
  });
});
