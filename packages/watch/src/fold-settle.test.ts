import { describe, expect, it } from 'vitest';
import { decodeWatchState, encodeWatchState } from './codec/state.ts';
import type { Finding } from './finding.ts';
import { dueScans, dueScripts, unspentCoins, walletBalance, watchedCoins } from './views.ts';
import {
  blockOf,
  createWatch,
  paymentOf,
  scriptOf,
  scriptsWallet,
  txidOf,
  walletOf,
  type Watch,
} from './watch.fixture.ts';

const KEPT = 20;
const seenBy = ['node'];
const kinds = (findings: readonly Finding[]) => findings.map(({ detail }) => detail.kind);
const [a, b, c, d] = [txidOf(0xa), txidOf(0xb), txidOf(0xc), txidOf(0xd)];

function begun(...wallets: readonly (readonly [string, readonly number[]])[]): Watch {
  const watch = createWatch({ keptBlocks: KEPT });
  for (const [id, numbers] of wallets) watch.add(scriptsWallet(id, numbers), numbers);
  watch.connect(100);
  for (const { wallet, scan } of dueScans(watch.state)) {
    watch.tell({ kind: 'history', scans: [{ wallet, scan }], found: [], toHeight: 100, done: true });
  }
  return watch;
}

/** Empty blocks, up to this height. */
function climb(watch: Watch, to: number): Finding[] {
  const found: Finding[] = [];
  for (let height = watch.state.tip!.height + 1; height <= to; height++) found.push(...watch.connect(height));
  return found;
}

/** Hands in the scripts that are due; that of an index has the number behind it. */
function derive(watch: Watch): void {
  for (const { wallet, descriptor, branch, from, to } of dueScripts(watch.state)) {
    const bytes = Uint8Array.from(Array.from({ length: to - from }, (_, i) => [...scriptOf(from + i + 1)]).flat());
    watch.tell({ kind: 'scripts', wallet, descriptor, branch, from, to, lengths: [34], bytes });
  }
}

/** How many records there are, of all kinds. */
function records({ state }: Watch): number {
  const { wallets, txs, coins, blocks, blockTxs, unconfirmed, uses, timers, timeTimers, held } = state;
  const rest = [state.settling, state.unswept, state.goneAt, state.unsettled, state.conditions];
  const layers = [wallets, txs, coins, blocks, blockTxs, unconfirmed, uses, timers, timeTimers, held, ...rest];
  const chunks = [...state.settled.values()].flatMap(({ parts, scripts }) => [...parts.blocks, ...scripts.blocks]);
  return layers.reduce((sum, layer) => sum + [...layer.keys()].length, 0) + chunks.length;
}

/** Received in 101, spent with change in 102, the change in 103; all of it settled. */
function settled(): Watch {
  const watch = begun(['savings', [1, 2]]);
  watch.connect(101, [paymentOf(a, [[1, 50_000n]])]);
  watch.connect(102, [paymentOf(b, [[2, 20_000n]], [{ txid: a, vout: 0 }])]);
  watch.connect(103, [paymentOf(c, [], [{ txid: b, vout: 0 }])]);
  climb(watch, 103 + KEPT);
  return watch;
}

