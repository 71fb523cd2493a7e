import { describe, expect, it } from 'vitest';
import { limitChanges, unitsOf } from './evm-limits.ts';

const [USDC, BRIDGED] = [`0x${'aB'.repeat(20)}`, `0x${'cd'.repeat(20)}`];
const units = unitsOf([
  { token: USDC, symbol: 'USDC', decimals: 6 },
  { token: BRIDGED, symbol: 'usdc', decimals: 6 },
  { token: `0x${'ef'.repeat(20)}`, symbol: 'DAI', decimals: 18 },
]);
const none = { large: undefined, above: undefined, below: undefined };
const read = (...limit: readonly string[]) => limitChanges({ ...none, limit }, units);

describe('limits on a command line', () => {
  it('are of the coin, or of a token by its symbol or its address; none clears', () => {
    expect(limitChanges({ ...none, large: '1.5 ETH', limit: ['dai:above:2', 'DAI:below:none'] }, units)).toEqual([
      { token: null, large: '1500000000000000000' },
      { token: `0x${'ef'.repeat(20)}`, above: '2000000000000000000', below: null },
    ]);
    expect(read(`${USDC.toLowerCase()}:large:5000`, `${BRIDGED}:large:7`)).toEqual([
      { token: USDC, large: '5000000000' },
      { token: BRIDGED, large: '7000000' },
    ]);
  });

  it('are not guessed where two tokens are called the same, or none', () => {
    expect(() => read('USDC:large:5000')).toThrow('--limit: two tokens are called “USDC”.');
    expect(() => read('EURC:large:5000')).toThrow('--limit: no token “EURC” is watched.');
    expect(() => read('DAI:huge:1')).toThrow('--limit: “DAI:huge:1” is none.');
    expect(() => read('DAI:large:1.0000000000000000001')).toThrow('at most 18 decimals');
  });

  it('are refused where they are no amounts, with words that fit', () => {
    const refused = (remedy: string) => ({ code: 'usage_amount', remedy: expect.stringContaining(remedy) as string });
    const caught = (ask: () => unknown): unknown => {
      try {
        return ask();
      } catch (error) {
        return error;
      }
    };
    expect(caught(() => read(`${USDC}:large:6.1234567`))).toMatchObject(refused('in whole tokens, such as 5000'));
    expect(caught(() => limitChanges({ ...none, large: '30gwei', limit: [] }, units))).toMatchObject(
      refused('in whole coins, such as 1.5'),
    );
  });

  it('are refused where one is given twice, however its token is named', () => {
    expect(() => read('DAI:large:5', 'DAI:large:7')).toThrow('--limit: the limit “large” of “DAI” is given twice.');
    expect(() => read('DAI:large:5', `0x${'EF'.repeat(20)}:large:5`)).toThrow('is given twice');
    expect(() => read('DAI:large:none', 'dai:large:7')).toThrow('is given twice');
    expect(read('DAI:large:5', 'DAI:above:7', `${USDC}:large:5`)).toHaveLength(2);
  });
});
