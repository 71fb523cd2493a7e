import { expect, it } from 'vitest';
import { parseAddress } from '../address.ts';
import { keccak, registryOf } from '../routes/world.fixture.ts';
import { bundledEntries, bundledSpellings } from './bundled.ts';
import { parseEntry } from './entry-parse.ts';
import { entriesOf } from './registry.ts';

it('has addresses that pass the checksum which their source gave them', () => {
  expect(bundledSpellings().filter((text) => !parseAddress(text, keccak).ok)).toEqual([]);
});

it('has entries that fit into one registry, in the form that operators write', () => {
  const entries = bundledEntries();
  for (const entry of entries)
    expect(parseEntry(JSON.parse(JSON.stringify(entry)))).toEqual({ ok: true, value: entry });
  expect(entriesOf(registryOf(...entries))).toHaveLength(entries.length);
});

it('knows the decimals that are not 18 and not 6', () => {
  const odd = bundledEntries().filter(({ decimals }) => decimals !== undefined && ![6, 18].includes(decimals));
  expect(new Set(odd.map(({ symbol, decimals }) => `${symbol} ${decimals}`))).toEqual(new Set(['WBTC 8', 'cbBTC 8']));
  const onBnb = bundledEntries().filter(({ chain }) => chain === 'eip155:56');
  expect(onBnb.filter(({ decimals }) => decimals === 6)).toEqual([]);
});
