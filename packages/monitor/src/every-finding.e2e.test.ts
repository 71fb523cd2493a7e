import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createBitcoindSource,
  createElectrumSource,
  createP2pSource,
  createQuorum,
  type ChainSource,
} from '@keepwatch/chain';
import {
  findBitcoind,
  startBitcoind,
  startElectrumEndpoint,
  startHttpService,
  type BitcoindNode,
  type ElectrumEndpoint,
  type HttpService,
  type Rpc,
} from '@keepwatch/testkit';
import { DEFAULT_SETTINGS, FINDING_KINDS, type Finding, type FindingKind, type WatchSettings } from '@keepwatch/watch';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findingsAfter } from './findings.ts';
import { createLocalApi } from './api/local.ts';
import { beginMonitor, openMonitor, type OpenMonitor } from './open.ts';
import { runMonitor, type RunningMonitor } from './run.ts';
import { journalPath } from './store/files.ts';

/**
 * Every kind of finding about bitcoin and about the watch itself, provoked for real on regtest, and one history told by four
 * kinds of sources: the findings have to be the same.
 */

const found = await findBitcoind();
const bitcoind = 'bitcoind' in found ? found.bitcoind : undefined!;
const deps = { entropy: (length: number) => new Uint8Array(randomBytes(length)), nowMs: Date.now };
const network = 'regtest' as const;
const SLOW = { timeout: 180_000, interval: 200 };

/** Kinds of EVM chains and of vaults are provoked where anvil and a vault run. */
const OF_VAULTS: readonly FindingKind[] = [
  ...(['signed-spend', 'unsigned-spend', 'unclear-spend', 'sealed-spend', 'spend-withdrawn', 'signed-unseen'] as const),
  'earlier-spends',
];
const ELSEWHERE = (kind: FindingKind) => /^(evm|vault)-/.test(kind) || OF_VAULTS.includes(kind);

interface Watching {
  readonly name: string;
  readonly monitor: OpenMonitor;
  running: RunningMonitor;
  readonly findings: () => Promise<readonly Finding[]>;
  readonly tell: (settings: Partial<WatchSettings>) => Promise<unknown>;
  readonly call: (method: string, params: object) => Promise<unknown>;
  readonly restart: (between?: () => Promise<void>) => Promise<void>;
  readonly stop: () => Promise<void>;
}

