import { fromLengthPrefixed, fromUtf8, lengthPrefixed, parseJsonBytes, utf8 } from '@keepwatch/base';
import { describe, expect, it } from 'vitest';
import { applyWatchEvent } from '../fold.ts';
import { createWatchState } from '../state.ts';
import { createWatch, paymentOf, scriptsWallet, txidOf } from '../watch.fixture.ts';
import { decodeWatchEvent, encodeWatchEvent } from './event.ts';
import { decodeWatchState, encodeWatchState } from './state.ts';

/** A story in which most kinds of events occur. */
function story() {
  const watch = createWatch({ keptBlocks: 8 });
  const [a, b, c] = [txidOf(0xa), txidOf(0xb), txidOf(0xc)];
  const wallet = scriptsWallet('savings', [1, 2], {
    birthdaySeconds: 5,
    outpoints: [{ txid: txidOf(0xe), vout: 3 }],
    limits: { largeSats: 40_000n, aboveSats: 10n },
    labels: { there: 'mine' },
  });
  watch.add(wallet, [1, 2]);
  watch.tell({ kind: 'started' });
  watch.connect(100);
  watch.tell({
    kind: 'source',
    source: 'node',
    state: 'down',
    mempool: 'whole',
    peers: 0,
    problem: { code: 'x', words: 'gone' },
  });
  watch.connect(101, [paymentOf(a, [[1, 50_000n]])]);
  watch.tell({ kind: 'sighted', tx: paymentOf(b, [], [{ txid: a, vout: 0 }]), grade: 'valid', seenBy: ['node'] });
  watch.connect(102, [paymentOf(c, [[2, 400n]], [{ txid: a, vout: 0 }])]);
  watch.disconnect(102);
  watch.tell({ kind: 'quorum', able: false });
  const found = [{ block: { ...watch.state.tip!, height: 500 }, matches: [paymentOf(txidOf(0xd), [[2, 7n]])] }];
  watch.tell({ kind: 'history', scans: [{ wallet: 'savings', scan: 1 }], found, toHeight: 500, done: false });
  watch.nowMs += 600_000;
  watch.tell({ kind: 'tick' });
  // Another wallet's, of which nothing but the short form is left; one that went; one that is still in blocks.
  watch.add(scriptsWallet('cash', [3]), [3]);
  const { scan } = watch.state.wallets.get('cash')!.scan!;
  watch.tell({ kind: 'history', scans: [{ wallet: 'cash', scan }], found: [], toHeight: 101, done: true });
  const [f, g, h] = [txidOf(0xf), txidOf(0x10), txidOf(0x11)];
  watch.connect(102, [paymentOf(f, [[3, 600n]])]);
  watch.connect(103, [paymentOf(g, [], [{ txid: f, vout: 0 }])]);
  watch.tell({ kind: 'sighted', tx: paymentOf(h, [[3, 5n]]), grade: 'claimed', seenBy: ['node'] });
  watch.tell({ kind: 'evicted', txid: h, seenBy: ['node'] });
  for (let height = 104; height < 115; height++) watch.connect(height);
  return watch;
}

describe('events', () => {
  it('come back as they were, and in one spelling', () => {
    const { events } = story();
    expect(new Set(events.map(({ kind }) => kind)).size).toBeGreaterThan(11);
    for (const event of events) {
      const encoded = encodeWatchEvent(event);
      const decoded = decodeWatchEvent(encoded);
      expect(decoded).toEqual({ ok: true, value: event });
      expect(decoded.ok && encodeWatchEvent(decoded.value)).toEqual(encoded);
    }
  });

  it('are refused with a code where they are of another version, malformed, or say more than is known', () => {
    const [event] = story().events;
    const json = JSON.parse(fromUtf8(encodeWatchEvent(event!))!) as { v: number; event: Record<string, unknown> };
    const read = (value: unknown) => decodeWatchEvent(utf8(JSON.stringify(value)));
    expect(read(json).ok).toBe(true);
    expect(read({ ...json, v: 2 })).toEqual({ ok: false, error: 'watch_event_unknown_version' });
    expect(read({ ...json, event: { ...json.event, more: 1 } })).toEqual({ ok: false, error: 'watch_event_malformed' });
    expect(decodeWatchEvent(utf8('{'))).toEqual({ ok: false, error: 'watch_event_malformed' });
    expect(decodeWatchEvent(Uint8Array.of(0xff))).toEqual({ ok: false, error: 'watch_event_malformed' });
    const many = utf8('{"event":{"kind":"tx-gone","txid":"00","by":null},"v":1}');
    expect(decodeWatchEvent(many)).toEqual({ ok: false, error: 'watch_event_malformed' });
  });
});

describe('snapshots', () => {
  it('are the state that the events fold to', () => {
    const { state, events } = story();
    expect(state.settled.get('cash')).toMatchObject({ parts: { size: 3 }, scripts: { size: 1 } });
    const folded = createWatchState(state.settings);
    for (const event of events) applyWatchEvent(folded, event);
    const bytes = encodeWatchState(state);
    expect(encodeWatchState(folded)).toEqual(bytes);
    const decoded = decodeWatchState(bytes);
    expect(decoded.ok && encodeWatchState(decoded.value)).toEqual(bytes);
  });

  it('are refused with a code where they cannot be read', () => {
    const bytes = encodeWatchState(story().state);
    const [words, ...rest] = fromLengthPrefixed(bytes, 3)!;
    const json = parseJsonBytes(words!) as { state: { scripts: object[] } };
    const read = (value: unknown, ...more: Uint8Array[]) =>
      decodeWatchState(lengthPrefixed(utf8(JSON.stringify(value)), ...(more.length > 0 ? more : rest)));
    expect(read(json).ok).toBe(true);
    const malformed = { ok: false, error: 'watch_state_malformed' };
    expect(read({ ...json, v: 2 })).toEqual({ ok: false, error: 'watch_state_unknown_version' });
    expect(read({ ...json, more: 1 })).toEqual(malformed);
    // Scripts that are missing, cut off, or more than the words say.
    expect(read(json, new Uint8Array(0), rest[1]!)).toEqual(malformed);
    expect(read(json, rest[0]!.subarray(1), rest[1]!)).toEqual(malformed);
    expect(read(json, Uint8Array.of(...rest[0]!, 1), rest[1]!)).toEqual(malformed);
    expect(read(json, rest[0]!, new Uint8Array(16))).toEqual(malformed);
    expect(read({ ...json, state: { ...json.state, scripts: [] } })).toEqual(malformed);
    for (let length = 0; length < bytes.length; length += 97) {
      expect(decodeWatchState(bytes.subarray(0, length)).ok).toBe(false);
    }
  });
});
