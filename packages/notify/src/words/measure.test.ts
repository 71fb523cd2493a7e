import { expect, it } from 'vitest';
import { clockWords, counted, lasting, megabytes, secondOf } from './measure.ts';

it('says how long something lasts in the largest unit of which there are two', () => {
  expect([0, 29, 30, 60, 90, 7_199, 7_200, 172_799, 172_800, 604_800].map(lasting)).toEqual([
    ...['0 seconds', '29 seconds', '1 minute', '1 minute', '2 minutes', '2 hours', '2 hours', '2 days', '2 days'],
    '7 days',
  ]);
});

it('says which way a clock is wrong, how much room is left, and how many there are', () => {
  expect([clockWords(-5_400), clockWords(90)]).toEqual([
    'the clock is 90 minutes behind',
    'the clock is 2 minutes ahead',
  ]);
  expect([megabytes(104_857_600), megabytes(999_999)]).toEqual(['104 MB', '0 MB']);
  expect([counted(1, 'block'), counted(0, 'block')]).toEqual(['1 block', '0 blocks']);
  expect(secondOf(1_790_000_000_999)).toBe('2026-09-21 14:13:20 UTC');
});
