import { fromHex } from '@keepwatch/base';
import { encodeAuthorization } from '@keepwatch/evm';
import type { GrantDraft } from '@keepwatch/protocol';
import { createClient, denialOf, type Client } from '@keepwatch/sdk';
import {
  concat,
  encodeFunctionData,
  erc1155Abi,
  fromRlp,
  hashMessage,
  hashTypedData,
  keccak256,
  maxUint256,
  parseSignature,
  serializeTransaction,
  sha256,
  toRlp,
  type Hex,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  addClient,
  connectAs,
  createWallets,
  grant,
  setUpOperator,
  startVault,
  type SeatedOperator,
  type VaultProcess,
  type Wallet,
} from '../world/index.ts';
import { startDevnet, type Devnet, type Mined } from './devnet.ts';

// A grant of each kind, a real vault and a real chain: what the grant says is signed and works there, what it does not
// say is not signed, and when the limit is reached the chain shows that no more than the limit has left.

const CHAIN = 'eip155:31337';
const ETHER = 10n ** 18n;
/** Of anvil's accounts: the keys are published. */
const alice = privateKeyToAccount('0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d');
const ALICE = alice.address.toLowerCase() as Hex;
const BOB: Hex = '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc';
const EVE: Hex = '0x90f79bf6eb2c4f870365e785982e1f101e93b906';
/** What one transaction costs at most: 300,000 gas at 3 gwei. */
const FEE = 300_000n * 3n * 10n ** 9n;

let devnet: Devnet;
let vault: VaultProcess;
let owner: SeatedOperator;
let client: Client;
let bot: string;
let wallets: readonly Wallet[];
const at: Record<string, Hex> = {};

const calldata = (contract: string, functionName: string, args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi: devnet.contracts[contract]!.abi, functionName, args } as never);
const read = (contract: string, functionName: string, ...args: readonly unknown[]) =>
  devnet.read(at[contract]!, calldata(contract, functionName, args));

beforeAll(async () => {
  [devnet, vault] = await Promise.all([startDevnet(), startVault()]);
  owner = await setUpOperator(vault);
  const { operator } = owner;
  for (const name of ['Coin', 'Nft', 'Items', 'Club', 'Jar', 'Purse']) at[name] = await devnet.create(ALICE, name);
  const register = (name: string, entry: object) =>
    operator.command('contract.register', {
      entry: { chain: CHAIN, address: at[name]!, name, standards: [], functions: [], ...entry },
    });
  await register('Coin', { standards: ['erc20', 'eip2612'], symbol: 'COIN', decimals: 6 });
  await register('Nft', { standards: ['erc721'] });
  await register('Items', { standards: ['erc1155'] });
  await register('Club', { functions: ['join(uint256 level, address member)', 'close(address to)'] });

  const person = await addClient(vault, operator, 'bot');
  bot = person.peer;
  wallets = await createWallets(operator, 'kind', 12);
  for (const { address } of wallets) {
    await devnet.anvil.call('anvil_setBalance', [address, `0x${(10n * ETHER).toString(16)}`]);
  }
  client = createClient(await connectAs(vault, person));
}, 120_000);

afterAll(async () => {
  await vault?.stop();
  await devnet?.stop();
});

interface Sent {
  readonly to?: Hex | null;
  readonly value?: bigint;
  readonly data?: Hex;
  /** Versioned hashes of blobs, and the most that a unit of their gas may cost. */
  readonly blobs?: { readonly blobVersionedHashes: readonly Hex[]; readonly maxFeePerBlobGas: bigint };
}

