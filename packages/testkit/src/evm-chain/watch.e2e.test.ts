import type { Address } from '@keepwatch/evm';
import type { Finding, FindingDetail, FindingKind } from '@keepwatch/watch';
import { encodeAbiParameters, encodeFunctionData, keccak256, serializeTransaction, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startAnvil } from '../../../cli/src/story/anvil.ts';
import { startDevnet, type Devnet } from './devnet.ts';
import { startFollower, type Follower } from './follower.ts';
import { startUpstream, type UpstreamEndpoint } from './upstream-endpoint.ts';

// What happens to an account on a real chain is what the source reads and the engine tells.

/** Some of anvil's published accounts; anvil holds their keys. */
const key = privateKeyToAccount('0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d');
const OWNER = key.address.toLowerCase() as Address;
const ALICE: Address = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const BOB: Address = '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc';

let devnet: Devnet;
let token: Address;
let purse: Address;
let proxy: Address;
let running: Follower[] = [];
let endpoints: UpstreamEndpoint[] = [];

const calldata = (contract: string, functionName: string, args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi: devnet.contracts[contract]!.abi, functionName, args } as never);
const send: Devnet['send'] = (...args) => devnet.send(...args);
const tip = async () => Number(await devnet.anvil.call('eth_blockNumber', []));
const mine = (blocks: number) => devnet.anvil.call('anvil_mine', [`0x${blocks.toString(16)}`]);
const tokens = () => [{ token, symbol: 'TOK', decimals: 6 }];
const wallets = () => ({ hot: { address: OWNER, tokens: tokens() }, proxy: { address: proxy } });

type Of<K extends FindingKind> = Finding & { readonly detail: Extract<FindingDetail, { readonly kind: K }> };
const isKind =
  <K extends FindingKind>(kind: K, more: (finding: Of<K>) => boolean = () => true) =>
  (finding: Finding): boolean =>
    finding.detail.kind === kind && more(finding as Of<K>);

/** Whoever is to be heard, lies included, needs time: one that answers later than the others is not waited for. */
const UNHURRIED = { patienceMs: 20_000 };

async function follow(
  urls: readonly string[] = [devnet.anvil.url],
  agree = urls.length,
  options: { readonly patienceMs?: number } = {},
): Promise<Follower> {
  const upstreams = urls.map((url, i) => ({ name: `up${i + 1}`, url }));
  const follower = startFollower({ upstreams, agree, graceMs: 500, ...options }, wallets());
  running.push(follower);
  return follower;
}
/** All of them have answered: enough of them would do for the chain to be followed. */
async function followed(urls?: readonly string[], agree?: number, options?: typeof UNHURRIED): Promise<Follower> {
  const follower = await follow(urls, agree, options);
  await follower.reached(await tip());
  for (let i = 1; i <= (urls?.length ?? 1); i++) {
    await follower.event((event) => {
      return event.kind === 'health' && event.name === `up${i}` && event.health.state !== 'starting';
    });
  }
  return follower;
}
async function upstream(node = devnet.anvil.url): Promise<UpstreamEndpoint> {
  const endpoint = await startUpstream(node);
  endpoints.push(endpoint);
  return endpoint;
}

beforeAll(async () => {
  devnet = await startDevnet('watched.sol');
  token = await devnet.create(ALICE, 'Token');
  purse = await devnet.create(ALICE, 'Purse');
  proxy = await devnet.create(ALICE, 'Proxy', encodeAbiParameters([{ type: 'address' }], [token]));
  await send(ALICE, token, calldata('Token', 'mint', [OWNER, 1_000n]));
  await send(ALICE, purse, '0x', 10_000n);
});
afterEach(async () => {
  await Promise.all(running.map((each) => each.stop()));
  await Promise.all(endpoints.map((each) => each.stop()));
  running = [];
  endpoints = [];
});
afterAll(async () => {
  await devnet?.stop();
});

