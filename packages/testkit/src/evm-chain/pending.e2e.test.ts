import type { Address } from '@keepwatch/evm';
import type { Finding, FindingDetail } from '@keepwatch/watch';
import { encodeFunctionData, type Hex } from 'viem';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { startDevnet, type Devnet } from './devnet.ts';
import { startFollower, type Follower } from './follower.ts';
import { startUpstream, type Call, type Manners, type UpstreamEndpoint } from './upstream-endpoint.ts';

/** What stands in no block, as a real node shows it: sighted, replaced, dropped, mined, and made up by the upstream. */

const OWNER: Address = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
const ALICE: Address = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const BOB: Address = '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc';
const T = { timeout: 180_000 };
const SLOW = { timeout: 60_000, interval: 100 };

let devnet: Devnet;
let token: Address;
let upstream: UpstreamEndpoint;
let follower: Follower;

beforeAll(async () => {
  devnet = await startDevnet('watched.sol');
  token = await devnet.create(ALICE, 'Token');
  await devnet.send(ALICE, token, calldata('mint', [ALICE, 5_000_000n]));
}, 120_000);
afterAll(async () => void (await devnet?.stop()));
beforeEach(async () => {
  upstream = await startUpstream(devnet.anvil.url);
  await call('evm_setAutomine', [false]);
});
afterEach(async () => {
  await follower?.stop();
  await upstream?.stop();
  await call('anvil_dropAllTransactions', []);
});

const call = (method: string, params: readonly unknown[]) => devnet.anvil.call(method, params);
const mine = () => call('evm_mine', []);
const calldata = (functionName: string, args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi: devnet.contracts['Token']!.abi, functionName, args } as never);

async function send(from: Address, to: Address, more: Readonly<Record<string, string>> = {}): Promise<Hex> {
  const fees = { maxFeePerGas: '0x12a05f2000', maxPriorityFeePerGas: '0x3b9aca00', gas: '0x186a0' };
  return (await call('eth_sendTransaction', [{ from, to, value: '0x64', ...fees, ...more }])) as Hex;
}
const nonceOf = (of: Address) => call('eth_getTransactionCount', [of, 'latest']) as Promise<Hex>;

async function follow(
  manners: Manners = { kind: 'honest' },
  more: { readonly websocket?: string } = {},
): Promise<void> {
  upstream.manners = manners;
  const tokens = [{ token, symbol: 'TOK', decimals: 6 }];
  follower = startFollower(
    { upstreams: [{ name: 'one', url: upstream.url, ...more }], agree: 1 },
    { hot: { address: OWNER, tokens } },
  );
  // It tells of transactions once it knows where the account stands.
  await vi.waitFor(() => expect(follower.tip()).toBeGreaterThan(0), SLOW);
}

const told = (kind: FindingDetail['kind'], txHash: Hex) =>
  follower.finding((each) => each.detail.kind === kind && each.evidence.evm?.txHash === txHash);
const kindsOf = (txHash: Hex) =>
  follower.findings.flatMap(({ detail, evidence }) => (evidence.evm?.txHash === txHash ? [detail.kind] : []));
const areUnique = (findings: readonly Finding[]) =>
  expect(new Set(findings.map(({ id }) => id)).size).toBe(findings.length);

/** Besides what is asked for by block and by count. */
const LOOKED_UP = new Set(['txpool_contentFrom', 'eth_getTransactionByHash']);
/** An upstream that refuses some ways of asking. */
const without = (refused: (call: Call) => boolean): Manners => ({
  kind: 'twists',
  twist: (each, result) => (refused(each) ? new Error('the method is not available') : result),
});
const isPendingBlock = ({ method, params }: Call) => method === 'eth_getBlockByNumber' && params[0] === 'pending';
const isPendingCount = ({ method, params }: Call) => method === 'eth_getTransactionCount' && params[1] === 'pending';

