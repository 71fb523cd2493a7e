import { fromUtf8, utf8 } from '@keepwatch/base';
import { describe, expect, it } from 'vitest';
import { applyWatchEvent } from '../fold.ts';
import { createWatchState } from '../state.ts';
import { createWatch, paymentOf, scriptsWallet, txidOf } from '../watch.fixture.ts';
import { decodeWatchEvent, encodeWatchEvent } from './event.ts';
import { decodeWatchState, encodeWatchState } from './state.ts';

/** A story in which most kinds of events occur. */
function story() {
  const watch = createWatch();
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
  watch.tell({ kind: 'history', wallet: 'savings', scan: 1, found, toHeight: 500, done: false });
  watch.nowMs += 600_000;
  watch.tell({ kind: 'tick' });
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
    const folded = createWatchState(state.settings);
    for (const event of events) applyWatchEvent(folded, event);
    const bytes = encodeWatchState(state);
    expect(encodeWatchState(folded)).toEqual(bytes);
    const decoded = decodeWatchState(bytes);
    expect(decoded.ok && encodeWatchState(decoded.value)).toEqual(bytes);
  });

  it('of the first version are brought up to the present one', () => {
    const { state } = story();
    const json = JSON.parse(fromUtf8(encodeWatchState(state))!) as { v: number; state: Record<string, unknown[]> };
    const { timeTimers: _, ...rest } = json.state;
    const records = rest['txs'] as { readonly status: Record<string, unknown> }[];
    const without = (value: Record<string, unknown>, name: string) =>
      Object.fromEntries(Object.entries(value).filter(([each]) => each !== name));
    const first = {
      ...rest,
      unconfirmed: (rest['unconfirmed'] as [string, number][]).map(([txid]) => txid),
      txs: records.map((record) => ({ ...record, status: without(record.status, 'medianSeconds') })),
      wallets: (rest['wallets'] as { readonly wallet: Record<string, unknown> }[]).map((record) => ({
        ...record,
        wallet: without(record.wallet, 'txids'),
      })),
      sources: (rest['sources'] as [string, Record<string, unknown>][]).map(([name, record]) => [
        name,
        without(record, 'mempool'),
      ]),
    };
    const decoded = decodeWatchState(utf8(JSON.stringify({ v: 1, state: first })));
    if (!decoded.ok) throw new Error(decoded.error);
    expect([...decoded.value.txs.keys()]).toEqual([...state.txs.keys()]);
    expect([...decoded.value.unconfirmed.entries()]).toEqual(
      [...state.unconfirmed.keys()].map((txid) => [txid, state.aliveMs]),
    );
    expect(decoded.value.wallets.get('savings')?.wallet.txids).toEqual([]);
    expect(decoded.value.sources.get('node')?.mempool).toBe('relayed');
    expect(decodeWatchState(utf8('{"v":1,"state":{"txs":[7]}}'))).toEqual({
      ok: false,
      error: 'watch_state_malformed',
    });
    expect(decodeWatchState(utf8('{"v":1}'))).toEqual({ ok: false, error: 'watch_state_unknown_version' });
  });

  it('are refused with a code where they cannot be read', () => {
    const json = JSON.parse(fromUtf8(encodeWatchState(story().state))!) as object;
    const read = (value: unknown) => decodeWatchState(utf8(JSON.stringify(value)));
    expect(read({ ...json, v: 9 })).toEqual({ ok: false, error: 'watch_state_unknown_version' });
    expect(read({ ...json, more: 1 })).toEqual({ ok: false, error: 'watch_state_malformed' });
    expect(decodeWatchState(utf8(''))).toEqual({ ok: false, error: 'watch_state_malformed' });
  });
});