describe('an account on a real chain', () => {
  it('is told of coins that come, and of those that its transactions send, with nonce and fee', async () => {
    const follower = await followed();
    await send(ALICE, OWNER, '0x', 700n);
    const { fee } = await send(OWNER, BOB, '0x', 300n);
    const received = await follower.finding(isKind('evm-received'));
    expect(received).toMatchObject({ wallet: 'hot', detail: { amount: 700n, from: ALICE, asset: { symbol: 'ETH' } } });
    const spent = await follower.finding(isKind('evm-spent'));
    expect(spent).toMatchObject({ detail: { amount: 300n, to: BOB, how: 'transaction', fee, failed: false } });
    expect(follower.spends().get(spent.id)).toMatchObject({
      ...{ how: 'transaction', wallet: 'hot', address: OWNER, token: null, amount: 300n },
      ...{ txHash: spent.evidence.evm!.txHash, caller: OWNER, chainId: 31_337n },
    });
    // Nothing is left that the transactions do not explain.
    expect(follower.findings.filter(isKind('evm-internal'))).toEqual([]);
    expect(follower.findings.filter(isKind('evm-nonce'))).toEqual([]);
  });

  it('is told what it signed, of transactions of every type', async () => {
    const follower = await followed();
    const nonce = await devnet.nonce(OWNER);
    const fees = { maxFeePerGas: 10_000_000_000n, maxPriorityFeePerGas: 1n };
    const base = { chainId: 31_337, gas: 60_000n, to: BOB, value: 5n } as const;
    const accessList = [{ address: purse, storageKeys: [`0x${'1'.repeat(64)}` as Hex] }];
    const transactions = [
      { ...base, type: 'legacy', nonce, gasPrice: 10_000_000_000n, data: '0x1234' },
      { ...base, type: 'eip2930', nonce: nonce + 1, gasPrice: 10_000_000_000n, accessList },
      { ...base, type: 'eip1559', nonce: nonce + 2, ...fees, accessList },
    ] as const;
    for (const each of transactions) await devnet.broadcast(await key.signTransaction(each));
    const digests = transactions.map((each) => keccak256(serializeTransaction(each)));
    for (const digest of digests) {
      await follower.finding(({ id }) => follower.spends().get(id)?.digest === digest);
    }
  });

  it('pays the fee of a transaction that fails, and nothing else', async () => {
    const follower = await followed();
    const { status, fee } = await send(OWNER, purse, calldata('Purse', 'refuse', []), 55n);
    expect(status).toBe('0x0');
    const spent = await follower.finding(isKind('evm-spent'));
    expect(spent.detail).toMatchObject({ failed: true, amount: 0n, fee });
    expect(follower.findings.filter(isKind('evm-internal'))).toEqual([]);
  });

  it('is told what contracts pay it, though no transaction names it', async () => {
    const follower = await followed();
    await send(ALICE, purse, calldata('Purse', 'pay', [OWNER, 1_234n]));
    const internal = await follower.finding(isKind('evm-internal'));
    expect(internal.detail).toMatchObject({ amount: 1_234n, direction: 'received' });
    expect(follower.spends().size).toBe(0);
  });

  it('is told of tokens, of what others may take of them, and of what they take', async () => {
    const follower = await followed();
    await send(OWNER, token, calldata('Token', 'transfer', [BOB, 10n]));
    await send(OWNER, token, calldata('Token', 'approve', [BOB, 100n]));
    await send(BOB, token, calldata('Token', 'transferFrom', [OWNER, ALICE, 30n]));
    await send(ALICE, token, calldata('Token', 'transfer', [OWNER, 5n]));
    const taken = await follower.finding(isKind('evm-spent', ({ detail }) => detail.how === 'allowance'));
    expect(taken).toMatchObject({ severity: 'critical', detail: { amount: 30n, caller: BOB, to: ALICE, nonce: null } });
    expect(follower.spends().get(taken.id)).toMatchObject({ how: 'allowance', caller: BOB, token, amount: 30n });
    const own = await follower.finding(isKind('evm-spent', ({ detail }) => detail.asset.token === token));
    expect(own.detail).toMatchObject({ amount: 10n, how: 'transaction', caller: OWNER, asset: { symbol: 'TOK' } });
    const allowed = await follower.finding(isKind('evm-allowance'));
    expect(allowed.detail).toMatchObject({ spender: BOB, amount: 100n, before: null, how: 'transaction' });
    expect(follower.spends().get(allowed.id)).toMatchObject({ how: 'transaction', token, amount: 100n });
    const received = await follower.finding(isKind('evm-received'));
    expect(received.detail).toMatchObject({ amount: 5n, from: ALICE, asset: { known: true } });
    // What is left of the allowance was read again: what is approved next says what it was before.
    await send(OWNER, token, calldata('Token', 'approve', [BOB, 0n]));
    const revoked = await follower.finding(isKind('evm-allowance', ({ detail }) => detail.amount === 0n));
    expect(revoked).toMatchObject({ severity: 'notice', detail: { before: 70n } });
  });

  it('does not believe a contract that nobody named, however much it says', async () => {
    const follower = await followed();
    const liar = await devnet.create(ALICE, 'Liar');
    await send(ALICE, liar, calldata('Liar', 'say', [OWNER, BOB, 1n, 60n]));
    await send(ALICE, liar, calldata('Liar', 'say', [OWNER, BOB, 0n, 1n]));
    await follower.reached(await tip());
    const claims = follower.findings.filter(isKind('evm-spent'));
    expect(claims).toHaveLength(16);
    expect(claims.every(({ severity }) => severity === 'info')).toBe(true);
    expect(follower.spends().size).toBe(0);
  });

  it('is told that it is delegated, by whomever the transaction was sent, and of what that code moves', async () => {
    const follower = await followed();
    const nonce = await devnet.nonce(OWNER);
    const authorization = await key.signAuthorization({ address: purse, chainId: 31_337, nonce });
    const sender = privateKeyToAccount('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80');
    await devnet.delegate(sender, authorization);
    const delegated = await follower.finding(isKind('evm-delegation'));
    expect(delegated).toMatchObject({ severity: 'critical', detail: { before: null, after: purse } });
    expect(follower.spends().get(delegated.id)).toMatchObject({ how: 'delegation', amount: 0n });
    expect(follower.findings.filter(isKind('evm-nonce'))).toEqual([]);
    // Anybody may now call that code as the account's.
    await send(BOB, OWNER, calldata('Purse', 'pay', [BOB, 4_321n]));
    const moved = await follower.finding(isKind('evm-internal'));
    expect(moved).toMatchObject({ severity: 'critical', detail: { amount: 4_321n, direction: 'spent' } });
    expect(follower.spends().get(moved.id)).toMatchObject({ how: 'delegation', amount: 4_321n, token: null });
  });

  it('is told that a proxy runs other code, and that code changed', async () => {
    const follower = await followed();
    await send(ALICE, proxy, calldata('Proxy', 'upgrade', [purse]));
    const upgraded = await follower.finding(isKind('evm-upgraded'));
    expect(upgraded).toMatchObject({ wallet: 'proxy', severity: 'critical', detail: { before: token, after: purse } });
    await send(ALICE, proxy, calldata('Proxy', 'upgrade', [token]));
    await devnet.anvil.call('anvil_setCode', [proxy, '0x00']);
    await mine(1);
    const changed = await follower.finding(isKind('evm-code'));
    expect(changed.detail).toMatchObject({ before: { kind: 'contract' }, after: { kind: 'contract' } });
  });

  it('is told where its nonce moved and nothing shows why', async () => {
    const follower = await followed();
    const nonce = BigInt((await devnet.anvil.call('eth_getTransactionCount', [OWNER, 'latest'])) as string);
    await devnet.anvil.call('anvil_setNonce', [OWNER, `0x${(nonce + 3n).toString(16)}`]);
    await mine(1);
    const moved = await follower.finding(isKind('evm-nonce'));
    expect(moved).toMatchObject({ severity: 'critical', detail: { expected: nonce, nonce: nonce + 3n } });
  });
});

