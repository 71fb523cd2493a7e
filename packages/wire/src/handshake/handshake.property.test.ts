import { signerFromSeed, wireCrypto } from '@keepwatch/sdk';
import { createTestVault, createWireEnds } from '@keepwatch/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeChallenge, decodeHello, decodeProof, encodeChallenge, encodeHello, encodeProof } from './messages.ts';
import { unverifiedPayload } from '../jws.ts';

const NOW = 1_000;
const vault = createTestVault(new Uint8Array(32).fill(8));
const signer = signerFromSeed('EdDSA', new Uint8Array(32).fill(9));
const payloadOf = (message: Uint8Array) =>
  unverifiedPayload(wireCrypto.codec, wireCrypto.codec.toAscii(message)) as Uint8Array;

async function messagesOf() {
  const ends = createWireEnds({ vault, signer, peer: { head: { lastSeq: 1 } } });
  const hello = await ends.peer.hello();
  const challenge = ends.keep.receiveHello(hello, NOW);
  if (!challenge.ok) throw new Error(challenge.error.code);
  const answer = await ends.peer.receiveChallenge(challenge.value);
  if (!answer.ok) throw new Error(answer.error.code);
  return { hello, challenge: challenge.value, proof: answer.value.message };
}

const damage = fc.record({ at: fc.nat(), remove: fc.nat({ max: 3 }), insert: fc.uint8Array({ maxLength: 3 }) });
function damaged(bytes: Uint8Array, { at, remove, insert }: { at: number; remove: number; insert: Uint8Array }) {
  const start = at % bytes.length;
  return Buffer.concat([bytes.subarray(0, start), insert, bytes.subarray(start + remove)]);
}

describe('handshake messages under mutation', () => {
  it('no damaged message of any step gets further, and none makes a step throw', async () => {
    const { hello, challenge, proof } = await messagesOf();
    await fc.assert(
      fc.asyncProperty(damage, async (change) => {
        const ends = createWireEnds({ vault, signer });
        const bad = damaged(hello, change);
        if (Buffer.from(hello).equals(bad)) return;
        expect(ends.keep.receiveHello(bad, NOW).ok).toBe(false);

        const second = createWireEnds({ vault, signer });
        const reply = second.keep.receiveHello(await second.peer.hello(), NOW);
        if (!reply.ok) throw new Error(reply.error.code);
        const badReply = damaged(reply.value, change);
        if (Buffer.from(reply.value).equals(badReply)) return;
        expect((await second.peer.receiveChallenge(badReply)).ok).toBe(false);
        expect(second.keep.receiveProof(damaged(proof, change), NOW).ok).toBe(false);
      }),
      { numRuns: 300 },
    );
    expect(challenge.length).toBeGreaterThan(0);
  });

  it('a decoder takes only what its encoder gives back', async () => {
    const messages = await messagesOf();
    const decoders = [
      (bytes: Uint8Array) => {
        const decoded = decodeHello(bytes);
        return decoded.ok ? encodeHello(decoded.value) : undefined;
      },
      (bytes: Uint8Array) => {
        const decoded = decodeChallenge(bytes);
        return decoded.ok ? encodeChallenge(decoded.value) : undefined;
      },
      (bytes: Uint8Array) => {
        const decoded = decodeProof(bytes);
        return decoded.ok ? encodeProof(decoded.value) : undefined;
      },
    ];
    const payloads = [messages.hello, messages.challenge, messages.proof].map(payloadOf);
    const digit = fc.constantFrom(...'0123456789abcAB"{}:,[]-_.nul ').map((char) => Buffer.from(char));
    const edit = fc.record({ at: fc.nat(), remove: fc.nat({ max: 2 }), insert: digit });
    let taken = 0;
    fc.assert(
      fc.property(fc.nat({ max: 2 }), edit, (which, change) => {
        const bytes = damaged(payloads[which]!, change);
        const back = decoders[which]!(bytes);
        if (!back) return;
        taken += 1;
        expect(Buffer.from(back).equals(bytes)).toBe(true);
      }),
      { numRuns: 5_000 },
    );
    expect(taken).toBeGreaterThan(100);
  });
});
