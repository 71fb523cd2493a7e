import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex } from '@keepwatch/base';
import {
  deriveScripts,
  encodeTransaction,
  parseDescriptor,
  sha256d,
  toDisplay,
  type BlockHash,
  type Descriptor,
  type InternalHash,
  type MatchedTx,
  type Txid,
} from '@keepwatch/bitcoin';
import type { BlockRef, ChainSource } from '@keepwatch/chain';
import type { Finding } from '@keepwatch/watch';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLocalApi } from '../api/local.ts';
import { openMonitor, type OpenMonitor } from '../open.ts';
import { makeMonitor } from '../make.ts';
import { openLock } from '../store/lock.ts';
import type { WalletSummary } from '../wallet-view.ts';
import { createDerivation } from './derivation.ts';
import { createScans, type Scans } from './scans.ts';

let dir: string;
let monitor: OpenMonitor;
let scans: Scans | undefined;
const SLOW = { timeout: 60_000 };
const KEY =
  'tpubD6NzVbkrYhZ4XgiXtGrdW5XDAPFCL9h7we1vwNCpn8tGbBcgfVYjXyhWo4E1xkh56hjod1RhGjxbaTLV3X4FyWuejifB9jusQ46QzG87VKp';
const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const block = { height: 120, hash: '11'.repeat(32) as BlockHash, timeSeconds: 1_700_000_000 };

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'keepwatch-scans-'));
  await makeMonitor(dir, { kind: 'file' }, 'regtest');
  monitor = await openMonitor({
    dataDir: dir,
    rootKey: await openLock(dir, { credentials: undefined }),
    network: 'regtest',
  });
});
afterEach(async () => {
  await scans?.stop();
  await monitor.close();
  rmSync(dir, { recursive: true, force: true });
});

/** A wallet of a single address, or of a branch of five scripts that grows. */
const single = (height: number) => ({
  ...{ name: 'secret-savings', descriptors: [`addr(${ADDRESS})`], birthday: { height } },
});
const ranged = (n: number, height: number) => ({
  ...{ name: `wallet ${n}`, descriptors: [branch(n)], gapLimit: 5, birthday: { height } },
});
const branch = (n: number) => `wpkh(${KEY}/${n}/*)`;

/** Wallets whose past is due, and the source that is asked for it. */
async function begin(wallets: readonly object[], scan: ChainSource['scan']) {
  const { engine } = monitor;
  const api = createLocalApi(monitor);
  for (const each of wallets) await api.call('wallet.put', each);
  const derived = createDerivation(engine, new AbortController().signal).wake;
  await derived();
  await engine.submit({ room: 'watch', input: { kind: 'connected', block, matches: [], seenBy: ['a'] } });
  const troubles: unknown[][] = [];
  const source = { name: 'a', kind: 'bitcoind', scan } as unknown as ChainSource;
  const onTrouble = (...what: readonly unknown[]) => void troubles.push([...what]);
  scans = createScans({ engine, sources: [source], derived, onTrouble });
  scans.wake();
  const read = () =>
    vi.waitFor(async () => {
      const list = (await api.call('wallet.list')) as readonly WalletSummary[];
      expect(list.filter((each) => each.scan !== null)).toEqual([]);
    }, SLOW);
  return { api, troubles, read };
}

const blockAt = (height: number): BlockRef => ({
  ...{ height, hash: height.toString(16).padStart(64, '0') as BlockHash, timeSeconds: 1_600_000_000 + height },
});

/** The `time`th payment to a script, by a coin of somebody else. */
function paymentTo(script: Uint8Array, time: number): MatchedTx {
  const previous = new Uint8Array(32).fill(9) as InternalHash;
  const raw = encodeTransaction({
    version: 2,
    inputs: [{ previous, vout: time, scriptSig: new Uint8Array(0), sequence: 0, witness: [] }],
    outputs: [{ sats: 1_000n, script }],
    lockTime: 0,
  });
  return { txid: toDisplay<Txid>(sha256d(raw)), raw, received: [{ vout: 0, script, sats: 1_000n }], spent: [] };
}

