import type { MatchedTx } from '@keepwatch/bitcoin';
import { describe, expect, it } from 'vitest';
import type { Finding } from './finding.ts';
import { cursorBlocks, dueScans, walletBalance } from './views.ts';
import { blockOf, createWatch, paymentOf, scriptsWallet, txidOf } from './watch.fixture.ts';

const kinds = (findings: readonly Finding[]) => findings.map(({ detail }) => detail.kind);
const [a, b, c] = [txidOf(0xa), txidOf(0xb), txidOf(0xc)];
const seenBy = ['node'];

function begun() {
  const watch = createWatch();
  watch.add(scriptsWallet('savings', [1, 2]), [1, 2]);
  watch.connect(100);
  return watch;
}

describe('payments', () => {
  it('tells what is received, spent, and sent to oneself', () => {
    const watch = begun();
    const [received] = watch.connect(101, [paymentOf(a, [[1, 50_000n]])]);
    expect(received).toMatchObject({
      id: `received:savings:${a}@${blockOf(101).hash}`,
      wallet: 'savings',
      severity: 'notice',
      late: false,
      evidence: { txid: a, block: blockOf(101), grade: 'confirmed', seenBy },
      detail: { kind: 'received', receivedSats: 50_000n, spentSats: 0n },
    });
    const own = watch.connect(102, [paymentOf(b, [[2, 49_000n]], [{ txid: a, vout: 0 }], 0)]);
    expect(kinds(own)).toEqual(['self-transfer']);
    const [spent] = watch.connect(103, [paymentOf(c, [[1, 9_000n]], [{ txid: b, vout: 0 }])]);
    expect(spent?.detail).toMatchObject({ kind: 'spent', spentSats: 49_000n, receivedSats: 9_000n });
    expect(walletBalance(watch.state, 'savings')).toEqual({ confirmed: 9_000n, incoming: 0n, outgoing: 0n });
  });

  it('tells each depth once, the last as buried', () => {
    const watch = begun();
    watch.connect(101, [paymentOf(a, [[1, 50_000n]])]);
    const told = [102, 103, 104, 105, 106, 107].map((height) => kinds(watch.connect(height)).length);
    expect(told).toEqual([0, 1, 0, 0, 1, 0]);
    expect(watch.events.at(-2)).toMatchObject({ finding: { detail: { kind: 'confirmed', depth: 6, buried: true } } });
  });

  it('follows a coin that the same block creates and spends', () => {
    const watch = begun();
    const found = watch.connect(101, [paymentOf(a, [[1, 50_000n]]), paymentOf(b, [], [{ txid: a, vout: 0 }])]);
    expect(kinds(found)).toEqual(['received', 'spent']);
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(0n);
  });

  it('says the same only once, however often it is told', () => {
    const watch = begun();
    const tx = paymentOf(a, [[1, 50_000n]]);
    watch.tell({ kind: 'sighted', tx, grade: 'relayed', seenBy });
    expect(watch.tell({ kind: 'sighted', tx, grade: 'claimed', seenBy })).toEqual([]);
    watch.connect(101, [tx]);
    expect(watch.connect(101, [tx])).toEqual([]);
    expect(watch.tell({ kind: 'sighted', tx, grade: 'relayed', seenBy })).toEqual([]);
    expect(watch.tell({ kind: 'supplement', block: blockOf(101), matches: [tx], seenBy })).toEqual([]);
  });
});

