import { describe, expect, it } from 'vitest';
import type { MatchedTx } from '@keepwatch/bitcoin';
import type { Finding } from './finding.ts';
import { dueScans, dueScripts, walletBalance } from './views.ts';
import type { WatchedWallet } from './wallet.ts';
import { blockOf, createWatch, paymentOf, scriptOf, scriptsWallet, txidOf, type Watch } from './watch.fixture.ts';

const [a, b] = [txidOf(0xa), txidOf(0xb)];
const kinds = (findings: readonly Finding[]) => findings.map(({ detail }) => detail.kind);

/** A wallet of one ranged branch, whose script number n stands at index n. */
function rangedWallet(gapLimit: number, birthdaySeconds: number | null = null): WatchedWallet {
  const descriptors = [{ text: 'ranged', ranged: true, branches: 1, locks: [] }];
  return { ...scriptsWallet('savings', [1]), descriptors, gapLimit, birthdaySeconds };
}

function derive(watch: Watch): void {
  for (const { wallet, descriptor, branch, from, to } of dueScripts(watch.state)) {
    const scripts = Array.from({ length: to - from }, (_, i) => scriptOf(from + i));
    const bytes = Uint8Array.from(scripts.flatMap((script) => [...script]));
    watch.tell({
      ...{ kind: 'scripts', wallet, descriptor, branch, from, to },
      ...{ lengths: [scripts[0]!.length], bytes },
    });
  }
}

function history(watch: Watch, found: readonly (readonly [number, readonly MatchedTx[]])[], toHeight: number) {
  const [due] = dueScans(watch.state);
  const blocks = found.map(([height, matches]) => ({ block: blockOf(height), matches }));
  return watch.tell({
    kind: 'history',
    scans: [{ wallet: due!.wallet, scan: due!.scan }],
    found: blocks,
    toHeight,
    done: true,
  });
}

describe('a larger gap limit', () => {
  it('has the past of a wallet looked through for what lies further on, since it was added', () => {
    const watch = createWatch();
    watch.connect(100);
    watch.tell({ kind: 'wallet', wallet: rangedWallet(5) });
    derive(watch);
    // To an index that nobody watches yet.
    for (const height of [101, 102, 103]) watch.connect(height);
    watch.tell({ kind: 'wallet', wallet: rangedWallet(10) });
    expect(dueScans(watch.state)).toEqual([]);
    derive(watch);
    expect(dueScans(watch.state)).toMatchObject([{ wallet: 'savings', fromHeight: 101 }]);
    const [received, ...more] = history(watch, [[102, [paymentOf(a, [[8, 50_000n]])]]], 103);
    expect(received).toMatchObject({ late: true, detail: { kind: 'received' } });
    // It is so far on that still more has to be watched, and looked for, before the past is known.
    expect(more).toEqual([]);
    derive(watch);
    const [backfilled] = history(watch, [], 103);
    expect(backfilled?.detail).toEqual({ kind: 'backfilled', toHeight: 103, transactions: 1 });
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(50_000n);
    expect(dueScans(watch.state)).toEqual([]);
  });

  it('does so from the birthday on, and even where enough scripts were derived already', () => {
    const watch = createWatch();
    watch.tell({ kind: 'wallet', wallet: rangedWallet(5, 5) });
    derive(watch);
    watch.connect(100);
    history(watch, [], 100);
    watch.connect(101, [paymentOf(a, [[1, 50_000n]])]);
    derive(watch);
    history(watch, [], 101);
    // What was derived with the first use was looked for since a day before it, and not in the years before.
    watch.tell({ kind: 'wallet', wallet: rangedWallet(6, 5) });
    expect(dueScripts(watch.state)).toEqual([]);
    expect(dueScans(watch.state)).toMatchObject([{ wallet: 'savings', fromHeight: null, birthdaySeconds: 5 }]);
    history(watch, [[7, [paymentOf(b, [[4, 30_000n]])]]], 101);
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(80_000n);
  });

  it('is no reason to look where it became smaller, where nothing is ranged, or where no block was told yet', () => {
    const watch = createWatch();
    watch.tell({ kind: 'wallet', wallet: rangedWallet(5) });
    derive(watch);
    watch.tell({ kind: 'wallet', wallet: rangedWallet(7) });
    derive(watch);
    watch.connect(100);
    history(watch, [], 100);
    watch.tell({ kind: 'wallet', wallet: rangedWallet(3) });
    expect(dueScans(watch.state)).toEqual([]);
    watch.add(scriptsWallet('single', [9]), [9]);
    history(watch, [], 100);
    watch.tell({ kind: 'wallet', wallet: { ...scriptsWallet('single', [9]), gapLimit: 50 } });
    expect(dueScans(watch.state)).toEqual([]);
  });
});

