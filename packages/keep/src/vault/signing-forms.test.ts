import { toHex, createZones } from '@keepwatch/base';
import { encodeAuthorization, encodeUnsigned, type Address, type Transaction } from '@keepwatch/evm';
import type { CommandParams } from '@keepwatch/protocol';

import { encodeFunctionData, erc20Abi, hashMessage, hashTypedData, keccak256, recoverAddress, type Hex } from 'viem';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRegistration } from '../methods/proposals.ts';
import { listGrants, visibleWallets } from '../methods/queries.ts';
import { askedOf, ETHER, makePeer, makeVault, RECIPIENT, type TestPeer } from './test-vault.fixture.ts';

/** What clients have signed besides plain transfers, through the vault's real keys, engine and journal. */

const CHAIN = 'eip155:1';
const TOKEN: Address = `0x${'aa'.repeat(20)}`;
const DELEGATE: Address = `0x${'dd'.repeat(20)}`;
type Vault = Awaited<ReturnType<typeof makeVault>>;
type Draft = CommandParams<'grant.create'>['grant'];

let v: Vault;
let client: TestPeer;
let wallet: { wallet: string; address: string };

beforeEach(async () => {
  v = await makeVault();
  await v.init();
  client = await v.client();
  wallet = await v.wallet();
});
afterEach(() => v.remove());

const ask = () => askedOf(v, wallet.wallet);
const create = (draft: object) =>
  v.command('grant.create', {
    grant: { client: client.session.peer, wallet: wallet.wallet, chain: CHAIN, ...draft } as unknown as Draft,
  });
const fee = { type: 'max-fee', limit: ETHER.toString() };
const volume = (asset: string, limit: bigint) => ({
  ...{ type: 'volume', asset, limit: limit.toString(), window: { seconds: 86_400 } },
});
const transaction = (more: object) =>
  `0x${toHex(
    encodeUnsigned({
      ...{ type: 'eip1559', chainId: 1, nonce: 0, maxPriorityFeePerGas: 1n, maxFeePerGas: 10n, gasLimit: 100_000n },
      ...{ to: RECIPIENT, value: 0n, data: new Uint8Array(0), accessList: [] },
      ...more,
    } as unknown as Transaction),
  )}`;
const send = (more: object) => v.signing.transaction(client.session, { ...ask(), transaction: transaction(more) });
const reasons = (...codes: string[]) => ({ code: 'denied', details: { reasons: codes.map((code) => ({ code })) } });
const call = (data: Hex) => Uint8Array.from(Buffer.from(data.slice(2), 'hex'));
const registerToken = () =>
  v.command('contract.register', {
    entry: {
      ...{ chain: CHAIN, address: TOKEN, name: 'Test dollar', symbol: 'TUSD', decimals: 6 },
      ...{ standards: ['erc20'], functions: [] },
    },
  });
const transfer = (amount: bigint) =>
  call(encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [RECIPIENT as Hex, amount] }));
const approve = (amount: bigint) =>
  call(encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [RECIPIENT as Hex, amount] }));

