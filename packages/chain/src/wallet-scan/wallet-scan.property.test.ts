import { toHex } from '@keepwatch/base';
import { deriveScripts, parseDescriptor, type BlockHash, type Txid } from '@keepwatch/bitcoin';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MatchedTx, ScanEvent, ScanRequest } from '../source.ts';
import { reorganised } from '../scan-pace.ts';
import { compareScans } from './compare.ts';
import { coinsOf, decodeWalletScan, encodeWalletScan, type WalletScanState } from './state.ts';
import { beginWalletScan, resumedWalletScan, scanWallet } from './wallet-scan.ts';

// The key of BIP32's first test vector.
const XPUB =
  'tpubD6NzVbkrYhZ4XgiXtGrdW5XDAPFCL9h7we1vwNCpn8tGbBcgfVYjXyhWo4E1xkh56hjod1RhGjxbaTLV3X4FyWuejifB9jusQ46QzG87VKp';
const read = parseDescriptor(`wpkh(${XPUB}/<0;1>/*)`, 'regtest');
if (!read.ok) throw new Error(read.error.message);
const descriptor = read.value;
const SCRIPTS = [0, 1].map((branch) => [...deriveScripts(descriptor, branch, 0, 80)].map(({ script }) => script));
const GAP = 5;

interface Payment {
  readonly height: number;
  readonly branch: number;
  readonly index: number;
  readonly spentAt: number | null;
}
const id = (kind: string, n: number) => `${kind}${String(n).padStart(63, '0')}`;

/** A chain of payments, which gives what a source would: nothing of what it was not asked for. */
function chainOf(payments: readonly Payment[], tip: number, faults: Set<number> = new Set()) {
  const asked: ScanRequest[] = [];
  async function* scan(request: ScanRequest, signal: AbortSignal): AsyncGenerator<ScanEvent> {
    asked.push(request);
    const watched = new Set(request.scripts.map(toHex));
    const coins = new Set((request.outpoints ?? []).map(({ txid }) => txid));
    for (let height = request.from; height <= tip && !signal.aborted; height++) {
      if (faults.delete(height)) throw reorganised(height);
      const matches: MatchedTx[] = [];
      for (const [n, pay] of payments.entries()) {
        const txid = id('a', n) as Txid;
        const script = SCRIPTS[pay.branch]![pay.index]!;
        if (pay.height === height && watched.has(toHex(script))) {
          coins.add(txid);
          matches.push({
            txid,
            raw: new Uint8Array(),
            received: [{ vout: 0, script, sats: BigInt(n + 1) }],
            spent: [],
          });
        }
        if (pay.spentAt === height && coins.has(txid)) {
          const spent = [{ vin: 0, outpoint: { txid, vout: 0 } }];
          matches.push({ txid: id('b', n) as Txid, raw: new Uint8Array(), received: [], spent });
        }
      }
      const block = { height, hash: id('c', height) as BlockHash, timeSeconds: height };
      if (matches.length > 0) yield { kind: 'match', block, matches };
      // As real sources do, it says only now and then how far it is.
      if (height % 7 !== 0 && height !== tip) continue;
      const done = height - request.from + 1;
      yield { kind: 'progress', height, done, total: tip - request.from + 1, perSecond: 1, etaSeconds: 0 };
    }
    await Promise.resolve();
  }
  return { scan, asked };
}

/** A wallet that hands out addresses in order, never more than the gap limit ahead of the last used one. */
const wallet = fc
  .array(fc.record({ branch: fc.nat(1), ahead: fc.nat(GAP - 1), blocks: fc.nat(4), spentIn: fc.option(fc.nat(20)) }), {
    maxLength: 25,
  })
  .map((moves) => {
    const used = [-1, -1];
    let height = 3;
    return moves.map(({ branch, ahead, blocks, spentIn }): Payment => {
      height += blocks;
      const index = Math.min(79, used[branch]! + 1 + ahead);
      used[branch] = Math.max(used[branch]!, index);
      return { height, branch, index, spentAt: spentIn === null ? null : height + spentIn };
    });
  });