it('a spend is sighted, replaced at a higher price and mined, each told once over restarts', T, async () => {
  await follow();
  const nonce = await nonceOf(OWNER);
  const first = await send(OWNER, BOB, { nonce });
  const sighted = await told('evm-sighted', first);
  expect(sighted).toMatchObject({ severity: 'warning', detail: { grade: 'valid', amount: 100n, to: BOB } });
  await follower.restart();
  const dear = { maxFeePerGas: '0x2e90edd000', maxPriorityFeePerGas: '0x77359400' };
  const second = await send(OWNER, ALICE, { nonce, ...dear });
  await told('evm-sighted', second);
  expect(await told('evm-replaced', first)).toMatchObject({ detail: { by: second, sighted: sighted.id } });
  await follower.restart();
  await mine();
  await told('evm-spent', second);
  await follower.restart();
  await mine();
  await follower.reached(Number(await call('eth_blockNumber', [])));
  expect(kindsOf(first)).toEqual(['evm-sighted', 'evm-replaced']);
  expect(kindsOf(second)).toEqual(['evm-sighted', 'evm-spent']);
  expect(follower.findings.filter(({ detail }) => detail.kind === 'evm-counted')).toEqual([]);
  areUnique(follower.findings);
});

it('a spend that is dropped is told as gone, and one that comes back is told anew', T, async () => {
  await follow();
  const hash = await send(OWNER, BOB);
  const sighted = await told('evm-sighted', hash);
  await call('anvil_dropTransaction', [hash]);
  await follower.restart();
  expect(await told('evm-evicted', hash)).toMatchObject({ detail: { sighted: sighted.id } });
  const again = await send(OWNER, BOB);
  expect(again).toBe(hash);
  await vi.waitFor(() => expect(kindsOf(hash)).toEqual(['evm-sighted', 'evm-evicted', 'evm-sighted']), SLOW);
  await mine();
  await told('evm-spent', hash);
  areUnique(follower.findings);
});

it('a block that leaves gives back what it took, and the next one takes it again', T, async () => {
  await follow();
  const hash = await send(OWNER, BOB);
  await told('evm-sighted', hash);
  const snapshot = await call('evm_snapshot', []);
  await mine();
  const spent = await told('evm-spent', hash);
  await call('evm_revert', [snapshot]);
  // Another branch, longer and without it.
  await call('anvil_dropAllTransactions', []);
  await call('anvil_mine', ['0x3']);
  expect((await follower.finding(({ detail }) => detail.kind === 'evm-disconnected')).detail).toMatchObject({
    retracts: expect.arrayContaining([spent.id]) as unknown,
  });
  await told('evm-evicted', hash);
  expect(kindsOf(hash)).toEqual(['evm-sighted', 'evm-spent', 'evm-evicted']);
});

it('payments in the coin and in a named token are sighted, and one that fails is told as nothing', T, async () => {
  await follow();
  const coin = await send(ALICE, OWNER);
  const data = calldata('transfer', [OWNER, 7n]);
  const paid = await send(ALICE, token, { data, value: '0x0' });
  expect(await told('evm-sighted', coin)).toMatchObject({ detail: { direction: 'received', from: ALICE } });
  expect(await told('evm-sighted', paid)).toMatchObject({
    severity: 'info',
    detail: { direction: 'received', amount: 7n, asset: { symbol: 'TOK' } },
  });
  await mine();
  await told('evm-received', coin);
  await told('evm-received', paid);
  // Bob has no such tokens: his transaction fails in its block.
  const empty = await send(BOB, token, { data, value: '0x0' });
  await told('evm-sighted', empty);
  await mine();
  expect((await told('evm-evicted', empty)).evidence.evm?.block).toBeDefined();
  areUnique(follower.findings);
});

it('where an upstream only counts, that is told as a claim and taken back when a block explains it', T, async () => {
  await follow(without((each) => isPendingBlock(each) || LOOKED_UP.has(each.method)));
  await vi.waitFor(() => expect(follower.shown()).toEqual([['count']]), SLOW);
  await send(OWNER, BOB);
  const counted = await follower.finding(({ detail }) => detail.kind === 'evm-counted');
  expect(counted).toMatchObject({ evidence: { grade: 'claimed' }, detail: { over: false } });
  await follower.restart();
  await mine();
  await follower.finding(({ detail }) => detail.kind === 'evm-counted' && detail.over);
  expect(follower.findings.map(({ detail }) => detail.kind)).toEqual(['evm-counted', 'evm-spent', 'evm-counted']);
});

