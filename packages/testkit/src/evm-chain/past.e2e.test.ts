import type { Address } from '@keepwatch/evm';
import { createEvmSource, type EvmPastPiece, type EvmSource } from '@keepwatch/chain';
import {
  applyEvmEvent,
  createEvmState,
  evmPastsDue,
  evmStep,
  type EvmInput,
  type EvmPastEntry,
  type EvmState,
} from '@keepwatch/watch';
import { encodeFunctionData, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startDevnet, type Devnet } from './devnet.ts';
import { startUpstream, type Call, type Manners, type UpstreamEndpoint } from './upstream-endpoint.ts';

// The past of an account on a real chain, read from upstreams that know all of it, that forgot, refuse and lie.

const key = privateKeyToAccount('0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d');
const OWNER = key.address.toLowerCase() as Address;
const ALICE: Address = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const BOB: Address = '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc';
const CHAIN = 31_337n;

let devnet: Devnet;
let token: Address;
let purse: Address;
let birth: number;
let last: number;
let endpoints: UpstreamEndpoint[] = [];
let sources: { readonly source: EvmSource; readonly end: () => Promise<void> }[] = [];

const tip = async () => Number(await devnet.anvil.call('eth_blockNumber', []));
const mine = (blocks: number) => devnet.anvil.call('anvil_mine', [`0x${blocks.toString(16)}`]);
const calldata = (contract: string, functionName: string, args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi: devnet.contracts[contract]!.abi, functionName, args } as never);

/** What happens to the owner, with many blocks between; each once, and none of it explains another. */
const HAPPENED = [
  ['evm-received', 700n, 'ETH'],
  ['evm-spent', 300n, 'ETH'],
  ['evm-internal', 1_234n, 'ETH'],
  ['evm-spent', 0n, 'ETH'],
  ['evm-spent', 10n, 'TOK'],
  ['evm-spent', 0n, 'ETH'],
  ['evm-allowance', 100n, 'TOK'],
  ['evm-spent', 30n, 'TOK'],
  ['evm-received', 5n, 'TOK'],
  ['evm-delegation', null, null],
  ['evm-internal', 4_321n, 'ETH'],
  ['evm-received', 3n, 'ETH'],
] as const;

beforeAll(async () => {
  devnet = await startDevnet('watched.sol');
  token = await devnet.create(ALICE, 'Token');
  purse = await devnet.create(ALICE, 'Purse');
  await devnet.send(ALICE, token, calldata('Token', 'mint', [OWNER, 1_000n]));
  await devnet.send(ALICE, purse, '0x', 10_000n);
  // Before its birthday it had this.
  await devnet.send(ALICE, OWNER, '0x', 99n);
  await devnet.anvil.call('evm_increaseTime', [3_600]);
  birth = (await tip()) + 1;
  const quiet = () => mine(40);
  await quiet();
  await devnet.send(ALICE, OWNER, '0x', 700n);
  await quiet();
  await devnet.send(OWNER, BOB, '0x', 300n);
  await devnet.send(ALICE, purse, calldata('Purse', 'pay', [OWNER, 1_234n]));
  await quiet();
  await devnet.send(OWNER, token, calldata('Token', 'transfer', [BOB, 10n]));
  await devnet.send(OWNER, token, calldata('Token', 'approve', [BOB, 100n]));
  await quiet();
  await devnet.send(BOB, token, calldata('Token', 'transferFrom', [OWNER, ALICE, 30n]));
  await quiet();
  await devnet.send(ALICE, token, calldata('Token', 'transfer', [OWNER, 5n]));
  await quiet();
  const nonce = await devnet.nonce(OWNER);
  const authorization = await key.signAuthorization({ address: purse, chainId: 31_337, nonce });
  const sender = privateKeyToAccount('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80');
  await devnet.delegate(sender, authorization);
  await quiet();
  // It runs code now: this leaves it without a transaction of its own.
  await devnet.send(BOB, OWNER, calldata('Purse', 'pay', [BOB, 4_321n]));
  await mine(3);
  await devnet.send(ALICE, OWNER, '0x', 3n);
  last = (await tip()) + 3;
  // Nodes that prune keep the states of the last 128 blocks: what is to be missing is older.
  await mine(150);
}, 180_000);
afterEach(async () => {
  await Promise.all(sources.map(({ end }) => end()));
  await Promise.all(endpoints.map((each) => each.stop()));
  [endpoints, sources] = [[], []];
});
afterAll(async () => {
  await devnet?.stop();
});