/** A wallet of its own for each kind, so that nothing but the grant of that kind speaks of it. */
function account(index: number) {
  const { wallet, address } = wallets[index]!;
  let nonce = 0;
  const unsigned = ({ to = null, value = 0n, data = '0x', blobs }: Sent, chainId: number) => {
    const gas = { gas: 300_000n, maxFeePerGas: 3n * 10n ** 9n, maxPriorityFeePerGas: 1n };
    const plain = { ...gas, chainId, nonce, to, value, data };
    return fromHex(
      blobs === undefined
        ? serializeTransaction({ type: 'eip1559', ...plain })
        : serializeTransaction({ type: 'eip4844', ...plain, to: to!, ...blobs }),
    )!;
  };
  return {
    wallet,
    address: address as Hex,
    nonce: () => nonce,
    usedNonce: () => void nonce++,
    grant: (draft: object) => grant(owner.operator, { client: bot, wallet, chain: CHAIN, ...draft } as GrantDraft),
    /** Has it signed and brings it to the chain. */
    async send(sent: Sent): Promise<Mined> {
      const { raw } = await client.signTransaction({ wallet, chain: CHAIN, transaction: unsigned(sent, 31_337) });
      nonce++;
      const signed: Hex = `0x${Buffer.from(raw).toString('hex')}`;
      return devnet.broadcast(sent.blobs === undefined ? signed : withEmptyBlobs(signed, sent.blobs));
    },
    /** Asks for it and is denied: the codes of the reasons. */
    refused: (sent: Sent, chainId = 31_337) =>
      reasons(client.signTransaction({ wallet, chain: `eip155:${chainId}`, transaction: unsigned(sent, chainId) })),
  };
}

/** The point at infinity: the commitment to a blob of zeros, and the proof of it (EIP-4844, "Helpers"). */
const INFINITY: Hex = `0xc0${'00'.repeat(47)}`;
const EMPTY_BLOB: Hex = `0x${'00'.repeat(131_072)}`;
/** VERSIONED_HASH_VERSION_KZG and the rest of the SHA-256 of the commitment. */
const EMPTY_BLOB_HASH: Hex = `0x01${sha256(INFINITY).slice(4)}`;

/** What is broadcast: the signed transaction with its sidecar (EIP-7594: version 1, 128 proofs of cells for a blob). */
function withEmptyBlobs(signed: Hex, { blobVersionedHashes: { length } }: NonNullable<Sent['blobs']>): Hex {
  const of = (count: number, item: Hex) => Array.from({ length: count }, () => item);
  const body = fromRlp(`0x${signed.slice(4)}`);
  const sidecar = ['0x01', of(length, EMPTY_BLOB), of(length, INFINITY), of(128 * length, INFINITY)] as const;
  return concat(['0x03', toRlp([body, ...sidecar] as never)]);
}

async function reasons(asked: Promise<unknown>): Promise<readonly string[]> {
  try {
    await asked;
  } catch (error) {
    const denial = denialOf(error);
    if (denial) return denial.reasons.map(({ code }) => String(code));
    throw error;
  }
  throw new Error('it should have been denied');
}

const volume = (asset: string, limit: bigint) => ({
  ...{ type: 'volume', asset, limit: limit.toString(), window: { ever: true } },
});
const fees = { type: 'max-fee', limit: FEE.toString() };
const DONE = { status: '0x1' };

it('ether-transfer: no more ether leaves than the limit, fees and all', async () => {
  const from = account(0);
  await from.grant({ kind: 'ether-transfer', recipients: [BOB], constraints: [volume('native', ETHER)] });
  const before = await devnet.balance(BOB);
  expect(await from.refused({ to: EVE, value: 1n })).toEqual(['recipient_not_permitted']);
  expect(await from.refused({ to: BOB, value: 1n }, 1)).toEqual(['no_grant']);
  const part = (3n * ETHER) / 10n;
  for (let i = 0; i < 3; i++) expect(await from.send({ to: BOB, value: part })).toMatchObject(DONE);
  expect(await from.refused({ to: BOB, value: part })).toEqual(['volume_exceeded']);
  // All that is left, but for the fee of this transaction: and then not a wei.
  const rest = ETHER - 3n * (part + FEE) - FEE;
  expect(await from.refused({ to: BOB, value: rest + 1n })).toEqual(['volume_exceeded']);
  expect(await from.send({ to: BOB, value: rest })).toMatchObject(DONE);
  expect(await from.refused({ to: BOB, value: 0n })).toEqual(['volume_exceeded']);
  expect((await devnet.balance(BOB)) - before).toBe(3n * part + rest);
  expect(10n * ETHER - (await devnet.balance(from.address))).toBeLessThanOrEqual(ETHER);
});