it('an upstream that shows nothing of it goes on to be followed, and says so', T, async () => {
  await follow(without((each) => isPendingBlock(each) || isPendingCount(each) || LOOKED_UP.has(each.method)));
  const hash = await send(OWNER, BOB);
  await mine();
  await told('evm-spent', hash);
  expect(follower.shown()).toEqual([[]]);
  expect(kindsOf(hash)).toEqual(['evm-spent']);
  // It is not asked for what it lacks again and again.
  await vi.waitFor(() => expect(upstream.asked.methods.get('eth_chainId')).toBeGreaterThan(20), SLOW);
  expect(upstream.asked.methods.get('txpool_contentFrom')).toBe(1);
});

it('what the pool holds of the account is read where the upstream tells it', T, async () => {
  await follow({
    kind: 'twists',
    // anvil tells of its whole pool: what it says, in the form of those that tell of one account.
    ask: (each) => (each.method === 'txpool_contentFrom' ? { ...each, method: 'txpool_content', params: [] } : each),
    twist: (each, result) => {
      if (isPendingBlock(each)) return new Error('the method is not available');
      if (each.method !== 'txpool_contentFrom') return result;
      const of = (part: string) =>
        (result as Record<string, Record<string, object>>)[part]?.[String(each.params[0])] ?? {};
      return { pending: of('pending'), queued: of('queued') };
    },
  });
  const hash = await send(OWNER, BOB);
  const next = Number(await nonceOf(OWNER)) + 5;
  // Behind a gap, so that no pending block has it.
  const queued = await send(OWNER, BOB, { nonce: `0x${next.toString(16)}` });
  await told('evm-sighted', hash);
  expect(await told('evm-sighted', queued)).toMatchObject({ detail: { nonce: BigInt(next), grade: 'valid' } });
  expect(follower.shown()).toEqual([['content']]);
});

it('over a WebSocket they are heard as they come', T, async () => {
  const websocket = devnet.anvil.url.replace('http:', 'ws:');
  await follow(
    without((each) => isPendingBlock(each) || isPendingCount(each)),
    { websocket },
  );
  await vi.waitFor(() => expect(follower.shown()).toEqual([['stream']]), SLOW);
  const spend = await send(OWNER, BOB);
  const payment = await send(ALICE, OWNER);
  await send(ALICE, BOB);
  expect(await told('evm-sighted', spend)).toMatchObject({ detail: { grade: 'valid', direction: 'spent' } });
  expect(await told('evm-sighted', payment)).toMatchObject({ detail: { grade: 'valid', direction: 'received' } });
  expect(follower.findings.filter(({ detail }) => detail.kind === 'evm-sighted')).toHaveLength(2);
});

it('what an upstream makes up is not believed, and who did it is told', T, async () => {
  const real = await send(OWNER, BOB, { value: '0x1' });
  const given = (await call('eth_getTransactionByHash', [real])) as Record<string, unknown>;
  await call('anvil_dropTransaction', [real]);
  const forgeries = [
    { ...given, value: '0xde0b6b3a7640000' },
    { ...given, to: ALICE, hash: `0x${'ab'.repeat(32)}` },
    { ...given, from: OWNER, r: `0x${'11'.repeat(32)}`, hash: `0x${'cd'.repeat(32)}` },
    // Signed by somebody else.
    { ...((await call('eth_getTransactionByHash', [await send(ALICE, BOB)])) as object), from: OWNER },
  ];
  await follow({
    kind: 'twists',
    twist: (each, result) => (isPendingBlock(each) ? { ...(result as object), transactions: forgeries } : result),
  });
  const lie = await follower.event((event) => event.kind === 'disagreement');
  expect(lie).toMatchObject({ about: 'pending transactions that nobody signed', over: false, others: ['one'] });
  // It is one lie as long as it goes on, though not each round of questions meets it.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  expect(follower.events.filter(({ kind }) => kind === 'disagreement')).toHaveLength(1);
  // Without a signature nothing is proven: it is told as what it is.
  const claim = { ...given, r: undefined, hash: `0x${'ef'.repeat(32)}` };
  upstream.manners = {
    kind: 'twists',
    twist: (each, result) => (isPendingBlock(each) ? { ...(result as object), transactions: [claim] } : result),
  };
  expect(await told('evm-sighted', `0x${'ef'.repeat(32)}`)).toMatchObject({ detail: { grade: 'claimed' } });
  await follower.event((event) => event.kind === 'disagreement' && event.over);
  expect(follower.findings.filter(({ detail }) => detail.kind === 'evm-sighted')).toHaveLength(1);
});