describe('a contract', () => {
  const entry = { ...{ chain: CHAIN, address: TOKEN, name: 'Club' }, ...{ standards: [], functions: ['leave()'] } };
  const vote = {
    ...{ type: 'function', name: 'vote' },
    inputs: [
      { name: 'order', type: 'tuple[]', components: [{ name: 'id', type: 'uint256', internalType: 'uint256' }] },
      { name: '', type: 'bool' },
    ],
  };
  const register = (abi: unknown, contract?: string) =>
    v.command('contract.register', {
      entry,
      abi: { text: typeof abi === 'string' ? abi : JSON.stringify(abi), ...(contract ? { contract } : {}) },
    });
  const lines = () => v.vault.unsealed!.state.contracts.entries[0]!.entry.functions;

  it.each([
    ['an ABI', [vote, { type: 'event', name: 'Voted', inputs: [] }]],
    ['an artefact of Foundry', { abi: [vote], bytecode: { object: '0x6080' } }],
    ['an artefact of Hardhat', { _format: 'hh-sol-artifact-1', contractName: 'Club', abi: [vote] }],
    ['the output of solc', { contracts: { 'Club.sol': { Club: { abi: [vote] } } } }],
  ])('is known by %s', async (_, abi) => {
    await expect(register(abi)).resolves.toMatchObject({ value: { functions: 2 } });
    expect(lines()).toEqual(['leave()', 'vote((uint256 id)[] order, bool)']);
  });

  it('is refused with an ABI that can be read in two ways or not at all', async () => {
    const two = { contracts: { 'Club.sol': { Club: { abi: [vote] }, Other: { abi: [] } } } };
    for (const [abi, reason] of [
      ['no JSON', 'abi_not_json'],
      [{ bytecode: '0x' }, 'abi_missing'],
      [two, 'abi_ambiguous_artefact'],
      [[vote, vote], 'abi_duplicate_function'],
      [[{ ...vote, type: 'functoin' }], 'abi_malformed_entry'],
      [[{ ...vote, inputs: [{ name: 'x', type: 'uint' }] }], 'abi_unknown_type'],
      [[{ ...vote, name: 'leave', inputs: [] }], 'registry_function_conflict'],
    ] as const) {
      await expect(register(abi)).rejects.toMatchObject({ code: 'contract_invalid', details: { reason } });
    }
    await register(two, 'Club');
    expect(lines()).toHaveLength(2);
  });
});

describe('tokens', () => {
  const tokenGrant = (more: object = {}) =>
    create({
      ...{ kind: 'token-transfer', assets: [{ asset: `erc20:${TOKEN}`, symbol: 'TUSD', decimals: 6 }] },
      ...{ routes: ['transfer', 'approve'], recipients: [RECIPIENT], spenders: [RECIPIENT] },
      constraints: [volume(`erc20:${TOKEN}`, 300_000_000n), fee],
      ...more,
    });

  it('are opaque until an operator says what the contract is, and again when it is removed', async () => {
    await registerToken();
    await tokenGrant();
    const signed = await send({ to: TOKEN, data: transfer(250_000_000n) });
    const entry = JSON.parse(signed.receipt.entry) as { asks: string };
    expect(entry.asks).toBe(`Client bot wants to transfer 250 TUSD to ${RECIPIENT} on Ethereum`);
    await v.command('contract.remove', { chain: CHAIN, address: TOKEN });
    await expect(send({ to: TOKEN, data: transfer(1n), nonce: 1 })).rejects.toMatchObject({ code: 'denied' });
  });

  it('spend one budget over transfer and approve', async () => {
    await registerToken();
    await tokenGrant();
    await send({ to: TOKEN, data: transfer(200_000_000n) });
    const tooMuch = send({ to: TOKEN, data: approve(100_000_001n), nonce: 1 });
    await expect(tooMuch).rejects.toMatchObject(reasons('volume_exceeded'));
    await send({ to: TOKEN, data: approve(100_000_000n), nonce: 1 });
    await expect(send({ to: TOKEN, data: transfer(1n), nonce: 2 })).rejects.toMatchObject(reasons('volume_exceeded'));
    const unlimited = send({ to: TOKEN, data: approve((1n << 256n) - 1n), nonce: 2 });
    await expect(unlimited).rejects.toMatchObject({ code: 'denied' });
  });

  it('that are outstanding come free by the word of an observer, and never of who asked', async () => {
    await registerToken();
    const outstanding = { type: 'outstanding', asset: `erc20:${TOKEN}`, limit: '250000000' };
    await tokenGrant({ constraints: [volume(`erc20:${TOKEN}`, 10n ** 12n), outstanding, fee] });
    const { receipt } = await send({ to: TOKEN, data: transfer(250_000_000n) });
    v.clock.pass(400 * 86_400_000);
    await v.command('vault.confirm-time', { time: v.clock.now().wallMs });
    const more = () => send({ to: TOKEN, data: transfer(1n), nonce: 1 });
    await expect(more()).rejects.toMatchObject(reasons('outstanding_exceeded'));
    const settle = { wallet: wallet.wallet, seq: receipt.seq, outcome: 'executed' as const };
    await expect(v.command('wallet.settle', { ...settle, seq: 1 })).rejects.toMatchObject({
      code: 'settlement_unknown',
    });
    await v.command('wallet.settle', settle);
    await more();
    await expect(v.command('wallet.settle', settle)).rejects.toMatchObject({ code: 'settlement_unknown' });
  });

  it('keep their registry over a restart, and in the journal’s fold', async () => {
    await registerToken();
    await tokenGrant();
    const again = await v.reopen();
    await again.unseal();
    const state = again.vault.unsealed!.state;
    expect(state.contracts).toMatchObject({ version: 1, entries: [{ entry: { symbol: 'TUSD' } }] });
    const params = { ...ask(), transaction: transaction({ to: TOKEN, data: transfer(5n) }) };
    await again.signing.transaction(client.session, params);
  });
});

