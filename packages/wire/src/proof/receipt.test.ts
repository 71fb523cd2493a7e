import { createHash, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { canonicalBytes, toBase64url, toHex, type Json, type Sha256 } from '@keepwatch/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifyHeadChain } from './head-chain.ts';
import {
  encodeHead,
  headHash,
  headToJson,
  NO_HEAD,
  parseHead,
  verifyHead,
  type Ed25519Verify,
  type Head,
  type SignedHead,
} from './head.ts';
import { createMerkleTree } from './merkle.ts';
import { parseReceipt, receiptToJson, verifyReceipt, type Receipt } from './receipt.ts';

const sha256: Sha256 = (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest());
const ed25519Verify: Ed25519Verify = (key, message, signature) =>
  verify(
    null,
    message,
    { key: { kty: 'OKP', crv: 'Ed25519', x: toBase64url(key) }, format: 'jwk' } as Parameters<typeof verify>[2],
    signature,
  );
const crypto = { sha256, ed25519Verify };

const receiptKey = keyPair();
const vault = toBase64url(sha256(receiptKey.publicKey));
const expected = { receiptPublicKey: receiptKey.publicKey, vault };

function keyPair(): { publicKey: Uint8Array; secret: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { publicKey: Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url'), secret: privateKey };
}

function signed(head: Head, secret = receiptKey.secret): SignedHead {
  return { ...head, signature: new Uint8Array(sign(null, encodeHead(head), secret)) };
}

function headAfter(before: Head | undefined, entries: readonly Uint8Array[], more: Partial<Head> = {}): SignedHead {
  const firstSeq = (before?.lastSeq ?? 0) + 1;
  return signed({
    version: 1,
    vault,
    epoch: before?.epoch ?? 1,
    firstSeq,
    lastSeq: firstSeq + entries.length - 1,
    root: createMerkleTree(sha256, entries).root,
    prev: before ? headHash(sha256, before) : NO_HEAD,
    timeMs: 1_790_000_000_000,
    ...more,
  });
}

const entries = Array.from({ length: 5 }, (_, i) => canonicalBytes({ salt: `salt ${i}`, type: 'ernährt', value: i }));
const head = headAfter(undefined, entries);

function receiptOf(index: number, of: SignedHead = head): Receipt {
  const path = createMerkleTree(sha256, entries).path(index);
  return { entry: entries[index]!, seq: of.firstSeq + index, index, path, head: of };
}

const throughJson = (value: unknown) => JSON.parse(JSON.stringify(value)) as Json;

describe('head', () => {
  it('encodes as documented', () => {
    const head: Head = {
      version: 1,
      vault: toBase64url(new Uint8Array(32).fill(0xaa)),
      epoch: 2,
      firstSeq: 65,
      lastSeq: 128,
      root: new Uint8Array(32).fill(0xbb),
      prev: new Uint8Array(32).fill(0xcc),
      timeMs: 0x0102030405,
    };
    expect(toHex(encodeHead(head))).toBe(
      '00000016' + // the label's length
        Buffer.from('keepwatch/journal-head').toString('hex') +
        '01' +
        'aa'.repeat(32) +
        '0000000000000002' +
        '0000000000000041' +
        '0000000000000080' +
        'bb'.repeat(32) +
        'cc'.repeat(32) +
        '0000000102030405',
    );
  });

  it('comes back from JSON and verifies under its key alone', () => {
    const parsed = parseHead(throughJson(headToJson(head)));
    expect(parsed).toEqual({ ok: true, value: head });
    expect(verifyHead(head, receiptKey.publicKey, ed25519Verify)).toBe(true);
    expect(verifyHead(head, keyPair().publicKey, ed25519Verify)).toBe(false);
  });

  it.each(Object.keys(headToJson(head)))('does not verify, or does not parse, with another %s', (member) => {
    const json = { ...(throughJson(headToJson(head)) as Record<string, Json>) };
    const value = json[member]!;
    json[member] =
      typeof value === 'number' ? value + 1 : `${value as string}`.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'));
    const parsed = parseHead(json);
    expect(parsed.ok && verifyHead(parsed.value, receiptKey.publicKey, ed25519Verify)).toBe(false);
  });

  it.each<[string, Json]>([
    ['null', null],
    ['a list', [1]],
    ['a string', 'head'],
    ['a member missing', omit(headToJson(head), 'prev')],
    ['a member too many', { ...headToJson(head), note: '' }],
    ['another version', { ...headToJson(head), version: 2 }],
    ['a number as text', { ...headToJson(head), epoch: '1' }],
    ['epoch 0', { ...headToJson(head), epoch: 0 }],
    ['seq 0', { ...headToJson(head), firstSeq: 0 }],
    ['no entries', { ...headToJson(head), lastSeq: 0 }],
    ['a time before 1970', { ...headToJson(head), timeMs: -1 }],
    ['a short root', { ...headToJson(head), root: 'AAAA' }],
    ['a padded root', { ...headToJson(head), root: `${toBase64url(head.root)}=` }],
    ['a short vault', { ...headToJson(head), vault: 'AAAA' }],
    ['a beginning that follows something', { ...headToJson(head), prev: toBase64url(head.root) }],
    ['a continuation that follows nothing', { ...headToJson(head), firstSeq: 2 }],
  ])('refuses %s', (_, json) => {
    expect(parseHead(json)).toEqual({ ok: false, error: 'head_malformed' });
  });

  it('does not encode or verify what parsing would refuse', () => {
    const bad = { ...head, epoch: 1.5 };
    expect(() => encodeHead(bad)).toThrow(TypeError);
    expect(verifyHead(bad, receiptKey.publicKey, () => true)).toBe(false);
    expect(verifyHead({ ...head, signature: new Uint8Array(63) }, receiptKey.publicKey, () => true)).toBe(false);
  });
});

describe('head chain', () => {
  const second = headAfter(head, entries, { epoch: 3, timeMs: head.timeMs + 5 });
  const third = headAfter(second, entries.slice(0, 1), { timeMs: second.timeMs });
  const fault = (code: string, position: number) => ({ ok: false, error: { code, position } });

  it('accepts a journal from its start, and any stretch of it', () => {
    expect(verifyHeadChain([head, second, third], sha256).ok).toBe(true);
    expect(verifyHeadChain([second, third], sha256).ok).toBe(true);
    expect(verifyHeadChain([], sha256).ok).toBe(true);
  });

  it('names what does not fit', () => {
    expect(verifyHeadChain([head, third], sha256)).toEqual(fault('head_gap', 1));
    expect(verifyHeadChain([head, second, second], sha256)).toEqual(fault('head_overlap', 2));
    expect(verifyHeadChain([second, head], sha256)).toEqual(fault('head_overlap', 1));
    const forked = { ...second, timeMs: second.timeMs + 1 };
    expect(verifyHeadChain([head, forked, third], sha256)).toEqual(fault('head_link_broken', 2));
    const fallen = headAfter(second, entries, { epoch: 2 });
    expect(verifyHeadChain([head, second, fallen], sha256)).toEqual(fault('head_epoch_fell', 2));
    const earlier = headAfter(second, entries, { timeMs: second.timeMs - 1 });
    expect(verifyHeadChain([second, earlier], sha256)).toEqual(fault('head_time_fell', 1));
    const foreign = headAfter(head, entries, { vault: toBase64url(head.root) });
    expect(verifyHeadChain([head, foreign], sha256)).toEqual(fault('head_other_vault', 1));
  });
});

describe('receipt', () => {
  it('proves each entry of the batch, before and after JSON', () => {
    for (let i = 0; i < entries.length; i++) {
      const parsed = parseReceipt(throughJson(receiptToJson(receiptOf(i))));
      expect(parsed).toEqual({ ok: true, value: receiptOf(i) });
      const entry = { salt: `salt ${i}`, type: 'ernährt', value: i };
      expect(verifyReceipt(receiptOf(i), expected, crypto)).toEqual({ ok: true, value: { seq: i + 1, entry } });
    }
  });

  it('names what is wrong', () => {
    const code = (receipt: Receipt, as = expected) => {
      const result = verifyReceipt(receipt, as, crypto);
      return result.ok ? 'ok' : result.error;
    };
    const good = receiptOf(2);
    expect(code(good)).toBe('ok');
    expect(code(good, { ...expected, vault: toBase64url(head.root) })).toBe('receipt_other_vault');
    expect(code(good, { ...expected, receiptPublicKey: keyPair().publicKey })).toBe('receipt_head_signature');
    expect(code({ ...good, entry: entries[3]! })).toBe('receipt_path_mismatch');
    expect(code({ ...good, path: good.path.slice(1) })).toBe('receipt_path_mismatch');
    expect(code({ ...good, index: 3, seq: 4 })).toBe('receipt_path_mismatch');
    expect(code({ ...good, seq: 4 })).toBe('receipt_seq_mismatch');
    expect(code({ ...good, index: 5, seq: 6 })).toBe('receipt_seq_mismatch');
    expect(code({ ...good, index: -1, seq: 0 })).toBe('receipt_path_mismatch');
    const otherTime = { ...head, timeMs: head.timeMs + 1 };
    expect(code({ ...good, head: otherTime })).toBe('receipt_head_signature');
    const forged = signed(headAfter(undefined, entries), keyPair().secret);
    expect(code(receiptOf(2, forged))).toBe('receipt_head_signature');
  });

  it.each(['{"a":1,"a":2}', '{"b":1,"a":2}', '{"a": 1}', '{"a":1.5}', '\ufeff{"a":1}', 'not json', ''])(
    'does not vouch for the meaning of %j, which is not canonical JSON',
    (text) => {
      const entry = new Uint8Array(Buffer.from(text));
      const head = headAfter(undefined, [entry]);
      const receipt = { entry, seq: 1, index: 0, path: [], head };
      expect(verifyReceipt(receipt, expected, crypto)).toEqual({ ok: false, error: 'receipt_malformed' });
    },
  );

  it.each<[string, Json]>([
    ['null', null],
    ['a member missing', omit(receiptToJson(receiptOf(0)), 'head')],
    ['a member too many', { ...receiptToJson(receiptOf(0)), alg: 'none' }],
    ['a lone surrogate', { ...receiptToJson(receiptOf(0)), entry: '"\ud800"' }],
    ['an entry that is no text', { ...receiptToJson(receiptOf(0)), entry: 1 }],
    ['a fraction as seq', { ...receiptToJson(receiptOf(0)), seq: 1.5 }],
    ['a negative index', { ...receiptToJson(receiptOf(0)), index: -1 }],
    ['a path that is no list', { ...receiptToJson(receiptOf(0)), path: '' }],
    ['a short node', { ...receiptToJson(receiptOf(0)), path: ['AAAA'] }],
    ['an endless path', { ...receiptToJson(receiptOf(0)), path: Array(41).fill('A'.repeat(43)) as string[] }],
    ['no head', { ...receiptToJson(receiptOf(0)), head: null }],
  ])('refuses %s', (_, json) => {
    expect(parseReceipt(json)).toEqual({ ok: false, error: 'receipt_malformed' });
  });

  it('survives any single changed character: never valid, never an exception', () => {
    const text = JSON.stringify(receiptToJson(receiptOf(3)));
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 2 }), (at, replacement) => {
        const bent = text.slice(0, at) + replacement + text.slice(at + 1);
        let json: Json;
        try {
          json = JSON.parse(bent) as Json;
        } catch {
          return;
        }
        if (JSON.stringify(json) === text) return;
        const parsed = parseReceipt(json);
        expect(parsed.ok && verifyReceipt(parsed.value, expected, crypto).ok).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is not made of what is no text', () => {
    expect(() => receiptToJson({ ...receiptOf(0), entry: Uint8Array.of(0xff) })).toThrow(TypeError);
  });
});

function omit(record: object, member: string): Json {
  return Object.fromEntries(Object.entries(record).filter(([key]) => key !== member)) as Json;
}
