import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHeaderChain, filterHash, filterHeadersFrom, HEADER_BYTES, type InternalHash } from '@keepwatch/bitcoin';
import { generateHeaders } from '@keepwatch/testkit';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { openFilterHeaders } from './filter-headers.ts';
import { openRecordFile } from '../../store/record-file.ts';
import { openReplacedMark } from './replaced-mark.ts';

const COUNT = 60;
const NOW = 2_000_000_000;
const headers = generateHeaders(COUNT);
const filters = filterHeadersFrom(
  new Uint8Array(32) as InternalHash,
  Array.from({ length: COUNT + 1 }, (_, i) => filterHash(Uint8Array.of(1, i))),
);
const dir = mkdtempSync(join(tmpdir(), 'keepwatch-store-'));
const headerFile = join(dir, 'headers.dat');
const filterFile = join(dir, 'filter-headers.dat');
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const fullChain = () => {
  const chain = createHeaderChain({ network: 'regtest' });
  chain.accept(headers, NOW);
  return chain;
};
function openChain() {
  const archive = openRecordFile(headerFile, HEADER_BYTES);
  return { chain: createHeaderChain({ network: 'regtest', archive }), close: () => archive.close() };
}

describe('headers on disk', () => {
  beforeEach(() => writeFileSync(headerFile, headers));

  /** Opens what is there, brings the rest again, and looks at what a later start finds. */
  function recovered(): { readonly found: number; readonly after: number } {
    const first = openChain();
    const found = first.chain.tip().height;
    expect(first.chain.accept(headers, NOW).fault).toBeNull();
    first.close();
    const again = openChain();
    again.close();
    expect(again.chain.tip()).toEqual(fullChain().tip());
    return { found, after: again.chain.tip().height };
  }

  it('are all there again', () => expect(recovered()).toEqual({ found: COUNT, after: COUNT }));

  it('cut off anywhere are as many as are whole, and the rest is brought again', () => {
    fc.assert(
      fc.property(fc.nat(headers.length), (length) => {
        writeFileSync(headerFile, headers.subarray(0, length));
        expect(recovered()).toEqual({ found: Math.floor(length / 80), after: COUNT });
      }),
      { numRuns: 60 },
    );
  });

  it('with one byte changed are those before it, or one more, and the rest is brought again', () => {
    fc.assert(
      fc.property(fc.nat(headers.length - 81), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const changed = Uint8Array.from(headers);
        changed[at]! ^= mask;
        writeFileSync(headerFile, changed);
        const before = Math.floor(at / 80);
        // The changed header itself may have its work by chance (one time in two on regtest); nothing builds on it.
        expect([before, before + 1]).toContain(recovered().found);
      }),
      { numRuns: 60 },
    );
  });

  it('behind which a disk wrote zeros after a loss of power are as many as are whole', () => {
    writeFileSync(headerFile, Buffer.concat([headers.subarray(0, 80 * 10), Buffer.alloc(80 * 5)]));
    expect(recovered()).toEqual({ found: 10, after: COUNT });
  });

  it('are whole after an append that failed half-way', () => {
    writeFileSync(headerFile, headers.subarray(0, 80 * 10));
    const first = openChain();
    appendFileSync(headerFile, headers.subarray(80 * 10, 80 * 10 + 130));
    expect(first.chain.accept(headers, NOW)).toMatchObject({ added: COUNT - 10, known: 10 });
    first.close();
    expect(recovered()).toEqual({ found: COUNT, after: COUNT });
  });

  it('stay where the clock went back to 1970', () => {
    const { chain, close } = openChain();
    expect(chain.accept(new Uint8Array(0), 0).fault).toBeNull();
    expect(chain.tip().height).toBe(COUNT);
    close();
    expect(statSync(headerFile).size).toBe(headers.length);
  });
});

describe('filter headers on disk', () => {
  beforeEach(() => {
    rmSync(filterFile, { force: true });
    const file = openFilterHeaders(filterFile, fullChain());
    file.append(filters);
    file.close();
  });

  function recovered(): number {
    const file = openFilterHeaders(filterFile, fullChain());
    const found = file.height();
    for (let height = 0; height <= found; height++) expect(file.at(height)).toEqual(filters[height]);
    file.append(filters.slice(found + 1));
    expect(file.height()).toBe(COUNT);
    expect(file.at(COUNT)).toEqual(filters[COUNT]);
    file.close();
    return found;
  }

  it('are all there again', () => expect(recovered()).toBe(COUNT));

  it('cut off anywhere, or with a byte changed anywhere, are those before it', () => {
    const whole = new Uint8Array(readFileSync(filterFile));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }), (at, mask) => {
        const changed = whole.slice();
        changed[at]! ^= mask;
        writeFileSync(filterFile, mask === 0 ? whole.subarray(0, at) : changed);
        expect(recovered()).toBe(Math.floor(at / 36) - 1);
      }),
      { numRuns: 100 },
    );
  });

  it('of another branch of the chain are not taken for those of this one', () => {
    const chain = createHeaderChain({ network: 'regtest' });
    chain.accept(headers.subarray(0, 80 * 20), NOW);
    const file = openFilterHeaders(filterFile, chain);
    expect(file.height()).toBe(20);
    file.close();
  });
});

describe('the mark of what was false', () => {
  const path = join(dir, 'filters-replaced.json');
  it('stays over a restart at its lowest height, until it is cleared', () => {
    const mark = openReplacedMark(path);
    expect(mark.from).toBeNull();
    mark.set(900);
    mark.set(700);
    mark.set(800);
    expect(openReplacedMark(path).from).toBe(700);
    mark.clear();
    expect(openReplacedMark(path).from).toBeNull();
  });

  it('that cannot be read says the most that it could say', () => {
    writeFileSync(path, '{"version":1,"fro');
    expect(openReplacedMark(path).from).toBe(0);
  });
});