describe('what nothing can happen to any more', () => {
  it('is dropped with the block that settles the last of it, and not before', () => {
    const watch = begun(['savings', [1, 2]]);
    watch.connect(101, [paymentOf(a, [[1, 50_000n]])]);
    watch.connect(102, [paymentOf(b, [[2, 20_000n]], [{ txid: a, vout: 0 }])]);
    climb(watch, 102 + KEPT - 1);
    expect([...watch.state.txs.keys()]).toEqual([a, b]);
    watch.connect(102 + KEPT);
    // The second one has a coin that is not spent; the first coin is named by who spent it.
    expect([...watch.state.txs.keys()]).toEqual([b]);
    expect([...unspentCoins(watch.state, 'savings')].map(({ txid }) => txid)).toEqual([b]);
    expect([...watchedCoins(watch.state)].map(({ txid }) => txid)).toEqual([b]);
    watch.connect(123, [paymentOf(c, [], [{ txid: b, vout: 0 }])]);
    climb(watch, 123 + KEPT);
    const { txs, coins, uses, blockTxs } = watch.state;
    expect([txs, coins, uses, blockTxs].map((layer) => [...layer.keys()])).toEqual([[], [], [], []]);
    expect(walletBalance(watch.state, 'savings')).toEqual({ confirmed: 0n, incoming: 0n, outgoing: 0n });
  });

  it('leaves as many records behind 6,000 transactions as behind 600', () => {
    const watch = begun(['savings', [1, 2, 3]]);
    let coin = { txid: txidOf(0x1_0000), vout: 0 };
    let number = 0x1_0000;
    watch.connect(101, [paymentOf(coin.txid, [[1, 1_000_000n]])]);
    const chain = (blocks: number) => {
      for (let i = 0; i < blocks; i++) {
        const txs = Array.from({ length: 10 }, () => {
          const txid = txidOf(++number);
          const tx = paymentOf(txid, [[1 + (number % 3), 900_000n]], [coin]);
          coin = { txid, vout: 0 };
          return tx;
        });
        // One that is sighted and goes.
        const lost = txidOf(++number);
        watch.tell({ kind: 'sighted', tx: paymentOf(lost, [[1, 5_000n]]), grade: 'claimed', seenBy });
        watch.tell({ kind: 'evicted', txid: lost, seenBy });
        watch.connect(watch.state.tip!.height + 1, txs);
      }
      return records(watch);
    };
    const few = chain(60);
    const many = chain(540);
    expect(Math.abs(many - few)).toBeLessThan(20);
    expect(many).toBeLessThan(60 * KEPT);
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(900_000n);
  });

  it('leaves no time lock waiting for a coin that is spent', () => {
    const watch = createWatch({ keptBlocks: KEPT });
    const [n, key] = [1, '02'.padEnd(66, '7')];
    const script = scriptOf(n);
    const wallet = walletOf({ id: 'vault', descriptors: [`wsh(and_v(v:pk(${key}),older(5000)))`] });
    watch.tell({ kind: 'wallet', wallet });
    const at = { wallet: 'vault', descriptor: 0, branch: 0, from: 0, to: 1 };
    watch.tell({ kind: 'scripts', ...at, lengths: [script.length], bytes: script });
    watch.connect(100);
    watch.connect(101, [paymentOf(a, [[n, 50_000n]])]);
    expect([...watch.state.timers.keys()].length).toBeGreaterThan(0);
    watch.connect(102, [paymentOf(b, [], [{ txid: a, vout: 0 }])]);
    climb(watch, 102 + KEPT);
    expect([...watch.state.timers.keys()]).toEqual([]);
  });
});