describe('outside of blocks', () => {
  it('tells a sighting with its grade, and again when the grade rises', () => {
    const watch = begun();
    const tx = paymentOf(a, [[1, 50_000n]]);
    const [claimed] = watch.tell({ kind: 'sighted', tx, grade: 'claimed', seenBy });
    expect(claimed).toMatchObject({
      evidence: { grade: 'claimed' },
      detail: { kind: 'sighted', direction: 'received' },
    });
    expect(walletBalance(watch.state, 'savings')?.incoming).toBe(0n);
    const [relayed] = watch.tell({ kind: 'sighted', tx, grade: 'relayed', seenBy });
    expect(relayed?.id).not.toBe(claimed?.id);
    expect(walletBalance(watch.state, 'savings')?.incoming).toBe(50_000n);
  });

  it('tells a double spend, and which of the two lost when the other is in a block', () => {
    const watch = begun();
    watch.connect(101, [paymentOf(a, [[1, 50_000n]])]);
    const coin = { txid: a, vout: 0 };
    watch.tell({ kind: 'sighted', tx: paymentOf(b, [], [coin]), grade: 'valid', seenBy });
    const rival = paymentOf(c, [], [coin], 2);
    expect(kinds(watch.tell({ kind: 'sighted', tx: rival, grade: 'valid', seenBy }))).toEqual([
      'sighted',
      'double-spend',
    ]);
    const found = watch.connect(102, [rival]);
    expect(kinds(found)).toEqual(['spent', 'replaced']);
    expect(found[1]?.detail).toEqual({ kind: 'replaced', txid: b, by: c });
    expect(watch.tell({ kind: 'replaced', txid: b, by: c, seenBy })).toEqual([]);
  });

  it('tells the same double spend where a source says first that the one was replaced', () => {
    const watch = begun();
    watch.connect(101, [paymentOf(a, [[1, 50_000n]])]);
    const coin = { txid: a, vout: 0 };
    watch.tell({ kind: 'sighted', tx: paymentOf(b, [], [coin]), grade: 'valid', seenBy });
    expect(kinds(watch.tell({ kind: 'replaced', txid: b, by: c, seenBy }))).toEqual(['replaced']);
    const rival = paymentOf(c, [], [coin], 2);
    const found = watch.tell({ kind: 'sighted', tx: rival, grade: 'valid', seenBy });
    expect(kinds(found)).toEqual(['sighted', 'double-spend']);
  });

  it('tells an eviction, and that it is seen again', () => {
    const watch = begun();
    const tx = paymentOf(a, [[1, 50_000n]]);
    const [first] = watch.tell({ kind: 'sighted', tx, grade: 'relayed', seenBy });
    expect(kinds(watch.tell({ kind: 'evicted', txid: a, seenBy }))).toEqual(['evicted']);
    const [again] = watch.tell({ kind: 'sighted', tx, grade: 'relayed', seenBy });
    expect(again?.detail.kind).toBe('sighted');
    expect(again?.id).not.toBe(first?.id);
    const [gone] = watch.tell({ kind: 'evicted', txid: a, seenBy });
    expect(gone?.id).toBe(`evicted:savings:${a}~1`);
    // What is told of it in a block is the same, however often a source had lost sight of it.
    const [received] = watch.connect(101, [tx]);
    expect(received?.id).toBe(`received:savings:${a}@${blockOf(101).hash}`);
  });
});

