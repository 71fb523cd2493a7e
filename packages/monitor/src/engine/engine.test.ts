import { mkdtempSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CodedError } from '@keepwatch/base';
import type { BlockHash, MatchedTx, Txid } from '@keepwatch/bitcoin';
import type { Journal } from '@keepwatch/journal';
import type { Post } from '@keepwatch/notify';
import { DEFAULT_SETTINGS, watchedWallet, type Finding, type WatchInput } from '@keepwatch/watch';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newestFindings } from '../findings.ts';
import { beginStore, type MonitorStore } from '../store/store.ts';
import { createEngine, type Engine, type Recorded } from './engine.ts';
import { encodeState, loadState } from './state.ts';

const SCRIPT = Uint8Array.from([0, 20, ...new Uint8Array(20).fill(7)]);
const HOUR = 3_600;
const START = 1_700_000_000;

let dir: string;
let store: MonitorStore;
let told: Recorded[];
let wallMs: number;
let monotonicMs: number;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'keepwatch-engine-'));
  store = await beginStore(dir, new Uint8Array(randomBytes(32)));
  told = [];
  [wallMs, monotonicMs] = [(START + HOUR) * 1_000, 0];
});
afterEach(() => {
  store.close();
  rmSync(dir, { recursive: true, force: true });
});

const postOf = ({ id, severity, atMs }: Finding): Post => ({
  ...{ key: id, group: null, severity, subject: 's', body: 'b', data: null, acknowledgement: null, atMs },
});

async function open(journal: Journal = store.journal): Promise<Engine> {
  const { state, seq } = await loadState(store.journal, store.id);
  return createEngine(
    {
      journal,
      nowMs: () => wallMs,
      entropy: (length) => new Uint8Array(randomBytes(length)),
      monotonicMs: () => monotonicMs,
      route: (finding) => ({ posts: [{ channel: 'hook', post: postOf(finding) }], notes: [], climb: null }),
      word: () => null,
      onDurable: (events) => told.push(...events),
    },
    state,
    { seq },
  );
}

const watch = (input: WatchInput) => ({ room: 'watch', input }) as const;
const hash = (n: number) => n.toString(16).padStart(64, '0');
const block = (height: number) => ({ height, hash: hash(height) as BlockHash, timeSeconds: START + height });
const payment = (n: number): MatchedTx => {
  // One input that is not ours, one output to the script: enough of a transaction to be read.
  const raw = Buffer.concat([
    Buffer.from(`0100000001${'11'.repeat(32)}00000000` + '00' + 'ffffffff' + '01', 'hex'),
    Buffer.from(BigUint64Array.of(1_000n + BigInt(n)).buffer),
    Buffer.from([SCRIPT.length]),
    SCRIPT,
    Buffer.alloc(4),
  ]);
  const received = [{ vout: 0, script: SCRIPT, sats: 1_000n + BigInt(n) }];
  return { txid: hash(0xabc000 + n) as Txid, raw: new Uint8Array(raw), received, spent: [] };
};
const connected = (height: number, matches: readonly MatchedTx[] = []) =>
  watch({ kind: 'connected', block: block(height), matches, seenBy: ['a'] });

/** A monitor that watches one script and has seen a block. */
async function begin(engine: Engine): Promise<void> {
  await engine.submit(watch({ kind: 'settings', settings: { ...DEFAULT_SETTINGS, network: 'regtest' } }));
  const wallet = watchedWallet({ id: 'one', descriptors: [`raw(${Buffer.from(SCRIPT).toString('hex')})`] }, 'regtest');
  if (!wallet.ok) throw new Error(wallet.error.message);
  await engine.submit(watch({ kind: 'wallet', wallet: wallet.value }));
  const range = { descriptor: 0, branch: 0, from: 0, to: 1, lengths: [SCRIPT.length], bytes: SCRIPT };
  await engine.submit(watch({ kind: 'scripts', wallet: 'one', ...range }));
  await engine.submit(connected(1));
}

