import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTlsStore } from './tls-store.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tls-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('the TLS store', () => {
  it('makes a key at the first run and keeps it, readable by its owner alone', () => {
    const first = openTlsStore(dir).current();
    expect(openTlsStore(dir).current().fingerprint).toBe(first.fingerprint);
    expect(statSync(join(dir, 'tls.json')).mode & 0o777).toBe(0o600);
  });

  it('goes through a rotation in steps that each survive a restart', () => {
    const store = openTlsStore(dir);
    const old = store.current().fingerprint;
    const next = store.prepare().fingerprint;
    expect(store.prepare().fingerprint).toBe(next);
    const reopened = openTlsStore(dir);
    expect([reopened.current().fingerprint, reopened.next()?.fingerprint]).toEqual([old, next]);
    expect(reopened.commit(next, 'a.b.c').ok).toBe(true);
    const after = openTlsStore(dir);
    expect(after.current().fingerprint).toBe(next);
    expect(after.next()).toBe(undefined);
    expect(after.statements()).toEqual(['a.b.c']);
  });

  it('puts no key in force without a statement that names it', () => {
    const store = openTlsStore(dir);
    const old = store.current().fingerprint;
    const other = 'A'.repeat(43);
    expect(store.commit(other, 'a.b.c')).toEqual({ ok: false, error: 'no_next_key' });
    const next = store.prepare().fingerprint;
    expect(store.commit(other, 'a.b.c')).toEqual({ ok: false, error: 'other_next_key' });
    for (const jws of ['', 'a.b', 'a.b.c.d', 'a.b.c\n', `${'a'.repeat(20_000)}.b.c`]) {
      expect(store.commit(next, jws)).toEqual({ ok: false, error: 'not_a_statement' });
    }
    expect(openTlsStore(dir).current().fingerprint).toBe(old);
  });

  it('takes a statement for the key in force, which was made anew after a loss, and forgets no key that waits', () => {
    const store = openTlsStore(dir);
    const { fingerprint } = store.current();
    const next = store.prepare().fingerprint;
    expect(store.commit(fingerprint, 'a.b.c').ok).toBe(true);
    const again = openTlsStore(dir);
    expect([again.current().fingerprint, again.next()?.fingerprint, again.statements()]).toEqual([
      fingerprint,
      next,
      ['a.b.c'],
    ]);
  });

  it('keeps the chain of statements, the newest sixty', () => {
    const store = openTlsStore(dir);
    for (let i = 0; i < 62; i++) expect(store.commit(store.prepare().fingerprint, `a.${i}.c`).ok).toBe(true);
    expect(openTlsStore(dir).statements().length).toBe(60);
    expect(store.statements().at(0)).toBe('a.2.c');
    expect(store.statements().at(-1)).toBe('a.61.c');
  });

  it.each([
    '',
    '{',
    'null',
    '{"version":2}',
    '{"version":1,"current":"x"}',
    '{"version":1,"current":5,"statements":[]}',
  ])('refuses the damaged file %j, and leaves it as it is', (text) => {
    writeFileSync(join(dir, 'tls.json'), text);
    expect(() => openTlsStore(dir)).toThrow(expect.objectContaining({ code: 'gate_tls_unreadable' }));
    expect(readFileSync(join(dir, 'tls.json'), 'utf8')).toBe(text);
  });

  it('is not confused by what a crash left of a write', () => {
    const before = openTlsStore(dir).current().fingerprint;
    writeFileSync(join(dir, 'tls.json.new'), '{"version":1,"cur');
    expect(openTlsStore(dir).current().fingerprint).toBe(before);
    openTlsStore(dir).prepare();
    expect(openTlsStore(dir).next()).not.toBe(undefined);
  });
});