describe('what is settled', () => {
  const all = [
    { block: blockOf(101), matches: [paymentOf(a, [[1, 50_000n]])] },
    { block: blockOf(102), matches: [paymentOf(b, [[2, 20_000n]], [{ txid: a, vout: 0 }])] },
    { block: blockOf(103), matches: [paymentOf(c, [], [{ txid: b, vout: 0 }])] },
  ];

  it('is told nobody a second time: by a scan, by a source that was away, in a block of another branch, in a mempool', () => {
    const watch = settled();
    const before = encodeWatchState(watch.state);
    for (const { block, matches } of all) {
      expect(watch.tell({ kind: 'supplement', block, matches, seenBy })).toEqual([]);
      for (const tx of matches) expect(watch.tell({ kind: 'sighted', tx, grade: 'relayed', seenBy })).toEqual([]);
    }
    const history = {
      kind: 'history',
      scans: [{ wallet: 'savings', scan: 7 }],
      found: all,
      toHeight: 110,
      done: true,
    } as const;
    expect(watch.tell(history)).toEqual([]);
    expect(encodeWatchState(watch.state)).toEqual(before);
    expect(
      watch.connect(
        124,
        all.flatMap(({ matches }) => matches),
      ),
    ).toEqual([]);
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(0n);
  });

  it('is known after a restart from a snapshot', () => {
    const watch = settled();
    const read = decodeWatchState(encodeWatchState(watch.state));
    if (!read.ok) throw new Error(read.error);
    watch.state = read.value;
    for (const { block, matches } of all) {
      expect(watch.tell({ kind: 'supplement', block, matches, seenBy })).toEqual([]);
    }
  });

  it('says of an address that it was used', () => {
    const watch = createWatch({ keptBlocks: KEPT });
    const descriptor =
      'tr(tpubD6NzVbkrYhZ4WZaiWHz59q5EQ61bd6dUYfU4ggRWAtNAyyYRNWT6ktJ7UHJEXURvTfTfskFQmK7Ff4FRkiRN5wQH8nkGAb6aKB4Yyeqsw5m/*)';
    watch.tell({ kind: 'wallet', wallet: walletOf({ id: 'savings', descriptors: [descriptor] }) });
    derive(watch);
    watch.connect(100);
    watch.connect(101, [paymentOf(a, [[1, 50_000n]])]);
    watch.connect(102, [paymentOf(b, [], [{ txid: a, vout: 0 }])]);
    climb(watch, 102 + KEPT);
    // It waits for scripts and for what they may show.
    expect([...watch.state.txs.keys()]).toEqual([a, b]);
    derive(watch);
    for (const { wallet, scan } of dueScans(watch.state)) {
      watch.tell({ kind: 'history', scans: [{ wallet, scan }], found: [], toHeight: 122, done: true });
    }
    watch.connect(123);
    expect([...watch.state.uses.keys()]).toEqual([]);
    expect(kinds(watch.connect(124, [paymentOf(c, [[1, 7_000n]]), paymentOf(d, [[2, 7_000n]])]))).toEqual([
      'received',
      'address-reuse',
      'received',
    ]);
  });

  it('does not hide what was never told: a source that was away says it, once', () => {
    const watch = settled();
    const late = paymentOf(d, [[1, 9_000n]]);
    const found = watch.tell({ kind: 'supplement', block: blockOf(102), matches: [late], seenBy });
    expect(kinds(found)).toEqual(['received', 'confirmed', 'confirmed']);
    expect(watch.tell({ kind: 'supplement', block: blockOf(102), matches: [late], seenBy })).toEqual([]);
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(9_000n);
    watch.connect(124, [paymentOf(txidOf(0xe), [], [{ txid: d, vout: 0 }])]);
    climb(watch, 124 + KEPT);
    expect([...watch.state.txs.keys()]).toEqual([]);
    expect(watch.tell({ kind: 'supplement', block: blockOf(102), matches: [late], seenBy })).toEqual([]);
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(0n);
  });

  it('grows by what is found later of it, under ids of its own, and the sum is right', () => {
    const watch = settled();
    const ids = new Set(watch.events.flatMap((event) => (event.kind === 'finding' ? [event.finding.id] : [])));
    // Its second output turns out to be the wallet's as well: to a script that was not known then.
    const third = scriptsWallet('savings', [1, 2, 3]);
    watch.state.scripts.add({
      wallet: third.id,
      descriptor: 0,
      branch: 1,
      from: 0,
      to: 1,
      lengths: [34],
      bytes: scriptOf(3),
    });
    const record = watch.state.wallets.get('savings')!;
    watch.state.wallets.set('savings', { ...record, derived: [[1, 1], [1]], used: [[1, 0], [1]] });
    const grown = paymentOf(
      b,
      [
        [2, 20_000n],
        [3, 5_000n],
      ],
      [{ txid: a, vout: 0 }],
    );
    const [received, ...depths] = watch.tell({ kind: 'supplement', block: blockOf(102), matches: [grown], seenBy });
    expect(received?.detail).toMatchObject({ kind: 'received', receivedSats: 5_000n, spentSats: 0n });
    for (const { id } of [received!, ...depths]) expect(ids.has(id)).toBe(false);
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(5_000n);
  });

  it('is looked for in the past of a wallet that has the coin and does not know who spent it', () => {
    const watch = begun(['savings', [1, 2]]);
    watch.connect(101, [paymentOf(a, [[1, 50_000n]])]);
    const spend = paymentOf(b, [[2, 20_000n]], [{ txid: a, vout: 0 }]);
    watch.connect(102, [spend]);
    climb(watch, 102 + KEPT);
    watch.add(scriptsWallet('other', [1], { birthdaySeconds: 5 }), [1]);
    const scan = dueScans(watch.state)[0]!;
    const look = (height: number, tx: typeof spend, done: boolean) =>
      watch.tell({
        ...{ kind: 'history', scans: [{ wallet: 'other', scan: scan.scan }], toHeight: height, done },
        found: [{ block: blockOf(height), matches: [tx] }],
      });
    look(101, paymentOf(a, [[1, 50_000n]]), false);
    // Whoever goes on with the scan after a restart knows of the coins from here.
    const txids = (wallet: string) => [...watchedCoins(watch.state, new Set([wallet]))].map(({ txid }) => txid);
    expect(txids('other')).toEqual([a]);
    expect([...unspentCoins(watch.state, 'savings')].map(({ txid }) => txid)).toEqual([b]);
    expect(txids('savings')).toEqual([b]);
    look(102, spend, true);
    expect(txids('other')).toEqual([]);
    expect(walletBalance(watch.state, 'other')?.confirmed).toBe(0n);
  });

  it('is news to a wallet that shares it and is added later: its own past, and its own coins', () => {
    const watch = settled();
    watch.add(scriptsWallet('other', [1], { birthdaySeconds: 5 }), [1]);
    const { scan } = watch.state.wallets.get('other')!.scan!;
    const found = watch.tell({
      kind: 'history',
      scans: [{ wallet: 'other', scan }],
      found: all.slice(0, 2),
      toHeight: 123,
      done: true,
    });
    expect(kinds(found)).toEqual(['backfilled']);
    expect(watch.state.txs.get(a)?.parts).toMatchObject([{ wallet: 'other', silent: true, vouts: [0] }]);
    expect(walletBalance(watch.state, 'other')?.confirmed).toBe(0n);
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(0n);
    watch.connect(124);
    expect([...watch.state.txs.keys()]).toEqual([]);
  });

  it('is forgotten with its wallet, and read anew where the wallet is added again', () => {
    const watch = settled();
    watch.tell({ kind: 'wallet-removed', wallet: 'savings' });
    expect([...watch.state.settled.keys()]).toEqual([]);
    watch.add(scriptsWallet('savings', [1, 2], { birthdaySeconds: 5 }), [1, 2]);
    const { scan } = watch.state.wallets.get('savings')!.scan!;
    watch.tell({
      kind: 'history',
      scans: [{ wallet: 'savings', scan }],
      found: all.slice(0, 2),
      toHeight: 102,
      done: false,
    });
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(20_000n);
    // It may show more of them as long as it is under way.
    watch.connect(124);
    expect([...watch.state.txs.keys()]).toEqual([a, b]);
    watch.tell({
      kind: 'history',
      scans: [{ wallet: 'savings', scan }],
      found: all.slice(2),
      toHeight: 124,
      done: true,
    });
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(0n);
    watch.connect(125);
    expect([...watch.state.txs.keys()]).toEqual([]);
  });

  it('is read anew though another wallet, which watches the coin, still knows who spent it', () => {
    const watch = begun(['savings', [1, 2]]);
    watch.tell({ kind: 'wallet', wallet: scriptsWallet('other', [], { outpoints: [{ txid: a, vout: 0 }] }) });
    const payment = {
      block: blockOf(101),
      matches: [
        paymentOf(
          a,
          [1, 2].map((n) => [n, BigInt(n) * 10_000n]),
        ),
      ],
    };
    const spend = { block: blockOf(102), matches: [paymentOf(b, [], [{ txid: a, vout: 0 }])] };
    for (const { block, matches } of [payment, spend]) watch.connect(block.height, matches);
    for (const { wallet, scan } of dueScans(watch.state)) {
      watch.tell({ kind: 'history', scans: [{ wallet, scan }], found: [], toHeight: 102, done: true });
    }
    climb(watch, 102 + KEPT);
    // The second output keeps the payment, and with it the coin; who spent that is settled with both.
    expect([...watch.state.txs.keys()]).toEqual([a]);
    expect(watch.state.coins.get(`${a}:0`)?.settled?.told.toSorted()).toEqual(['other', 'savings']);
    watch.tell({ kind: 'wallet-removed', wallet: 'savings' });
    watch.add(scriptsWallet('savings', [1, 2], { birthdaySeconds: 5 }), [1, 2]);
    const { scan } = watch.state.wallets.get('savings')!.scan!;
    watch.tell({
      kind: 'history',
      scans: [{ wallet: 'savings', scan }],
      found: [payment, spend],
      toHeight: 122,
      done: true,
    });
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(20_000n);
  });

  it('stays settled in a reorganisation that is deeper than all that is kept', () => {
    const watch = settled();
    for (let height = 123; height > 100; height--) watch.disconnect(height);
    const matches = all.flatMap((each) => each.matches);
    expect(watch.connect(101, matches, 1)).toEqual([]);
    expect(watch.connect(102, [paymentOf(d, [[1, 3_000n]])], 1)).toHaveLength(1);
    // What is new on that branch can be taken back.
    expect(kinds(watch.disconnect(102, 1))).toEqual(['disconnected']);
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(0n);
  });
});