it('catches up with blocks that are read ahead as it would have one after the other', async () => {
  const endpoint = await upstream();
  const follower = await followed([endpoint.url]);
  endpoint.manners = { kind: 'answers', status: 503 };
  await mine(20);
  // What is allowed in one block is read again in the next ones, where somebody takes of it.
  await send(OWNER, token, calldata('Token', 'approve', [BOB, 100n]));
  await send(BOB, token, calldata('Token', 'transferFrom', [OWNER, ALICE, 30n]));
  await send(BOB, token, calldata('Token', 'transferFrom', [OWNER, ALICE, 20n]));
  await send(OWNER, token, calldata('Token', 'approve', [BOB, 0n]));
  await send(ALICE, purse, calldata('Purse', 'pay', [OWNER, 66n]));
  await mine(20);
  endpoint.asked.mostOpen = 0;
  endpoint.manners = { kind: 'slow', ms: 50 };
  await follower.restart();
  await follower.reached(await tip());
  const revoked = await follower.finding(isKind('evm-allowance', ({ detail }) => detail.amount === 0n));
  expect(revoked.detail).toMatchObject({ before: 50n });
  expect(
    follower.findings.filter(isKind('evm-internal')).map(({ detail }) => 'amount' in detail && detail.amount),
  ).toEqual([66n]);
  expect(follower.findings.filter(isKind('evm-nonce'))).toEqual([]);
  const numbers = follower.events.flatMap((event) => (event.kind === 'connected' ? [event.facts.block.number] : []));
  expect(numbers).toEqual(numbers.map((_, i) => numbers[0]! + i));
  expect(endpoint.asked.mostOpen).toBeGreaterThan(3);
});