it('ether-transfer with blobs: what they cost is in the limit, and the chain takes them', async () => {
  const from = account(11);
  const gwei = 10n ** 9n;
  /** What 131,072 units of blob gas (EIP-4844: GAS_PER_BLOB) cost at most. */
  const blob = 131_072n * 100n * gwei;
  const most = 2n * blob + FEE;
  await from.grant({
    ...{ kind: 'ether-transfer', recipients: [BOB] },
    constraints: [volume('native', ETHER), { type: 'max-fee', limit: most.toString() }],
  });
  const blobs = (count: number, maxFeePerBlobGas = 100n * gwei) => ({
    blobs: { blobVersionedHashes: Array.from({ length: count }, () => EMPTY_BLOB_HASH), maxFeePerBlobGas },
  });
  expect(await from.refused({ to: EVE, ...blobs(1) })).toEqual(['recipient_not_permitted']);
  expect(await from.refused({ to: BOB, ...blobs(3) })).toEqual(['max_fee_exceeded']);
  expect(await from.refused({ to: BOB, ...blobs(2, 100n * gwei + 1n) })).toEqual(['max_fee_exceeded']);
  expect(await from.refused({ to: BOB, value: ETHER - most + 1n, ...blobs(2) })).toEqual(['volume_exceeded']);
  const before = await devnet.balance(BOB);
  const mined = await from.send({ to: BOB, value: ETHER - most, ...blobs(2) });
  expect(mined).toMatchObject({ ...DONE, blobGas: 2n * 131_072n });
  expect((await devnet.balance(BOB)) - before).toBe(ETHER - most);
  expect(10n * ETHER - (await devnet.balance(from.address))).toBeLessThanOrEqual(ETHER);
  expect(await from.refused({ to: BOB, ...blobs(1, 1n) })).toEqual(['volume_exceeded']);
});

it('token-transfer, ERC-20: transfers and allowances draw on one limit', async () => {
  const from = account(1);
  const asset = `erc20:${at['Coin']}`;
  await from.grant({
    ...{ kind: 'token-transfer', assets: [{ asset, symbol: 'COIN', decimals: 6 }], routes: ['transfer', 'approve'] },
    ...{ recipients: [BOB], spenders: [BOB], constraints: [volume(asset, 100n), fees] },
  });
  await devnet.send(ALICE, at['Coin']!, calldata('Coin', 'mint', [from.address, 1_000n]));
  const call = (name: string, ...args: readonly unknown[]) => ({ to: at['Coin']!, data: calldata('Coin', name, args) });
  expect(await from.refused(call('transfer', EVE, 1n))).toEqual(['recipient_not_permitted']);
  expect(await from.refused(call('approve', EVE, 1n))).toEqual(['spender_not_permitted']);
  expect(await from.refused(call('increaseAllowance', BOB, 1n))).toEqual(['route_not_granted']);
  expect(await from.refused(call('approve', BOB, maxUint256))).toContain('unlimited_not_granted');
  expect(await from.refused({ ...call('transfer', BOB, 1n), to: at['Jar']! })).toEqual(['no_grant']);
  expect(await from.send(call('transfer', BOB, 60n))).toMatchObject(DONE);
  expect(await from.refused(call('approve', BOB, 41n))).toEqual(['volume_exceeded']);
  expect(await from.send(call('approve', BOB, 40n))).toMatchObject(DONE);
  expect(await from.refused(call('transfer', BOB, 1n))).toEqual(['volume_exceeded']);
  const take = (amount: bigint) =>
    devnet.send(BOB, at['Coin']!, calldata('Coin', 'transferFrom', [from.address, BOB, amount]));
  expect(await take(40n)).toMatchObject(DONE);
  expect(await take(1n)).toMatchObject({ status: '0x0' });
  expect(await read('Coin', 'balanceOf', from.address)).toBe(900n);
});

