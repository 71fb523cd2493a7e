import { describe, expect, it } from 'vitest';
import type { Finding } from './finding.ts';
import { walletBalance } from './views.ts';
import { createWatch, paymentOf, scriptsWallet, txidOf, type Watch } from './watch.fixture.ts';

const kinds = (findings: readonly Finding[]) => findings.map(({ detail }) => detail.kind);
const [a, b, c] = [txidOf(0xa), txidOf(0xb), txidOf(0xc)];
const seenBy = ['node'];
const DAY_MS = 86_400_000;

function begun(): Watch {
  const watch = createWatch();
  watch.add(scriptsWallet('savings', [1, 2]), [1, 2]);
  watch.connect(100);
  watch.tell({ kind: 'sighted', tx: paymentOf(a, [[1, 50_000n]]), grade: 'relayed', seenBy });
  return watch;
}

/** The monitor is back, and its source says that it is live. */
function restart(
  watch: Watch,
  mempool: 'whole' | 'relayed',
  downMs: number,
  again: () => void = () => undefined,
): void {
  watch.nowMs += downMs;
  watch.tell({ kind: 'started' });
  again();
  watch.tell({ kind: 'source', source: 'node', state: 'live', mempool, peers: 8, problem: null });
}

function pass(watch: Watch, ms: number): Finding[] {
  watch.nowMs += ms;
  return watch.tell({ kind: 'tick' }).filter(({ detail }) => detail.kind === 'evicted' || detail.kind === 'replaced');
}

describe('what was unconfirmed when the monitor went down', () => {
  it('is told as evicted where a source with a whole mempool no longer has it', () => {
    const watch = begun();
    restart(watch, 'whole', 3_600_000);
    expect(pass(watch, 1_000)).toEqual([]);
    const [gone] = pass(watch, 60_000);
    expect(gone).toMatchObject({ evidence: { txid: a, seenBy }, detail: { kind: 'evicted' } });
    expect(walletBalance(watch.state, 'savings')?.incoming).toBe(0n);
    expect(pass(watch, 60_000)).toEqual([]);
  });

  it('stays where the source says it again, which is no news', () => {
    const watch = begun();
    restart(watch, 'whole', 3_600_000, () => {
      const said = watch.tell({ kind: 'sighted', tx: paymentOf(a, [[1, 50_000n]]), grade: 'relayed', seenBy });
      expect(said).toEqual([]);
    });
    expect(pass(watch, DAY_MS)).toEqual([]);
    expect(walletBalance(watch.state, 'savings')?.incoming).toBe(50_000n);
  });

  it('is told as replaced where the source has another one that spends the same', () => {
    const watch = createWatch();
    watch.add(scriptsWallet('savings', [1]), [1]);
    watch.connect(100, [paymentOf(a, [[1, 50_000n]])]);
    const coin = { txid: a, vout: 0 };
    watch.tell({ kind: 'sighted', tx: paymentOf(b, [], [coin]), grade: 'relayed', seenBy });
    restart(watch, 'whole', 3_600_000, () => {
      watch.tell({ kind: 'sighted', tx: paymentOf(c, [], [coin], 2), grade: 'relayed', seenBy });
    });
    expect(pass(watch, 60_000).map(({ detail }) => detail)).toEqual([{ kind: 'replaced', txid: b, by: c }]);
  });

  it('is kept by a light client until nodes forget it, for it cannot say what is in a mempool', () => {
    const watch = begun();
    restart(watch, 'relayed', 3_600_000);
    expect(pass(watch, 13 * DAY_MS)).toEqual([]);
    expect(kinds(pass(watch, 2 * DAY_MS))).toEqual(['evicted']);
  });

  it('is not judged while the blocks that came meanwhile are not told', () => {
    const watch = begun();
    watch.nowMs += 3_600_000;
    watch.tell({ kind: 'started' });
    expect(pass(watch, DAY_MS)).toEqual([]);
    watch.tell({ kind: 'source', source: 'node', state: 'live', mempool: 'whole', peers: 8, problem: null });
    watch.connect(101, [paymentOf(a, [[1, 50_000n]])]);
    expect(pass(watch, DAY_MS)).toEqual([]);
    expect(walletBalance(watch.state, 'savings')?.confirmed).toBe(50_000n);
  });
});

it('what left a block and went nowhere is told as evicted too', () => {
  const watch = createWatch();
  watch.add(scriptsWallet('savings', [1]), [1]);
  watch.tell({ kind: 'source', source: 'node', state: 'live', mempool: 'whole', peers: 8, problem: null });
  watch.connect(100);
  watch.connect(101, [paymentOf(a, [[1, 50_000n]])]);
  watch.disconnect(101);
  expect(walletBalance(watch.state, 'savings')?.incoming).toBe(50_000n);
  watch.connect(101, [], 1);
  expect(kinds(pass(watch, 60_000))).toEqual(['evicted']);
});

it('a difference between sources is told anew after a start, and never stays open for good', () => {
  const watch = begun();
  const differ = { kind: 'disagreement', about: 'mempool x', seenBy, others: ['b'] } as const;
  const [first] = watch.tell({ ...differ, over: false });
  restart(watch, 'whole', 3_600_000);
  expect([...watch.state.conditions.keys()]).toEqual([]);
  const [second] = watch.tell({ ...differ, over: false });
  expect(second?.id).not.toBe(first?.id);
  expect(kinds(watch.tell({ ...differ, over: true }))).toEqual(['sources-disagree']);
});