describe('a chain that is reorganised', () => {
  it('takes back what it told, and tells what the other branch holds', async () => {
    const follower = await followed();
    const before = await devnet.anvil.call('evm_snapshot', []);
    await send(ALICE, OWNER, '0x', 11n);
    await send(OWNER, BOB, '0x', 22n);
    const spent = await follower.finding(isKind('evm-spent'));
    await devnet.anvil.call('evm_revert', [before]);
    await send(ALICE, OWNER, '0x', 33n);
    await mine(3);
    const received = await follower.finding(isKind('evm-received', ({ detail }) => detail.amount === 33n));
    const retracted = follower.findings.flatMap(({ detail }) =>
      detail.kind === 'evm-disconnected' ? detail.retracts : [],
    );
    expect(retracted).toContain(spent.id);
    expect(retracted).not.toContain(received.id);
    await follower.reached(await tip());
    expect(follower.spends().size).toBe(0);
    expect(follower.findings.filter(isKind('evm-internal'))).toEqual([]);
    await follower.finding(
      isKind('evm-confirmed', ({ detail }) => detail.depth === 3 && detail.about.includes(received.id)),
    );
  });

  it('is noticed where it becomes shorter', async () => {
    const follower = await followed();
    const before = await devnet.anvil.call('evm_snapshot', []);
    await send(OWNER, BOB, '0x', 44n);
    const spent = await follower.finding(isKind('evm-spent'));
    await mine(3);
    await follower.reached(await tip());
    await devnet.anvil.call('evm_revert', [before]);
    await mine(1);
    const back = await follower.finding(isKind('evm-disconnected'));
    expect(back.detail).toMatchObject({ retracts: expect.arrayContaining([spent.id]) as string[] });
    await follower.reached(await tip());
    expect(follower.tip()).toBe(await tip());
  });

  it('is noticed where its length stays the same', async () => {
    const follower = await followed();
    await mine(4);
    await follower.reached(await tip());
    await devnet.anvil.call('anvil_reorg', [3, []]);
    await follower.event((event) => event.kind === 'disconnected');
    await follower.event((event) => event.kind === 'connected' && event.facts.block.number === follower.tip());
    const hash = ((await devnet.anvil.call('eth_getBlockByNumber', ['latest', false])) as { hash: string }).hash;
    await follower.event((event) => event.kind === 'connected' && event.facts.block.hash === hash);
    expect(follower.events.filter(({ kind }) => kind === 'disconnected').length).toBe(3);
  });
});

