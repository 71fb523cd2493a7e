import { createHmac, randomBytes } from 'node:crypto';
import { canonicalBytes, toBase64url, utf8, type Json } from '@keepwatch/base';
import { connect, signerFromSeed } from '@keepwatch/sdk';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { codeOf, seatHonestParty, type HonestParty, type Ledger } from './honest-party.ts';
import { startHostileGate, type HostileGate } from './hostile-gate.ts';
import { makeJws, openRawSession, payloadOf, rawHandshake } from './raw-peer.ts';

// Who gets a session, when the gate between keep and peer lies, repeats and mixes. No case may give the attacker a
// session, and none may change what the vault has decided or allows.

let gate: HostileGate;
let party: HonestParty;
let before: Ledger;

beforeAll(async () => {
  gate = await startHostileGate();
  party = await seatHonestParty(gate);
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

const attacker = signerFromSeed('EdDSA', randomBytes(32));
const signed = (bytes: Uint8Array) => attacker.sign(bytes) as Uint8Array;

/** How the keep answers one message on a connection of its own. */
async function answerTo(message: Uint8Array): Promise<string> {
  const wire = gate.openWire();
  wire.send(message);
  return wire.next().then(
    () => 'challenged',
    (error: { close: { reason: string } }) => error.close.reason,
  );
}

describe('a hello in the name of a registered client, with a header that confuses (RFC 8725)', () => {
  /** What a hello of the client says, with the attacker's own ephemerals: all but the signature. */
  async function claim(): Promise<Uint8Array> {
    const { peer } = payloadOf(await rawHandshake(gate, party.client.identity).hello());
    const own = payloadOf(await rawHandshake(gate, attacker).hello());
    return canonicalBytes({ ...own, peer } as Json);
  }
  const right = { typ: 'keepwatch-hello', alg: 'EdDSA' };
  const clientKey = () => party.client.identity.publicKey;
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: toBase64url(attacker.publicKey) };

  it('control: the same message, signed by the client, is challenged', async () => {
    const payload = await claim();
    const { identity } = party.client;
    expect(await answerTo(makeJws(right, payload, (input) => identity.sign(input) as Uint8Array))).toBe('challenged');
  });

  it.each<[string, object, (input: Uint8Array) => Uint8Array]>([
    ['signed by the attacker', right, signed],
    ['alg none, no signature', { ...right, alg: 'none' }, () => new Uint8Array()],
    ['no signature at all', right, () => new Uint8Array()],
    [
      'HMAC keyed with the public key',
      { ...right, alg: 'HS256' },
      (input) => createHmac('sha256', clientKey()).update(input).digest(),
    ],
    ['another algorithm', { ...right, alg: 'ML-DSA-65' }, () => randomBytes(3309)],
    ['the attacker’s key in the header', { ...right, jwk }, signed],
    ['a link to the attacker’s key', { ...right, jku: 'https://attacker.example/jwks' }, signed],
    ['a certificate', { ...right, x5c: ['AAAA'] }, signed],
    ['a key id', { ...right, kid: 'attacker' }, signed],
    ['an extension that must be understood', { ...right, crit: ['b64'], b64: false }, signed],
  ])('%s', async (_, header, sign) => {
    expect(await answerTo(makeJws(header, await claim(), sign))).toMatch(/^(peer_unknown|handshake_malformed)$/);
  });

  it.each([
    ['another order of members', { alg: 'EdDSA', typ: 'keepwatch-hello' }],
    ['no type', { alg: 'EdDSA' }],
    ['the type of a proof', { ...right, typ: 'keepwatch-proof' }],
    ['the type of a command', { ...right, typ: 'keepwatch-command' }],
    ['a key id', { ...right, kid: '1' }],
    ['base64 switched off', { ...right, b64: false, crit: ['b64'] }],
  ])('even the client itself is not heard with %s', async (_, header) => {
    const { identity } = party.client;
    const message = makeJws(header, await claim(), (input) => identity.sign(input) as Uint8Array);
    expect(await answerTo(message)).toBe('handshake_malformed');
  });
});

describe('messages of other handshakes', () => {
  it('a hello replayed is challenged anew, and the proof of then does not fit', async () => {
    const recorded = gate.record('to-keep');
    const session = await party.connect();
    recorded.stop();
    const [hello, proof] = recorded.frames;
    const wire = gate.openWire();
    wire.send(hello!.payload);
    expect(Number(payloadOf(await wire.next())['nonce'])).toBeGreaterThan(0);
    wire.send(proof!.payload);
    expect((await wire.closed).reason).toBe('handshake_transcript');
    await session.close();
  });

  it('the number of a challenge never comes twice', async () => {
    const hello = await rawHandshake(gate, party.client.identity).hello();
    const nonces = [];
    for (let i = 0; i < 20; i++) {
      const wire = gate.openWire();
      wire.send(hello);
      nonces.push(payloadOf(await wire.next())['nonce']);
    }
    expect(new Set(nonces).size).toBe(20);
  });

  it('a challenge replayed to another hello is noticed by the peer', async () => {
    const recorded = gate.record('to-peers');
    await (await party.connect()).close();
    recorded.stop();
    const challenge = recorded.frames[0]!;
    const withheld = gate.withhold('to-peers');
    const session = codeOf(party.connect());
    const [fresh] = await withheld;
    gate.sendToPeers([{ ...fresh!, payload: challenge.payload }]);
    expect(await session).toBe('handshake_transcript');
  });

  it('a challenge that the attacker signs itself is not the vault’s', async () => {
    const withheld = gate.withhold('to-peers');
    const session = codeOf(party.connect());
    const [fresh] = await withheld;
    const payload = canonicalBytes({ ...payloadOf(fresh!.payload), boot: toBase64url(attacker.publicKey) } as Json);
    const forged = makeJws({ typ: 'keepwatch-challenge', alg: 'EdDSA' }, payload, signed);
    gate.sendToPeers([{ ...fresh!, payload: forged }]);
    expect(await session).toBe('identity_mismatch');
  });

  it('a proof that arrives on another connection', async () => {
    const hello = gate.withhold('to-keep');
    const session = codeOf(party.connect());
    const [first] = await hello;
    const proof = gate.withhold('to-keep');
    gate.sendToKeep([first!]);
    const [second] = await proof;
    const wire = gate.openWire();
    wire.send(first!.payload);
    await wire.next();
    wire.send(second!.payload);
    expect((await wire.closed).reason).toBe('handshake_transcript');
    gate.sendToKeep([second!]);
    expect(await session).toBe('fulfilled');
  });

  it('the keep’s challenge sent back to it as a proof', async () => {
    const wire = gate.openWire();
    wire.send(await rawHandshake(gate, party.client.identity).hello());
    wire.send(await wire.next());
    expect((await wire.closed).reason).toBe('handshake_malformed');
  });

  it('an old session’s frames after a replayed handshake', async () => {
    const recorded = gate.record('to-keep');
    const session = await party.connect();
    await session.call('vault.status', {});
    recorded.stop();
    const wire = gate.openWire();
    for (const { payload } of recorded.frames) wire.send(payload);
    expect((await wire.closed).reason).toBe('handshake_transcript');
    await session.close();
  });
});

describe('the edge’s TLS key', () => {
  it('a peer that saw another key than the keep believes in is sent away', async () => {
    await expect(openRawSession(gate, party.client.identity, { tls: randomBytes(32) })).rejects.toMatchObject({
      close: { reason: 'tls_pin_mismatch' },
    });
  });

  it('a gate that names another key later changes nothing', async () => {
    const tls = toBase64url(randomBytes(32));
    const control = (message: object) => ({
      type: 'control' as const,
      connection: 0,
      payload: utf8(JSON.stringify(message)),
    });
    gate.sendToKeep([
      control({ type: 'gate_ready', tls }),
      control({ type: 'gate_ready', tls, next: tls }),
      control({ type: 'tls_rotated', tls }),
      control({ type: 'tls_commit', tls }),
    ]);
    await expect(
      openRawSession(gate, party.client.identity, { tls: Buffer.from(tls, 'base64url') }),
    ).rejects.toMatchObject({ close: { reason: 'tls_pin_mismatch' } });
    expect(gate.connection()).not.toContain(tls);
    await (await party.connect()).close();
  });

  it('a gate that lies from the first start on gets no peer at all', async () => {
    const lie = toBase64url(randomBytes(32));
    const liar = await startHostileGate({
      change: (frame) =>
        frame.type === 'control'
          ? [{ ...frame, payload: utf8(JSON.stringify({ type: 'gate_ready', tls: lie })) }]
          : [frame],
    });
    try {
      const identity = signerFromSeed('EdDSA', randomBytes(32));
      const told = await liar.bootstrapConnection();
      const join = (connectionString: string) =>
        codeOf(connect({ connectionString, identity, role: 'operator', wish: 'register' }));
      // By the vault's own word the peer looks for a key that is not there …
      expect(await join(told)).toBe('tls_pin_mismatch');
      // … and a peer that was talked into another key tells the keep what it saw.
      const hello = rawHandshake(liar, identity, { role: 'operator', wish: 'register', tls: randomBytes(32) });
      const wire = liar.openWire();
      wire.send(await hello.hello());
      expect((await wire.closed).reason).toBe('tls_pin_mismatch');
    } finally {
      await liar.stop();
    }
  });
});
