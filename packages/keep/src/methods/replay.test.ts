import { randomBytes } from 'node:crypto';
import { toHex } from '@keepwatch/base';
import { encodeUnsigned, type Address, type Transaction } from '@keepwatch/evm';
import type { GrantDraft, ReplayChange, ReplayStep } from '@keepwatch/protocol';
import { uuidV7 } from '@keepwatch/wire';
import { encodeFunctionData, erc20Abi, type Hex } from 'viem';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeEntry } from '../state/events.ts';
import { stateDigest } from '../state/snapshot.ts';
import { makePeer, makeVault, RECIPIENT, type TestPeer } from '../vault/test-vault.fixture.ts';
import { dropReplay, loadCandidates, stepReplay } from './replay.ts';

/** Candidates against a journal that a real vault wrote. */

const CHAIN = 'eip155:1';
const TOKEN: Address = `0x${'aa'.repeat(20)}`;
const OTHER = `0x${'33'.repeat(20)}`;

let v: Awaited<ReturnType<typeof makeVault>>;
let client: TestPeer;
let wallet: string;

beforeEach(async () => {
  v = await makeVault();
  await v.init();
  client = await v.client();
  ({ wallet } = await v.wallet());
});
afterEach(() => v.remove());

type Draft = Extract<GrantDraft, { kind: 'ether-transfer' }>;
type Constraint = Draft['constraints'][number];

const volume = (limit: bigint, window: object = { seconds: 3_600 }, asset = 'native') =>
  ({ type: 'volume', asset, limit: limit.toString(), window }) as Constraint;
const ether = (constraints: Constraint[], more: Partial<Draft> = {}): Draft => ({
  client: client.session.peer,
  wallet,
  chain: CHAIN,
  kind: 'ether-transfer',
  recipients: [RECIPIENT],
  constraints,
  ...more,
});
const create = async (grant: GrantDraft) =>
  ((await v.command('grant.create', { grant })).value as { grant: string }).grant;

interface Asked {
  readonly nonce?: number;
  readonly value?: bigint;
  readonly to?: string;
  readonly data?: Uint8Array;
  readonly price?: bigint;
}

/** The fee is the price, so that sums are easily seen: 1 gas is not what a node takes, but no rule of these grants minds. */
function request({ nonce = 0, value = 0n, to = RECIPIENT, data = new Uint8Array(), price = 1n }: Asked) {
  const now = v.clock.now().wallMs;
  const transaction = {
    type: 'eip1559',
    chainId: 1,
    nonce,
    maxPriorityFeePerGas: price,
    maxFeePerGas: price,
    gasLimit: 1n,
    to,
    value,
    data,
    accessList: [],
  } as unknown as Transaction;
  return {
    wallet,
    chain: CHAIN,
    key: uuidV7(now, randomBytes),
    expires: now + 60_000,
    transaction: `0x${toHex(encodeUnsigned(transaction))}`,
  };
}

/** Whether it was signed; and time goes on a little. */
async function ask(asked: Asked, by = client): Promise<'signed' | 'denied' | 'waits'> {
  v.clock.pass(1_000);
  return v.signing.transaction(by.session, request(asked)).then(
    () => 'signed',
    ({ code }: { code: string }) => {
      if (code !== 'denied' && code !== 'approval_needed') throw new Error(code);
      return code === 'denied' ? 'denied' : 'waits';
    },
  );
}

async function replay(grants: readonly GrantDraft[], session = v.operator.session) {
  loadCandidates(v.vault, session, { from: 0, grants: [...grants] });
  const changes: ReplayChange[] = [];
  const leftOut: ReplayStep['leftOut'] = [];
  for (;;) {
    const step = await stepReplay(v.vault, session);
    changes.push(...step.changes);
    leftOut.push(...step.leftOut);
    if (step.finished) return { changes, leftOut, totals: step.totals };
  }
}

const verdicts = ({ changes }: Awaited<ReturnType<typeof replay>>) =>
  changes.map(({ was, now }) => `${was.verdict} → ${now.verdict}`);