it('looks through the past again where that is asked', () => {
  const watch = createWatch();
  watch.connect(100);
  watch.tell({ kind: 'wallet', wallet: rangedWallet(5) });
  derive(watch);
  history(watch, [], 100);
  watch.connect(101);
  watch.tell({ kind: 'rescan', wallet: 'savings' });
  expect(dueScans(watch.state)).toMatchObject([{ fromHeight: 101 }]);
  expect(kinds(history(watch, [], 101))).toEqual(['backfilled']);
  watch.tell({ kind: 'rescan', wallet: 'nobody' });
  expect(dueScans(watch.state)).toEqual([]);
});

it('finds what sources had looked through before they knew of a new wallet, and had not told yet', () => {
  const watch = createWatch();
  watch.connect(100);
  watch.tell({ kind: 'wallet', wallet: rangedWallet(5) });
  derive(watch);
  // This block waited to be told: nobody had looked for the wallet in it.
  watch.connect(101);
  expect(dueScans(watch.state)).toMatchObject([{ wallet: 'savings', fromHeight: 101 }]);
  expect(kinds(history(watch, [[101, [paymentOf(a, [[1, 50_000n]])]]], 101))).toEqual(['received']);
});

describe('the first block that is told', () => {
  it('is looked through as well: sources may not have known of a wallet that was there before it', () => {
    const watch = createWatch();
    watch.add(scriptsWallet('savings', [1]), [1]);
    watch.connect(100);
    expect(dueScans(watch.state)).toMatchObject([{ wallet: 'savings', fromHeight: 100 }]);
    expect(kinds(history(watch, [[100, [paymentOf(a, [[1, 50_000n]])]]], 100))).toEqual(['received']);
  });

  it('is what scans wait for: of what they found below it nobody would be told', () => {
    const watch = createWatch();
    watch.add(scriptsWallet('savings', [1], { birthdaySeconds: 5 }), [1]);
    expect(dueScans(watch.state)).toEqual([]);
    watch.connect(100);
    expect(kinds(history(watch, [[90, [paymentOf(a, [[1, 50_000n]])]]], 100))).toEqual(['backfilled']);
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(50_000n);
  });
});

it('looks through what comes in place of the blocks before a new wallet: sources may not have known of it', () => {
  const watch = createWatch();
  for (const height of [100, 101, 102]) watch.connect(height);
  watch.add(scriptsWallet('savings', [1]), [1]);
  history(watch, [], 102);
  watch.disconnect(102);
  watch.disconnect(101);
  expect(dueScans(watch.state)).toMatchObject([{ wallet: 'savings', fromHeight: 101 }]);
  // The source had looked through the new branch before the wallet was there.
  watch.connect(101, [], 1);
  const { scan } = dueScans(watch.state)[0]!;
  const found = [{ block: blockOf(101, 1), matches: [paymentOf(a, [[1, 50_000n]])] }];
  const told = watch.tell({ kind: 'history', scans: [{ wallet: 'savings', scan }], found, toHeight: 101, done: true });
  expect(kinds(told)).toEqual(['received']);
});

describe('other descriptors', () => {
  it('lose no coin of a wallet without a birthday: it is looked through again since it was added', () => {
    const watch = createWatch();
    watch.connect(100);
    watch.add(scriptsWallet('savings', [1]), [1]);
    const tx = paymentOf(a, [[1, 50_000n]]);
    watch.connect(101, [tx]);
    watch.connect(102);
    watch.add(scriptsWallet('savings', [1, 2]), [1, 2]);
    expect(dueScans(watch.state)).toMatchObject([{ wallet: 'savings', fromHeight: 101 }]);
    const told = history(watch, [[101, [tx]]], 102);
    // It was told already.
    expect(kinds(told)).toEqual(['backfilled']);
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(50_000n);
    // And once more: it is still known since when.
    watch.add(scriptsWallet('savings', [1, 3]), [1, 3]);
    expect(dueScans(watch.state)).toMatchObject([{ wallet: 'savings', fromHeight: 101 }]);
  });
});
