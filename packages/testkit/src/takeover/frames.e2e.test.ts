import { randomBytes } from 'node:crypto';
import { toBase64url, utf8 } from '@keepwatch/base';
import type { LinkFrame } from '@keepwatch/protocol';
import type { Connection } from '@keepwatch/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, seatHonestParty, type HonestParty } from './honest-party.ts';
import { startHostileGate, type HostileGate } from './hostile-gate.ts';

// What a gate that was taken over can do to the frames of a session: drop and delay, and nothing else. In each case a
// client asks for one signature over a session under attack; afterwards the vault has done what the case says and no
// more, and another session goes on as if nothing had happened.

let gate: HostileGate;
let party: HonestParty;

beforeAll(async () => {
  gate = await startHostileGate();
  party = await seatHonestParty(gate);
  await party.sign();
});
afterAll(async () => {
  await party.close();
  await gate.stop();
});

interface Attack {
  /** The session under attack. */
  readonly victim: Connection;
  /** Its frame with a request to sign, taken off the link. */
  readonly request: LinkFrame;
}

/** What the client is told in the end, and how many signatures the attack has let through. */
interface Outcome {
  readonly told: string;
  readonly signed: number;
}

async function attack(run: (attack: Attack) => void | Promise<void>): Promise<Outcome> {
  const victim = await party.connect();
  const before = await party.ledger();
  const taken = gate.withhold('to-keep');
  const answer = codeOf(party.signOver(victim));
  const [request] = await taken;
  await run({ victim, request: request! });
  const told = await answer;
  const after = await party.ledger();
  const added = after.entries.slice(before.entries.length);
  expect(after.entries.slice(0, before.entries.length)).toEqual(before.entries);
  expect(added.every((entry) => entry.endsWith(' request.permitted'))).toBe(true);
  if (added.length === 0) expect(after.allowed).toEqual(before.allowed);
  await victim.close();
  // The session of another peer, which was there all the time, and a new one.
  await party.sign();
  return { told, signed: added.length };
}

const REFUSED = (told: string): Outcome => ({ told, signed: 0 });
const text = (frame: LinkFrame) => Buffer.from(frame.payload).toString('latin1');
const withText = (frame: LinkFrame, changed: string): LinkFrame => ({ ...frame, payload: utf8(changed) });

function flipped(frame: LinkFrame, at: number): LinkFrame {
  const characters = text(frame).split('');
  characters[at] = characters[at] === 'A' ? 'B' : 'A';
  return withText(frame, characters.join(''));
}

describe('a frame on its way to the keep', () => {
  it('that nobody touches is what the cases below are measured by', async () => {
    expect(await attack(({ request }) => gate.sendToKeep([request]))).toEqual({ told: 'fulfilled', signed: 1 });
  });

  it('forged: the right header and nonce, and a ciphertext of the attacker’s own', async () => {
    const outcome = await attack(({ request }) => {
      const [header, , nonce, ciphertext] = text(request).split('.') as [string, string, string, string];
      const length = Math.floor((ciphertext.length * 3) / 4);
      const forged = [header, '', nonce, toBase64url(randomBytes(length)), toBase64url(randomBytes(16))].join('.');
      gate.sendToKeep([withText(request, forged)]);
    });
    expect(outcome).toEqual(REFUSED('frame_forged'));
  });

  it.each([
    ['in the ciphertext', (frame: string) => frame.indexOf('.', frame.indexOf('..') + 2) + 9, 'frame_forged'],
    ['in the tag', (frame: string) => frame.lastIndexOf('.') + 3, 'frame_forged'],
    ['in the nonce', (frame: string) => frame.indexOf('..') + 9, 'frame_out_of_order'],
  ])('altered by one character %s', async (_, where, code) => {
    const outcome = await attack(({ request }) => gate.sendToKeep([flipped(request, where(text(request)))]));
    expect(outcome).toEqual(REFUSED(code));
  });

  it('cut short', async () => {
    const outcome = await attack(({ request }) =>
      gate.sendToKeep([{ ...request, payload: request.payload.subarray(0, request.payload.length / 2) }]),
    );
    expect(outcome.signed).toBe(0);
    expect(outcome.told).toMatch(/^frame_/);
  });

  it('replayed: signed once, and the session ends', async () => {
    expect(await attack(({ request }) => gate.sendToKeep([request, request]))).toMatchObject({ signed: 1 });
  });

  it('reflected: the keep’s own frame sent back to it', async () => {
    const own = gate.record('to-peers');
    const outcome = await attack(({ request }) => {
      const last = own.frames.findLast(({ connection }) => connection === request.connection)!;
      gate.sendToKeep([last]);
    });
    own.stop();
    expect(outcome).toEqual(REFUSED('frame_out_of_order'));
  });

  it('overtaken by the next one', async () => {
    const outcome = await attack(async ({ victim, request }) => {
      const second = gate.withhold('to-keep');
      const alsoAsked = codeOf(party.signOver(victim));
      gate.sendToKeep([...(await second), request]);
      expect(await alsoAsked).toBe('frame_out_of_order');
    });
    expect(outcome).toEqual(REFUSED('frame_out_of_order'));
  });

  it('dropped, and the next one delivered', async () => {
    const outcome = await attack(async ({ victim }) => {
      const second = gate.withhold('to-keep');
      const alsoAsked = codeOf(party.signOver(victim));
      gate.sendToKeep(await second);
      expect(await alsoAsked).toBe('frame_out_of_order');
    });
    expect(outcome).toEqual(REFUSED('frame_out_of_order'));
  });

  it('put into another session of the same client', async () => {
    const other = await party.connect();
    const recorded = gate.record('to-keep');
    await other.call('vault.status', {});
    recorded.stop();
    const { connection } = recorded.frames[0]!;
    const outcome = await attack(async ({ victim, request }) => {
      gate.sendToKeep([{ ...request, connection }]);
      expect((await other.closed)?.code).toMatch(/^frame_(out_of_order|forged)$/);
      // Even at the place where its number fits.
      const fresh = await party.connect();
      const held = gate.withhold('to-keep');
      const asked = codeOf(party.signOver(fresh));
      const [own] = await held;
      gate.sendToKeep([{ ...request, connection: own!.connection }]);
      expect(await asked).toBe('frame_forged');
      await victim.close();
    });
    expect(outcome).toEqual(REFUSED('connection_closed'));
  });
});

