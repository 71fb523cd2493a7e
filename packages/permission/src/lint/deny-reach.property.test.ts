import fc from 'fast-check';
import { expect, it } from 'vitest';
import { forbiddenBy } from '../deny-match.ts';
import { denyRules, KINDS, requestsOf } from '../every-kind.fixture.ts';
import { neverMatches } from './deny-reach.ts';

it('no rule that forbids something is said to match never, and some are said to', () => {
  let never = 0;
  let forbidding = 0;
  fc.assert(
    fc.property(denyRules, fc.constantFrom(...KINDS).chain(requestsOf), (rule, request) => {
      const matched = forbiddenBy(rule, request) !== undefined;
      if (matched) forbidding++;
      const words = neverMatches(rule);
      if (words !== undefined) never++;
      expect(matched && words !== undefined).toBe(false);
    }),
    { numRuns: 20_000 },
  );
  expect(never).toBeGreaterThan(100);
  expect(forbidding).toBeGreaterThan(100);
}, 120_000);