describe('a stuck transaction', () => {
  beforeEach(() =>
    v.grant(client, wallet.wallet, {
      constraints: [{ ...volume('native', 2n * ETHER) } as never],
    }),
  );
  const value = ETHER;

  it('is replaced by the same at a higher fee, which is charged once', async () => {
    await send({ value });
    const higher = { value, maxFeePerGas: 20n, maxPriorityFeePerGas: 2n };
    const { receipt } = await send(higher);
    const entry = JSON.parse(receipt.entry) as { replaces: string; budgets: { spentAfter: string }[] };
    expect(entry.replaces).toBe('same-intent');
    expect(entry.budgets[0]!.spentAfter).toBe((ETHER + 20n * 100_000n).toString());
    await expect(
      send({ ...higher, value: value + 1n, maxFeePerGas: 30n, maxPriorityFeePerGas: 3n }),
    ).rejects.toMatchObject(reasons('replacement_refused'));
    await expect(send({ value, maxFeePerGas: 30n, maxPriorityFeePerGas: 2n })).rejects.toMatchObject(
      reasons('replacement_refused'),
    );
  });

  it('is cancelled by nothing at all, to the wallet itself, whatever the recipients of the grant', async () => {
    await send({ value });
    const nothing = { to: wallet.address as Address, value: 0n, maxFeePerGas: 20n, maxPriorityFeePerGas: 2n };
    const { receipt } = await send(nothing);
    expect(JSON.parse(receipt.entry)).toMatchObject({ replaces: 'cancellation' });
    // What the first one took stays taken: nobody knows which of them the chain will take.
    await expect(send({ value, nonce: 1 })).rejects.toMatchObject(reasons('volume_exceeded'));
  });

  it('is not replaced beyond the budget, nor by another client', async () => {
    await send({ value: 2n * ETHER - 10n ** 6n - 1n, maxFeePerGas: 10n });
    await expect(
      send({ value: 2n * ETHER - 10n ** 6n - 1n, maxFeePerGas: 20n, maxPriorityFeePerGas: 2n }),
    ).rejects.toMatchObject(reasons('volume_exceeded'));
    const other = await v.client('other');
    await v.grant(other, wallet.wallet);
    const stolen = v.signing.transaction(other.session, {
      ...ask(),
      transaction: transaction({ to: wallet.address as Address, maxFeePerGas: 20n, maxPriorityFeePerGas: 2n }),
    });
    await expect(stolen).rejects.toMatchObject(reasons('replacement_refused'));
  });

  const ether = (limit: bigint) => volume('native', limit) as never;
  const nothing = () => ({ to: wallet.address as Address, value: 0n });
  const [fees2, fees3] = [
    { maxFeePerGas: 20n, maxPriorityFeePerGas: 2n },
    { maxFeePerGas: 30n, maxPriorityFeePerGas: 3n },
  ];
  const entryOf = ({ receipt }: Awaited<ReturnType<typeof send>>) =>
    JSON.parse(receipt.entry) as { grant: string; replaces: string; budgets: { spentAfter: string }[] };

  it('whose grant has ended is taken over by another grant, which covers it and pays all of it', async () => {
    await send({ value });
    await v.command('grant.revoke', { grant: 'g1' });
    await expect(send({ value, ...fees2 })).rejects.toMatchObject(reasons('no_grant'));
    await v.grant(client, wallet.wallet, { constraints: [ether(value + 1_999_999n)] });
    await expect(send({ value, ...fees2 })).rejects.toMatchObject(reasons('volume_exceeded'));
    await v.grant(client, wallet.wallet, { constraints: [ether(value + 3_000_000n)] });
    await expect(send({ value: value + 1n, ...fees2 })).rejects.toMatchObject(reasons('replacement_refused'));
    const taken = entryOf(await send({ value, ...fees2 }));
    expect(taken).toMatchObject({ grant: 'g3', replaces: 'same-intent' });
    expect(taken.budgets[0]!.spentAfter).toBe(`${value + 2_000_000n}`);
    // From now on it is that one's, which pays what the fee adds and no more.
    const again = entryOf(await send({ value, ...fees3 }));
    expect(again).toMatchObject({ grant: 'g3', replaces: 'same-intent' });
    expect(again.budgets[0]!.spentAfter).toBe(`${value + 3_000_000n}`);
  });

  it('whose grant has ended, by the clock too, is cancelled by any grant that pays for the fee', async () => {
    const untilMs = v.clock.now().wallMs + 30_000;
    await v.command('grant.revoke', { grant: 'g1' });
    await v.grant(client, wallet.wallet, {
      constraints: [ether(2n * ETHER), { type: 'validity', fromMs: null, untilMs }],
    });
    await send({ value });
    await v.grant(client, wallet.wallet, { constraints: [ether(1_999_999n)] });
    v.clock.pass(29_000);
    // As long as the grant that paid is in force it pays, and no other.
    expect(entryOf(await send({ ...nothing(), ...fees2 }))).toMatchObject({ grant: 'g2', replaces: 'cancellation' });
    v.clock.pass(1_000);
    await expect(send({ ...nothing(), ...fees3 })).rejects.toMatchObject({ code: 'denied' });
    await v.grant(client, wallet.wallet, { constraints: [ether(3_000_000n)] });
    const cancelled = entryOf(await send({ ...nothing(), ...fees3 }));
    expect(cancelled).toMatchObject({ grant: 'g4', replaces: 'cancellation' });
    expect(cancelled.budgets[0]!.spentAfter).toBe('3000000');
  });

  it('of a client that was revoked is taken over by another one, under its own grants', async () => {
    await send({ value });
    const other = await v.client('other');
    await v.grant(other, wallet.wallet, { constraints: [ether(2n * ETHER)] });
    const asOther = (change: Parameters<typeof transaction>[0]) =>
      v.signing.transaction(other.session, { ...ask(), transaction: transaction(change) });
    await expect(asOther({ value, ...fees2 })).rejects.toMatchObject(reasons('replacement_refused'));
    await v.command('peer.revoke', { peer: client.session.peer });
    await expect(asOther({ value: 1n, ...fees2 })).rejects.toMatchObject(reasons('replacement_refused'));
    expect(entryOf(await asOther({ value, ...fees2 }))).toMatchObject({ grant: 'g2', replaces: 'same-intent' });
    expect(entryOf(await asOther({ ...nothing(), ...fees3 }))).toMatchObject({ grant: 'g2', replaces: 'cancellation' });
  });
});