describe('a run that is interrupted', () => {
  it('goes on behind the last block, tells what came meanwhile, and nothing twice', async () => {
    const follower = await followed();
    await send(ALICE, OWNER, '0x', 1n);
    await follower.finding(isKind('evm-received'));
    const endpoint = await upstream();
    endpoint.manners = { kind: 'answers', status: 503 };
    await follower.restart({ upstreams: [{ name: 'up1', url: endpoint.url }] });
    for (const amount of [2n, 3n, 4n]) await send(ALICE, OWNER, '0x', amount);
    await mine(20);
    endpoint.manners = { kind: 'honest' };
    await follower.reached(await tip());
    await follower.restart();
    await send(ALICE, OWNER, '0x', 5n);
    await follower.finding(isKind('evm-received', ({ detail }) => detail.amount === 5n));
    const received = follower.findings.filter(isKind('evm-received')) as Of<'evm-received'>[];
    expect(received.map(({ detail }) => detail.amount)).toEqual([1n, 2n, 3n, 4n, 5n]);
  });

  it('takes back a branch that left while nobody looked', async () => {
    const follower = await followed();
    const before = await devnet.anvil.call('evm_snapshot', []);
    await send(OWNER, BOB, '0x', 77n);
    const spent = await follower.finding(isKind('evm-spent'));
    const endpoint = await upstream();
    endpoint.manners = { kind: 'hangs' };
    await follower.restart({ upstreams: [{ name: 'up1', url: endpoint.url }] });
    await devnet.anvil.call('evm_revert', [before]);
    await mine(5);
    await follower.restart({ upstreams: [{ name: 'up1', url: devnet.anvil.url }] });
    const back = await follower.finding(isKind('evm-disconnected'));
    expect(back.detail).toMatchObject({ retracts: [spent.id] });
    await follower.reached(await tip());
    expect(follower.spends().size).toBe(0);
  });
});