const options = { descriptors: [descriptor], gapLimit: GAP, to: null };
async function run(source: ReturnType<typeof chainOf>, begun: WalletScanState, stopAt = Infinity) {
  let last = begun;
  const stop = new AbortController();
  for await (const { state } of scanWallet(source, options, begun, stop.signal)) {
    last = state;
    if (state.next > stopAt) stop.abort();
  }
  return last;
}
const told = (state: WalletScanState) =>
  coinsOf(state).map(({ txid, branch, index, sats, spentBy }) => `${txid} ${branch}/${index} ${sats} ${spentBy?.txid}`);

describe('a scan of a wallet', () => {
  it('finds every coin and its spend, with indices as they are needed, whatever ends it in between', async () => {
    // One wallet goes far: otherwise nothing may ever have to be derived while it runs.
    const far = Array.from({ length: 10 }, (_, n): Payment => {
      return { height: 4 + n, branch: n % 2, index: Math.floor(n / 2) * GAP + GAP - 1, spentAt: n === 3 ? 9 : null };
    });
    await fc.assert(
      fc.asyncProperty(
        wallet,
        fc.array(fc.nat(200), { maxLength: 4 }),
        fc.uniqueArray(fc.nat(200)),
        async (all, ends, faults) => {
          const tip = Math.max(10, ...all.map(({ height, spentAt }) => Math.max(height, spentAt ?? 0)));
          const source = chainOf(all, tip, new Set(faults));
          let state = beginWalletScan(0, [descriptor]);
          for (const end of ends) {
            state = await run(source, state, end);
            const stored = decodeWalletScan(encodeWalletScan(state), [2]);
            if (!stored.ok) throw new Error(stored.error);
            expect(stored.value).toEqual(state);
            state = resumedWalletScan(stored.value);
          }
          state = await run(source, state);
          const expected = all.map((pay, n) => {
            const spender = pay.spentAt === null ? undefined : id('b', n);
            return `${id('a', n)} ${pay.branch}/${pay.index} ${n + 1} ${spender}`;
          });
          expect(told(state).sort()).toEqual(expected.sort());
          expect(state.next).toBe(tip + 1);
        },
      ),
      { numRuns: 60, examples: [[far, [], []]] },
    );
  });

  it('goes on behind what it had, some blocks back, and not from the start', async () => {
    const source = chainOf([], 2_000);
    const state = await run(source, beginWalletScan(0, [descriptor]), 1_000);
    await run(source, resumedWalletScan(state));
    expect(source.asked.map(({ from }) => from)).toEqual([0, state.next - 144]);
  });

  it('takes nothing for a state that is none, or that of other descriptors', () => {
    const good = encodeWalletScan(beginWalletScan(7, [descriptor]));
    expect(decodeWalletScan(good, [2]).ok).toBe(true);
    for (const [text, branches] of [
      [good, [1]],
      [good, [2, 2]],
      [good.slice(0, -3), [2]],
      [good.replace('"next":7', '"next":6'), [2]],
      [good.replace('"version":1', '"version":2'), [2]],
      ['null', [2]],
    ] as const) {
      expect(decodeWalletScan(text, branches)).toEqual({ ok: false, error: 'wallet_scan_malformed' });
    }
  });
});

describe('scans of several sources', () => {
  it('count where enough agree, and say where they differ', async () => {
    const pay = (height: number): Payment => ({ height, branch: 0, index: 0, spentAt: null });
    const whole = await run(chainOf([pay(3), pay(6)], 10), beginWalletScan(0, [descriptor]));
    const silent = await run(chainOf([pay(3)], 8), beginWalletScan(0, [descriptor]));
    const scans = new Map([
      ['own', whole],
      ['server', silent],
    ]);
    const one = compareScans(scans, [['own']]);
    expect(one.next).toBe(9);
    expect(one.found.map(({ block }) => block.height)).toEqual([3, 6]);
    expect(one.disputed).toMatchObject([{ tx: { block: { height: 6 } }, seenBy: ['own'], others: ['server'] }]);
    expect(compareScans(scans, [['own', 'server']]).found.map(({ block }) => block.height)).toEqual([3]);
  });
});
