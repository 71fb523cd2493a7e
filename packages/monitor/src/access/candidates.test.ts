import { describe, expect, it } from 'vitest';
import { createCandidates } from './candidates.ts';

const HOUR_MS = 3_600_000;
const room = () => {
  const candidates = createCandidates();
  const enter = (peer: string, crowd: string, atMs = 0) =>
    candidates.enter(peer, {
      ...{ crowd, atMs, name: '' },
      key: { alg: 'EdDSA', publicKey: new Uint8Array(32) },
    });
  /** So many of one crowd ask; how many got in. */
  const flood = (crowd: string, count: number, atMs = 0) =>
    Array.from({ length: count }, (_, i) => enter(`${crowd}-${i}`, crowd, atMs)).filter(Boolean).length;
  return { candidates, enter, flood };
};

describe('those who wait for an operator’s word', () => {
  it('keep their places against a flood from one network, or from many', () => {
    const { candidates, enter, flood } = room();
    expect(enter('honest', 'home')).toBe(true);
    expect(flood('one', 1_000)).toBe(8);
    for (let network = 0; network < 500; network++) flood(`net-${network}`, 20);
    expect(candidates.all.has('honest')).toBe(true);
    expect(candidates.all.size).toBe(64);
  });

  it('find a place behind a flood, which loses one of its own', () => {
    const { candidates, enter, flood } = room();
    for (let network = 0; network < 8; network++) flood(`net-${network}`, 8);
    expect(candidates.all.size).toBe(64);
    expect([enter('honest', 'home'), enter('other', 'office')]).toEqual([true, true]);
    for (let network = 8; network < 500; network++) flood(`net-${network}`, 20);
    expect([candidates.all.has('honest'), candidates.all.has('other'), candidates.all.size]).toEqual([true, true, 64]);
  });

  it('are let in whom an operator has named, however full it is, and then nobody takes their place', () => {
    const { candidates, enter, flood } = room();
    for (let network = 0; network < 500; network++) flood(`net-${network}`, 1);
    expect(enter('named', 'net-7')).toBe(false);
    candidates.expect('named');
    expect(enter('named', 'net-7')).toBe(true);
    for (let network = 0; network < 500; network++) flood(`late-${network}`, 20);
    expect([candidates.all.has('named'), candidates.all.size]).toEqual([true, 64]);
    // Named while he waits, he is no part of his crowd any more.
    const other = room();
    other.flood('one', 8);
    other.candidates.expect('one-7');
    expect(other.flood('more', 8) + other.flood('one', 12)).toBe(8 + 9);
    expect(other.candidates.all.has('one-7')).toBe(true);
  });

  it('wait for a day, and those who were named for as long as it takes', () => {
    const { candidates, enter, flood } = room();
    candidates.expect('named');
    enter('named', 'one');
    flood('one', 8);
    expect(enter('late', 'one', 23 * HOUR_MS)).toBe(false);
    expect(enter('late', 'one', 24 * HOUR_MS)).toBe(true);
    expect([...candidates.all.keys()]).toEqual(['named', 'late']);
  });

  it('hold their place once, and leave it to others', () => {
    const { candidates, enter, flood } = room();
    expect([enter('one', 'home'), enter('one', 'elsewhere')]).toEqual([true, true]);
    expect(candidates.all.get('one')?.crowd).toBe('home');
    expect(flood('home', 8)).toBe(7);
    expect([candidates.leave('one'), candidates.leave('one'), enter('home-7', 'home')]).toEqual([true, false, true]);
  });
});
