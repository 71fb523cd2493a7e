import { encodeTransaction, layoutTransaction, toDisplay, toInternal, txidAt, type Txid } from '@keepwatch/bitcoin';
import { expect, it } from 'vitest';
import type { Finding } from './finding.ts';
import { watchedCoins, watchedScripts } from './views.ts';
import { watchedWallet } from './wallet.ts';
import { createWatch, paymentOf, scriptOf, txidOf, type Watch } from './watch.fixture.ts';

const seenBy = ['node'];
const coin = { txid: txidOf(0xc0), vout: 1 };
/** Two scripts of strangers, and one output that nobody can spend. */
const raw = encodeTransaction({
  version: 2,
  inputs: [
    { previous: toInternal(coin.txid)!, vout: coin.vout, scriptSig: new Uint8Array(0), sequence: 0, witness: [] },
  ],
  outputs: [
    { sats: 7n, script: Uint8Array.of(0x6a, 0x01, 0x02) },
    { sats: 1_000n, script: scriptOf(50) },
    { sats: 2_000n, script: scriptOf(51) },
  ],
  lockTime: 0,
});
const layout = layoutTransaction(raw);
const txid = layout.ok ? toDisplay<Txid>(txidAt(layout.value, 0)) : txidOf(0);
/** What a source that watches its scripts and inputs says of it. */
const match = {
  txid,
  raw,
  received: [{ vout: 1, script: scriptOf(50), sats: 1_000n }],
  spent: [{ vin: 0, outpoint: coin }],
};
const kinds = (findings: readonly Finding[]) => findings.map(({ detail }) => detail.kind);

function begun(): Watch {
  const watch = createWatch();
  const read = watchedWallet({ id: 'payout', transactions: [raw] }, 'regtest');
  if (!read.ok) throw new Error(read.error.message);
  watch.connect(100);
  watch.tell({ kind: 'wallet', wallet: read.value });
  return watch;
}

it('has its scripts and inputs looked for, but for what nobody can spend', () => {
  const { state } = begun();
  expect([...watchedScripts(state)]).toEqual([scriptOf(50), scriptOf(51)]);
  expect([...watchedScripts(state, new Set(['payout']))]).toHaveLength(2);
  expect([...watchedCoins(state)]).toMatchObject([{ ...coin, wallets: ['payout'] }]);
});

it('is told as seen, in a block, so many deep, and back', () => {
  const watch = begun();
  const [seen] = watch.tell({ kind: 'sighted', tx: match, grade: 'relayed', seenBy });
  expect(seen).toMatchObject({ wallet: 'payout', detail: { kind: 'sighted', direction: 'watched', txid } });
  const [there] = watch.connect(101, [match]);
  expect(there).toMatchObject({ severity: 'notice', detail: { kind: 'watched', receivedSats: 0n, spentSats: 0n } });
  watch.connect(102);
  expect(kinds(watch.connect(103))).toEqual(['confirmed']);
  watch.disconnect(103);
  watch.disconnect(102);
  const [back] = watch.disconnect(101);
  expect(back?.detail).toMatchObject({ kind: 'disconnected', txid });
  expect(kinds(watch.connect(101, [match], 1))).toEqual(['watched']);
});

it('is told as evicted, and as lost to another one that spends the same', () => {
  const watch = begun();
  watch.tell({ kind: 'sighted', tx: match, grade: 'relayed', seenBy });
  expect(kinds(watch.tell({ kind: 'evicted', txid, seenBy }))).toEqual(['evicted']);
  watch.tell({ kind: 'sighted', tx: match, grade: 'relayed', seenBy });
  const found = watch.connect(101, [paymentOf(txidOf(0xbad), [], [coin])]);
  expect(kinds(found)).toEqual(['spent', 'double-spend', 'replaced']);
  expect(found[2]?.detail).toEqual({ kind: 'replaced', txid, by: txidOf(0xbad) });
});

it('says nothing of other transactions that pay to the same scripts', () => {
  const watch = begun();
  const other = paymentOf(txidOf(0xe), [[50, 5_000n]]);
  expect(watch.tell({ kind: 'sighted', tx: other, grade: 'relayed', seenBy })).toEqual([]);
  expect(watch.connect(101, [other])).toEqual([]);
});

it('is told where a scan finds it in the past, for that is what was asked', () => {
  const watch = createWatch();
  const read = watchedWallet({ id: 'payout', transactions: [raw], birthdaySeconds: 5 }, 'regtest');
  if (!read.ok) throw new Error(read.error.message);
  for (let height = 100; height < 120; height++) watch.connect(height);
  watch.tell({ kind: 'wallet', wallet: read.value });
  const block = watch.state.blocks.get(102)!;
  const { scan } = watch.state.wallets.get('payout')!.scan!;
  const found = [{ block, matches: [match] }];
  const said = watch.tell({ kind: 'history', scans: [{ wallet: 'payout', scan }], found, toHeight: 119, done: true });
  expect(kinds(said)).toEqual(['watched', 'confirmed', 'confirmed', 'backfilled']);
  expect(said[0]?.late).toBe(true);
});

it('is forgotten with its wallet, and refused where it is none', () => {
  const watch = begun();
  watch.tell({ kind: 'wallet-removed', wallet: 'payout' });
  expect([...watch.state.byTxid.keys()]).toEqual([]);
  expect(watch.tell({ kind: 'sighted', tx: match, grade: 'relayed', seenBy })).toEqual([]);
  const refused = watchedWallet({ id: 'payout', transactions: [raw.subarray(1)] }, 'regtest');
  expect(refused).toMatchObject({ ok: false, error: { code: 'wallet_bad_transaction' } });
});
