import { encodeTransaction, toInternal, type MatchedTx, type Outpoint, type Txid } from '@keepwatch/bitcoin';
import { describe, expect, it } from 'vitest';
import { decodeWatchEvent, encodeWatchEvent } from './codec/event.ts';
import { decodeWatchState, encodeWatchState } from './codec/state.ts';
import type { WatchEvent } from './event.ts';
import type { Finding } from './finding.ts';
import { applyWatchEvent } from './fold.ts';
import { createWatchState } from './state.ts';
import { createWatch, paymentOf, scriptOf, scriptsWallet, txidOf, type Watch } from './watch.fixture.ts';

const seenBy = ['node'];
const [parent, a, b, c] = [txidOf(0xa0), txidOf(0xa), txidOf(0xb), txidOf(0xc)];
/** Of the wallet: two coins of 1,000,000 sats. */
const [one, two] = [
  { txid: parent, vout: 0 },
  { txid: parent, vout: 1 },
];
/** Scripts 1 and 2 are the wallet's own; 40 is a shop's, 66 a thief's. */
const [OWN, SHOP, THIEF] = [2, 40, 66];

/** A transaction with these inputs and no other, as a source says it that watches the wallet's. */
function spendOf(txid: Txid, inputs: readonly Outpoint[], pays: readonly (readonly [number, bigint])[]): MatchedTx {
  const outputs = pays.map(([n, sats]) => ({ script: scriptOf(n), sats }));
  const raw = encodeTransaction({
    version: 2,
    inputs: inputs.map((outpoint) => ({
      ...{ previous: toInternal(outpoint.txid)!, vout: outpoint.vout },
      ...{ scriptSig: new Uint8Array(0), sequence: 0, witness: [] },
    })),
    outputs,
    lockTime: 0,
  });
  const received = outputs.flatMap((output, vout) => (pays[vout]![0] <= OWN ? [{ vout, ...output }] : []));
  const spent = inputs.flatMap((outpoint, vin) => (outpoint.txid === parent ? [{ vin, outpoint }] : []));
  return { txid, raw, received, spent };
}

function begun(): Watch {
  const watch = createWatch();
  watch.connect(100);
  watch.add(scriptsWallet('savings', [1, 2]), [1, 2]);
  const coins = [
    [1, 1_000_000n],
    [1, 1_000_000n],
  ] as const;
  watch.connect(101, [paymentOf(parent, coins)]);
  return watch;
}

const kinds = (findings: readonly Finding[]) => findings.map(({ detail }) => detail.kind);
const sight = (watch: Watch, tx: MatchedTx, grade: 'claimed' | 'valid' | 'relayed' = 'relayed') =>
  kinds(watch.tell({ kind: 'sighted', tx, grade, seenBy }));
const payment = spendOf(
  a,
  [one],
  [
    [SHOP, 300_000n],
    [OWN, 699_000n],
  ],
);
const bump = spendOf(
  b,
  [one],
  [
    [SHOP, 300_000n],
    [OWN, 690_000n],
  ],
);

