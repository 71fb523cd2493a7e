import { parseEther } from '@keepwatch/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseAmount,
  parseChain,
  parseCount,
  parseDuration,
  parseRate,
  parseVolume,
  showDuration,
  showEther,
} from './values.ts';

const usage = (code: string) => expect.objectContaining({ code: `usage_${code}` }) as Error;
const amounts = fc.bigInt(0n, 10n ** 40n);

describe('amounts', () => {
  it('are read in the unit that is written, exactly', () => {
    fc.assert(
      fc.property(amounts, (amount) => {
        expect(parseAmount(`${amount}wei`, '--x')).toBe(amount);
        expect(parseAmount(`${amount}gwei`, '--x')).toBe(amount * 10n ** 9n);
        expect(parseAmount(`${amount} ETH`, '--x')).toBe(amount * 10n ** 18n);
      }),
    );
  });

  it('come back as they were shown', () => {
    fc.assert(
      fc.property(amounts, (amount) => {
        expect(parseAmount(showEther(amount), '--x')).toBe(amount);
      }),
    );
  });

  it('with decimals are moved by the unit’s power of ten', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 20n), fc.integer({ min: 1, max: 9 }), (digits, decimals) => {
        const text = digits.toString().padStart(decimals + 1, '0');
        const number = `${BigInt(text.slice(0, -decimals))}.${text.slice(-decimals)}`;
        expect(parseAmount(`${number}gwei`, '--x')).toBe(digits * 10n ** BigInt(9 - decimals));
        const ether = parseEther(number);
        expect(ether.ok && parseAmount(`${number}eth`, '--x') === ether.value).toBe(true);
      }),
    );
  });

  it.each([
    '2',
    'eth',
    '-1eth',
    '1e18wei',
    '1,5eth',
    '.5eth',
    '5.eth',
    '0x10wei',
    '1.5wei',
    '01eth',
    '1.0000000001gwei',
    '1.0000000000000000001eth',
    '1 btc',
    '',
  ])('refuses “%s” instead of guessing', (text) => expect(() => parseAmount(text, '--value')).toThrow(usage('amount')));
});

describe('lengths of time', () => {
  it('come back as they were shown', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 366 * 86_400 }), (seconds) => {
        expect(parseDuration(showDuration(seconds), '--x')).toBe(seconds);
      }),
    );
  });

  it.each([
    ['90s', 90],
    ['30m', 1_800],
    ['24h', 86_400],
    ['1d', 86_400],
    ['2w', 1_209_600],
  ])('%s is %i seconds', (text, seconds) => expect(parseDuration(text, '--x')).toBe(seconds));

  it.each(['', '1', 'd', '0d', '-1d', '1.5h', '1y', '1D'])('refuses “%s”', (text) => {
    expect(() => parseDuration(text, '--x')).toThrow(usage('duration'));
  });
});

describe('limits', () => {
  it('join an amount or a count and a length of time', () => {
    expect(parseVolume('2eth/1d', '--volume')).toEqual({ limit: '2000000000000000000', window: { seconds: 86_400 } });
    expect(parseRate('10/1h', '--count')).toEqual({ limit: 10, window: { seconds: 3_600 } });
  });

  it.each(['2eth', '2eth/', '/1d', '2eth/1d/1d', '2/1d'])('refuses “%s” as a volume', (text) => {
    expect(() => parseVolume(text, '--volume')).toThrow(/--volume/);
  });
});

describe('chains and counts', () => {
  it('take a number or CAIP-2 and give CAIP-2', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (chain) => {
        expect(parseChain(String(chain), '--chain')).toBe(`eip155:${chain}`);
        expect(parseChain(`eip155:${chain}`, '--chain')).toBe(`eip155:${chain}`);
      }),
    );
  });

  it.each(['0', '-1', '1.0', '0x1', 'eip155:', 'bip122:1', '9007199254740993', ''])(
    'refuse “%s” as a chain',
    (text) => {
      expect(() => parseChain(text, '--chain')).toThrow(usage('chain'));
    },
  );

  it.each(['', '-1', '1.5', '01', '1e3', '1001'])('refuse “%s” as a count up to 1000', (text) => {
    expect(() => parseCount(text, '--count', 1_000)).toThrow(usage('number'));
  });
});
