import { describe, expect, it } from 'vitest';
import { syncStep } from './watching.ts';

const at = (headers: number, filterHeaders: number, target: number | null = 900_000) =>
  syncStep({ headers, filterHeaders, target });

describe('how far a synchronisation is', () => {
  it('is unknown while no peer has said how long the chain is', () => {
    expect(at(0, -1, null)).toBeNull();
  });

  it('is told by the headers while they are behind, however far the filter headers are', () => {
    expect(at(474_111, -1)).toEqual({ what: 'headers', done: 474_111, total: 900_000 });
    expect(at(899_999, 899_999)).toEqual({ what: 'headers', done: 899_999, total: 900_000 });
  });

  it('is told by the filter headers from then on, from nothing to the end', () => {
    expect(at(900_000, -1)).toEqual({ what: 'filter headers', done: 0, total: 900_000 });
    expect(at(900_000, 451_775)).toEqual({ what: 'filter headers', done: 451_775, total: 900_000 });
    expect(at(900_000, 900_000)).toEqual({ what: 'filter headers', done: 900_000, total: 900_000 });
  });
});
