import { describe, expect, it } from 'vitest';
import { USDT_ASSET } from '../engine.fixture.ts';
import { chainName, coinSymbol } from './chain-names.ts';
import { amountWords, assetWords, listed, namesOfAssets, spanWords, windowTextWords, windowWords } from './names.ts';

describe('chains', () => {
  it.each([
    ['eip155:1', 'Ethereum', 'ETH'],
    ['eip155:10', 'OP Mainnet', 'ETH'],
    ['eip155:56', 'BNB Smart Chain', 'BNB'],
    ['eip155:100', 'Gnosis', 'XDAI'],
    ['eip155:137', 'Polygon', 'POL'],
    ['eip155:8453', 'Base', 'ETH'],
    ['eip155:42161', 'Arbitrum One', 'ETH'],
    ['eip155:43114', 'Avalanche', 'AVAX'],
    ['eip155:59144', 'Linea', 'ETH'],
    ['eip155:17000', 'Holesky', 'ETH'],
    ['eip155:560048', 'Hoodi', 'ETH'],
    ['eip155:11155111', 'Sepolia', 'ETH'],
    ['eip155:31337', 'chain 31337', 'ETH'],
    ['solana:mainnet', 'chain solana:mainnet', 'ETH'],
    ['any', 'any chain', 'ETH'],
  ])('%s is called %s and its coin %s', (chain, name, coin) => {
    expect([chainName(chain), coinSymbol(chain)]).toEqual([name, coin]);
  });
});

describe('amounts', () => {
  it('are in the unit that people use, where somebody said which', () => {
    const names = { tokens: { [USDT_ASSET]: { symbol: 'USDT', decimals: 6 } } };
    expect(amountWords(1_500_000n, USDT_ASSET, 'eip155:1', names)).toBe('1.5 USDT');
    expect(amountWords('unlimited', USDT_ASSET, 'eip155:1', names)).toBe('unlimited USDT');
    expect(amountWords(1n, USDT_ASSET, 'eip155:1', {})).toBe(`1 unit of ${USDT_ASSET}`);
    expect(amountWords(2n, USDT_ASSET, 'eip155:1', {})).toBe(`2 units of ${USDT_ASSET}`);
    expect(amountWords('unlimited', USDT_ASSET, 'eip155:1', {})).toBe(`unlimited amounts of ${USDT_ASSET}`);
    expect(amountWords(10n ** 18n, 'native', 'eip155:137', {})).toBe('1 POL');
    expect(amountWords(10n ** 18n, 'native', 'eip155:137', { coin: 'MATIC' })).toBe('1 MATIC');
  });

  it('are of an asset by its symbol', () => {
    expect(assetWords('native', 'eip155:56', {})).toBe('BNB');
    expect(assetWords('native', 'eip155:56', { coin: 'tBNB' })).toBe('tBNB');
    expect(assetWords(USDT_ASSET, 'eip155:1', {})).toBe(USDT_ASSET);
  });

  it('are written as a grant says, before what others say, where it says both how it is called and how it is divided', () => {
    const known = { tokens: { a: { symbol: 'A', decimals: 1 }, b: { symbol: 'B', decimals: 2 } } };
    const named = namesOfAssets(
      [
        { asset: 'a', symbol: 'OWN', decimals: 0 },
        { asset: 'b', symbol: 'HALF' },
        { asset: 'c', decimals: 3 },
      ],
      known,
    );
    expect(named.tokens).toEqual({ a: { symbol: 'OWN', decimals: 0 }, b: { symbol: 'B', decimals: 2 } });
    expect(namesOfAssets([], { client: 'bot' })).toEqual({ client: 'bot', tokens: {} });
  });
});

it('joins a list with commas and one word', () => {
  expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map((list) => listed(list))).toEqual([
    '',
    'a',
    'a and b',
    'a, b and c',
  ]);
  expect(listed(['a', 'b', 'c'], 'or')).toBe('a, b or c');
});

describe('spans', () => {
  it.each([
    [1, 'a second', 'a second'],
    [59, '59 seconds', 'in any 59 seconds'],
    [60, 'a minute', 'a minute'],
    [90, '90 seconds', 'in any 90 seconds'],
    [120, '2 minutes', 'in any 2 minutes'],
    [3_600, 'an hour', 'an hour'],
    [5_400, '90 minutes', 'in any 90 minutes'],
    [7_200, '2 hours', 'in any 2 hours'],
    [86_400, 'a day', 'a day'],
    [129_600, '36 hours', 'in any 36 hours'],
    [604_800, '7 days', 'in any 7 days'],
  ])('of %i seconds', (seconds, span, window) => {
    expect(spanWords(seconds)).toBe(span);
    expect(windowWords({ seconds })).toBe(window);
    expect(windowTextWords(`${seconds}s`)).toBe(window);
  });

  it('for ever, and by the calendar', () => {
    expect([windowWords({ ever: true }), windowTextWords('ever')]).toEqual(['ever', 'ever']);
    for (const calendar of ['day', 'week', 'month'] as const) {
      const words = `each calendar ${calendar} (Asia/Tokyo)`;
      expect(windowWords({ calendar, zone: 'Asia/Tokyo' })).toBe(words);
      expect(windowTextWords(`${calendar} Asia/Tokyo`)).toBe(words);
    }
  });
});