it('says that a past could not be read without naming the wallet: logs are read by more than its owner', async () => {
  const { troubles } = await begin([single(0)], () => {
    throw new Error('no such block');
  });
  await vi.waitFor(() => expect(troubles.length).toBeGreaterThan(0), SLOW);
  expect(troubles[0]).toEqual([new Error('no such block')]);
});

it('ends at the tip where the birthday that was given lies behind it', async () => {
  const asked: number[] = [];
  const { api, read } = await begin([single(99_999_999)], async function* ({ from }) {
    asked.push(from);
  });
  await read();
  expect(asked).toEqual([121]);
  expect(await api.call('findings.list', {})).toMatchObject([
    { finding: { detail: { kind: 'backfilled', toHeight: 120 } } },
  ]);
});

it('tells what was found to whoever names the wallet, by its name or its id, also when it is watched no longer', async () => {
  const { api, read } = await begin([{ ...single(1), name: 'Secret savings' }], async function* () {
    // Nothing is there.
  });
  await read();
  const found = async (wallet: string) => ((await api.call('findings.list', { wallet })) as readonly object[]).length;
  expect([await found('Secret savings'), await found('secret-savings'), await found('savings')]).toEqual([1, 1, 0]);
  await api.call('wallet.remove', { wallet: 'Secret savings' });
  expect([await found('Secret savings'), await found('secret-savings')]).toEqual([0, 1]);
});

it('reads the past once for all that begin at the same place, and by itself for one that does not', async () => {
  const asked: [number, number][] = [];
  const wallets = [ranged(0, 10), ranged(1, 50), ranged(2, 10), ranged(3, 10)];
  const { api, read } = await begin(wallets, async function* ({ from, scripts }) {
    asked.push([from, scripts.length]);
    yield { kind: 'progress', height: 120, done: 1, total: 1, perSecond: 1, etaSeconds: null };
  });
  await read();
  expect(asked).toEqual([
    [10, 15],
    [50, 5],
  ]);
  const findings = (await api.call('findings.list', {})) as readonly { readonly finding: Finding }[];
  expect(findings.map(({ finding }) => finding.wallet).sort()).toEqual([
    'wallet-0',
    'wallet-1',
    'wallet-2',
    'wallet-3',
  ]);
});

it('goes on with all of them where one needs more scripts, and looks for those from where they were missed', async () => {
  const [fifth] = [...deriveScripts(parsed(branch(0)), 0, 4, 5)];
  const [seventh] = [...deriveScripts(parsed(branch(0)), 0, 6, 7)];
  const chain = [
    ...Array.from({ length: 60 }, (_, i) => paymentTo(fifth!.script, i)),
    paymentTo(seventh!.script, 60),
    paymentTo(seventh!.script, 61),
  ];
  const asked: [number, number][] = [];
  const { api, read } = await begin([ranged(0, 10), ranged(1, 10)], async function* ({ from, scripts }) {
    asked.push([from, scripts.length]);
    const wanted = new Set(scripts.map(toHex));
    for (const [i, payment] of chain.entries()) {
      const height = 11 + i;
      if (height < from) continue;
      if (wanted.has(toHex(payment.received[0]!.script)))
        yield { kind: 'match', block: blockAt(height), matches: [payment] };
      yield { kind: 'progress', height, done: i, total: chain.length, perSecond: 1, etaSeconds: null };
    }
  });
  await read();
  // Five each; then one of them has ten more, and both are read from the start, for nobody was said to be further.
  expect(asked).toEqual([
    [10, 10],
    [10, 20],
  ]);
  const findings = (await api.call('findings.list', { kinds: ['backfilled'] })) as readonly { finding: Finding }[];
  expect(findings.map(({ finding }) => [finding.wallet, finding.detail])).toMatchObject([
    ['wallet-0', { transactions: 62 }],
    ['wallet-1', { transactions: 0 }],
  ]);
});

function parsed(text: string): Descriptor {
  const read = parseDescriptor(text, 'regtest');
  if (!read.ok) throw new Error(read.error.message);
  return read.value;
}
