import { expect, it } from 'vitest';
import { labelKey, labelOf } from './labels.ts';

const COIN = `${'ab'.repeat(32)}:0`;

it('tells an input from an output of the same reference', () => {
  const labels = { [labelKey('input', COIN)]: 'spent for rent', [labelKey('output', COIN)]: 'from Ada' };
  expect(labelOf(labels, 'input', COIN)).toBe('spent for rent');
  expect(labelOf(labels, 'output', COIN)).toBe('from Ada');
  expect(labelOf(labels, 'tx', COIN)).toBe(null);
  expect(labelOf({ [labelKey('input', COIN)]: 'an input' }, 'output', COIN)).toBe(null);
});

it('finds what was written before the type was kept, for all but inputs, and what was written since before it', () => {
  expect(labelOf({ [COIN]: 'old' }, 'output', COIN)).toBe('old');
  expect(labelOf({ bc1q: 'old' }, 'addr', 'bc1q')).toBe('old');
  expect(labelOf({ [COIN]: 'old' }, 'input', COIN)).toBe(null);
  expect(labelOf({ [COIN]: 'old', [labelKey('output', COIN)]: 'new' }, 'output', COIN)).toBe('new');
  expect(labelOf({}, 'addr', 'constructor')).toBe(null);
});