describe('typed data, text and authorisations', () => {
  const typed = {
    types: {
      EIP712Domain: [
        { name: 'name', type: 'string' },
        { name: 'chainId', type: 'uint256' },
        { name: 'verifyingContract', type: 'address' },
      ],
      Vote: [{ name: 'proposal', type: 'uint256' }],
    },
    primaryType: 'Vote',
    domain: { name: 'Club', chainId: 1, verifyingContract: TOKEN },
    message: { proposal: '7' },
  } as const;
  const sign = (data: object = typed) =>
    v.signing.typedData(client.session, { ...ask(), typedData: JSON.stringify(data) });

  it('typed data is signed under a grant that names contract, type and field', async () => {
    await create({
      ...{ kind: 'typed-data', contract: TOKEN, name: 'Club', constraints: [] },
      types: [{ primaryType: 'Vote', where: [{ path: '/proposal', test: 'equals', value: '7' }] }],
      acknowledge: 'what the signed data allows is not understood',
    });
    const { signature } = await sign();
    const hash = hashTypedData(typed as never);
    expect((await recoverAddress({ hash, signature: signature as Hex })).toLowerCase()).toBe(wallet.address);
    await expect(sign({ ...typed, message: { proposal: '8' } })).rejects.toMatchObject({ code: 'denied' });
    await expect(sign({ ...typed, domain: { ...typed.domain, chainId: 2 } })).rejects.toMatchObject({
      code: 'typed_data_refused',
    });
    await expect(sign({ ...typed, message: {} })).rejects.toMatchObject({ code: 'typed_data_refused' });
  });

  it('a text is signed under a grant that says how it begins; digests are no text', async () => {
    await create({ kind: 'message', messages: [{ prefix: 'Log in to Club: ' }], constraints: [] });
    const say = (message: string) => v.signing.message(client.session, { ...ask(), message });
    const { signature } = await say('Log in to Club: 42');
    const hash = hashMessage('Log in to Club: 42');
    expect((await recoverAddress({ hash, signature: signature as Hex })).toLowerCase()).toBe(wallet.address);
    await expect(say('Log out')).rejects.toMatchObject({ code: 'denied' });
    await expect(say(`0x${'ab'.repeat(32)}`)).rejects.toMatchObject({ code: 'message_refused' });
  });

  it('an authorisation takes its nonce, and makes calls to the wallet itself calls from then on', async () => {
    await v.grant(client, wallet.wallet);
    await create({
      ...{ kind: 'delegation', delegates: [DELEGATE], constraints: [] },
      acknowledge: 'the delegate controls the whole wallet on this chain',
    });
    const authorize = (chainId: number, address: Address, nonce: number) =>
      v.signing.authorization(client.session, {
        ...ask(),
        authorization: `0x${toHex(encodeAuthorization({ chainId, address, nonce }))}`,
      });
    await expect(authorize(0, DELEGATE, 3)).rejects.toMatchObject({ code: 'wrong_chain' });
    await expect(authorize(1, TOKEN, 3)).rejects.toMatchObject(reasons('delegate_not_granted'));
    await authorize(1, DELEGATE, 3);
    await expect(send({ value: 1n, nonce: 3 })).rejects.toMatchObject(reasons('replacement_refused'));
    await send({ value: 1n, nonce: 4 });
    // With code at the wallet's address a transfer to itself is a call of that code, and cancels nothing.
    const nothing = { to: wallet.address as Address, nonce: 4, maxFeePerGas: 20n, maxPriorityFeePerGas: 2n };
    await expect(send(nothing)).rejects.toMatchObject(reasons('replacement_refused'));
    await v.command('wallet.delegated', { wallet: wallet.wallet, chain: CHAIN, delegated: false });
    await send(nothing);
  });

  it('every type of transaction is signed as it was asked for', async () => {
    await v.grant(client, wallet.wallet);
    for (const [nonce, type] of ['legacy', 'eip2930', 'eip1559'].entries()) {
      const fees = type === 'eip1559' ? {} : { gasPrice: 10n };
      const asked = { type, value: 1n, nonce, ...fees } as never;
      const { signature } = await send(asked);
      const hash = keccak256(transaction(asked) as Hex);
      expect((await recoverAddress({ hash, signature: signature as Hex })).toLowerCase(), type).toBe(wallet.address);
    }
  });
});

