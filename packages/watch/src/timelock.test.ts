import { describe, expect, it } from 'vitest';
import { locksOf } from './wallet.ts';
import { createWatch, paymentOf, scriptOf, scriptsWallet, START_MS, txidOf, type Watch } from './watch.fixture.ts';
import type { TimeLock } from './wallet.ts';

const a = txidOf(0xa);
const START_SECONDS = START_MS / 1_000;

/** A wallet of one script that has these locks, told of twelve blocks: enough for every median (BIP113). */
function locked(locks: readonly TimeLock[], timelockBlocks: number): Watch {
  const watch = createWatch();
  const plain = scriptsWallet('savings', [1], { limits: { timelockBlocks } });
  watch.add({ ...plain, descriptors: plain.descriptors.map((each) => ({ ...each, locks })) }, [1]);
  for (let height = 100; height < 112; height++) watch.connect(height);
  return watch;
}

const expiries = (watch: Watch) =>
  watch.events.flatMap((event) =>
    event.kind === 'finding' && event.finding.detail.kind === 'timelock-expiry' ? [event.finding] : [],
  );

describe('time locks by time', () => {
  it('are read from a descriptor (BIP68, BIP65)', () => {
    const unit = (1 << 22) | 144;
    expect(locksOf(`wsh(or_d(pk(K),and_v(v:pk(K),older(${unit}))))`)).toEqual([{ kind: 'older-time', units: 144 }]);
    expect(locksOf('and_v(v:pk(K),after(500000000))')).toEqual([{ kind: 'after-time', seconds: 500_000_000 }]);
    expect(locksOf('and_v(v:pk(K),after(499999999))')).toEqual([{ kind: 'after', blocks: 499_999_999 }]);
  });

  it('of a coin count from the median before its block, and open with the median of the tip', () => {
    // Blocks come every 600 s: the median is that of five blocks before. 5 units are 2,560 s, so five blocks.
    const watch = locked([{ kind: 'older-time', units: 5 }], 2);
    watch.connect(112, [paymentOf(a, [[1, 50_000n]])]);
    const opensAtSeconds = START_SECONDS + (111 - 5) * 600 + 5 * 512;
    const told: number[] = [];
    for (let height = 113; height < 125; height++) {
      const found = watch.connect(height).filter(({ detail }) => detail.kind === 'timelock-expiry');
      for (const { detail } of found) {
        told.push(height);
        expect(detail).toMatchObject({ opensAtSeconds });
      }
    }
    // Two blocks before, and then: the median with block 116 is the time of 111.
    expect(told).toEqual([114, 116]);
    const [soon, open] = expiries(watch);
    expect(soon).toMatchObject({ severity: 'warning', wallet: 'savings', detail: { sats: 50_000n } });
    expect(open).toMatchObject({ severity: 'critical', detail: { secondsLeft: 0 } });
    expect(open!.detail).not.toHaveProperty('blocksLeft');
  });

  it('that name a time open once it lies before the median, and are told of each coin once', () => {
    const seconds = START_SECONDS + 115 * 600;
    const watch = locked([{ kind: 'after-time', seconds }], 1);
    watch.connect(112, [paymentOf(a, [[1, 50_000n]])]);
    const heights = Array.from({ length: 14 }, (_, i) => 113 + i);
    const told = heights.filter((height) =>
      watch.connect(height).some(({ detail }) => detail.kind === 'timelock-expiry' && detail.secondsLeft === 0),
    );
    // With 120 the median is exactly that time, which is not yet before it.
    expect(told).toEqual([121]);
    expect(expiries(watch)).toHaveLength(2);
  });

  it('are told of a coin that is spent no more, and of one that a reorganisation frees again', () => {
    const watch = locked([{ kind: 'older-time', units: 3 }], 0);
    const spend = paymentOf(txidOf(0xb), [], [{ txid: a, vout: 0 }]);
    watch.connect(112, [paymentOf(a, [[1, 50_000n]])]);
    watch.connect(113, [spend]);
    for (let height = 114; height < 125; height++) watch.connect(height);
    expect(expiries(watch)).toEqual([]);
    for (let height = 124; height > 112; height--) watch.disconnect(height);
    for (let height = 113; height < 126; height++) watch.connect(height, [], 1);
    expect(expiries(watch)).toHaveLength(1);
  });

  it('of a coin whose past is not known are told up to two hours early, and never late', () => {
    const watch = createWatch();
    const plain = scriptsWallet('savings', [1], { limits: { timelockBlocks: 0 } });
    const locks = [{ kind: 'older-time', units: 20 } as const];
    watch.add({ ...plain, descriptors: plain.descriptors.map((each) => ({ ...each, locks })) }, [1]);
    watch.connect(100, [paymentOf(a, [[1, 50_000n]])]);
    let height = 101;
    while (expiries(watch).length === 0) watch.connect(height++);
    const truly = START_SECONDS + 94 * 600 + 20 * 512;
    const { detail } = expiries(watch)[0]!;
    if (detail.kind !== 'timelock-expiry') throw new Error(detail.kind);
    expect(detail.opensAtSeconds).toBeLessThanOrEqual(truly);
    expect(detail.opensAtSeconds).toBeGreaterThanOrEqual(truly - 7_200);
    expect(scriptOf(1)).toHaveLength(34);
  });
});

it('warns by the limit that there is now, of coins that were there before it', () => {
  const watch = locked([{ kind: 'older', blocks: 20 }], 2);
  watch.connect(112, [paymentOf(a, [[1, 50_000n]])]);
  const { wallet } = watch.state.wallets.get('savings')!;
  const warn = (timelockBlocks: number | null) =>
    watch.tell({ kind: 'wallet', wallet: { ...wallet, limits: { ...wallet.limits, timelockBlocks } } });
  const told = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => from + i).filter((height) =>
      watch.connect(height).some(({ detail }) => detail.kind === 'timelock-expiry'),
    );
  warn(null);
  expect(told(113, 116)).toEqual([]);
  // It can be spent from block 132 on: 131 is the last one before that, and 121 ten earlier.
  warn(10);
  expect(told(116, 123)).toEqual([121]);
  expect(told(123, 132)).toEqual([131]);
});
