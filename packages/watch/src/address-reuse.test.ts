import { describe, expect, it } from 'vitest';
import { createWatch, paymentOf, scriptOf, scriptsWallet, txidOf, walletOf } from './watch.fixture.ts';

const [A, B] = [txidOf(0xa), txidOf(0xb)];

/** A wallet of three addresses of one descriptor; `told`: the payments of which it is told that an address was used again. */
function watching() {
  const watch = createWatch();
  const descriptors = [{ text: 'ranged', ranged: true, branches: 1, locks: [] }];
  watch.tell({ kind: 'wallet', wallet: { ...scriptsWallet('savings', [0]), descriptors, gapLimit: 3 } });
  const bytes = Uint8Array.from([0, 1, 2].flatMap((n) => [...scriptOf(n)]));
  const range = { wallet: 'savings', descriptor: 0, branch: 0, from: 0, to: 3, lengths: [34], bytes };
  watch.tell({ kind: 'scripts', ...range });
  watch.connect(100);
  const told = () =>
    watch.events.flatMap((event) =>
      event.kind === 'finding' && event.finding.detail.kind === 'address-reuse' ? [event.finding.detail.txid] : [],
    );
  return { watch, told };
}

const part = (match: ReturnType<typeof paymentOf>, ...vouts: number[]) => ({
  ...match,
  received: match.received.filter(({ vout }) => vouts.includes(vout)),
});

describe('an address that is used again', () => {
  it('is told with the second payment, and with each further one', () => {
    const { watch, told } = watching();
    watch.connect(101, [paymentOf(A, [[1, 10_000n]])]);
    expect(told()).toEqual([]);
    watch.connect(102, [paymentOf(B, [[1, 10_000n]])]);
    expect(told()).toEqual([B]);
  });

  it('is not told of a payment of which more becomes known, nor of the first one once there is a second', () => {
    const { watch, told } = watching();
    const match = paymentOf(A, [
      [0, 10_000n],
      [1, 10_000n],
      [1, 10_000n],
    ]);
    watch.connect(101, [part(match, 0)]);
    const block = watch.state.tip!;
    watch.tell({ kind: 'supplement', block, matches: [part(match, 0, 1)], seenBy: ['node'] });
    watch.tell({ kind: 'supplement', block, matches: [match], seenBy: ['node'] });
    expect(told()).toEqual([]);
    const again = paymentOf(B, [
      [0, 10_000n],
      [2, 10_000n],
    ]);
    watch.connect(102, [part(again, 0)]);
    expect(told()).toEqual([B]);
    watch.tell({ kind: 'supplement', block: watch.state.tip!, matches: [again], seenBy: ['node'] });
    expect(told()).toEqual([B]);
  });

  it('is told of an output that only a source of the mempool named', () => {
    const { watch, told } = watching();
    const match = paymentOf(B, [
      [0, 10_000n],
      [1, 10_000n],
    ]);
    watch.connect(101, [paymentOf(A, [[1, 10_000n]])]);
    watch.tell({ kind: 'sighted', tx: match, grade: 'valid', seenBy: ['node'] });
    watch.connect(102, [part(match, 0)]);
    expect(told()).toEqual([B]);
  });

  it('is forgotten with its wallet, though another one watches the coin by itself', () => {
    const { watch } = watching();
    watch.connect(101, [paymentOf(A, [[1, 10_000n]])]);
    watch.tell({ kind: 'wallet', wallet: walletOf({ id: 'coin', outpoints: [{ txid: A, vout: 0 }] }) });
    expect([...watch.state.uses.values()]).toEqual([1]);
    watch.tell({ kind: 'wallet-removed', wallet: 'savings' });
    expect([...watch.state.uses.keys()]).toEqual([]);
  });
});