describe('the header of a frame (RFC 7516)', () => {
  const HEADERS = {
    'without encryption': { alg: 'none', enc: 'none' },
    'with a key of the attacker’s': { alg: 'RSA-OAEP-256', enc: 'A256GCM' },
    'with a weaker cipher': { alg: 'dir', enc: 'A128GCM' },
    'with a key named in it': { alg: 'dir', enc: 'A256GCM', kid: 'attacker' },
    'with a key in it': { alg: 'dir', enc: 'A256GCM', jwk: { kty: 'oct', k: toBase64url(new Uint8Array(32)) } },
    'with a link to a key': { alg: 'dir', enc: 'A256GCM', jku: 'https://attacker.example/' },
    compressed: { alg: 'dir', enc: 'A256GCM', zip: 'DEF' },
    'with an extension that must be understood': { alg: 'dir', enc: 'A256GCM', crit: ['b64'], b64: false },
    'the same in another order': { enc: 'A256GCM', alg: 'dir', typ: 'keepwatch-frame' },
    empty: {},
  };
  it.each(Object.entries(HEADERS))('%s is refused, though all else is as the client sent it', async (_, header) => {
    const outcome = await attack(({ request }) => {
      const [, ...rest] = text(request).split('.');
      gate.sendToKeep([withText(request, [toBase64url(utf8(JSON.stringify(header))), ...rest].join('.'))]);
    });
    expect(outcome).toEqual(REFUSED('frame_malformed'));
  });

  it('with an encrypted key where none belongs', async () => {
    const outcome = await attack(({ request }) => {
      const parts = text(request).split('.');
      parts[1] = toBase64url(randomBytes(32));
      gate.sendToKeep([withText(request, parts.join('.'))]);
    });
    expect(outcome).toEqual(REFUSED('frame_malformed'));
  });
});

describe('a frame on its way to the peer', () => {
  async function answerUnderAttack(change: (answer: LinkFrame) => readonly LinkFrame[]): Promise<Outcome> {
    return attack(async ({ request }) => {
      const answer = gate.withhold('to-peers');
      gate.sendToKeep([request]);
      gate.sendToPeers(change((await answer)[0]!));
    });
  }

  it.each([
    ['altered', (frame: LinkFrame) => [flipped(frame, text(frame).length - 4)], 'frame_forged'],
    ['with another header', (frame: LinkFrame) => [flipped(frame, 5)], 'frame_malformed'],
  ])('%s: the client takes nothing from it', async (_, change, told) => {
    // The keep has signed before its answer was touched: what is lost is the answer, and the journal says so.
    expect(await answerUnderAttack(change)).toEqual({ told, signed: 1 });
  });

  it('an answer to an earlier request in its place', async () => {
    const recorded = gate.record('to-peers');
    const outcome = await attack(async ({ request }) => {
      const answer = gate.withhold('to-peers');
      gate.sendToKeep([request]);
      await answer;
      // The first is the challenge, the second the session's first frame.
      gate.sendToPeers([recorded.frames.filter(({ connection }) => connection === request.connection)[1]!]);
    });
    recorded.stop();
    expect(outcome).toEqual({ told: 'frame_out_of_order', signed: 1 });
  });
});
