import { describe, expect, it } from 'vitest';
import type { Finding } from './finding.ts';
import { watchedWallet, type TimeLock } from './wallet.ts';
import { createWatch, paymentOf, scriptsWallet, START_MS, txidOf, type Watch } from './watch.fixture.ts';

const [a, b, c] = [txidOf(0xa), txidOf(0xb), txidOf(0xc)];
const seenBy = ['node'];
const coin = { txid: a, vout: 0 };

/** Coins are kept by script 1, and wait on their way out at script 2; another wallet has script 3. */
function vault(locks: readonly TimeLock[], names: readonly number[] = [1, 2]): Watch {
  const watch = createWatch();
  const plain = scriptsWallet('vault', names, { limits: { timelockBlocks: 0 } });
  const out = plain.descriptors.length - 1;
  const descriptors = plain.descriptors.map((each, i) =>
    i === out ? { ...each, locks, unvault: true as const } : each,
  );
  watch.add({ ...plain, descriptors }, names);
  for (let height = 100; height < 112; height++) watch.connect(height);
  return watch;
}

const started = (findings: readonly Finding[]) =>
  findings.flatMap(({ detail, evidence, severity, wallet }) => {
    if (detail.kind !== 'unvault-started') return [];
    const { kind: _, ...rest } = detail;
    return [{ ...rest, wallet, severity, grade: evidence.grade }];
  });

describe('a coin that leaves a vault', () => {
  it('is told when it is seen, and in its block with what is left of the lock', () => {
    const watch = vault([{ kind: 'older', blocks: 3 }]);
    watch.connect(112, [paymentOf(a, [[1, 50_000n]])]);
    const leaves = paymentOf(b, [[2, 40_000n]], [coin]);
    const told = { outpoint: { txid: b, vout: 0 }, sats: 40_000n, wallet: 'vault', severity: 'critical' };
    const sight = (grade: 'claimed' | 'valid') => watch.tell({ kind: 'sighted', tx: leaves, grade, seenBy });
    expect(started(sight('claimed'))).toEqual([{ ...told, blocksLeft: 3, grade: 'claimed' }]);
    // A better grade says nothing new of it.
    expect(started(sight('valid'))).toEqual([]);
    const inBlock = watch.connect(113, [leaves]);
    expect(started(inBlock)).toEqual([{ ...told, blocksLeft: 2, opensAtHeight: 116, grade: 'confirmed' }]);
    expect(started(watch.connect(113, [leaves]))).toEqual([]);
    const opens = [114, 115].map((height) =>
      watch.connect(height).some(({ detail }) => detail.kind === 'timelock-expiry'),
    );
    expect(opens).toEqual([false, true]);
  });

  it('is taken back with its block, and told anew with the next one', () => {
    const watch = vault([{ kind: 'older', blocks: 3 }]);
    watch.connect(112, [paymentOf(a, [[1, 50_000n]])]);
    const leaves = paymentOf(b, [[2, 40_000n]], [coin]);
    const first = watch.connect(113, [leaves]).find(({ detail }) => detail.kind === 'unvault-started')!;
    const [back] = watch.disconnect(113);
    expect(back?.detail).toMatchObject({
      kind: 'disconnected',
      retracts: expect.arrayContaining([first.id]) as unknown,
    });
    const again = watch.connect(113, [leaves], 1);
    expect(started(again)).toMatchObject([{ opensAtHeight: 116 }]);
    expect(new Set(watch.events.flatMap((each) => (each.kind === 'finding' ? [each.finding.id] : []))).size).toBe(
      watch.events.filter(({ kind }) => kind === 'finding').length,
    );
  });

  it('has to come out of it: what strangers send to the way out has not', () => {
    const watch = vault([{ kind: 'older', blocks: 3 }]);
    expect(started(watch.connect(112, [paymentOf(a, [[2, 40_000n]])]))).toEqual([]);
    // Where nothing but the way out is watched, nobody can tell.
    const alone = vault([{ kind: 'older', blocks: 3 }], [2]);
    expect(started(alone.connect(112, [paymentOf(a, [[2, 40_000n]])]))).toHaveLength(1);
  });

  it('may come out of another wallet that is watched', () => {
    const watch = vault([{ kind: 'older', blocks: 3 }]);
    watch.add(scriptsWallet('deposits', [3]), [3]);
    watch.connect(112, [paymentOf(a, [[3, 50_000n]])]);
    expect(started(watch.connect(113, [paymentOf(b, [[2, 40_000n]], [coin])]))).toMatchObject([{ wallet: 'vault' }]);
  });

  it('waits for the first of its locks, by blocks or by the chain’s time', () => {
    const seconds = START_MS / 1_000 + 200 * 600;
    const leave = (locks: readonly TimeLock[]) => {
      const watch = vault(locks, [2]);
      return started(watch.connect(112, [paymentOf(a, [[2, 40_000n]])]));
    };
    // The median of the tip is 106's time: 112 less five; the coin's own is that of the block before.
    const median = START_MS / 1_000 + 106 * 600;
    expect(leave([{ kind: 'older-time', units: 5 }])).toMatchObject([
      { opensAtSeconds: median + 2_560, secondsLeft: 2_560 - 600 },
    ]);
    const both: TimeLock[] = [
      { kind: 'after-time', seconds },
      { kind: 'after', blocks: 150 },
    ];
    expect(leave(both)).toMatchObject([{ opensAtHeight: 151, blocksLeft: 38 }]);
    expect(leave([{ kind: 'after', blocks: 90 }])).toMatchObject([{ opensAtHeight: 91, blocksLeft: 0 }]);
    expect(leave([])).toEqual([
      { outpoint: coin, sats: 40_000n, wallet: 'vault', severity: 'critical', grade: 'confirmed' },
    ]);
  });

  it('is told once of each of its coins, where another one comes to be known later', () => {
    const watch = vault([{ kind: 'older', blocks: 30 }], [1, 2]);
    watch.connect(112, [paymentOf(a, [[1, 50_000n]])]);
    const whole = paymentOf(
      b,
      [
        [2, 20_000n],
        [2, 10_000n],
      ],
      [coin],
    );
    const part = { ...whole, received: whole.received.slice(0, 1) };
    expect(started(watch.connect(113, [part]))).toMatchObject([{ sats: 20_000n }]);
    const block = watch.state.tip!;
    const more = watch.tell({ kind: 'supplement', block, matches: [whole], seenBy });
    expect(started(more)).toMatchObject([{ sats: 10_000n, blocksLeft: 29 }]);
  });

  it('of the past is left to whoever still has it once its lock is over', () => {
    const watch = vault([{ kind: 'older', blocks: 3 }], [2]);
    for (let height = 112; height < 120; height++) watch.connect(height);
    const block = { ...watch.state.blocks.get(113)! };
    const told = watch.tell({ kind: 'supplement', block, matches: [paymentOf(c, [[2, 40_000n]])], seenBy });
    expect(started(told)).toEqual([]);
    expect(watch.connect(120).map(({ detail }) => detail.kind)).toContain('timelock-expiry');
  });
});

it('is read from descriptors that are given as ways out, none of which is another as well', () => {
  const text = 'addr(bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080)';
  const read = watchedWallet({ id: 'vault', unvault: [text] }, 'regtest');
  expect(read).toMatchObject({ ok: true, value: { descriptors: [{ unvault: true, locks: [] }] } });
  const both = watchedWallet({ id: 'vault', descriptors: [text], unvault: [text] }, 'regtest');
  expect(both).toMatchObject({ ok: false, error: { code: 'wallet_vault_ambiguous' } });
});
