import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../packages/protocol/src/errors.ts';

// The reference pages are written from the source by scripts/docs.mjs. Here they are held to it, and the table of error
// codes to everything that the source emits.
interface Docs {
  readonly root: string;
  pages(): Promise<readonly { path: string; present: string; wanted: string }[]>;
  /** Code → the files that emit it. */
  findCodes(root: string): ReadonlyMap<string, ReadonlySet<string>>;
  readonly COMPUTED: readonly { readonly code: string; readonly file: string; readonly text: string }[];
  readonly ERROR_TABLES: readonly (readonly [title: string, table: Readonly<Record<string, unknown>>])[];
  readonly REASON_TABLES: readonly (readonly [title: string, where: string, table: Readonly<Record<string, string>>])[];
  readonly INTERNAL: Readonly<Record<string, string>>;
}

const docs = (await import(new URL('../docs.mjs', import.meta.url).href)) as Docs;
const pages = await docs.pages();
const emitted = docs.findCodes(docs.root);
const reasons = docs.REASON_TABLES.flatMap(([, , table]) => Object.keys(table));
const internal = Object.keys(docs.INTERNAL);

describe('the reference pages', () => {
  it.each(pages)('$path is what the source says: run node scripts/docs.mjs', ({ present, wanted }) => {
    expect(present).toBe(wanted);
  });
});

describe('the table of error codes', () => {
  it('has every code that the source emits', () => {
    const known = new Set([...Object.keys(ERRORS), ...reasons, ...internal]);
    const missing = [...emitted].filter(([code]) => !known.has(code));
    expect(missing.map(([code, files]) => `${code} (${[...files].join(', ')})`)).toEqual([]);
  });

  it('has no code that the source does not emit', () => {
    const listed = [...Object.keys(ERRORS), ...reasons, ...internal];
    expect(listed.filter((code) => !emitted.has(code))).toEqual([]);
  });

  it('says each code once: as an error, or as the detail of one, or as internal', () => {
    const listed = [...docs.ERROR_TABLES.flatMap(([, table]) => Object.keys(table)), ...internal];
    expect(listed.length).toBe(new Set(listed).size);
    expect(internal.filter((code) => reasons.includes(code))).toEqual([]);
    expect(reasons.filter((code) => Object.hasOwn(ERRORS, code))).toEqual([]);
  });

  it('shows on the page what the program looks up', () => {
    const shown = docs.ERROR_TABLES.flatMap(([, table]) => Object.keys(table));
    expect(shown.sort()).toEqual(Object.keys(ERRORS).sort());
  });

  it('finds the codes that are put together at run time where it is told to look', () => {
    for (const { file, text } of docs.COMPUTED) {
      expect(readFileSync(`${docs.root}/${file}`, 'utf8'), `${file} no longer holds ${text}`).toContain(text);
    }
  });

  it('reads the source for real: codes of five different forms', () => {
    const form = { vault_busy: 'coded', wallet_exists: 'refuse', usage_limit: 'usageError', frame_forged: 'err' };
    expect([...Object.keys(form), 'handshake_version'].filter((code) => !emitted.has(code))).toEqual([]);
    expect(emitted.has('vault_bust')).toBe(false);
  });
});
