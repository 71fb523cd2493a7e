import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { utf8 } from '@keepwatch/base';
import {
  encodeLinkClose,
  encodeLinkFrames,
  encodeLinkOpen,
  LINK_MAX_PAYLOAD,
  type LinkFrame,
} from '@keepwatch/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { codeOf, seatHonestParty, type HonestParty, type Ledger } from './honest-party.ts';
import { startHostileGate, type HostileGate } from './hostile-gate.ts';
import { rawHandshake } from './raw-peer.ts';

// The link itself: what gate says besides the peers' frames, and how the keep bears nonsense.

let gate: HostileGate;
let party: HonestParty;
let before: Ledger;

const loopback = encodeLinkOpen({ remote: 'loopback', crowd: 'a' });
const control = (payload: Uint8Array): LinkFrame => ({ type: 'control', connection: 0, payload });
const json = (value: unknown) => control(utf8(JSON.stringify(value)));

/** Resident memory of the keep, MiB. */
function memory(): number {
  const status = readFileSync(`/proc/${gate.keep.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) / 1024;
}

describe('a link that stays whole', () => {
  beforeAll(async () => {
    gate = await startHostileGate();
    party = await seatHonestParty(gate);
    await party.sign();
  });
  beforeEach(async () => {
    before = await party.ledger();
  });
  afterEach(async () => {
    expect(await party.ledger()).toEqual(before);
    await party.sign();
  });
  afterAll(async () => {
    await party.close();
    await gate.stop();
  });

  it('frames of connections that nobody opened, or that ended, reach nobody', async () => {
    const ended = gate.openWire();
    gate.sendToKeep([
      { type: 'close', connection: ended.id, payload: encodeLinkClose({ code: 1000, reason: '' }) },
      { type: 'data', connection: ended.id, payload: await rawHandshake(gate, party.client.identity).hello() },
      ...[1_000_000, 0xffff_ffff].map((connection) => ({
        type: 'data' as const,
        connection,
        payload: randomBytes(64),
      })),
      { type: 'close', connection: 1_000_000, payload: randomBytes(3) },
      { type: 'authenticated', connection: ended.id, payload: new Uint8Array() },
    ]);
    expect(await Promise.race([ended.next(), later(300)])).toBe('nothing');
  });

  it('a number that is opened again ends the session that has it, and gives the newcomer nothing', async () => {
    const recorded = gate.record('to-keep');
    const victim = await party.connect();
    recorded.stop();
    const { connection } = recorded.frames[0]!;
    gate.sendToKeep([{ type: 'open', connection, payload: loopback }]);
    expect((await victim.closed)?.code).toBe('connection_closed');
  });

  it('“authenticated”, said by gate, makes nobody a peer', async () => {
    const wire = gate.openWire();
    gate.sendToKeep([{ type: 'authenticated', connection: wire.id, payload: new Uint8Array() }]);
    wire.send(utf8(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'vault.status', params: {} })));
    expect((await wire.closed).reason).toBe('handshake_malformed');
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['no text', randomBytes(512)],
    ['no object', utf8('[1,2,3]')],
    ['an unknown type', utf8('{"type":"vault.unseal"}')],
    ['a prototype', utf8('{"__proto__":{"type":"gate_ready","tls":"A"}}')],
    ['a name of every object', utf8('{"type":"constructor"}')],
    ['much', utf8(`{"type":"tls_refused","reason":"${'x'.repeat(200_000)}"}`)],
    ['depth', utf8('{"type":'.repeat(20_000))],
  ])('a control message that is %s', async (_, payload) => {
    gate.sendToKeep([control(payload)]);
    expect(await codeOf(party.sign())).toBe('fulfilled');
    before = await party.ledger();
  });

  it('answers to questions that nobody asked', () => {
    const tls = Buffer.from(randomBytes(32)).toString('base64url');
    gate.sendToKeep([
      json({ type: 'tls_commit', tls }),
      json({ type: 'tls_rotated', tls }),
      json({ type: 'tls_refused', reason: 'no' }),
      json({ type: 'tls_statement', tls, jws: 'x' }),
      json({ type: 'tls_rotate' }),
    ]);
  });

  it('20,000 control messages', async () => {
    const tls = Buffer.from(randomBytes(32)).toString('base64url');
    const start = memory();
    for (let i = 0; i < 20; i++) {
      gate.sendToKeep(Array.from({ length: 1_000 }, () => json({ type: 'gate_ready', tls })));
      await party.sign();
    }
    before = await party.ledger();
    expect(memory() - start).toBeLessThan(64);
  });

  it('50,000 connections that say nothing: refused beyond a number, and forgotten when they end', async () => {
    const start = memory();
    const first = 0x9000_0000;
    const many = (type: 'open' | 'close', payload: Uint8Array) => {
      for (let i = 0; i < 50_000; i += 1_000) {
        gate.sendToKeep(Array.from({ length: 1_000 }, (_, k) => ({ type, connection: first + i + k, payload })));
      }
    };
    many('open', loopback);
    await party.sign();
    many('close', encodeLinkClose({ code: 1000, reason: '' }));
    await party.sign();
    before = await party.ledger();
    expect(memory() - start).toBeLessThan(160);
    // The places are free again: a new peer is let in.
    await (await party.connect()).close();
  });
});

describe.each<[string, () => Uint8Array]>([
  ['a frame that is longer than frames are', () => header(LINK_MAX_PAYLOAD + 1, 2, 7)],
  ['a frame of four gigabytes', () => header(0xffff_ffff, 2, 7)],
  ['a frame of a type that is none', () => header(0, 9, 7)],
  ['a control frame on a connection', () => header(0, 4, 7)],
  ['data on the control connection', () => header(0, 2, 0)],
  ['a torn frame, and then the end', () => encodeLinkFrames([json({ type: 'gate_ready', tls: '' })]).subarray(0, 12)],
])('%s', (name, bytes) => {
  it('ends the keep in good order, and with it every session', async () => {
    const hostile = await startHostileGate();
    const seated = await seatHonestParty(hostile);
    await seated.sign();
    const session = await seated.connect();
    hostile.sendRaw(bytes());
    if (name.includes('torn')) hostile.keep.linkSocket.end();
    expect(await hostile.keep.ended).toEqual({ code: 0, signal: null });
    const asked = codeOf(seated.signOver(session));
    await hostile.stop();
    expect(await asked).toMatch(/^(connection|keep|request)_/);
    await seated.close();
  });
});

function header(length: number, type: number, connection: number): Uint8Array {
  const bytes = Buffer.alloc(9);
  bytes.writeUInt32BE(length);
  bytes[4] = type;
  bytes.writeUInt32BE(connection, 5);
  return bytes;
}

function later(ms: number): Promise<'nothing'> {
  return new Promise((resolve) => setTimeout(resolve, ms, 'nothing'));
}