describe('budgets', () => {
  it('fill up in order and at the time of each request, by what the candidates permit', async () => {
    await create(ether([volume(1_000n)]));
    for (let nonce = 0; nonce < 4; nonce++) expect(await ask({ nonce, value: 99n })).toBe('signed');
    v.clock.pass(3_600_000);
    expect(await ask({ nonce: 4, value: 99n })).toBe('signed');

    // Two fit an hour, and the last one another.
    const report = await replay([ether([volume(200n)])]);
    expect(verdicts(report)).toEqual(['permit → deny', 'permit → deny']);
    const [third] = report.changes;
    expect(third).toMatchObject({
      client: client.session.peer,
      asks: expect.stringContaining('0.000000000000000099 ETH'),
      was: { verdict: 'permit', grant: 'g1', words: [] },
      now: { verdict: 'deny', grant: null, words: [expect.stringContaining('candidate 1')] },
    });
    expect(report.totals.verdicts.permit).toEqual({ permit: 3, deny: 2, 'needs-approval': 0 });
    expect(report.totals.otherGrant).toBe(3);
    expect(report.totals.entries).toBe(v.vault.unsealed!.state.seq);
  });

  it('say what would be permitted, and by which candidate', async () => {
    await create(ether([volume(100n)]));
    expect(await ask({ value: 500n })).toBe('denied');
    const report = await replay([ether([volume(100n)]), ether([volume(1_000n)], { label: 'wide' })]);
    expect(verdicts(report)).toEqual(['deny → permit']);
    const { was, now } = report.changes[0]!;
    expect(was.words[0]).toContain('g1');
    expect(now).toEqual({ verdict: 'permit', grant: 'candidate 2', words: [] });
  });

  it('change nothing where the candidates are what is in force, by the names of those', async () => {
    await create(ether([volume(100n)]));
    await create(ether([volume(50n), { type: 'count', limit: 2, window: { seconds: 60 } }], { label: 'second' }));
    for (let nonce = 0; nonce < 6; nonce++) await ask({ nonce, value: 40n });
    const live = [...v.vault.unsealed!.state.grants.values()].map(({ draft }) => draft);
    const report = await replay([live[1]!, live[0]!]);
    expect(report.changes).toEqual([]);
    expect(report.totals.otherGrant).toBe(0);
  });

  it('of nobody permit nothing', async () => {
    await create(ether([volume(100n)]));
    await ask({ value: 5n });
    expect(verdicts(await replay([]))).toEqual(['permit → deny']);
  });

  it('are not those of grants that came and went, nor of a client that was revoked in between', async () => {
    const grant = await create(ether([volume(100n)]));
    expect(await ask({ value: 9n })).toBe('signed');
    await v.command('grant.revoke', { grant });
    expect(await ask({ nonce: 1, value: 9n })).toBe('denied');
    const other = await v.client('other');
    await v.command('peer.revoke', { peer: other.session.peer });
    const report = await replay([ether([volume(100n)])]);
    expect(verdicts(report)).toEqual(['deny → permit']);
  });

  it('that are outstanding fall when a request was settled', async () => {
    const outstanding = (limit: bigint): Constraint => ({ type: 'outstanding', asset: 'native', limit: `${limit}` });
    await create(ether([volume(1_000n), outstanding(1_000n)]));
    await ask({ nonce: 0, value: 99n });
    const { seq } = v.vault.unsealed!.state;
    await ask({ nonce: 1, value: 99n });
    await v.command('wallet.settle', { wallet, seq, outcome: 'executed' });
    await ask({ nonce: 2, value: 99n });
    const tight = [ether([volume(1_000n), outstanding(100n)])];
    expect((await replay(tight)).changes.map(({ now }) => now.words)).toEqual([
      [expect.stringContaining('signed and not settled')],
    ]);
  });
});

describe('nonces', () => {
  it('are replaced where what they are taken from was permitted, and are new otherwise', async () => {
    await create(ether([volume(1_000n)]));
    expect(await ask({ value: 100n, price: 10n })).toBe('signed');
    expect(await ask({ value: 100n, price: 30n })).toBe('signed');
    // The fee of the second alone is added: 100 + 10 + 20.
    expect((await replay([ether([volume(130n)])])).changes).toEqual([]);
    expect(verdicts(await replay([ether([volume(129n)])]))).toEqual(['permit → deny']);
    // The first is denied, so the second is no replacement: 100 + 30.
    const young = [ether([volume(130n), { type: 'validity', fromMs: v.clock.now().wallMs - 500, untilMs: null }])];
    expect(verdicts(await replay(young))).toEqual(['permit → deny']);
  });

  it('that the candidates gave to a request that was denied leave out what followed it', async () => {
    await create(ether([volume(100n)]));
    expect(await ask({ value: 500n, price: 10n })).toBe('denied');
    expect(await ask({ value: 50n, price: 10n })).toBe('signed');
    expect(await ask({ value: 50n, price: 20n })).toBe('signed');
    const report = await replay([ether([volume(1_000n)])]);
    expect(verdicts(report)).toEqual(['deny → permit']);
    expect(report.leftOut.map(({ why }) => why)).toEqual(['nonce_taken', 'nonce_taken']);
    expect(report.totals.leftOut).toBe(2);
  });

  it('that were used stay used', async () => {
    await create(ether([volume(1_000n)]));
    await ask({ value: 50n });
    expect(await ask({ value: 60n })).toBe('denied');
    const report = await replay([ether([volume(1_000n)])]);
    expect(report.changes).toEqual([]);
    expect(report.totals.verdicts.deny.deny).toBe(1);
  });
});