it('token-transfer, ERC-721: two items and no third', async () => {
  const from = account(2);
  const asset = `erc721:${at['Nft']}`;
  await from.grant({
    ...{ kind: 'token-transfer', assets: [{ asset }], routes: ['transfer-from', 'transfer'], recipients: [BOB] },
    ...{ spenders: [], constraints: [volume(asset, 2n), fees] },
  });
  for (const id of [1n, 2n, 3n]) await devnet.send(ALICE, at['Nft']!, calldata('Nft', 'mint', [from.address, id]));
  const give = (id: bigint, to = BOB) => ({
    to: at['Nft']!,
    data: calldata('Nft', 'transferFrom', [from.address, to, id]),
  });
  expect(await from.refused(give(1n, EVE))).toEqual(['recipient_not_permitted']);
  for (const id of [1n, 2n]) expect(await from.send(give(id))).toMatchObject(DONE);
  expect(await from.refused(give(3n))).toEqual(['volume_exceeded']);
  const owners = await Promise.all([1n, 2n, 3n].map((id) => read('Nft', 'ownerOf', id)));
  expect(owners).toEqual([BOB, BOB, from.address].map(BigInt));
});

it('token-transfer, ERC-1155: five of one item, and none of another', async () => {
  const from = account(3);
  const asset = `erc1155:${at['Items']}/7`;
  await from.grant({
    ...{ kind: 'token-transfer', assets: [{ asset }], routes: 'any', recipients: [BOB], spenders: [] },
    constraints: [volume(asset, 5n), fees],
  });
  for (const id of [7n, 8n]) {
    await devnet.send(ALICE, at['Items']!, calldata('Items', 'mint', [from.address, id, 9n]));
  }
  const give = (id: bigint, amount: bigint) => ({
    to: at['Items']!,
    data: calldata('Items', 'safeTransferFrom', [from.address, BOB, id, amount, '0x']),
  });
  const all = encodeFunctionData({ abi: erc1155Abi, functionName: 'setApprovalForAll', args: [BOB, true] });
  expect(await from.refused(give(8n, 1n))).toEqual(['asset_not_granted']);
  expect(await from.refused({ to: at['Items']!, data: all })).toEqual(['asset_not_granted']);
  expect(await from.send(give(7n, 4n))).toMatchObject(DONE);
  expect(await from.refused(give(7n, 2n))).toEqual(['volume_exceeded']);
  expect(await from.send(give(7n, 1n))).toMatchObject(DONE);
  expect(await from.refused(give(7n, 1n))).toEqual(['volume_exceeded']);
  expect(await read('Items', 'held', 7n, from.address)).toBe(4n);
  expect(await read('Items', 'held', 8n, from.address)).toBe(9n);
});

it('contract-call: the function, its arguments and its value', async () => {
  const from = account(4);
  const where = [
    { path: '/level', test: 'range', min: '1', max: '3' },
    { path: '/member', test: 'is-wallet' },
  ];
  await from.grant({
    ...{ kind: 'contract-call', contracts: [at['Club']], functions: [{ function: 'join(uint256,address)', where }] },
    constraints: [volume('native', ETHER), fees],
  });
  const join = (level: bigint, member: Hex, value = 0n) => ({
    ...{ to: at['Club']!, data: calldata('Club', 'join', [level, member]), value },
  });
  expect(await from.refused(join(4n, from.address))).toEqual(['condition_not_met']);
  expect(await from.refused(join(2n, EVE))).toEqual(['condition_not_met']);
  expect(await from.refused({ to: at['Club']!, data: calldata('Club', 'close', [from.address]) })).toEqual([
    'function_not_granted',
  ]);
  expect(await from.send(join(2n, from.address, ETHER / 2n))).toMatchObject(DONE);
  expect(await from.refused(join(3n, from.address, ETHER / 2n))).toEqual(['volume_exceeded']);
  expect(await from.send(join(3n, from.address))).toMatchObject(DONE);
  expect(await read('Club', 'levelOf', from.address)).toBe(3n);
  expect(await devnet.balance(at['Club']!)).toBe(ETHER / 2n);
});