describe('a request that needs operators', () => {
  let second: TestPeer;
  beforeEach(async () => {
    await v.grant(client, wallet.wallet, {
      constraints: [
        volume('native', 2n * ETHER),
        { type: 'quorum', above: { asset: 'native', amount: (ETHER / 2n).toString() }, approvals: 2 },
      ] as never,
    });
    second = makePeer('operator');
    await createRegistration(v.vault)({ ...second.session, caller: 'candidate' }, { name: 'second', role: 'operator' });
    await v.command('peer.approve', { peer: second.session.peer, role: 'operator', name: 'second' });
  });
  const waiting = () => [...v.vault.unsealed!.state.approvals.values()];
  const seen = () => {
    const [{ id, digest, sentence }] = waiting() as [ReturnType<typeof waiting>[number]];
    return { approval: id, digest, asks: sentence };
  };

  it('is signed once two of them agreed to these very bytes, and once only', async () => {
    await send({ value: ETHER / 4n });
    const large = { value: ETHER, nonce: 1 };
    await expect(send(large)).rejects.toMatchObject({ code: 'approval_needed', details: { needed: 2, given: 0 } });
    await expect(send(large)).rejects.toMatchObject({ code: 'approval_needed' });
    expect(waiting()).toMatchObject([{ nonce: 1, maxFeeWei: expect.stringMatching(/^[1-9][0-9]*$/) as string }]);
    expect(waiting()).toHaveLength(1);
    expect(seen().asks).toBe(`Client bot wants to transfer 1 ETH to ${RECIPIENT} on Ethereum`);
    await v.command('approval.give', seen());
    await expect(v.command('approval.give', seen())).rejects.toMatchObject({
      code: 'approval_given',
      remedy: 'Another operator has to agree as well: 1 of 2 have.',
    });
    await expect(send(large)).rejects.toMatchObject({ code: 'approval_needed', details: { given: 1 } });
    await expect(v.command('approval.give', { ...seen(), asks: 'something else' })).rejects.toMatchObject({
      code: 'approval_differs',
    });
    await v.command('approval.give', seen(), { by: second });
    await expect(v.command('approval.give', seen())).rejects.toMatchObject({
      remedy: 'Enough operators have agreed: the client asks again, and gets its signature.',
    });
    // Others than these bytes are not what was agreed to.
    await expect(send({ ...large, value: ETHER + 1n })).rejects.toMatchObject({ code: 'approval_needed' });
    await send(large);
    expect(waiting()).toHaveLength(1);
    expect(v.happened.filter((each) => each.startsWith('approved'))).toHaveLength(1);
  });

  it('waits in vain when one is revoked, when it is rejected, and after a day', async () => {
    const large = { value: ETHER };
    await expect(send(large)).rejects.toMatchObject({ code: 'approval_needed' });
    await v.command('approval.give', seen(), { by: second });
    await v.command('peer.revoke', { peer: second.session.peer });
    const { value } = await v.command('approval.give', seen());
    // The client is told what counts: the word of who was revoked does not.
    expect(value).toEqual({ given: 1, needed: 2 });
    expect(v.happened.filter((each) => each.startsWith('approved'))).toEqual([]);
    await expect(send(large)).rejects.toMatchObject({ code: 'approval_needed', details: { given: 1 } });
    await v.command('approval.reject', { approval: seen().approval });
    expect(waiting()).toHaveLength(0);
    await expect(send(large)).rejects.toMatchObject({ details: { given: 0 } });
    v.clock.pass(25 * 3_600_000);
    await v.command('vault.confirm-time', { time: v.clock.now().wallMs });
    expect(waiting()).toHaveLength(0);
  });

  it('waits over a restart', async () => {
    await expect(send({ value: ETHER })).rejects.toMatchObject({ code: 'approval_needed' });
    const again = await v.reopen();
    await again.unseal();
    expect(again.vault.unsealed!.state.approvals.size).toBe(1);
  });
});