describe('approvals', () => {
  const quorum = (approvals: number): Constraint => ({
    type: 'quorum',
    above: { asset: 'native', amount: '10' },
    approvals,
  });

  async function agree() {
    const [waiting] = v.vault.unsealed!.state.approvals.values();
    const { id, digest, sentence } = waiting!;
    await v.command('approval.give', { approval: id, digest, asks: sentence });
  }

  it('that were given count, and what needs none is permitted when it was asked for', async () => {
    await create(ether([volume(1_000n), quorum(1)]));
    const asked = request({ value: 99n });
    const again = () => v.signing.transaction(client.session, asked);
    await expect(again()).rejects.toMatchObject({ code: 'approval_needed' });
    await agree();
    await again();

    expect((await replay([ether([volume(1_000n), quorum(1)])])).changes).toEqual([]);
    const free = await replay([ether([volume(100n)])]);
    expect(verdicts(free)).toEqual(['needs-approval → permit']);
    expect(free.totals.verdicts.permit.permit).toBe(1);
    const two = await replay([ether([volume(1_000n), quorum(2)])]);
    expect(two.changes.map(({ was, now }) => [was.verdict, now.verdict, now.words])).toEqual([
      ['permit', 'needs-approval', ['2 operators have to agree']],
    ]);
  });

  it('are used once for typed data, which have no nonce to tell them by', async () => {
    const token = { chain: CHAIN, address: TOKEN, name: 'Test dollar', symbol: 'TUSD', decimals: 6 };
    await v.command('contract.register', { entry: { ...token, standards: ['erc20', 'eip2612'], functions: [] } });
    const asset = `erc20:${TOKEN}`;
    const permits = (more: Constraint[]): GrantDraft => ({
      client: client.session.peer,
      wallet,
      chain: CHAIN,
      kind: 'typed-data',
      contract: TOKEN,
      types: [{ primaryType: 'Permit', where: [] }],
      recipients: [RECIPIENT],
      constraints: [volume(100n, { ever: true }, asset), ...more],
    });
    const { address } = v.vault.unsealed!.state.wallets.get(wallet)!;
    const fields = ['owner address', 'spender address', 'value uint256', 'nonce uint256', 'deadline uint256'];
    const typedData = JSON.stringify({
      types: {
        EIP712Domain: [
          { name: 'chainId', type: 'uint256' },
          { name: 'verifyingContract', type: 'address' },
        ],
        Permit: fields.map((field) => ({ name: field.split(' ')[0], type: field.split(' ')[1] })),
      },
      primaryType: 'Permit',
      domain: { chainId: 1, verifyingContract: TOKEN },
      message: { owner: address, spender: RECIPIENT, value: '100', nonce: '0', deadline: '9999999999' },
    });
    const say = () => {
      const now = v.clock.now().wallMs;
      const named = { wallet, chain: CHAIN, key: uuidV7(now, randomBytes), expires: now + 60_000 };
      return v.signing.typedData(client.session, { ...named, typedData });
    };
    await create(permits([{ type: 'quorum', above: { asset, amount: '10' }, approvals: 1 }]));
    await expect(say()).rejects.toMatchObject({ code: 'approval_needed' });
    await agree();
    v.clock.pass(3 * 3_600_000);
    await say();
    // At once, and not again: the volume is enough for one of them.
    const free = await replay([permits([])]);
    expect(verdicts(free)).toEqual(['needs-approval → permit']);
    expect(free.totals.verdicts.permit.permit).toBe(1);
  });
});