it('opaque-call: a contract that nobody registered, by selector, so many times', async () => {
  const from = account(5);
  const put = (value = 1n) => ({ to: at['Jar']!, data: calldata('Jar', 'put', []), value });
  await from.grant({
    ...{ kind: 'opaque-call', contracts: [at['Jar']], selectors: [put().data] },
    acknowledge: 'calls are not understood and may move anything that the contract may move',
    constraints: [volume('native', ETHER), fees, { type: 'count', limit: 2, window: { ever: true } }],
  });
  expect(await from.refused({ to: at['Jar']!, data: calldata('Jar', 'take', []) })).toEqual(['selector_not_granted']);
  expect(await from.refused({ ...put(), to: at['Purse']! })).toEqual(['contract_not_granted']);
  expect(await from.refused(put(2n * ETHER))).toEqual(['volume_exceeded']);
  for (let i = 0; i < 2; i++) expect(await from.send(put())).toMatchObject(DONE);
  expect(await from.refused(put())).toEqual(['count_exceeded']);
  expect(await read('Jar', 'coins')).toBe(2n);
  expect(await devnet.balance(at['Jar']!)).toBe(2n);
});

it('contract-creation: this code and no other, once', async () => {
  const from = account(6);
  const { bytecode } = devnet.contracts['Jar']!;
  await from.grant({
    ...{ kind: 'contract-creation', initCodeHashes: [keccak256(bytecode)] },
    constraints: [fees, { type: 'count', limit: 1, window: { ever: true } }],
  });
  expect(await from.refused({ data: devnet.contracts['Club']!.bytecode })).toEqual(['init_code_not_granted']);
  expect(await from.refused({ data: bytecode, value: 1n })).toEqual(['no_volume_limit']);
  const { status, created } = await from.send({ data: bytecode });
  expect(status).toBe('0x1');
  expect(await devnet.anvil.call('eth_getCode', [created, 'latest'])).toBe(
    await devnet.anvil.call('eth_getCode', [at['Jar'], 'latest']),
  );
  expect(await from.refused({ data: bytecode })).toEqual(['count_exceeded']);
});

it('typed-data: a permit that others bring to the chain, up to the limit', async () => {
  const from = account(7);
  const asset = `erc20:${at['Coin']}`;
  await from.grant({
    ...{ kind: 'typed-data', contract: at['Coin'], name: 'Coin', recipients: [BOB], constraints: [volume(asset, 50n)] },
    types: [{ primaryType: 'Permit', where: [{ path: '/spender', test: 'equals', value: BOB }] }],
  });
  const field = (name: string, type: string) => ({ name, type });
  const permitOf = (value: bigint, spender: Hex = BOB, contract = at['Coin']!) => ({
    types: {
      EIP712Domain: [
        ...[field('name', 'string'), field('version', 'string'), field('chainId', 'uint256')],
        field('verifyingContract', 'address'),
      ],
      Permit: [
        ...[field('owner', 'address'), field('spender', 'address'), field('value', 'uint256')],
        ...[field('nonce', 'uint256'), field('deadline', 'uint256')],
      ],
    },
    primaryType: 'Permit',
    domain: { name: 'Coin', version: '1', chainId: 31_337, verifyingContract: contract },
    message: { owner: from.address, spender, value: value.toString(), nonce: '0', deadline: '9999999999' },
  });
  const sign = (data: ReturnType<typeof permitOf>) =>
    client.signTypedData({
      ...{ wallet: from.wallet, chain: CHAIN, typedData: JSON.stringify(data) },
      digest: hashTypedData(data as never),
    });
  expect(await reasons(sign(permitOf(1n, EVE)))).toEqual(['condition_not_met']);
  expect(await reasons(sign(permitOf(1n, BOB, at['Items']!)))).toEqual(['opaque_not_granted']);
  expect(await reasons(sign(permitOf(51n)))).toEqual(['volume_exceeded']);
  const { signature } = await sign(permitOf(50n));
  const { v, r, s } = parseSignature(signature as Hex);
  const bring = (value: bigint) =>
    devnet.send(EVE, at['Coin']!, calldata('Coin', 'permit', [from.address, BOB, value, 9_999_999_999n, v, r, s]));
  expect(await bring(51n)).toMatchObject({ status: '0x0' });
  expect(await bring(50n)).toMatchObject(DONE);
  expect(await read('Coin', 'allowance', from.address, BOB)).toBe(50n);
  expect(await reasons(sign(permitOf(1n)))).toEqual(['volume_exceeded']);
});