describe('what went', () => {
  it('is forgotten two weeks of blocks later, and told anew with other ids where it comes back', () => {
    const watch = begun(['savings', [1]]);
    const tx = paymentOf(a, [[1, 50_000n]]);
    const [first] = watch.tell({ kind: 'sighted', tx, grade: 'relayed', seenBy });
    const [lost] = watch.tell({ kind: 'evicted', txid: a, seenBy });
    climb(watch, 100 + KEPT - 1);
    expect(watch.state.txs.has(a)).toBe(true);
    watch.connect(100 + KEPT);
    expect([...watch.state.txs.keys(), ...watch.state.coins.keys(), ...watch.state.goneAt.keys()]).toEqual([]);
    const [second] = watch.tell({ kind: 'sighted', tx, grade: 'relayed', seenBy });
    const [again] = watch.tell({ kind: 'evicted', txid: a, seenBy });
    expect(new Set([first, lost, second, again].map((finding) => finding!.id)).size).toBe(4);
    expect(kinds(watch.connect(121, [tx]))).toEqual(['received']);
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(50_000n);
  });

  it('goes with the coin that another transaction has spent for good', () => {
    const watch = begun(['savings', [1]]);
    watch.connect(101, [paymentOf(a, [[1, 50_000n]])]);
    watch.tell({ kind: 'sighted', tx: paymentOf(b, [], [{ txid: a, vout: 0 }]), grade: 'relayed', seenBy });
    expect(kinds(watch.connect(102, [paymentOf(c, [], [{ txid: a, vout: 0 }], 2)]))).toContain('double-spend');
    climb(watch, 102 + KEPT);
    expect([...watch.state.txs.keys(), ...watch.state.coins.keys()]).toEqual([]);
    const claim = paymentOf(d, [], [{ txid: a, vout: 0 }]);
    expect(watch.tell({ kind: 'sighted', tx: claim, grade: 'claimed', seenBy })).toEqual([]);
  });
});

it('keeps what went as long as a block spends what it made: it comes to be told, and its spend was told already', () => {
  const watch = begun(['savings', [1]]);
  watch.connect(101, [paymentOf(a, [[1, 50_000n]])]);
  watch.disconnect(101);
  // The source does not tell where it came to be; what spends it is told, and settled before the mempool has lost it.
  watch.connect(101, [], 1);
  const spend = paymentOf(b, [], [{ txid: a, vout: 0 }]);
  expect(kinds(watch.connect(102, [spend], 1))).toContain('spent');
  for (let height = 103; height <= 112; height++) watch.connect(height, [], 1);
  watch.tell({ kind: 'evicted', txid: a, seenBy });
  for (let height = 113; height <= 114 + KEPT; height++) watch.connect(height, [], 1);
  const late = (height: number, tx: typeof spend) =>
    kinds(watch.tell({ kind: 'supplement', block: blockOf(height, 1), matches: [tx], seenBy }));
  expect(late(101, paymentOf(a, [[1, 50_000n]]))).toContain('received');
  expect(late(102, spend)).toEqual([]);
  expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(0n);
});