describe.skipIf('missing' in found)(
  `every kind of finding${'missing' in found ? ` (skipped: ${found.missing})` : ''}`,
  { timeout: 900_000 },
  () => {
    let node: BitcoindNode;
    let other: BitcoindNode;
    let electrum: ElectrumEndpoint;
    let hook: HttpService;
    let payer: Rpc;
    let alice: Rpc;
    let dir: string;
    const all: Watching[] = [];
    const provoked = new Set<FindingKind>();

    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), 'keepwatch-findings-'));
      node = await startBitcoind(bitcoind, { zmq: true });
      other = await startBitcoind(bitcoind, { connectTo: [node] });
      payer = await node.wallet('payer');
      alice = await node.wallet('alice');
      await node.mine(130, await payer<string>('getnewaddress'));
      await other.reach((await node.tip()).hash);
      electrum = await startElectrumEndpoint(node, { protocol: '1.6' });
      hook = await startHttpService(() => ({ status: 410 }));
    }, 300_000);
    afterAll(async () => {
      for (const each of all) await each.stop();
      await electrum?.stop();
      await hook?.stop();
      await other?.stop();
      await node?.stop();
      if (dir) rmSync(dir, { recursive: true, force: true });
    }, 120_000);

    const nodeSource = (of: BitcoindNode, name: string) =>
      createBitcoindSource(deps, {
        ...{ name, network, pollMs: 300, ...(of.zmqEndpoint ? { zmq: [of.zmqEndpoint] } : {}) },
        access: { url: `http://127.0.0.1:${of.rpcPort}`, auth: { cookieFile: of.cookieFile } },
      });
    const lightSource = (dataDir: string, of = node) =>
      createP2pSource(deps, {
        ...{ name: 'light', network, dataDir, peers: [`127.0.0.1:${of.p2pPort}`] },
        tuning: { tickMs: 200, answerMs: 5_000, dialMs: 3_000, recheckMs: 500 },
      });
    const electrumSource = () =>
      createElectrumSource(deps, {
        ...{ name: 'electrum', network },
        endpoint: { host: '127.0.0.1', port: electrum.port, tls: null },
      });

    /** A monitor with a data directory of its own. Its quorum is enough where any of its sources speaks. */
    async function watching(
      name: string,
      open: (dataDir: string) => readonly ChainSource[],
      settings: Partial<WatchSettings>,
    ): Promise<Watching> {
      const dataDir = mkdtempSync(join(dir, `${name}-`));
      const rootKey = new Uint8Array(randomBytes(32));
      const begin = async () => {
        const openOrBegin = existsSync(journalPath(dataDir)) ? openMonitor : beginMonitor;
        const monitor = await openOrBegin({ dataDir, rootKey: Uint8Array.from(rootKey), network });
        const put = (some: Partial<WatchSettings>) =>
          monitor.engine.submit({
            room: 'watch',
            input: { kind: 'settings', settings: { ...monitor.engine.state.watch.settings, ...some } },
          });
        if (monitor.engine.state.watch.tip === null) await put({ ...DEFAULT_SETTINGS, network, ...settings });
        const sources = open(dataDir);
        const suffices = sources.map((source) => [source.name]);
        const quorum = createQuorum({ sources, nowMs: Date.now }, { suffices, graceMs: 1_000, lagBlocks: 2 });
        return { monitor, put, running: await runMonitor({ monitor, quorum, dataDir, log: () => undefined }) };
      };
      let { monitor, put, running } = await begin();
      const end = async () => {
        await running.stop();
        await monitor.close();
      };
      const each: Watching = {
        name,
        get monitor() {
          return monitor;
        },
        get running() {
          return running;
        },
        async findings() {
          const rows: Finding[] = [];
          for await (const { finding } of findingsAfter(monitor.store.journal, 0, {})) rows.push(finding);
          for (const { detail } of rows) provoked.add(detail.kind);
          return rows;
        },
        tell: (some) => put(some),
        call: (method, params) => createLocalApi(monitor).call(method, params),
        async restart(between) {
          await end();
          await between?.();
          ({ monitor, put, running } = await begin());
        },
        stop: end,
      };
      all.push(each);
      return each;
    }

    const has = (each: Watching, is: (finding: Finding) => boolean, what: string) =>
      vi.waitFor(async () => {
        const rows = await each.findings();
        if (!rows.some(is))
          throw new Error(`${each.name} did not tell ${what}, but ${rows.map(({ detail }) => detail.kind).join(' ')}`);
      }, SLOW);
    const told = (those: readonly Watching[], kind: FindingKind, txid?: string) =>
      Promise.all(
        those.map((each) =>
          has(
            each,
            ({ detail, evidence }) => detail.kind === kind && (txid === undefined || evidence.txid === txid),
            `${kind} ${txid ?? ''}`,
          ),
        ),
      );
    const over = (each: Watching, kind: FindingKind) =>
      has(each, ({ detail }) => detail.kind === kind && 'over' in detail && detail.over, `the end of ${kind}`);
    const atTip = (those: readonly Watching[]) =>
      vi.waitFor(async () => {
        const { hash } = await node.tip();
        for (const { monitor, name } of those)
          expect(`${name} ${monitor.engine.state.watch.tip?.hash}`).toBe(`${name} ${hash}`);
      }, SLOW);

    it('of the chain is the same by a node, the light client, an Electrum server and all of them together', async () => {
      const settings = { depths: [2, 3] };
      const those = [
        await watching('node', () => [nodeSource(node, 'own')], settings),
        await watching('light', (data) => [lightSource(data)], settings),
        await watching('electrum', () => [electrumSource()], settings),
        await watching('quorum', (data) => [nodeSource(node, 'own'), lightSource(data), electrumSource()], settings),
      ];
      await atTip(those);
      const { descriptors } = await alice<{ descriptors: { desc: string; internal: boolean }[] }>('listdescriptors');
      const own = descriptors.map(({ desc }) => desc);
      const keys = [2, 3].map((n) => `02${n.toString(16).padStart(64, '0')}`);
      // Points of the curve whose x is 2 and 3; nobody has to sign for them here.
      const recovery = `wsh(or_d(pk(${keys[0]}),and_v(v:pk(${keys[1]}),older(4))))`;
      const { descriptor } = await node.rpc<{ descriptor: string }>('getdescriptorinfo', recovery);
      const [locked] = await node.rpc<string[]>('deriveaddresses', descriptor);
      const limits = { largeSats: '40000000', aboveSats: '40000000', belowSats: '30000000', timelockBlocks: 1 };
      const payout = await payer<{ hex: string; txid: string }>(
        'send',
        [{ [await stranger()]: 0.2 }],
        null,
        'unset',
        10,
        {
          add_to_wallet: false,
        },
      );
      for (const { call } of those) {
        await call('wallet.put', { name: 'alice', descriptors: own, limits });
        await call('wallet.put', { name: 'recovery', unvault: [descriptor], limits: { timelockBlocks: 1 } });
        await call('wallet.put', { name: 'payout', transactions: [payout.hex] });
      }
      const address = (type = 'bech32') => alice<string>('getnewaddress', '', type);
      const pay = (to: string, btc: number) => send(payer, to, btc, 10);
      const mine = async (count = 1) => {
        const hashes = await node.mine(count);
        await atTip(those);
        return hashes;
      };

      await node.rpc('sendrawtransaction', payout.hex);
      await told(those, 'sighted', payout.txid);
      const first = await address();
      const large = await pay(first, 0.5);
      await told(those, 'sighted', large);
      await mine();
      await told(those, 'watched', payout.txid);
      await told(those, 'received', large);
      await told(those, 'balance-above');
      await mine(2);
      const reused = await pay(first, 0.01);
      const dust = await pay(await address(), 0.000006);
      await told(those, 'sighted', reused);
      await told(those, 'sighted', dust);
      await mine();
      await told(those, 'address-reuse', reused);
      await told(those, 'dust', dust);
      const toSelf = await send(alice, await address(), 0.005, 10);
      await told(those, 'sighted', toSelf);
      await mine();
      await told(those, 'self-transfer', toSelf);
      const toOthers = await payer<string>('getnewaddress');
      const spend = await send(alice, toOthers, 0.4, 10);
      await told(those, 'sighted', spend);
      const { txid: bumped } = await alice<{ txid: string }>('bumpfee', spend, { fee_rate: 40 });
      await told(those, 'replaced', spend);
      await told(those, 'sighted', bumped);
      await mine();
      await told(those, 'spent', bumped);
      await told(those, 'balance-below');
      // A raised fee, and no more: whoever was told is asked for what stands in the journal by now.
      for (const each of those) expect(doublesIn(await each.findings())).toEqual([]);
      // Once more, and then the change goes to somebody else.
      const small = await send(alice, toOthers, 0.001, 10);
      await told(those, 'sighted', small);
      const { txid: twice } = await alice<{ txid: string }>('bumpfee', small, { fee_rate: 20 });
      await told(those, 'replaced', small);
      await told(those, 'sighted', twice);
      const theft = await diverted(twice, await stranger());
      await told(those, 'replaced', twice);
      await told(those, 'double-spend', theft);
      await mine();
      await told(those, 'spent', theft);
      for (const each of those) {
        const pairs = doublesIn(await each.findings()).map(({ txid, other }) => [txid, other].sort());
        expect(pairs.filter((pair) => !pair.some((each) => each === theft))).toEqual([]);
      }
      const toLocked = await pay(locked!, 0.1);
      await told(those, 'sighted', toLocked);
      await told(those, 'unvault-started', toLocked);
      await mine();
      await told(those, 'received', toLocked);
      for (const each of those) {
        const left = (await each.findings()).flatMap(({ detail, evidence }) =>
          detail.kind === 'unvault-started' ? [[detail.blocksLeft, evidence.block !== undefined]] : [],
        );
        expect(left).toEqual([
          [4, false],
          [3, true],
        ]);
      }
      await mine(3);
      await told(those, 'timelock-expiry', toLocked);
      const shaken = await pay(await address(), 0.02);
      await told(those, 'sighted', shaken);
      await mine(2);
      await told(those, 'received', shaken);
      await node.reorg(2, 3);
      await atTip(those);
      await told(those, 'disconnected', shaken);
      await mine(3);
      const lost = await pay(await address(), 0.03);
      await told(those, 'sighted', lost);
      // A node that forgets its mempool.
      await node.restart(['-persistmempool=0']);
      await told(those, 'evicted', lost);
      await node.mine(1);
      await atTip(those);

      const [byNode, ...rest] = await Promise.all(
        those.map(async (each) => ({ name: each.name, findings: (await each.findings()).filter(isOfChain) })),
      );
      const inBlocks = byNode!.findings.filter(isInBlock).map(plain);
      expect(inBlocks.length).toBeGreaterThan(30);
      for (const { name, findings } of rest) {
        expect({ name, findings: findings.filter(isInBlock).map(plain) }).toEqual({ name, findings: inBlocks });
        // Outside of blocks each source sees in its own time and grade. A server may lose sight of a transaction for a moment.
        const seen = loose(findings);
        expect({ name, missing: loose(byNode!.findings).filter((each) => !seen.includes(each)) }).toEqual({
          name,
          missing: [],
        });
        const more = seen.filter((each) => !loose(byNode!.findings).includes(each));
        expect({ name, more: more.filter((each) => !each.startsWith('evicted ')) }).toEqual({ name, more: [] });
      }
    });

    const stranger = () => payer<string>('getnewaddress');

    /** Who has the keys of the wallet sends all that this transaction spends to this address. */
    async function diverted(txid: string, to: string): Promise<string> {
      const { hex } = await alice<{ hex: string }>('gettransaction', txid);
      const { vin, vout } = await node.rpc<Decoded>('decoderawtransaction', hex);
      const inputs = vin.map((each) => ({ txid: each.txid, vout: each.vout, sequence: 0 }));
      const btc = (vout.reduce((sum, { value }) => sum + value, 0) - 0.0002).toFixed(8);
      const raw = await node.rpc<string>('createrawtransaction', inputs, [{ [to]: btc }]);
      const signed = await alice<{ hex: string }>('signrawtransactionwithwallet', raw);
      return node.rpc<string>('sendrawtransaction', signed.hex);
    }

    it('of the watch itself: sources, time, disk, clock, fees, channels, starts and the past', async () => {
      await other.rpc('addnode', `127.0.0.1:${node.p2pPort}`, 'onetry');
      const settings = { sourceGraceSeconds: 1, diskLowBytes: Number.MAX_SAFE_INTEGER, stalledAfterSeconds: 8 };
      const two = await watching('two', () => [nodeSource(node, 'own'), nodeSource(other, 'other')], settings);
      const one = await watching('one', () => [nodeSource(other, 'other')], { sourceGraceSeconds: 1 });
      const alone = await watching('alone', (data) => [lightSource(data, other)], { sourceGraceSeconds: 1 });
      payer = await node.wallet('payer');
      await node.mine(1, await payer<string>('getnewaddress'));
      await atTip([two]);
      await told([two], 'disk-low');
      await told([two], 'tip-stalled');
      await node.mine(1);
      await over(two, 'tip-stalled');

      // One node that hears nothing says so, falls behind, and has none of the transactions.
      await atTip([two, one]);
      await other.rpc('setnetworkactive', false);
      const isAlone = ({ detail }: Finding) => detail.kind === 'source-behind' && /has no peers/.test(detail.words);
      await has(two, isAlone, 'a node without peers');
      // The wallet is added after one of them passed this block and before the other does: so they differ about it for good.
      const [passed] = await node.mine(1, await payer<string>('getnewaddress'));
      await atTip([two]);
      const { descriptors } = await payer<{ descriptors: { desc: string }[] }>('listdescriptors');
      const own = descriptors.map(({ desc }) => desc);
      await two.call('wallet.put', { name: 'payer', descriptors: own, birthday: { height: 0 } });
      await told([two], 'backfilled');
      await payer('sendtoaddress', await payer<string>('getnewaddress'), 1);
      await told([two], 'sources-disagree');
      await node.mine(3);
      await told([two], 'source-behind');
      await other.rpc('setnetworkactive', true);
      await other.rpc('addnode', `127.0.0.1:${node.p2pPort}`, 'onetry');
      await over(two, 'source-behind');
      await over(two, 'sources-disagree');
      await vi.waitFor(() => {
        const { conditions } = two.monitor.engine.state.watch;
        expect([...conditions.keys()].filter((key) => /^source/.test(key))).toEqual([]);
      }, SLOW);
      const differences = (await two.findings()).filter(({ detail }) => detail.kind === 'sources-disagree');
      expect(differences.filter(({ id }) => id.includes(passed!) || id.includes('matches'))).toEqual([]);

      // The only source of the one is gone: it is down, and nobody can be believed. A light client has lost all its peers.
      await has(alone, () => alone.running.able(), 'that it follows');
      await other.kill();
      await told([one, alone], 'source-down');
      await has(alone, ({ detail }) => 'words' in detail && /No node/.test(detail.words), 'that it has no peers');
      await told([one], 'quorum-lost');
      await other.restart();
      await other.rpc('addnode', `127.0.0.1:${node.p2pPort}`, 'onetry');
      await over(one, 'source-down');
      await over(one, 'quorum-lost');
      await over(alone, 'source-down');

      // The schedule has a block each second, and one comes every four; then more come than are due.
      await two.tell({ blockSpacingSeconds: 1, stalledAfterSeconds: 7_200 });
      await vi.waitFor(
        async () => {
          await node.mine(1);
          expect((await two.findings()).map(({ detail }) => detail.kind)).toContain('tip-slow');
        },
        { ...SLOW, interval: 4_000 },
      );
      await node.mine(30);
      await over(two, 'tip-slow');
      await two.tell({ blockSpacingSeconds: null, stalledAfterSeconds: 8 });

      // Fees that a node estimates from blocks that it saw.
      await two.tell({ feerateLimit: 1 });
      for (let i = 0; i < 14; i++) {
        for (let n = 0; n < 6; n++) {
          const to = await payer<string>('getnewaddress');
          await send(payer, to, 0.001, 60);
        }
        await node.mine(1, await payer<string>('getnewaddress'));
      }
      await vi.waitFor(async () => {
        expect(await node.rpc('estimatesmartfee', 2)).toHaveProperty('feerate');
      }, SLOW);

      // A channel whose service is gone for good.
      const channel = {
        kind: 'webhook',
        url: `${hook.url}/hook`,
        secrets: [`whsec_${randomBytes(32).toString('base64')}`],
      };
      await two.call('channel.put', {
        channel: { name: 'hook', ...channel, ca: hook.ca, from: 'info', privacy: 'full' },
      });
      // Of the blocks that come while it is down the second one is ahead of this machine's clock, which is then behind; so
      // that block counts as one that came after the start, and the gap ends below it. The first one has to be older than the
      // start: blocks that are mined faster than one a second are dated ahead of the clock (their median time has to rise).
      await two.restart(async () => {
        const [missed] = await node.mine(1);
        const { time } = await node.rpc<{ time: number }>('getblockheader', missed);
        await vi.waitFor(() => expect(Date.now()).toBeGreaterThan((time + 1) * 1_000), SLOW);
        await node.rpc('setmocktime', Math.floor(Date.now() / 1_000) + 3 * 3_600);
        await other.rpc('setmocktime', Math.floor(Date.now() / 1_000) + 3 * 3_600);
        await node.mine(1);
      });
      await told([two], 'restarted');
      await told([two], 'gap-filled');
      await told([two], 'feerate-spike');
      await told([two], 'channel-dead');
      await told([two], 'clock-skew');
    });

    it('is among those that were provoked', async () => {
      for (const each of all) await each.findings();
      const missing = FINDING_KINDS.filter((kind) => !provoked.has(kind) && !ELSEWHERE(kind));
      expect(missing).toEqual([]);
    });
  },
);

