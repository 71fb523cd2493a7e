import { canonicalBytes, toBase64url, utf8 } from '@keepwatch/base';
import { wireCrypto, signerFromSeed } from '@keepwatch/sdk';
import { createTestVault, createWireEnds, joinWireEnds, TEST_TLS_PIN, type WireEndsOptions } from '@keepwatch/testkit';
import { describe, expect, it } from 'vitest';
import type { IdentitySigner } from '../crypto.ts';
import { finishJws, signingInput, unverifiedPayload, type JwsType } from '../jws.ts';
import type { PeerClaim } from './keep.ts';
import { MESSAGE_LIMITS } from './messages.ts';

const { codec } = wireCrypto;
const NOW = 1_000_000;
const HEAD = { version: 1, lastSeq: 7, root: 'abc' };
const signers = {
  EdDSA: signerFromSeed('EdDSA', new Uint8Array(32).fill(1)),
  'ML-DSA-65': signerFromSeed('ML-DSA-65', new Uint8Array(32).fill(1)),
};

/** The same message with another payload, signed anew by whoever may sign it. */
async function resigned(message: Uint8Array, typ: JwsType, signer: IdentitySigner, change: (json: Json) => Json) {
  const payload = unverifiedPayload(codec, codec.toAscii(message))!;
  const changed = canonicalBytes(change(JSON.parse(Buffer.from(payload).toString()) as Json) as never);
  const input = signingInput(codec, typ, signer.alg, changed);
  return utf8(finishJws(codec, input, await signer.sign(utf8(input))));
}
type Json = Record<string, unknown>;

const set = (member: string, value: unknown) => (json: Json) => ({ ...json, [member]: value });
const drop = (member: string) => (json: Json) => ({ ...json, [member]: undefined });
const b64 = (length: number, byte = 9) => toBase64url(new Uint8Array(length).fill(byte));
const bootSigner = (ends: { vault: { boot: { publicKey: Uint8Array; sign(b: Uint8Array): Uint8Array } } }) =>
  ({ alg: 'EdDSA', ...ends.vault.boot }) as const;

const failed = (code: string, tell = code) => ({ ok: false, error: { code, tell } });

describe.each(['EdDSA', 'ML-DSA-65'] as const)('a handshake with a peer that signs by %s', (alg) => {
  it('gives both ends the same session, and each direction its own key', async () => {
    const ends = createWireEnds({ signer: signers[alg], peer: { role: 'operator', head: HEAD } });
    const { peer, keep } = await joinWireEnds(ends);
    expect(peer.session.id).toEqual(keep.session.id);
    expect(peer).toMatchObject({ nonce: 1, bootPublicKey: ends.vault.boot.publicKey });
    expect(peer.receiptPublicKey).toEqual(ends.vault.receipt.publicKey);
    expect(keep).toMatchObject({ nonce: 1, head: HEAD, tokenProved: false });
    expect(keep.claim).toEqual({ role: 'operator', wish: 'session', key: { alg, publicKey: signers[alg].publicKey } });
    const ready = utf8('ready');
    expect(peer.session.open(keep.session.seal(ready))).toMatchObject({ ok: true });
    expect(keep.session.open(peer.session.seal(ready))).toMatchObject({ ok: true });
  });

  it('never gives the same session twice', async () => {
    const vault = createTestVault();
    const ids = new Set<string>();
    for (let i = 0; i < 4; i++) {
      const { keep } = await joinWireEnds(createWireEnds({ vault, signer: signers[alg] }));
      ids.add(toBase64url(keep.session.id));
    }
    expect(ids.size).toBe(4);
  });
});

