import { randomBytes } from 'node:crypto';
import { canonicalBytes, fromBase64url, toBase64url, type Json } from '@keepwatch/base';
import { parseConnectionString } from '@keepwatch/protocol';
import { connect, createOperator, signerFromSeed, type Connection, type IdentitySigner } from '@keepwatch/sdk';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { codeOf } from './honest-party.ts';
import { startHostileGate, type HostileGate } from './hostile-gate.ts';
import { makeJws, payloadOf, rawHandshake } from './raw-peer.ts';

// The first operator's token: it makes an owner of whoever proves it, so the gate must neither learn it nor use it.

let gate: HostileGate;

beforeEach(async () => {
  gate = await startHostileGate();
});
afterEach(() => gate.stop());

const newKey = () => signerFromSeed('EdDSA', randomBytes(32));

async function join(identity: IdentitySigner, connectionString?: string): Promise<Connection> {
  const offered = connectionString ?? (await gate.bootstrapConnection());
  return connect({ connectionString: offered, identity, role: 'operator', wish: 'register' });
}

/** That exactly this key is the owner, and no other one gets in as an operator. */
async function expectOwner(owner: IdentitySigner, ...others: IdentitySigner[]): Promise<void> {
  const session = (identity: IdentitySigner) =>
    codeOf(connect({ connectionString: gate.connection(), identity, role: 'operator' }));
  expect(await session(owner)).toBe('fulfilled');
  for (const other of others) expect(await session(other)).toBe('peer_unknown');
}

it('of two peers that prove the same token at once, one becomes the owner', async () => {
  const keys = [newKey(), newKey(), newKey()];
  const hellos = gate.withhold('to-keep', keys.length);
  const joined = keys.map((key) => codeOf(join(key)));
  gate.sendToKeep(await hellos);
  const held = gate.withhold('to-keep', keys.length);
  // All proofs in one write: the keep decides over them within one turn.
  gate.sendToKeep(await held);
  const results = await Promise.all(joined);
  expect(results.toSorted()).toEqual(['fulfilled', 'token_invalid', 'token_invalid']);
  const winner = results.indexOf('fulfilled');
  await expectOwner(keys[winner]!, ...keys.filter((_, i) => i !== winner));
});

it('the token itself is in none of the messages', async () => {
  const { token } = (parseConnectionString(await gate.bootstrapConnection()) as { value: { token: string } }).value;
  const recorded = [gate.record('to-keep'), gate.record('to-peers')];
  await (await join(newKey())).close();
  const messages = recorded.flatMap(({ frames }) => frames.map(({ payload }) => Buffer.from(payload)));
  expect(messages.length).toBeGreaterThan(2);
  for (const bytes of messages) {
    for (const part of bytes.toString('latin1').split('.')) {
      const plain = Buffer.from(part, 'base64url');
      expect(plain.includes(token) || plain.includes(Buffer.from(token, 'base64url'))).toBe(false);
    }
  }
});

it('a MAC taken from another’s proof does not fit the attacker’s handshake, nor does the proof fit the attacker', async () => {
  const owner = newKey();
  const attacker = newKey();
  const hello = gate.withhold('to-keep');
  const joined = codeOf(join(owner));
  gate.sendToKeep(await hello);
  const [proof] = await gate.withhold('to-keep');
  const { token: mac } = payloadOf(proof!.payload);
  expect(fromBase64url(String(mac))).toHaveLength(32);

  const wire = gate.openWire();
  const guess = rawHandshake(gate, attacker, { role: 'operator', wish: 'register', token: randomBytes(32) });
  wire.send(await guess.hello());
  const accepted = await guess.receiveChallenge(await wire.next());
  if (!accepted.ok) throw new Error(accepted.error.code);
  const own = payloadOf(accepted.value.message);
  const payload = canonicalBytes({ ...own, token: mac } as Json);
  const sign = (input: Uint8Array) => attacker.sign(input) as Uint8Array;
  wire.send(makeJws({ typ: 'keepwatch-proof', alg: 'EdDSA' }, payload, sign));
  expect((await wire.closed).reason).toBe('token_invalid');

  const other = gate.openWire();
  other.send(await rawHandshake(gate, attacker, { role: 'operator', wish: 'register' }).hello());
  await other.next();
  other.send(proof!.payload);
  expect((await other.closed).reason).toBe('handshake_signature');

  gate.sendToKeep([proof!]);
  expect(await joined).toBe('fulfilled');
  await expectOwner(owner, attacker);
});

it('guessing, leaving it out and bringing it twice lead nowhere, and the real token still works', async () => {
  const attacker = newKey();
  const bare = gate.connection();
  for (let i = 0; i < 20; i++) {
    expect(await codeOf(join(attacker, `${bare}&token=${toBase64url(randomBytes(32))}`))).toBe('token_invalid');
  }
  expect(await codeOf(join(attacker, bare))).toBe('token_invalid');
  // A client cannot bring it, and an operator cannot enter as if it were registered.
  const asClient = { connectionString: await gate.bootstrapConnection(), identity: attacker, role: 'client' } as const;
  expect(await codeOf(connect({ ...asClient, wish: 'register' }))).toBe('registration_closed');
  expect(await codeOf(connect({ ...asClient, role: 'operator' }))).toBe('peer_unknown');

  const owner = newKey();
  const connection = await join(owner);
  expect(await codeOf(join(attacker))).toBe('registration_closed');
  await expectOwner(owner, attacker);
  expect((await createOperator(connection, owner).status()).phase).toBe('uninitialised');
  await connection.close();
});