it('message: a text of the template, whose signer a contract finds', async () => {
  const from = account(8);
  await from.grant({
    ...{ kind: 'message', messages: [{ template: 'Log in to Club: {}' }] },
    constraints: [{ type: 'count', limit: 1, window: { ever: true } }],
  });
  const say = (message: string) => client.signMessage({ wallet: from.wallet, chain: CHAIN, message });
  expect(await reasons(say('Log in to Bank: 7'))).toEqual(['message_not_granted']);
  expect(await reasons(say('Log in to Club: 7\nand give everything away'))).toEqual(['message_not_granted']);
  const { v, r, s } = parseSignature((await say('Log in to Club: 7')).signature as Hex);
  expect(await read('Club', 'signerOf', hashMessage('Log in to Club: 7'), v, r, s)).toBe(BigInt(from.address));
  expect(await reasons(say('Log in to Club: 8'))).toEqual(['count_exceeded']);
});

it('delegation: the code of one delegate at the wallet’s address, and of no other', async () => {
  const from = account(9);
  await from.grant({
    ...{ kind: 'delegation', delegates: [at['Purse']] },
    acknowledge: 'the delegate controls the whole wallet on this chain',
    constraints: [{ type: 'count', limit: 1, window: { ever: true } }],
  });
  const authorize = (address: Hex) =>
    client.signAuthorization({
      ...{ wallet: from.wallet, chain: CHAIN },
      authorization: encodeAuthorization({ chainId: 31_337, address, nonce: from.nonce() }),
    });
  expect(await reasons(authorize(at['Jar']!))).toEqual(['delegate_not_granted']);
  const { signature } = await authorize(at['Purse']!);
  const { r, s, yParity } = parseSignature(signature as Hex);
  const authorization = {
    address: at['Purse']!,
    chainId: 31_337,
    nonce: from.nonce(),
    r,
    s,
    yParity: yParity as 0 | 1,
  };
  expect(await devnet.delegate(alice, authorization)).toMatchObject(DONE);
  from.usedNonce();
  expect(await devnet.anvil.call('eth_getCode', [from.address, 'latest'])).toBe(`0xef0100${at['Purse']!.slice(2)}`);
  expect(await devnet.read(from.address, calldata('Purse', 'owner', []))).toBe(BigInt(from.address));
  expect(await reasons(authorize(at['Purse']!))).toEqual(['count_exceeded']);
});

it('a cap of the wallet holds over grants of different kinds, and a deny rule over all of them', async () => {
  const from = account(10);
  const wide = volume('native', 100n * ETHER);
  await from.grant({ kind: 'ether-transfer', recipients: 'any', constraints: [wide] });
  await from.grant({
    ...{ kind: 'contract-call', contracts: [at['Club']], constraints: [wide] },
    functions: [{ function: 'join(uint256,address)', where: [] }],
  });
  const { wallet } = from;
  const limit = { kind: 'cap', wallet, chain: CHAIN, constraints: [volume('native', ETHER)] };
  await grant(owner.operator, limit as GrantDraft);
  await grant(owner.operator, { kind: 'deny', client: 'any', wallet, chain: 'any', addresses: [EVE] } as GrantDraft);
  expect(await from.refused({ to: EVE, value: 1n })).toEqual(['forbidden']);
  const join = (value: bigint) => ({ to: at['Club']!, data: calldata('Club', 'join', [1n, from.address]), value });
  expect(await from.refused({ ...join(1n), data: calldata('Club', 'join', [1n, EVE]) })).toEqual(['forbidden']);
  expect(await from.send({ to: BOB, value: ETHER / 2n })).toMatchObject(DONE);
  expect(await from.refused(join(ETHER / 2n))).toEqual(['volume_exceeded']);
  expect(await from.send(join(ETHER / 4n))).toMatchObject(DONE);
  expect(await from.refused({ to: BOB, value: ETHER / 4n })).toEqual(['volume_exceeded']);
  expect(10n * ETHER - (await devnet.balance(from.address))).toBeLessThanOrEqual(ETHER);
});