describe('a reorganisation', () => {
  it('takes back what was told, by name, and tells it anew in its new block', () => {
    const watch = begun();
    const tx = paymentOf(a, [[1, 50_000n]]);
    const [first] = watch.connect(101, [tx]);
    watch.connect(102);
    const [deep] = watch.connect(103);
    watch.disconnect(103);
    watch.disconnect(102);
    const [back] = watch.disconnect(101);
    expect(back?.detail).toEqual({ kind: 'disconnected', txid: a, retracts: [first!.id, deep!.id] });
    expect(walletBalance(watch.state, 'savings')).toEqual({ confirmed: 0n, incoming: 50_000n, outgoing: 0n });
    watch.connect(101, [], 1);
    const [anew] = watch.connect(102, [tx], 1);
    expect(anew?.detail.kind).toBe('received');
    expect(anew?.evidence.block).toEqual(blockOf(102, 1));
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(50_000n);
  });

  it('gives a transaction that returns to the same block another id', () => {
    const watch = begun();
    const tx = paymentOf(a, [[1, 50_000n]]);
    const [first] = watch.connect(101, [tx]);
    watch.disconnect(101);
    const [again] = watch.connect(101, [tx]);
    expect(again?.detail.kind).toBe('received');
    expect(again?.id).not.toBe(first?.id);
  });

  it('takes back what another block stands in the place of, where no source said that it left', () => {
    const watch = begun();
    const [first] = watch.connect(101, [paymentOf(a, [[1, 50_000n]])]);
    watch.connect(102, [paymentOf(b, [], [{ txid: a, vout: 0 }])]);
    const found = watch.connect(101, [], 1);
    expect(kinds(found)).toEqual(['disconnected', 'disconnected']);
    expect(found[1]?.detail).toEqual({ kind: 'disconnected', txid: a, retracts: [first!.id] });
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(0n);
  });

  it('goes below the first block that was told, where a scan had seen the other branch already', () => {
    const watch = createWatch();
    watch.add(scriptsWallet('savings', [1], { birthdaySeconds: 5 }), [1]);
    watch.connect(103);
    const scan = watch.state.wallets.get('savings')!.scan!.scan;
    const found = [{ block: blockOf(102, 1), matches: [paymentOf(a, [[1, 50_000n]])] }];
    watch.tell({ kind: 'history', scans: [{ wallet: 'savings', scan }], found, toHeight: 103, done: true });
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(50_000n);
    // The source says that 102 is another block: the scan's is on a branch that nobody was told of.
    expect(kinds(watch.disconnect(103))).toEqual(['disconnected']);
    expect(watch.state.tip).toEqual(blockOf(102));
    watch.disconnect(102);
    expect(watch.state.tip).toEqual(blockOf(101));
    watch.connect(102, [paymentOf(a, [[1, 50_000n]])], 1);
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(50_000n);
  });

  it('goes on from the fork after a restart, and not from a block of the new branch that only a scan knows', () => {
    const watch = createWatch();
    watch.add(scriptsWallet('savings', [1, 2], { birthdaySeconds: 5 }), [1, 2]);
    watch.connect(102);
    const scan = watch.state.wallets.get('savings')!.scan!.scan;
    // A scan that did not look for the second script yet saw the new branch before the source told it.
    const both = [paymentOf(a, [[1, 50_000n]]), paymentOf(b, [[2, 30_000n]])];
    const found = [{ block: blockOf(101, 1), matches: both.slice(0, 1) }];
    watch.tell({ kind: 'history', scans: [{ wallet: 'savings', scan }], found, toHeight: 102, done: false });
    watch.tell({ kind: 'disconnected', block: blockOf(102), fork: blockOf(100), seenBy });
    expect(cursorBlocks(watch.state)).toEqual([blockOf(100)]);
    watch.connect(101, both, 1);
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(80_000n);
  });

  it('makes news of what comes in place of blocks that were there before the wallet', () => {
    const watch = createWatch();
    for (const height of [100, 101, 102]) watch.connect(height);
    watch.add(scriptsWallet('savings', [1]), [1]);
    watch.disconnect(102);
    watch.disconnect(101);
    const tx = paymentOf(a, [[1, 50_000n]]);
    expect(kinds(watch.connect(101, [tx], 1))).toEqual(['received']);
  });

  it('keeps what a scan alone found in a block that leaves: its source may have looked before it knew of the wallet', () => {
    const watch = createWatch();
    watch.connect(102);
    // The new branch waits to be told, and nobody looked for this wallet in it; the scan reads it already.
    watch.add(scriptsWallet('savings', [1, 2], { birthdaySeconds: 5 }), [1, 2]);
    const { scan } = watch.state.wallets.get('savings')!.scan!;
    const tx = paymentOf(a, [
      [1, 50_000n],
      [2, 30_000n],
    ]);
    const spend = paymentOf(b, [], [{ txid: a, vout: 1 }]);
    const found = [{ block: blockOf(101, 1), matches: [tx, spend] }];
    watch.tell({ kind: 'history', scans: [{ wallet: 'savings', scan }], found, toHeight: 102, done: true });
    // Below the first block that was told: the source names another block that leaves in its place.
    expect(kinds(watch.disconnect(102))).toEqual(['disconnected', 'disconnected']);
    watch.disconnect(101);
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(0n);
    expect(kinds(watch.connect(101, [], 1))).toEqual(['received', 'spent']);
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(50_000n);
    expect([...watch.state.held.keys()]).toEqual([]);
  });

  it('does so where the block that leaves was told and returns', () => {
    const watch = createWatch();
    for (const height of [101, 102]) watch.connect(height);
    watch.add(scriptsWallet('savings', [1], { birthdaySeconds: 5 }), [1]);
    const { scan } = watch.state.wallets.get('savings')!.scan!;
    const found = [{ block: blockOf(102), matches: [paymentOf(a, [[1, 50_000n]])] }];
    watch.tell({ kind: 'history', scans: [{ wallet: 'savings', scan }], found, toHeight: 102, done: true });
    watch.disconnect(102);
    expect(kinds(watch.connect(102))).toEqual(['received']);
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(50_000n);
  });

  it('takes a block for told only when the source told it, whatever a scan found in it', () => {
    const watch = createWatch();
    watch.add(scriptsWallet('savings', [1], { birthdaySeconds: 5 }), [1]);
    watch.connect(102);
    const scan = watch.state.wallets.get('savings')!.scan!.scan;
    const found = [{ block: blockOf(101, 1), matches: [paymentOf(a, [[1, 50_000n]])] }];
    watch.tell({ kind: 'history', scans: [{ wallet: 'savings', scan }], found, toHeight: 102, done: true });
    // It stands in the place of 102, and nobody said that that one left.
    watch.connect(101, [paymentOf(a, [[1, 50_000n]])], 1);
    expect(watch.state.tip).toEqual(blockOf(101, 1));
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(50_000n);
  });
});

