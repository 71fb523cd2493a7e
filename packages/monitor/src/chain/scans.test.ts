import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BlockHash } from '@keepwatch/bitcoin';
import type { ChainSource } from '@keepwatch/chain';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLocalApi } from '../api/local.ts';
import { openMonitor, type OpenMonitor } from '../open.ts';
import { makeLock, openLock } from '../store/lock.ts';
import type { WalletSummary } from '../wallet-view.ts';
import { createDerivation } from './derivation.ts';
import { createScans, type Scans } from './scans.ts';

let dir: string;
let monitor: OpenMonitor;
let scans: Scans | undefined;
const SLOW = { timeout: 60_000 };
const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const block = { height: 120, hash: '11'.repeat(32) as BlockHash, timeSeconds: 1_700_000_000 };

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'keepwatch-scans-'));
  await makeLock(dir, { kind: 'file' });
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

/** A wallet whose past is due, and the source that is asked for it. */
async function begin(birthday: number, scan: ChainSource['scan']) {
  const { engine } = monitor;
  const api = createLocalApi(monitor);
  const put = { name: 'secret-savings', descriptors: [`addr(${ADDRESS})`], birthday: { height: birthday } };
  await api.call('wallet.put', put);
  const derived = createDerivation(engine, new AbortController().signal).wake;
  await derived();
  await engine.submit({ room: 'watch', input: { kind: 'connected', block, matches: [], seenBy: ['a'] } });
  const troubles: unknown[][] = [];
  const source = { name: 'a', kind: 'bitcoind', scan } as unknown as ChainSource;
  const onTrouble = (...what: readonly unknown[]) => void troubles.push([...what]);
  scans = createScans({ engine, sources: [source], derived, onTrouble });
  scans.wake();
  return { api, troubles };
}

it('says that a past could not be read without naming the wallet: logs are read by more than its owner', async () => {
  const { troubles } = await begin(0, () => {
    throw new Error('no such block');
  });
  await vi.waitFor(() => expect(troubles.length).toBeGreaterThan(0), SLOW);
  expect(troubles[0]).toEqual([new Error('no such block')]);
});

it('ends at the tip where the birthday that was given lies behind it', async () => {
  const asked: number[] = [];
  const { api } = await begin(99_999_999, async function* ({ from }) {
    asked.push(from);
  });
  await vi.waitFor(
    async () => expect(await api.call('wallet.list')).toMatchObject([{ scan: null } satisfies Partial<WalletSummary>]),
    SLOW,
  );
  expect(asked).toEqual([121]);
  expect(await api.call('findings.list', {})).toMatchObject([
    { finding: { detail: { kind: 'backfilled', toHeight: 120 } } },
  ]);
});
