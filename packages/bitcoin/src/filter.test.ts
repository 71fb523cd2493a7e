import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '@keepwatch/base';
import { buildBasicFilter, createFilterMatcher, filterHash, filterHeader, filterHeadersFrom } from './filter.ts';
import { toDisplay, toInternal } from './hash.ts';
import { headerHash } from './header.ts';
import { layoutBlock, scriptOf, type Layout } from './layout.ts';

type Row = [number, string, string, string[], string, string, string, string];
// BIP158, bip-0158/testnet-19.json: blocks of testnet3 with the scripts that they spend, their filters and filter headers.
const vectors = JSON.parse(readFileSync(new URL('./vectors/bip158-testnet-19.json', import.meta.url), 'utf8')) as Row[];
const rows = vectors.slice(1);

function layoutOf(block: string): Layout {
  const walked = layoutBlock(fromHex(block)!);
  if (!walked.ok) throw new Error(walked.error);
  return walked.value;
}

describe.each(rows)('BIP158 vector, height %i', (_height, hash, block, previous, previousHeader, filter, header) => {
  const layout = layoutOf(block);
  const blockHash = headerHash(layout.bytes);
  const previousScripts = previous.map((script) => fromHex(script)!);
  const filterBytes = fromHex(filter)!;

  it('is built, hashed and chained as published', () => {
    expect(toDisplay(blockHash)).toBe(hash);
    expect(toHex(buildBasicFilter(layout, blockHash, previousScripts))).toBe(filter);
    const link = filterHeader(filterHash(filterBytes), toInternal(previousHeader)!);
    expect(toDisplay(link)).toBe(header);
    expect(filterHeadersFrom(toInternal(previousHeader)!, [filterHash(filterBytes)]).map(toDisplay)).toEqual([header]);
  });

  it('matches every script that it was made of and no stranger', () => {
    const outputs = Array.from({ length: layout.txFirstOutput[layout.txCount]! }, (_, i) => scriptOf(layout, i));
    const inFilter = [...outputs.filter((script) => script[0] !== 0x6a), ...previousScripts].filter(
      (s) => s.length > 0,
    );
    for (const script of inFilter) {
      expect(createFilterMatcher([script]).matches(filterBytes, blockHash)).toEqual({ ok: true, value: true });
    }
    const strangers = Array.from({ length: 50 }, (_, i) =>
      Uint8Array.of(0x00, 0x14, ...new Uint8Array(20).fill(i + 1)),
    );
    expect(createFilterMatcher(strangers).matches(filterBytes, blockHash)).toEqual({ ok: true, value: false });
    if (inFilter.length > 0) {
      const all = createFilterMatcher([...strangers, inFilter.at(-1)!]);
      expect(all.matches(filterBytes, blockHash)).toEqual({ ok: true, value: true });
    }
  });

  it('is refused when cut or lengthened', () => {
    const matcher = createFilterMatcher([Uint8Array.of(0x51)]);
    expect(matcher.matches(Uint8Array.of(...filterBytes, 0), blockHash).ok).toBe(false);
    for (let length = 0; length < filterBytes.length; length++) {
      expect(matcher.matches(filterBytes.subarray(0, length), blockHash).ok).toBe(false);
    }
  });
});