describe('a group of clients', () => {
  it('shares a grant and its budget', async () => {
    await v.grant(client, wallet.wallet, { client: { group: 'payers' } as never });
    await expect(send({ value: 1n })).rejects.toMatchObject(reasons('no_grant'));
    const other = await v.client('other');
    for (const { session } of [client, other])
      await v.command('peer.groups', { peer: session.peer, groups: ['payers'] });
    await send({ value: ETHER });
    // Who may sign by a group's grant sees the wallet and the grant: a program checks the signature by its address.
    const { state } = v.vault.unsealed!;
    const seenBy = ({ session }: TestPeer) => [
      [...visibleWallets(state, session.peer)],
      listGrants(state, session.peer, {}, v.clock.now().wallMs, createZones(process.versions.tz)).grants.map(
        ({ grant }) => grant,
      ),
    ];
    expect(seenBy(other)).toEqual([[wallet.wallet], ['g1']]);
    expect(seenBy(await v.client('stranger'))).toEqual([[], []]);
    const over = v.signing.transaction(other.session, {
      ...ask(),
      transaction: transaction({ value: ETHER, nonce: 1 }),
    });
    await expect(over).rejects.toMatchObject(reasons('volume_exceeded'));
    await v.command('peer.groups', { peer: client.session.peer, groups: [] });
    await expect(send({ value: 1n, nonce: 1 })).rejects.toMatchObject(reasons('no_grant'));
  });
});