/** Positional: replaceable, and at so many sat/vB. */
const send = (from: Rpc, to: string, btc: number, rate: number) =>
  from<string>('sendtoaddress', to, btc, '', '', false, true, null, 'unset', null, rate);

interface Decoded {
  readonly vin: readonly { readonly txid: string; readonly vout: number }[];
  readonly vout: readonly { readonly value: number }[];
}

const doublesIn = (findings: readonly Finding[]) =>
  findings.flatMap(({ detail }) => (detail.kind === 'double-spend' ? [detail] : []));

const OUTSIDE: readonly FindingKind[] = ['sighted', 'replaced', 'evicted', 'double-spend'];
const isOfChain = ({ wallet }: Finding) => wallet !== null;
const isInBlock = ({ detail, id }: Finding) =>
  !OUTSIDE.includes(detail.kind) && !/^(large-amount|unvault-started)[:/][^@]*$/.test(id);

/** A finding without what may differ: when it was learnt, and who said it. */
function plain({ id, wallet, severity, evidence, detail }: Finding) {
  const { seenBy: _, ...facts } = evidence;
  return { id, wallet, severity, evidence: facts, detail };
}

/** What is told outside of blocks: kinds and transactions, each once. */
function loose(findings: readonly Finding[]): readonly string[] {
  const words = findings
    .filter((finding) => !isInBlock(finding))
    .map(({ detail, evidence, wallet }) => {
      const more = detail.kind === 'sighted' ? detail.direction : 'by' in detail ? detail.by : '';
      const [txid] = detail.kind === 'double-spend' ? [detail.txid, detail.other].sort() : [evidence.txid];
      return `${detail.kind} ${wallet} ${txid} ${more}`;
    });
  return [...new Set(words)].sort();
}
