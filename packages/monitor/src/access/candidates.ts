import type { IdentityKey } from '@keepwatch/wire';

/** Who has asked to be let in and waits for an operator's word. In memory: anybody can ask. */
export interface Candidate {
  readonly key: IdentityKey;
  /** Whose place it takes: peers of one network are one crowd, however many keys they make. */
  readonly crowd: string;
  readonly atMs: number;
  name: string;
}

export interface Candidates {
  readonly all: ReadonlyMap<string, Candidate>;
  /** False: there is no room for it. Whoever waits already keeps his place. */
  enter(peer: string, candidate: Candidate): boolean;
  leave(peer: string): boolean;
  /** An operator has named it: it finds a place whenever it comes, and nobody takes that away. */
  expect(peer: string): void;
}

const PLACES = 64;
/** Of one crowd, so that it takes eight networks to fill the room. */
const PLACES_OF_CROWD = 8;
/** Of those that an operator has named; the first named makes room. */
const EXPECTED = 16;
/** Whoever was not let in for so long has to ask again (a day). */
const WAITS_MS = 24 * 3_600_000;

/**
 * The room in which candidates wait. A crowd that is larger than that of a newcomer gives way to it, the last who came of it
 * first: so a flood takes places from itself, and never from one who came alone. What it can do from eight networks and more
 * is keep later ones out; then an operator names whom he expects.
 */
export function createCandidates(): Candidates {
  const all = new Map<string, Candidate>();
  const expected = new Set<string>();

  function crowdsOf(): ReadonlyMap<string, readonly string[]> {
    const crowds = new Map<string, string[]>();
    for (const [peer, { crowd }] of all) {
      if (!expected.has(peer)) crowds.set(crowd, [...(crowds.get(crowd) ?? []), peer]);
    }
    return crowds;
  }

  function makeRoom(peer: string, crowd: string): boolean {
    const crowds = crowdsOf();
    const own = crowds.get(crowd)?.length ?? 0;
    if (!expected.has(peer) && own >= PLACES_OF_CROWD) return false;
    if (all.size < PLACES) return true;
    const largest = [...crowds.values()].reduce((most, each) => (each.length > most.length ? each : most), []);
    // It has to be the larger one with the newcomer as well, or two crowds would push each other out for ever.
    if (!expected.has(peer) && largest.length <= own + 1) return false;
    return all.delete(largest.at(-1)!);
  }

  return {
    all,
    enter(peer, candidate) {
      for (const [id, { atMs }] of all) {
        if (candidate.atMs - atMs >= WAITS_MS && !expected.has(id)) all.delete(id);
      }
      if (all.has(peer)) return true;
      if (!makeRoom(peer, candidate.crowd)) return false;
      all.set(peer, candidate);
      return true;
    },
    leave(peer) {
      expected.delete(peer);
      return all.delete(peer);
    },
    expect(peer) {
      expected.delete(peer);
      expected.add(peer);
      if (expected.size > EXPECTED) expected.delete(expected.keys().next().value!);
    },
  };
}