describe('a replacement that is no double spend', () => {
  it('pays the same outsiders from a smaller change', () => {
    const watch = begun();
    sight(watch, payment);
    expect(sight(watch, bump)).toEqual(['sighted']);
    const [replaced, ...more] = watch.tell({ kind: 'replaced', txid: a, by: b, seenBy });
    expect(replaced).toMatchObject({ severity: 'notice', detail: { kind: 'replaced', txid: a, by: b } });
    expect(more).toEqual([]);
    expect(kinds(watch.connect(102, [bump]))).toEqual(['spent']);
  });

  it('is one as well where the loss is told first, and where it is seen in its block alone', () => {
    const first = begun();
    sight(first, payment);
    first.tell({ kind: 'replaced', txid: a, by: b, seenBy });
    expect(sight(first, bump)).toEqual(['sighted']);
    const second = begun();
    sight(second, payment);
    expect(kinds(second.connect(102, [bump]))).toEqual(['spent', 'replaced']);
  });

  it('adds coins of the wallet, takes the fee from the outsider, or takes the payment back', () => {
    for (const pays of [
      [
        [SHOP, 300_000n],
        [OWN, 1_690_000n],
      ],
      [
        [SHOP, 290_000n],
        [OWN, 1_690_000n],
      ],
      [[OWN, 1_990_000n]],
    ] as const) {
      const watch = begun();
      sight(watch, payment);
      expect(sight(watch, spendOf(b, [one, two], pays))).toEqual(['sighted']);
    }
  });

  it('keeps to that whichever of the two wins, and over a reorganisation', () => {
    const watch = begun();
    sight(watch, payment);
    sight(watch, bump);
    expect(kinds(watch.connect(102, [payment]))).toEqual(['spent', 'replaced']);
    watch.disconnect(102);
    expect(kinds(watch.connect(102, [bump], 1))).toEqual(['spent', 'replaced']);
  });

  it('raises the fee of what was in a block that left the chain', () => {
    const watch = begun();
    watch.connect(102, [payment]);
    watch.disconnect(102);
    expect(sight(watch, bump)).toEqual(['sighted']);
  });

  it('raises the fee for the third time', () => {
    const watch = begun();
    sight(watch, payment);
    sight(watch, bump);
    const third = spendOf(
      c,
      [one],
      [
        [SHOP, 300_000n],
        [OWN, 650_000n],
      ],
    );
    expect(sight(watch, third)).toEqual(['sighted']);
  });
});

describe('a replacement that is a double spend', () => {
  it.each([
    [
      'pays somebody new',
      [one],
      [
        [SHOP, 300_000n],
        [THIEF, 690_000n],
      ],
    ],
    [
      'pays somebody new in the place of an outsider',
      [one],
      [
        [THIEF, 300_000n],
        [OWN, 690_000n],
      ],
    ],
    [
      'pays an outsider more',
      [one],
      [
        [SHOP, 300_001n],
        [OWN, 690_000n],
      ],
    ],
    [
      'pays an outsider more, in two outputs',
      [one],
      [
        [SHOP, 300_000n],
        [SHOP, 1_000n],
        [OWN, 690_000n],
      ],
    ],
    ['burns the change as a fee', [one], [[SHOP, 300_000n]]],
    ['burns the payment as a fee', [one], [[OWN, 699_000n]]],
    [
      'puts in what is somebody else’s',
      [one, { txid: txidOf(0xf), vout: 0 }],
      [
        [SHOP, 300_000n],
        [OWN, 690_000n],
      ],
    ],
    [
      'pays out more than the wallet puts in',
      [one],
      [
        [SHOP, 300_000n],
        [OWN, 1_690_000n],
      ],
    ],
  ] as const)('%s', (_, inputs, pays) => {
    const seen = begun();
    sight(seen, payment);
    expect(sight(seen, spendOf(b, inputs, pays))).toContain('double-spend');
    const mined = begun();
    sight(mined, payment);
    expect(kinds(mined.connect(102, [spendOf(b, inputs, pays)]))).toContain('double-spend');
  });

  it('takes only some of the coins, so that another one could pay the outsider again', () => {
    const watch = begun();
    sight(
      watch,
      spendOf(
        a,
        [one, two],
        [
          [SHOP, 300_000n],
          [OWN, 1_690_000n],
        ],
      ),
    );
    expect(sight(watch, bump)).toContain('double-spend');
  });

  it('pays more than what stood last, though no more than what stood before that', () => {
    const watch = begun();
    sight(watch, payment);
    watch.tell({ kind: 'replaced', txid: a, by: b, seenBy });
    sight(watch, spendOf(b, [one], [[OWN, 990_000n]]));
    const again = spendOf(
      c,
      [one],
      [
        [SHOP, 300_000n],
        [OWN, 650_000n],
      ],
    );
    expect(sight(watch, again)).toContain('double-spend');
  });

  it('follows what was only claimed, which anybody can do to excuse his own', () => {
    const watch = begun();
    const theft = spendOf(b, [one], [[THIEF, 999_000n]]);
    sight(watch, payment);
    expect(sight(watch, spendOf(c, [one], [[THIEF, 999_500n]]), 'claimed')).toContain('double-spend');
    expect(watch.state.txs.get(c)).not.toHaveProperty('money');
    expect(sight(watch, theft).filter((kind) => kind === 'double-spend')).toHaveLength(2);
    // Once it is verified it is known as any other.
    expect(sight(watch, spendOf(c, [one], [[THIEF, 999_500n]]))).toEqual(['sighted']);
    expect(watch.state.txs.get(c)).toHaveProperty('money');
  });

  it('takes the place of one that pays more scripts than are kept, or of which that was never written down', () => {
    const many = Array.from({ length: 65 }, () => [SHOP, 1_000n] as const);
    const watch = begun();
    sight(watch, spendOf(a, [one], [...many, [OWN, 900_000n]]));
    expect(sight(watch, spendOf(b, [one], [...many, [OWN, 890_000n]]))).toContain('double-spend');
    const old = begun();
    sight(old, payment);
    const state = createWatchState(old.state.settings);
    for (const event of old.events) applyWatchEvent(state, withoutMoney(event));
    old.state = state;
    expect(sight(old, bump)).toContain('double-spend');
  });

  it('spends a coin that is watched, and is not known to be the wallet’s', () => {
    const watch = createWatch();
    watch.connect(100);
    watch.add(scriptsWallet('savings', [1, 2], { outpoints: [one] }), [1, 2]);
    sight(watch, payment);
    expect(sight(watch, bump)).toContain('double-spend');
  });
});