async function upstream(manners: Manners = { kind: 'honest' }): Promise<UpstreamEndpoint> {
  const endpoint = await startUpstream(devnet.anvil.url);
  endpoint.manners = manners;
  endpoints.push(endpoint);
  return endpoint;
}

/**
 * A source that follows the chain, as it does while pasts are read, once all of its upstreams answer. It waits long for
 * each of them: one that rests because the machine is busy is not asked, and a liar and one other are no majority.
 */
async function open(of: readonly UpstreamEndpoint[], agree = of.length): Promise<EvmSource> {
  const upstreams = of.map(({ url }, i) => ({ name: `up${i + 1}`, url }));
  const source = createEvmSource({ chainId: CHAIN, upstreams, agree, pollMs: 100, patienceMs: 20_000 });
  const stop = new AbortController();
  const { promise, resolve: ready } = Promise.withResolvers<void>();
  const following = (async () => {
    for await (const _ of source.events([], () => [], stop.signal)) {
      if (source.health().upstreams.every(({ health }) => health.state === 'live')) ready();
    }
  })();
  sources.push({
    source,
    async end() {
      stop.abort();
      await following;
      source.close();
    },
  });
  await promise;
  return source;
}

interface Read {
  readonly past: readonly { readonly block: number; readonly entry: EvmPastEntry }[];
  readonly pieces: readonly EvmPastPiece[];
  readonly state: EvmState;
  readonly ended: object | undefined;
}

/** The past as a monitor reads it, into the engine. The wallet is added at block `last`. */
async function read(source: EvmSource, birthday: { number: number } | { timeMs: number } = { number: birth }) {
  const state = createEvmState();
  const past: { block: number; entry: EvmPastEntry }[] = [];
  let ended: object | undefined;
  const tell = (input: EvmInput) => {
    for (const event of evmStep(state, input, Date.now())) {
      applyEvmEvent(state, event);
      if (event.kind === 'evm-past-block') {
        past.push(...event.entries.map((entry) => ({ block: event.block.number, entry })));
      }
      if (event.kind === 'finding' && event.finding.detail.kind === 'evm-backfilled') ended = event.finding.detail;
    }
  };
  const signal = AbortSignal.timeout(60_000);
  tell({ kind: 'evm-chain', chain: { chainId: CHAIN, symbol: 'ETH', depths: [2], keptBlocks: 64 } });
  const tokens = [{ token, symbol: 'TOK', decimals: 6 }];
  const wallet = { id: 'hot', name: 'hot', owner: null, tags: [], chainId: CHAIN, address: OWNER, tokens, limits: [] };
  tell({ kind: 'evm-wallet', wallet: { ...wallet, birthday } });
  // Where it stands when it is added, and one block more, so that this one is settled.
  for (const number of [last, last + 1]) {
    const { facts, before } = await source.past(OWNER, { from: number, to: number }, signal);
    const block = facts[0] ?? (await blockOf(number, before));
    tell({ kind: 'evm-connected', facts: block, seenBy: [] });
  }
  const pieces: EvmPastPiece[] = [];
  for (let due = evmPastsDue(state)[0]; due; due = evmPastsDue(state)[0]) {
    const from: number =
      due.from ?? (await source.numberAt('timeMs' in birthday ? birthday.timeMs : 0, due.to, signal))!;
    const piece = await source.past(OWNER, { from, to: due.to }, signal);
    pieces.push(piece);
    tell({ kind: 'evm-past', wallet: 'hot', ...piece });
    expect(state.wallets.get('hot')?.past?.next).toBe(piece.to + 1);
  }
  return { past, pieces, state, ended } satisfies Read;
}

async function blockOf(number: number, state: EvmPastPiece['before']) {
  const given = (await devnet.anvil.call('eth_getBlockByNumber', [`0x${number.toString(16)}`, false])) as {
    readonly hash: Hex;
    readonly parentHash: Hex;
    readonly timestamp: Hex;
  };
  return {
    ...{ chainId: CHAIN, block: { number, hash: given.hash, timeMs: Number(given.timestamp) * 1_000 } },
    ...{ parentHash: given.parentHash, accounts: [{ address: OWNER, state, tokens: [], allowances: [] }] },
    ...{ transactions: [], withdrawals: [], transfers: [], approvals: [] },
  };
}

const toldOf = ({ past }: Read) =>
  past.map(({ entry: { detail } }) => [
    detail.kind,
    'amount' in detail ? detail.amount : null,
    'asset' in detail ? detail.asset.symbol : null,
  ]);
