import { describe, expect, it } from 'vitest';
import { detailLines } from './error-details.ts';

const lines = (details: Readonly<Record<string, unknown>>, message = '') => detailLines(details, message);

describe('details of an error', () => {
  it('say what does not fit, and where', () => {
    expect(lines({ issues: ['name: Too small', { path: ['grant', 'to', 0], message: 'no address' }] })).toEqual([
      'name: Too small',
      'grant.to.0: no address',
    ]);
    expect(lines({ issues: [{ path: [], message: 'no object' }, 7, null] })).toEqual(['no object']);
  });

  it('say how long to wait, rounded up and in units that people read', () => {
    expect(lines({ retryAfterMs: 3_200 })).toEqual(['The next try is taken in 4s.']);
    expect(lines({ retryAfterMs: 900_000 })).toEqual(['The next try is taken in 15m.']);
    expect(lines({ retryAfterMs: 0 })).toEqual([]);
  });

  it('name the approval that operators give', () => {
    const waiting = { approval: 'ABC', needed: 2, given: 1, expires: Date.UTC(2026, 0, 2, 3, 4, 5) };
    expect(lines(waiting)).toEqual(['approval: ABC, 1 of 2 agreed, until 2026-01-02T03:04:05Z']);
  });

  it('are short lines otherwise, and what the message says is not said again', () => {
    const details = { lastSeq: 7, grants: ['g1', 'g2'], isNew: false, sinceMs: Date.UTC(2026, 0, 1), waitMs: 61_000 };
    expect(lines(details)).toEqual([
      ...['last seq: 7', 'grants: g1, g2', 'is new: no', 'since: 2026-01-01T00:00:00Z', 'wait: 1m 1s'],
    ]);
    expect(lines({ wallet: 'main', sentences: ['too much'] }, 'There is no main: too much.')).toEqual([]);
    expect(lines({ list: Array.from({ length: 14 }, (_, i) => i) })).toEqual([
      'list: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, and 2 more',
    ]);
  });

  it('leave out what is for programs, what is long, and whatever calls itself a secret', () => {
    expect(lines({ receipt: { seq: 1 }, reasons: [{ code: 'a' }], head: {}, empty: '', none: null })).toEqual([]);
    expect(lines({ password: 'p', newPassword: 'p', secretKey: 's', mnemonic: 'm', token: 't' })).toEqual([]);
    expect(lines({ text: 'x'.repeat(500) })[0]).toHaveLength(201);
    expect(lines(Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`d${i}`, i])))).toHaveLength(13);
  });

  it('stay one line each, whoever wrote them', () => {
    expect(lines({ words: 'a\n  (denied)\r\nb', issues: ['c\nd'] })).toEqual(['c d', 'words: a (denied) b']);
  });
});
