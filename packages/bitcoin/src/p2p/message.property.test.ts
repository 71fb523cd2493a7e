import { createHash } from 'node:crypto';
import { concat, toHex } from '@keepwatch/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InternalHash } from '../hash.ts';
import { checksumHolds, encodeV1Frame, readV1Head } from './frame-v1.ts';
import { networkMagic } from './magic.ts';
import { decodeMessage, encodePayload, type InvType, type PeerMessage } from './message.ts';
import { decodeV2Contents, encodeV2Contents } from './v2-contents.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const hash = bytes(32).map((each) => each as InternalHash);
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const port = fc.integer({ min: 0, max: 65_535 });
const address = fc
  .oneof(
    fc.record({ network: fc.constant('ipv4' as const), bytes: bytes(4) }),
    fc.record({ network: fc.constant('torv3' as const), bytes: bytes(32) }),
    fc.record({ network: fc.constant('i2p' as const), bytes: bytes(32) }),
    fc.record({ network: fc.constant('cjdns' as const), bytes: bytes(16) }),
    fc.record({ network: fc.constant('ipv6' as const), bytes: bytes(16).map((b) => b.fill(0x20, 0, 1)) }),
  )
  .chain((place) => fc.record({ port, services: u64, timeSeconds: u32 }).map((rest) => ({ ...place, ...rest })));
const inv = fc.record({
  type: fc.constantFrom<InvType>('tx', 'block', 'wtx', 'witness-tx', 'witness-block'),
  hash,
});

const message: fc.Arbitrary<PeerMessage> = fc.oneof(
  fc.record({
    kind: fc.constant('version' as const),
    protocol: fc.integer({ min: 0, max: 0x7fff_ffff }),
    services: u64,
    timeSeconds: u64,
    nonce: u64,
    userAgent: fc.stringMatching(/^[ -~]{0,256}$/),
    height: fc.integer({ min: 0, max: 0x7fff_ffff }),
    relay: fc.boolean(),
  }),
  fc.record({ kind: fc.constantFrom('verack', 'sendheaders', 'sendaddrv2', 'wtxidrelay', 'getaddr', 'mempool') }),
  fc.record({ kind: fc.constantFrom('ping', 'pong'), nonce: u64 }),
  fc.record({ kind: fc.constant('addrv2' as const), addresses: fc.array(address, { maxLength: 5 }) }),
  fc.record({ kind: fc.constantFrom('inv', 'getdata', 'notfound'), items: fc.array(inv, { maxLength: 300 }) }),
  fc.record({ kind: fc.constant('getheaders' as const), locator: fc.array(hash, { maxLength: 101 }), stop: hash }),
  fc.record({
    kind: fc.constant('headers' as const),
    headers: fc.array(bytes(80), { maxLength: 300 }).map((all) => concat(...all)),
  }),
  fc.record({ kind: fc.constant('feefilter' as const), satPerKvb: u64 }),
  fc.record({ kind: fc.constantFrom('tx', 'block'), raw: fc.uint8Array() }),
  fc.record({ kind: fc.constantFrom('getcfilters', 'getcfheaders'), startHeight: u32, stop: hash }),
  fc.record({ kind: fc.constant('getcfcheckpt' as const), stop: hash }),
  fc.record({ kind: fc.constant('cfilter' as const), block: hash, filter: fc.uint8Array({ maxLength: 400 }) }),
  fc.record({
    kind: fc.constant('cfheaders' as const),
    stop: hash,
    previous: hash,
    filterHashes: fc.array(hash, { maxLength: 300 }),
  }),
  fc.record({ kind: fc.constant('cfcheckpt' as const), stop: hash, headers: fc.array(hash, { maxLength: 300 }) }),
);

describe('messages between nodes', () => {
  it('are read back as they were written, and not one byte short or long', () => {
    fc.assert(
      fc.property(message, (sent) => {
        const payload = encodePayload(sent);
        expect(decodeMessage(sent.kind, payload)).toEqual({ ok: true, value: sent });
        if (sent.kind === 'tx' || sent.kind === 'block') return;
        if (payload.length > 0 && sent.kind !== 'version') {
          expect(decodeMessage(sent.kind, payload.subarray(0, -1))).toEqual({ ok: false, error: 'message_malformed' });
        }
        // A version may be longer than we know.
        if (sent.kind === 'version') return;
        expect(decodeMessage(sent.kind, concat(payload, Uint8Array.of(0)))).toEqual({
          ok: false,
          error: 'message_malformed',
        });
      }),
    );
  });

  it('never crash a reader, whatever the bytes', () => {
    const commands = ['version', 'addr', 'addrv2', 'inv', 'getheaders', 'headers', 'cfilter', 'cfheaders', 'cfcheckpt'];
    fc.assert(
      fc.property(fc.constantFrom(...commands), fc.uint8Array({ maxLength: 300 }), (command, payload) => {
        const read = decodeMessage(command, payload);
        // What was taken must be what the bytes say: written again it is the same message.
        if (read.ok) expect(decodeMessage(command, encodePayload(read.value))).toEqual(read);
      }),
      { numRuns: 2_000 },
    );
  });

  it('keep their name and payload in both kinds of frame', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9]{1,12}$/), fc.uint8Array(), (command, payload) => {
        const frame = encodeV1Frame(networkMagic('signet'), command, payload);
        const head = readV1Head(frame.subarray(0, 24), networkMagic('signet'));
        expect(head).toMatchObject({ ok: true, value: { command, length: payload.length } });
        expect(head.ok && checksumHolds(head.value, payload)).toBe(true);
        expect(decodeV2Contents(encodeV2Contents(command, payload))).toEqual({ ok: true, value: { command, payload } });
      }),
    );
  });
});

describe('signet', () => {
  it('has the magic that BIP325 derives from its challenge', () => {
    // The default signet's challenge (kernel/chainparams.cpp), preceded by its length.
    const challenge = Buffer.from(
      '47' +
        '512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be430210359ef5021964fe22d6f8e05b2463c9540ce96883fe3b278760f048f5189f2e6c452ae',
      'hex',
    );
    const once = createHash('sha256').update(challenge).digest();
    expect(toHex(createHash('sha256').update(once).digest().subarray(0, 4))).toBe(toHex(networkMagic('signet')));
  });
});