const findings = () => told.filter(({ room, event }) => room === 'watch' && event.kind === 'finding');

describe('the engine of a monitor', () => {
  it('makes many inputs one batch, with each finding and its message in it', async () => {
    const engine = await open();
    await begin(engine);
    const before = store.journal.head()!.lastSeq;
    await Promise.all([2, 3, 4].map((height) => engine.submit(connected(height, [payment(height)]))));
    expect(store.journal.head()!.firstSeq).toBe(before + 1);
    expect(
      findings().filter(({ event }) => event.kind === 'finding' && event.finding.detail.kind === 'received'),
    ).toHaveLength(3);
    const { waiting } = engine.state.outbox.lanes.get('hook')!;
    expect(waiting.map(({ post }) => post.key).sort()).toEqual(
      findings()
        .map(({ event }) => (event.kind === 'finding' ? event.finding.id : ''))
        .sort(),
    );
  });

  it('tells the same thing once, however often the chain says it', async () => {
    const engine = await open();
    await begin(engine);
    await engine.submit(connected(2, [payment(2)]));
    const once = findings().length;
    expect(await engine.submit(connected(2, [payment(2)]))).toEqual([]);
    expect(findings()).toHaveLength(once);
  });

  it('tells nobody what is not durable, and is at an end when the journal refuses', async () => {
    const engine = await open();
    await begin(engine);
    await engine.close();
    const before = told.length;
    const full = new CodedError('storage_full', 'No space is left.');
    const broken = await open({
      ...store.journal,
      append: () => {
        throw full;
      },
    });
    await expect(broken.submit(connected(2, [payment(2)]))).rejects.toBe(full);
    await expect(broken.submit(connected(3))).rejects.toBe(full);
    expect(told).toHaveLength(before);
    // The next start knows nothing of it, is told again, and finds it.
    const again = await open();
    expect(again.state.watch.tip?.height).toBe(1);
    await again.submit(connected(2, [payment(2)]));
    expect(await newestFindings(store.journal, { kinds: ['received'] }, 10)).toHaveLength(1);
  });

  it('comes back the same from a snapshot, from all entries, and from both', async () => {
    const engine = await open();
    await begin(engine);
    await engine.submit(connected(2, [payment(2)]));
    const early = encodeState((await loadState(store.journal, store.id)).state);
    expect(early).toEqual(encodeState(engine.state));
    await engine.save();
    await engine.submit(connected(3, [payment(3)]));
    const { state, folded } = await loadState(store.journal, store.id);
    expect(folded).toBeLessThan(engine.seq());
    expect(encodeState(state)).toEqual(encodeState(engine.state));
  });

  it('finds findings by what is asked, from the newest back', async () => {
    const engine = await open();
    await begin(engine);
    for (let height = 2; height < 12; height++) await engine.submit(connected(height, [payment(height)]));
    const all = await newestFindings(store.journal, {}, 1_000);
    expect(all.map(({ seq }) => seq)).toEqual(all.map(({ seq }) => seq).sort((a, b) => a - b));
    const received = await newestFindings(store.journal, { kinds: ['received'], wallet: 'one' }, 3);
    expect(received.map(({ finding }) => finding.evidence.block?.height)).toEqual([9, 10, 11]);
    const older = await newestFindings(store.journal, { kinds: ['received'] }, 2, received[0]!.seq);
    expect(older.map(({ finding }) => finding.evidence.block?.height)).toEqual([7, 8]);
    expect(await newestFindings(store.journal, { wallet: 'another' }, 5)).toEqual([]);
    expect(await newestFindings(store.journal, { severity: 'critical' }, 5)).toEqual([]);
    expect(await newestFindings(store.journal, { sinceMs: (START + 2 * HOUR) * 1_000 }, 5)).toEqual([]);
  });
});