describe('what was asked', () => {
  const transfer = (amount: bigint) =>
    Uint8Array.from(
      Buffer.from(
        encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [RECIPIENT as Hex, amount] }).slice(2),
        'hex',
      ),
    );
  const tokens = (limit: bigint): GrantDraft => ({
    client: client.session.peer,
    wallet,
    chain: CHAIN,
    kind: 'token-transfer',
    assets: [{ asset: `erc20:${TOKEN}` }],
    routes: ['transfer'],
    recipients: [RECIPIENT],
    spenders: [],
    constraints: [volume(limit, { ever: true }, `erc20:${TOKEN}`), { type: 'max-fee', limit: '100' }],
  });
  const entry = {
    chain: CHAIN,
    address: TOKEN,
    name: 'Test dollar',
    symbol: 'TUSD',
    decimals: 6,
    standards: ['erc20'],
    functions: [],
  };

  it('is understood by the contracts that were registered then', async () => {
    await create(tokens(1_000n));
    expect(await ask({ nonce: 0, to: TOKEN, data: transfer(10n) })).toBe('denied');
    await v.command('contract.register', { entry });
    expect(await ask({ nonce: 1, to: TOKEN, data: transfer(10n) })).toBe('signed');
    await v.command('contract.remove', { chain: CHAIN, address: TOKEN });
    expect(await ask({ nonce: 2, to: TOKEN, data: transfer(10n) })).toBe('denied');
    expect((await replay([tokens(1_000n)])).changes).toEqual([]);
    expect(verdicts(await replay([tokens(9n)]))).toEqual(['permit → deny']);
  });

  it('is asked by the groups of then', async () => {
    const group = ether([volume(1_000n)], { client: { group: 'bots' } });
    await create(group);
    expect(await ask({ nonce: 0, value: 5n })).toBe('denied');
    await v.command('peer.groups', { peer: client.session.peer, groups: ['bots'] });
    expect(await ask({ nonce: 1, value: 5n })).toBe('signed');
    await v.command('peer.groups', { peer: client.session.peer, groups: [] });
    expect((await replay([group])).changes).toEqual([]);
  });

  it('is left out, and said so, where it was too long to be journaled', async () => {
    await create(ether([volume(1_000n)]));
    // As long as the init code of a contract can be: nothing is left out.
    expect(await ask({ nonce: 0, data: new Uint8Array(49_152), to: OTHER })).toBe('denied');
    expect(await replay([ether([volume(1_000n)])])).toMatchObject({ leftOut: [], changes: [] });
    expect(await ask({ nonce: 0, data: new Uint8Array(50_000), to: OTHER })).toBe('denied');
    const report = await replay([ether([volume(1_000n)])]);
    expect(report.leftOut).toEqual([{ seq: v.vault.unsealed!.state.seq, why: 'too_long' }]);
  });
});

it('decides a long past as it was decided, by the grants that were there all the time', async () => {
  const random = generator(20_260_101);
  const pick = <T>(...items: T[]): T => items[Math.floor(random() * items.length)]!;
  const drafts = [
    ether([volume(300n), { type: 'count', limit: 5, window: { seconds: 30 } }]),
    ether([volume(200n, { calendar: 'day', zone: 'Europe/Berlin' }), { type: 'min-interval', seconds: 3 }]),
    ether([volume(5_000n, { ever: true }), { type: 'max-fee', limit: '20' }], { recipients: [OTHER] }),
  ];
  for (const draft of drafts) await create(draft);
  const seen = { signed: 0, denied: 0, waits: 0 };
  for (let i = 0; i < 400; i++) {
    v.clock.pass(pick(0, 500, 5_000, 60_000));
    if (random() < 0.02) v.clock.pass(12 * 3_600_000);
    const nonce = Math.floor(random() * 120);
    const outcome = await ask({
      ...{ nonce, value: pick(0n, 10n, 40n, 90n), to: pick(RECIPIENT, OTHER), price: pick(1n, 5n, 9n, 30n) },
    });
    seen[outcome]++;
  }
  // Denials beyond the rate are not journaled, so only those that are there are compared.
  expect(Math.min(seen.signed, seen.denied)).toBeGreaterThan(30);
  const same = await replay(drafts);
  expect(same.changes).toEqual([]);
  expect(same.totals).toMatchObject({ otherGrant: 0, leftOut: 0 });
  const journaled = await v.vault.unsealed!.journal.read(1, 10_000);
  if (!journaled.ok) throw new Error(journaled.error.code);
  const count = (type: string) => journaled.value.filter(({ bytes }) => decodeEntry(bytes).type === type).length;
  expect(same.totals.verdicts.permit.permit).toBe(count('request.permitted'));
  expect(same.totals.verdicts.deny.deny).toBe(count('request.denied'));
  // And it can tell: with less, something is denied.
  expect((await replay(drafts.slice(1))).changes.length).toBeGreaterThan(0);
});

