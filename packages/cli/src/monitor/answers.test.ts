import { expect, it } from 'vitest';
import { ladderFields } from './answers.ts';

const rungs = [{ who: 'Ada', tell: ['phone'], wait: '10m' }];

it('shows all of a ladder, and what holds where something is left out', () => {
  expect(ladderFields({ rungs })).toEqual([
    ['climbs', 'what is critical'],
    ['rounds', '3'],
    ['page', 'none'],
    ['codes', 'hold for 24h'],
  ]);
  const climbs = { from: 'warning', kinds: ['spent', 'dust'], except: ['received'] };
  expect(ladderFields({ rungs, rounds: 1, climbs, page: 'https://watch.example', codes: '90s' })).toEqual([
    ['climbs', 'what is at least warning, and spent, dust; never received'],
    ['rounds', '1'],
    ['page', 'https://watch.example'],
    ['codes', 'hold for 90s'],
  ]);
});