it('is none for whoever watches the payment itself, which is another one now', () => {
  const watch = begun();
  const txids = [{ txid: a, scripts: [], inputs: [one] }];
  watch.tell({ kind: 'wallet', wallet: { ...scriptsWallet('payee', [41]), descriptors: [], txids } });
  sight(watch, payment);
  const found = watch.tell({ kind: 'sighted', tx: bump, grade: 'relayed', seenBy });
  const doubles = found.filter(({ detail }) => detail.kind === 'double-spend');
  expect(doubles.map(({ wallet }) => wallet)).toEqual(['payee']);
});

describe('where the money goes', () => {
  it('is kept of spends alone, until they are six blocks deep', () => {
    const watch = begun();
    expect(watch.state.txs.get(parent)).not.toHaveProperty('money');
    sight(watch, payment);
    watch.connect(102, [payment]);
    for (let height = 103; height <= 106; height++) watch.connect(height);
    expect(watch.state.txs.get(a)).toHaveProperty('money');
    watch.connect(107);
    expect(watch.state.txs.get(a)).not.toHaveProperty('money');
  });

  it('is let go of where the chain goes on far above', () => {
    const watch = begun();
    watch.connect(102, [payment]);
    watch.connect(150);
    expect(watch.state.txs.get(a)).not.toHaveProperty('money');
  });

  it('comes through the journal and through a snapshot, with the same verdict', () => {
    const watch = begun();
    sight(watch, payment);
    const folded = createWatchState(watch.state.settings);
    for (const event of watch.events) {
      const read = decodeWatchEvent(encodeWatchEvent(event));
      if (read.ok) applyWatchEvent(folded, read.value);
    }
    const restored = decodeWatchState(encodeWatchState(folded));
    if (!restored.ok) throw new Error(restored.error);
    expect(encodeWatchState(restored.value)).toEqual(encodeWatchState(watch.state));
    watch.state = restored.value;
    expect(sight(watch, bump)).toEqual(['sighted']);
  });
});

/** As it was written before that was kept. */
function withoutMoney(event: WatchEvent): WatchEvent {
  if (event.kind !== 'tx') return event;
  const { money: _, ...tx } = event.tx;
  return { ...event, tx };
}
