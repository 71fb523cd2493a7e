import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { FINDING_KINDS } from './codec/finding.ts';

const page = readFileSync(new URL('../../../docs/findings.md', import.meta.url), 'utf8');

it('docs/findings.md has one row for each kind that the journal can hold, and no other', () => {
  const rows = [...page.matchAll(/^\| `([a-z-]+)` +\|(.*)\|$/gm)];
  expect(rows.map(([, kind]) => kind).sort()).toEqual([...FINDING_KINDS].sort());
  for (const [, kind, cells] of rows) {
    const words = cells!.split('|').map((cell) => cell.trim());
    expect(words, kind).toHaveLength(4);
    expect(
      words.every((cell) => cell !== ''),
      kind,
    ).toBe(true);
  }
});