/** A small generator of numbers from 0 to 1 (Mulberry32), so that each run is the same. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe('a replay', () => {
  it('consumes nothing, and lets signing go on', async () => {
    await create(ether([volume(100_000n)]));
    for (let nonce = 0; nonce < 200; nonce++) await ask({ nonce, value: 1n });
    const before = await stateDigest(v.vault.unsealed!.state, v.vault.deps.sha256);
    loadCandidates(v.vault, v.operator.session, { from: 0, grants: [ether([volume(100_000n)])] });
    let finished = false;
    const walk = stepReplay(v.vault, v.operator.session).then((step) => {
      finished = true;
      return step;
    });
    const during = stateDigest(v.vault.unsealed!.state, v.vault.deps.sha256);
    await v.signing.transaction(client.session, request({ nonce: 200, value: 1n }));
    expect(finished).toBe(false);
    expect(await during).toBe(before);
    const { totals, changes } = await walk;
    expect(changes).toEqual([]);
    // What came after its beginning is not looked at.
    expect(totals.verdicts.permit.permit).toBe(200);
  });

  it('answers in pieces that fit a frame', async () => {
    await create(ether([volume(10_000_000n)]));
    for (let nonce = 0; nonce < 400; nonce++) await ask({ nonce, value: 1n });
    const long = Array.from({ length: 200 }, () => ether([volume(1n)], { label: 'x'.repeat(60) }));
    loadCandidates(v.vault, v.operator.session, { from: 0, grants: long });
    let changes = 0;
    let steps = 0;
    for (let done = false; !done; steps++) {
      const step = await stepReplay(v.vault, v.operator.session);
      expect(JSON.stringify(step).length).toBeLessThan(150_000);
      changes += step.changes.length;
      done = step.finished;
    }
    expect(changes).toBe(400);
    expect(steps).toBeGreaterThan(1);
  });

  it('is one at a time, of one session, and ends with it and with the seal', async () => {
    const another = makePeer('operator').session;
    const load = (session = v.operator.session, from = 0) =>
      loadCandidates(v.vault, session, { from, grants: [ether([volume(1n)])] });
    const unknown = { code: 'replay_unknown' };
    await expect(stepReplay(v.vault, another)).rejects.toMatchObject(unknown);
    expect(load()).toEqual({ loaded: 1 });
    expect(load(v.operator.session, 1)).toEqual({ loaded: 2 });
    expect(() => load(v.operator.session, 1)).toThrow(expect.objectContaining(unknown));
    load(another);
    await expect(stepReplay(v.vault, v.operator.session)).rejects.toMatchObject(unknown);
    dropReplay(v.vault, v.operator.session);
    await expect(Promise.all([stepReplay(v.vault, another), stepReplay(v.vault, another)])).rejects.toMatchObject({
      code: 'vault_busy',
    });
    load(another);
    dropReplay(v.vault, another);
    await expect(stepReplay(v.vault, another)).rejects.toMatchObject(unknown);
    load(another);
    await v.command('vault.seal', {});
    await expect(stepReplay(v.vault, another)).rejects.toMatchObject({ code: 'vault_sealed' });
    await v.unseal();
    await expect(stepReplay(v.vault, another)).rejects.toMatchObject(unknown);
  });

  it('refuses what is no grant, and more of them than it takes', () => {
    const bad = { ...ether([volume(1n)]), recipients: ['0x12'] } as GrantDraft;
    const load = (from: number, grants: GrantDraft[]) => loadCandidates(v.vault, v.operator.session, { from, grants });
    expect(() => load(0, [ether([volume(1n)]), bad])).toThrow(
      expect.objectContaining({ code: 'grant_invalid', details: expect.objectContaining({ candidate: 2 }) }),
    );
    expect(() => {
      for (let from = 0; ; from += 200)
        load(
          from,
          Array.from({ length: 200 }, () => ether([volume(1n)])),
        );
    }).toThrow(expect.objectContaining({ code: 'replay_too_large' }));
  });
});