const tooMany = (most: number) => (call: Call, result: unknown) => {
  if (call.method !== 'eth_getLogs') return result;
  const { fromBlock, toBlock } = call.params[0] as { fromBlock?: Hex; toBlock?: Hex };
  if (fromBlock === undefined || Number(toBlock) - Number(fromBlock) < most) return result;
  return new Error(`query exceeds max block range ${most}`);
};

it('tells what happened to an account before it was watched, and asks little about what did not', async () => {
  const endpoint = await upstream();
  const source = await open([endpoint]);
  endpoint.asked.methods.clear();
  const found = await read(source);
  expect(toldOf(found)).toEqual(HAPPENED);
  expect(found.ended).toMatchObject({
    fromBlock: birth,
    toBlock: last,
    entries: HAPPENED.length,
    stateMissingBefore: null,
  });
  const taken = found.past.find(({ entry: { detail } }) => detail.kind === 'evm-spent' && detail.amount === 30n)!;
  expect(taken.entry.detail).toMatchObject({ how: 'allowance', caller: BOB, to: ALICE });
  // Some 250 blocks passed, and most of them were never asked for.
  expect(last - birth).toBeGreaterThan(240);
  // The head is asked for meanwhile too: two blocks each time, and what chain it is.
  const asked = (method: string) => endpoint.asked.methods.get(method) ?? 0;
  expect(asked('eth_getBlockByNumber') - 2 * asked('eth_chainId')).toBeLessThan(80);
  // The same from a day as from a block.
  const { timestamp } = (await devnet.anvil.call('eth_getBlockByNumber', [`0x${birth.toString(16)}`, false])) as {
    timestamp: Hex;
  };
  const byTime = await read(source, { timeMs: Number(timestamp) * 1_000 });
  expect(toldOf(byTime)).toEqual(HAPPENED);
});

it('reads block by block where states are gone, and says from where on they are there', async () => {
  const known = last - 60;
  const old = new Set<unknown>();
  for (let number = 0; number < known; number++) old.add((await blockOf(number, null)).block.hash);
  const pruned = await upstream({
    kind: 'twists',
    twist(call, result) {
      const isState = ['eth_getBalance', 'eth_getTransactionCount', 'eth_getCode', 'eth_getStorageAt'].includes(
        call.method,
      );
      if (!isState) return result;
      const at = call.params.at(-1) as string | { readonly blockHash: string };
      const isOld = typeof at === 'string' ? Number(at) < known : old.has(at.blockHash);
      return isOld ? new Error('missing trie node') : result;
    },
  });
  const found = await read(await open([pruned]));
  const inner = HAPPENED.filter(([kind, amount]) => kind !== 'evm-internal' || amount === 4_321n);
  expect(toldOf(found)).toEqual(inner);
  expect(found.ended).toMatchObject({ stateMissingBefore: known });
});

it('halves ranges of logs where an upstream refuses, and batches', async () => {
  const small = await upstream({ kind: 'twists', twist: tooMany(7) });
  const batches = await upstream({ kind: 'no-batches', most: 3 });
  const found = await read(await open([small, batches], 2));
  expect(toldOf(found)).toEqual(HAPPENED);
  expect(found.pieces.flatMap(({ differing }) => differing)).toEqual([]);
});

it('an upstream that hides what happened is outvoted and named; two that differ are believed in nothing', async () => {
  const silent = (call: Call, result: unknown) => {
    if (call.method === 'eth_getLogs') return [];
    if (call.method === 'eth_getBalance') return '0x1';
    return result;
  };
  const liar = await upstream({ kind: 'twists', twist: silent });
  const [one, two] = [await upstream(), await upstream()];
  const found = await read(await open([liar, one, two], 2));
  expect(toldOf(found)).toEqual(HAPPENED);
  const about = found.pieces.flatMap(({ differing }) => differing);
  expect(about).toContainEqual({ about: 'states of the past', seenBy: ['up2', 'up3'], others: ['up1'] });
  expect(about).toContainEqual({ about: 'logs of the past', seenBy: ['up2', 'up3'], others: ['up1'] });
  const source = await open([liar, one], 2);
  const range = { from: birth, to: last };
  const failing = source.past(OWNER, range, AbortSignal.timeout(60_000));
  await expect(failing).rejects.toMatchObject({ code: 'upstreams_disagree' });
  one.manners = { kind: 'answers', status: 503 };
  await expect(source.past(OWNER, range, AbortSignal.timeout(60_000))).rejects.toMatchObject({
    code: 'upstreams_too_few',
  });
}, 180_000);