describe('admission', () => {
  it('refuses a stranger before anything is verified, counted or computed', async () => {
    let claim: PeerClaim | undefined;
    const crypto = {
      ...wireCrypto,
      ed25519Verify: () => expect.unreachable(),
      mlkem768: { ...wireCrypto.mlkem768, encapsulate: () => expect.unreachable() },
    };
    const ends = createWireEnds({
      crypto,
      keepDeps: {
        admit(seen) {
          claim = seen;
          return { admit: false, code: 'peer_unknown' };
        },
        advanceNonce: () => expect.unreachable(),
      },
      peer: { role: 'operator' },
    });
    expect(ends.keep.receiveHello(await ends.peer.hello(), NOW)).toEqual(failed('peer_unknown'));
    expect(claim).toMatchObject({ role: 'operator', wish: 'session' });
  });

  it('tells a bad signature and an unknown key alike, and counts neither', async () => {
    const ends = createWireEnds({ signer: signers.EdDSA, keepDeps: { advanceNonce: () => expect.unreachable() } });
    const forged = await resigned(await ends.peer.hello(), 'keepwatch-hello', other, (json) => json);
    expect(ends.keep.receiveHello(forged, NOW)).toEqual(failed('handshake_signature', 'peer_unknown'));
  });

  it('says that registration is closed to whoever wants to register', async () => {
    const ends = createWireEnds({
      admission: { admit: false, code: 'registration_closed' },
      peer: { wish: 'register' },
    });
    expect(ends.keep.receiveHello(await ends.peer.hello(), NOW)).toEqual(failed('registration_closed'));
  });
});

const other = signerFromSeed('EdDSA', new Uint8Array(32).fill(2));

describe('a hello', () => {
  const cases: [string, (json: Json) => Json, string][] = [
    ['of another version', set('v', 1), 'handshake_version'],
    ['without a version', drop('v'), 'handshake_malformed'],
    ['with an unknown role', set('role', 'admin'), 'handshake_malformed'],
    ['with an unknown wish', set('wish', 'root'), 'handshake_malformed'],
    ['with one member more', set('extra', 1), 'handshake_malformed'],
    ['with one member less', drop('head'), 'handshake_malformed'],
    ['with a short X25519 key', set('x25519', b64(31)), 'handshake_malformed'],
    ['with an X25519 point of low order', set('x25519', b64(32, 0)), 'handshake_malformed'],
    ['with a long ML-KEM key', set('mlkem768', b64(1185)), 'handshake_malformed'],
    ['with an ML-KEM key beyond the modulus', set('mlkem768', b64(1184, 255)), 'handshake_malformed'],
    ['with a head that is no object', set('head', [1]), 'handshake_malformed'],
    ['with a huge head', set('head', { x: 'y'.repeat(3_000) }), 'handshake_malformed'],
    ['with an unknown algorithm', set('peer', { alg: 'none', key: b64(32) }), 'handshake_malformed'],
    [
      'whose key has the length of another algorithm',
      set('peer', { alg: 'EdDSA', key: b64(1952) }),
      'handshake_malformed',
    ],
    ['for another vault', set('vault', b64(32)), 'identity_mismatch'],
    ['through another TLS key', set('tls', b64(32)), 'tls_pin_mismatch'],
  ];
  it.each(cases)('%s is refused', async (_name, change, code) => {
    const ends = createWireEnds({ signer: signers.EdDSA });
    const hello = await resigned(await ends.peer.hello(), 'keepwatch-hello', signers.EdDSA, change);
    expect(ends.keep.receiveHello(hello, NOW)).toEqual(failed(code));
  });

  it('is taken with the pin from before a rotation, and answered with the same', async () => {
    const before = new Uint8Array(32).fill(5);
    const ends = createWireEnds({ keep: { tlsPins: [TEST_TLS_PIN, before] }, peer: { tls: before } });
    await joinWireEnds(ends);
  });

  it('is refused when its payload is not canonical', async () => {
    const ends = createWireEnds({ signer: signers.EdDSA });
    const text = codec.toAscii(await ends.peer.hello());
    const payload = Buffer.from(unverifiedPayload(codec, text)!).toString();
    const input = signingInput(codec, 'keepwatch-hello', 'EdDSA', utf8(payload.replace('{', '{ ')));
    const signed = utf8(finishJws(codec, input, await signers.EdDSA.sign(utf8(input))));
    expect(ends.keep.receiveHello(signed, NOW)).toEqual(failed('handshake_malformed'));
  });

  it('is refused when it is too long', () => {
    const ends = createWireEnds();
    expect(ends.keep.receiveHello(new Uint8Array(MESSAGE_LIMITS.hello + 1), NOW)).toEqual(
      failed('handshake_malformed'),
    );
  });

  it('cannot be signed by an algorithm other than its key’s', async () => {
    // The header claims ML-DSA-65 while the payload names an Ed25519 key, and the other way round.
    for (const [named, signing] of [
      [signers.EdDSA, signers['ML-DSA-65']],
      [signers['ML-DSA-65'], signers.EdDSA],
    ] as const) {
      const ends = createWireEnds({ signer: named });
      const hello = await resigned(await ends.peer.hello(), 'keepwatch-hello', signing, (json) => json);
      expect(ends.keep.receiveHello(hello, NOW)).toEqual(failed('handshake_malformed'));
    }
  });
});