it('takes what scans found before its block was told in the order of coins, not in that of the scans', () => {
  const watch = createWatch();
  watch.add(scriptsWallet('one', [1], { birthdaySeconds: 5 }), [1]);
  watch.add(scriptsWallet('two', [2], { birthdaySeconds: 5 }), [2]);
  watch.connect(100);
  const found = (wallet: string, ...matches: MatchedTx[]) => {
    const { scan } = watch.state.wallets.get(wallet)!.scan!;
    const blocks = [{ block: blockOf(101), matches }];
    watch.tell({ kind: 'history', scans: [{ wallet, scan }], found: blocks, toHeight: 101, done: true });
  };
  // The scan of the payee sees the spend first; that of the payer sees what is spent as well.
  found('two', paymentOf(b, [[2, 30_000n]]));
  found('one', paymentOf(a, [[1, 50_000n]]), paymentOf(b, [], [{ txid: a, vout: 0 }]));
  expect(kinds(watch.connect(101))).toEqual(expect.arrayContaining(['received', 'spent']));
  expect(walletBalance(watch.state, 'one')?.confirmed).toBe(0n);
  expect(walletBalance(watch.state, 'two')?.confirmed).toBe(30_000n);
});

it('keeps all that scans of several wallets saw of a transaction whose block is not told yet', () => {
  const watch = createWatch();
  watch.add(scriptsWallet('one', [1], { birthdaySeconds: 5 }), [1]);
  watch.add(scriptsWallet('two', [2], { birthdaySeconds: 5 }), [2]);
  watch.connect(100);
  const both = paymentOf(
    a,
    [
      [1, 50_000n],
      [2, 30_000n],
    ],
    [],
  );
  for (const [at, wallet] of ['one', 'two'].entries()) {
    const { scan } = watch.state.wallets.get(wallet)!.scan!;
    const found = [{ block: blockOf(101), matches: [{ ...both, received: [both.received[at]!] }] }];
    watch.tell({ kind: 'history', scans: [{ wallet, scan }], found, toHeight: 101, done: true });
  }
  const told = watch.connect(101).filter(({ detail }) => detail.kind === 'received');
  expect(told.map(({ wallet }) => wallet).sort()).toEqual(['one', 'two']);
});

it('tells each wallet that was looked through at once what is new to it, and how far it is', () => {
  const watch = createWatch();
  watch.add(scriptsWallet('one', [1], { birthdaySeconds: 5 }), [1]);
  watch.add(scriptsWallet('two', [2, 3], { birthdaySeconds: 5 }), [2, 3]);
  watch.add(scriptsWallet('three', [4], { birthdaySeconds: 5 }), [4]);
  watch.connect(100);
  const scans = ['one', 'two', 'three', 'gone'].map((wallet) => ({
    wallet,
    scan: watch.state.wallets.get(wallet)?.scan?.scan ?? 99,
  }));
  const look = (height: number, matches: MatchedTx[], done: boolean) =>
    watch.tell({ kind: 'history', scans, found: [{ block: blockOf(height), matches }], toHeight: height, done });
  look(90, [paymentOf(a, [[1, 50_000n]])], false);
  // Asked for anew meanwhile: what this look goes on to find says nothing of how far that one is.
  watch.tell({ kind: 'rescan', wallet: 'three' });
  const spend = paymentOf(b, [[2, 30_000n]], [{ txid: a, vout: 0 }]);
  const told = look(95, [spend, paymentOf(txidOf(0xc), [[3, 1_000n]])], true);
  const backfilled = told.flatMap(({ wallet, detail }) =>
    detail.kind === 'backfilled' ? [[wallet, detail.transactions]] : [],
  );
  expect(backfilled).toEqual([
    ['one', 2],
    ['two', 2],
  ]);
  expect(dueScans(watch.state).map(({ wallet, fromHeight }) => [wallet, fromHeight])).toEqual([['three', null]]);
});
