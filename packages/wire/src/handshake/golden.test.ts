import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fromHex, toHex, utf8 } from '@keepwatch/base';
import { signerFromSeed, wireCrypto } from '@keepwatch/sdk';
import { createTestVault, createWireEnds, joinWireEnds } from '@keepwatch/testkit';
import { describe, expect, it } from 'vitest';
import type { EphemeralKey, WireCrypto } from '../crypto.ts';
import { encodeRpc } from '../rpc.ts';

/**
 * One whole conversation with fixed randomness, byte for byte. It changes only when the protocol changes, and then the
 * version does too: then `KEEPWATCH_RECORD=1` writes the file anew.
 */
const FILE = new URL('../vectors/handshake.json', import.meta.url);

interface Vector {
  readonly vaultSeed: string;
  readonly peerSeed: string;
  readonly token: string;
  /** What was drawn: X25519 seeds of peer and keep, the ML-KEM seed, and the keep's encapsulation. */
  readonly drawn: Readonly<Record<'peerX25519' | 'keepX25519' | 'mlkemSeed' | 'kem' | 'kemShared', string>>;
  readonly transcript: Readonly<Record<'hello' | 'challenge' | 'proof' | 'sessionId' | 'ready' | 'request', string>>;
}

const X25519_PKCS8 = '302e020100300506032b656e04220420';
const MLKEM768_PKCS8 = '3054020100300b060960864801650304040204428040';
const bytes = (hex: string) => fromHex(hex)!;

function keyFrom(prefix: string, seed: string, length: number): EphemeralKey {
  const secret = createPrivateKey({ key: Buffer.from(prefix + seed, 'hex'), format: 'der', type: 'pkcs8' });
  const der = createPublicKey(secret).export({ format: 'der', type: 'spki' });
  return { publicKey: new Uint8Array(der.subarray(-length)), secret };
}

function drawing(drawn: Vector['drawn']): WireCrypto {
  const seeds = [drawn.peerX25519, drawn.keepX25519];
  return {
    ...wireCrypto,
    x25519: { ...wireCrypto.x25519, generate: () => keyFrom(X25519_PKCS8, seeds.shift()!, 32) },
    mlkem768: {
      ...wireCrypto.mlkem768,
      generate: () => keyFrom(MLKEM768_PKCS8, drawn.mlkemSeed, 1184),
      encapsulate: () => ({ ciphertext: bytes(drawn.kem), shared: bytes(drawn.kemShared) }),
    },
  };
}

async function converse({ vaultSeed, peerSeed, token, drawn }: Omit<Vector, 'transcript'>) {
  const seen: Record<string, string> = {};
  const ends = createWireEnds({
    vault: createTestVault(bytes(vaultSeed)),
    signer: signerFromSeed('EdDSA', bytes(peerSeed)),
    crypto: drawing(drawn),
    admission: { admit: true, token: bytes(token) },
    peer: { role: 'operator', wish: 'register', token: bytes(token), head: { lastSeq: 41 } },
  });
  const note = (name: string, message: Uint8Array) => {
    seen[name] = Buffer.from(message).toString('latin1');
    return message;
  };
  const { keep, peer } = await joinWireEnds({
    ...ends,
    peer: {
      hello: async () => note('hello', await ends.peer.hello()),
      receiveChallenge: (message) => ends.peer.receiveChallenge(note('challenge', message)),
    },
    keep: { ...ends.keep, receiveProof: (message, now) => ends.keep.receiveProof(note('proof', message), now) },
  });
  const ready = note('ready', keep.session.seal(encodeRpc({ kind: 'notification', method: 'ready', params: {} })));
  expect(peer.session.open(ready).ok).toBe(true);
  const request = peer.session.seal(encodeRpc({ kind: 'request', id: 1, method: 'vault.status', params: {} }));
  expect(keep.session.open(note('request', request)).ok).toBe(true);
  return { ...seen, sessionId: toHex(peer.session.id) };
}

async function newVector(): Promise<Vector> {
  const draw = (length: number) => toHex(randomBytes(length));
  const mlkemSeed = draw(64);
  const encapsulated = wireCrypto.mlkem768.encapsulate(keyFrom(MLKEM768_PKCS8, mlkemSeed, 1184).publicKey)!;
  const kem = { kem: toHex(encapsulated.ciphertext), kemShared: toHex(encapsulated.shared) };
  const drawn = { peerX25519: draw(32), keepX25519: draw(32), mlkemSeed, ...kem };
  const start = { vaultSeed: draw(32), peerSeed: draw(32), token: draw(32), drawn };
  return { ...start, transcript: (await converse(start)) as Vector['transcript'] };
}

describe('the recorded conversation', () => {
  it('comes out byte for byte as it was recorded', async () => {
    if (process.env['KEEPWATCH_RECORD']) writeFileSync(FILE, `${JSON.stringify(await newVector(), undefined, 2)}\n`);
    const vector = JSON.parse(readFileSync(FILE, 'utf8')) as Vector;
    expect(await converse(vector)).toEqual(vector.transcript);
    expect(utf8(vector.transcript.hello).length).toBeLessThan(4_096);
  });
});