describe('a challenge', () => {
  async function challengeOf(options: WireEndsOptions = {}) {
    const ends = createWireEnds(options);
    const reply = ends.keep.receiveHello(await ends.peer.hello(), NOW);
    if (!reply.ok) throw new Error(reply.error.code);
    return { ends, challenge: reply.value };
  }

  const cases: [string, (json: Json) => Json, string][] = [
    ['of another version', set('v', 1), 'handshake_version'],
    ['with one member more', set('alg', 'none'), 'handshake_malformed'],
    ['with a negative nonce', set('nonce', -1), 'handshake_malformed'],
    ['with a short ciphertext', set('kem', b64(1087)), 'handshake_malformed'],
    ['with an X25519 point of low order', set('x25519', b64(32, 0)), 'handshake_malformed'],
    ['under another receipt key', set('receipt', b64(32)), 'identity_mismatch'],
    ['under another boot key', set('boot', toBase64url(other.publicKey)), 'identity_mismatch'],
    ['for another hello', set('hello', b64(32)), 'handshake_transcript'],
    ['for another TLS key', set('tls', b64(32)), 'tls_pin_mismatch'],
  ];
  it.each(cases)('%s is refused', async (_name, change, code) => {
    const { ends, challenge } = await challengeOf();
    const changed = await resigned(challenge, 'keepwatch-challenge', bootSigner(ends), change);
    expect(await ends.peer.receiveChallenge(changed)).toEqual(failed(code));
  });

  it('is refused when somebody else signed it', async () => {
    const { ends, challenge } = await challengeOf();
    const forged = await resigned(challenge, 'keepwatch-challenge', other, (json) => json);
    expect(await ends.peer.receiveChallenge(forged)).toEqual(failed('handshake_signature'));
  });

  it('of an earlier handshake is refused', async () => {
    const vault = createTestVault();
    const { challenge } = await challengeOf({ vault, signer: signers.EdDSA });
    const { ends } = await challengeOf({ vault, signer: signers.EdDSA });
    expect(await ends.peer.receiveChallenge(challenge)).toEqual(failed('handshake_transcript'));
  });

  // What the transcript holds beyond the checks: the peer accepts it, and the proof then fits nothing.
  it.each([
    ['nonce', 99],
    ['expires', 5],
    ['kem', b64(1088)],
    ['x25519', toBase64url(wireCrypto.x25519.generate().publicKey)],
  ])('whose %s was exchanged under a stolen boot key leads to no session', async (member, value) => {
    const { ends, challenge } = await challengeOf();
    const changed = await resigned(challenge, 'keepwatch-challenge', bootSigner(ends), set(member, value));
    const answer = await ends.peer.receiveChallenge(changed);
    if (!answer.ok) throw new Error(answer.error.code);
    expect(ends.keep.receiveProof(answer.value.message, NOW)).toEqual(failed('handshake_transcript'));
  });
});