describe('upstreams', () => {
  const isAbout =
    (about: string, over = false) =>
    (event: { kind: string }) =>
      event.kind === 'disagreement' &&
      (event as { about?: string }).about === about &&
      (event as { over?: boolean }).over === over;
  const isHealth = (name: string | null, state: string, code?: string) => (event: { kind: string }) => {
    const { name: of, health } = event as {
      name?: string | null;
      health?: { state: string; problem: { code: string } | null };
    };
    return (
      event.kind === 'health' &&
      of === name &&
      health!.state === state &&
      (code === undefined || health!.problem?.code === code)
    );
  };
  const lieAboutBalance = {
    kind: 'twists' as const,
    twist: ({ method }: { method: string }, result: unknown) => (method === 'eth_getBalance' ? '0x1' : result),
  };

  it('that lie about a balance are outvoted by two of three, and named', async () => {
    const liar = await upstream();
    const follower = await followed([liar.url, devnet.anvil.url, devnet.anvil.url], 2, UNHURRIED);
    liar.manners = lieAboutBalance;
    await send(ALICE, OWNER, '0x', 9n);
    await follower.finding(isKind('evm-received'));
    const event = await follower.event(isAbout('balances'));
    expect(event).toMatchObject({ others: ['up1'] });
    expect(follower.findings.filter(isKind('evm-internal'))).toEqual([]);
    liar.manners = { kind: 'honest' };
    await mine(1);
    await follower.event(isAbout('balances', true));
  });

  it('that hide logs are outvoted and named', async () => {
    const liar = await upstream();
    const follower = await followed([liar.url, devnet.anvil.url, devnet.anvil.url], 2, UNHURRIED);
    liar.manners = { kind: 'twists', twist: ({ method }, result) => (method === 'eth_getLogs' ? [] : result) };
    await send(ALICE, token, calldata('Token', 'mint', [OWNER, 8n]));
    await follower.finding(isKind('evm-received', ({ detail }) => detail.asset.token === token));
    expect(await follower.event(isAbout('logs'))).toMatchObject({ others: ['up1'] });
  });

  it('of which one of two lies stop the story, for nobody knows which', async () => {
    const liar = await upstream();
    const follower = await followed([liar.url, devnet.anvil.url], 2);
    liar.manners = lieAboutBalance;
    const at = await tip();
    await send(ALICE, OWNER, '0x', 9n);
    await follower.event(isAbout('balances'));
    await follower.event(isHealth(null, 'down', 'upstreams_disagree'));
    expect(follower.tip()).toBe(at);
    liar.manners = { kind: 'honest' };
    await follower.finding(isKind('evm-received'));
    await follower.event(isHealth(null, 'live'));
  });

  it('that follow two chains of one id: what two of three say counts, and of two alone nothing does', async () => {
    const other = await startAnvil(process.env);
    try {
      // As many blocks, of another history.
      await other.call('anvil_mine', [`0x${(await tip()).toString(16)}`]);
      const three = await followed([other.url, devnet.anvil.url, devnet.anvil.url], 2);
      const two = await follow([other.url, devnet.anvil.url], 2);
      await two.event(isHealth(null, 'down', 'upstreams_disagree'));
      expect(await two.event(isAbout('hash'))).toMatchObject({
        others: expect.arrayContaining(['up1', 'up2']) as string[],
      });
      expect(two.findings).toEqual([]);
      await send(ALICE, OWNER, '0x', 6n);
      await other.call('anvil_mine', ['0x1']);
      await three.finding(isKind('evm-received', ({ detail }) => detail.amount === 6n));
    } finally {
      await other.process.stop();
    }
  });

  it('of another chain, or with a block whose hash is not its own, are not heard', async () => {
    const [other, forger] = [await upstream(), await upstream()];
    other.manners = { kind: 'twists', twist: ({ method }, result) => (method === 'eth_chainId' ? '0x1' : result) };
    const follower = await followed([other.url, forger.url, devnet.anvil.url, devnet.anvil.url], 2, UNHURRIED);
    await follower.event(isHealth('up1', 'down', 'upstream_other_chain'));
    forger.manners = {
      kind: 'twists',
      twist: ({ method, params }, result) =>
        method === 'eth_getBlockByNumber' && params[1] === true ? { ...(result as object), gasUsed: '0x7' } : result,
    };
    await send(ALICE, OWNER, '0x', 9n);
    await follower.finding(isKind('evm-received'));
    await follower.event(isHealth('up2', 'down', 'upstream_lied'));
  });

  it('that hang, flood, talk nonsense or are busy hold nobody up', async () => {
    const bad = await Promise.all([upstream(), upstream(), upstream(), upstream(), upstream()]);
    const follower = await followed([...bad.map(({ url }) => url), devnet.anvil.url, devnet.anvil.url], 2);
    bad[0]!.manners = { kind: 'hangs' };
    bad[1]!.manners = { kind: 'floods' };
    bad[2]!.manners = { kind: 'answers', status: 200, body: '[{"jsonrpc":"2.0","id":1,"result":"0xnonsense"}]' };
    bad[3]!.manners = { kind: 'answers', status: 429, headers: { 'retry-after': '3600' } };
    bad[4]!.manners = { kind: 'hangs-on-blocks' };
    await send(ALICE, OWNER, '0x', 9n);
    await follower.finding(isKind('evm-received'));
    await follower.event(isHealth('up4', 'down', 'upstream_busy'));
    // Who asks for an hour is left alone.
    const { requests } = bad[3]!.asked;
    await mine(3);
    await follower.reached(await tip());
    expect(bad[3]!.asked.requests - requests).toBeLessThanOrEqual(1);
    await follower.event(isHealth('up3', 'down'));
    await follower.event(isHealth('up2', 'down', 'upstream_answer_too_large'));
  });

  it('of which one claims to be far ahead make nobody late', async () => {
    const boaster = await upstream();
    boaster.manners = {
      kind: 'twists',
      // A header with a field of its own need not hash to what it says.
      twist: ({ method, params }, result) =>
        method === 'eth_getBlockByNumber' && params[0] === 'latest'
          ? { ...(result as object), number: '0xffffffffff', odd: '0x0' }
          : result,
    };
    const follower = await followed([boaster.url, devnet.anvil.url, devnet.anvil.url], 2);
    await send(ALICE, OWNER, '0x', 9n);
    await follower.finding(isKind('evm-received'));
    await follower.event(isHealth(null, 'live'));
    expect(follower.events.some(isHealth(null, 'behind'))).toBe(false);
    expect(follower.events.some(isHealth('up2', 'behind'))).toBe(false);
  });

  it('that take no large batches are asked in smaller ones', async () => {
    const small = await upstream();
    small.manners = { kind: 'no-batches', most: 1 };
    const follower = await followed([small.url]);
    await send(ALICE, OWNER, '0x', 9n);
    await follower.finding(isKind('evm-received'));
  });

  it('that no longer have old states let the difference show where they have', async () => {
    const pruned = await upstream();
    const follower = await followed([pruned.url]);
    await send(ALICE, OWNER, '0x', 1n);
    await follower.finding(isKind('evm-received'));
    await follower.restart({ upstreams: [{ name: 'up1', url: pruned.url }] });
    const from = await tip();
    pruned.manners = { kind: 'answers', status: 503 };
    await send(ALICE, purse, calldata('Purse', 'pay', [OWNER, 50n]));
    await send(ALICE, OWNER, '0x', 2n);
    await mine(150);
    // As a node that prunes: what is asked of an old block is an error.
    const hashes = new Set<unknown>();
    for (let number = from + 1; number <= from + 10; number++) {
      const block = await devnet.anvil.call('eth_getBlockByNumber', [`0x${number.toString(16)}`, false]);
      hashes.add((block as { hash: string }).hash);
    }
    const isOld = (params: readonly unknown[]) =>
      hashes.has((params.at(-1) as { blockHash?: string } | undefined)?.blockHash);
    pruned.manners = {
      kind: 'twists',
      twist: ({ method, params }, result) => (method === 'eth_getBalance' && isOld(params) ? null : result),
    };
    const internal = (await follower.finding(isKind('evm-internal'))) as Of<'evm-internal'>;
    expect(internal.detail).toMatchObject({ amount: 50n, direction: 'received', sinceBlock: from + 1 });
    expect(follower.findings.filter(isKind('evm-received', ({ detail }) => detail.amount === 2n))).toHaveLength(1);
  });

  it('are asked four things of each account in a quiet block, and for no logs', async () => {
    const counted = await upstream();
    const follower = await followed([counted.url]);
    // What stands in no block is asked about by the clock, and not by the block.
    await follower.restart({ pendingMs: null });
    const before = new Map(counted.asked.methods);
    await mine(10);
    await follower.reached(await tip());
    const asked = (method: string) => (counted.asked.methods.get(method) ?? 0) - (before.get(method) ?? 0);
    const methods = ['eth_getBalance', 'eth_getTransactionCount', 'eth_getCode', 'eth_getStorageAt'];
    expect(methods.map(asked)).toEqual([20, 20, 20, 20]);
    expect(['eth_getLogs', 'eth_getTransactionReceipt', 'eth_call'].map(asked)).toEqual([0, 0, 0]);
  });
});