describe('a proof', () => {
  async function proofOf(options: WireEndsOptions = {}) {
    const ends = createWireEnds({ signer: signers.EdDSA, ...options });
    const challenge = ends.keep.receiveHello(await ends.peer.hello(), NOW);
    if (!challenge.ok) throw new Error(challenge.error.code);
    const answer = await ends.peer.receiveChallenge(challenge.value);
    if (!answer.ok) throw new Error(answer.error.code);
    return { ends, proof: answer.value.message };
  }

  it('is taken until the challenge expires, and not after', async () => {
    const onTime = await proofOf();
    expect(onTime.ends.keep.receiveProof(onTime.proof, NOW + 30_000).ok).toBe(true);
    const late = await proofOf();
    expect(late.ends.keep.receiveProof(late.proof, NOW + 30_001)).toEqual(failed('handshake_expired'));
    const backwards = await proofOf();
    expect(backwards.ends.keep.receiveProof(backwards.proof, NOW - 1)).toEqual(failed('handshake_expired'));
  });

  it('is refused when another key signed it', async () => {
    const { ends, proof } = await proofOf();
    const forged = await resigned(proof, 'keepwatch-proof', other, (json) => json);
    expect(ends.keep.receiveProof(forged, NOW)).toEqual(failed('handshake_signature'));
  });

  const cases: [string, (json: Json) => Json, string][] = [
    ['over another transcript', set('transcript', b64(32)), 'handshake_transcript'],
    ['with a token that nobody asked for', set('token', b64(32)), 'token_invalid'],
    ['with a token of another length', set('token', b64(33)), 'handshake_malformed'],
    ['of another version', set('v', 0), 'handshake_version'],
  ];
  it.each(cases)('%s is refused', async (_name, change, code) => {
    const { ends, proof } = await proofOf();
    const changed = await resigned(proof, 'keepwatch-proof', signers.EdDSA, change);
    expect(ends.keep.receiveProof(changed, NOW)).toEqual(failed(code));
  });

  it('cannot be replayed into another handshake of the same peer and vault', async () => {
    const vault = createTestVault();
    const first = await proofOf({ vault });
    const second = await proofOf({ vault });
    expect(second.ends.keep.receiveProof(first.proof, NOW)).toEqual(failed('handshake_transcript'));
  });

  it('cannot be replaced by a message of another type that the same key signed', async () => {
    const { ends } = await proofOf();
    expect(ends.keep.receiveProof(await ends.peer.hello(), NOW)).toEqual(failed('handshake_malformed'));
  });

  it('is taken once, and nothing is taken after a failure or out of order', async () => {
    const { ends, proof } = await proofOf();
    expect(ends.keep.receiveProof(proof, NOW).ok).toBe(true);
    expect(ends.keep.receiveProof(proof, NOW)).toEqual(failed('handshake_out_of_order'));
    const fresh = createWireEnds();
    expect(fresh.keep.receiveProof(proof, NOW)).toEqual(failed('handshake_out_of_order'));
    expect(fresh.keep.receiveHello(await fresh.peer.hello(), NOW)).toEqual(failed('handshake_out_of_order'));
    expect(await createWireEnds().peer.receiveChallenge(proof)).toEqual(failed('handshake_out_of_order'));
  });
});

describe('the bootstrap token', () => {
  const token = new Uint8Array(32).fill(3);
  const run = async (asked: Uint8Array | undefined, given: Uint8Array | undefined) => {
    const ends = createWireEnds({
      admission: { admit: true, ...(asked && { token: asked }) },
      peer: { role: 'operator', wish: 'register', ...(given && { token: given }) },
    });
    const hello = await ends.peer.hello();
    const challenge = ends.keep.receiveHello(hello, NOW);
    if (!challenge.ok) throw new Error(challenge.error.code);
    const answer = await ends.peer.receiveChallenge(challenge.value);
    if (!answer.ok) throw new Error(answer.error.code);
    return { hello, proof: answer.value.message, result: ends.keep.receiveProof(answer.value.message, NOW) };
  };

  it('is proved and never sent', async () => {
    const { hello, proof, result } = await run(token, token);
    expect(result).toMatchObject({ ok: true, value: { tokenProved: true } });
    for (const message of [hello, proof]) {
      const payload = Buffer.from(unverifiedPayload(codec, codec.toAscii(message))!).toString();
      expect(payload).not.toContain(toBase64url(token));
    }
  });

  it.each([
    ['wrong', token, new Uint8Array(32).fill(4)],
    ['missing', token, undefined],
    ['not asked for', undefined, token],
  ])('is refused when it is %s', async (_name, asked, given) => {
    expect((await run(asked, given)).result).toEqual(failed('token_invalid'));
  });
});
