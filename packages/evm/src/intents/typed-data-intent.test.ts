import type { Json } from '@keepwatch/base';
import { maxUint160, maxUint256 } from 'viem';
import { describe, expect, it } from 'vitest';
import type { Address } from '../address.ts';
import { seaportFlows, seaportParts } from '../routes/order-examples.fixture.ts';
import { B32, coin, LATER, LATER_MS, ZERO } from '../routes/route-example.fixture.ts';
import {
  ALICE,
  BOB,
  CHAIN,
  COIN,
  COIN2,
  contractOf,
  flowsOf,
  full,
  hexdata,
  keccak,
  registry,
  standards,
  STRANGER,
  UNDERLYING,
  WALLET,
  type Flow,
} from '../routes/world.fixture.ts';
import { readTypedData } from '../typed-data/typed-data.ts';
import type { Intent } from './intent.ts';
import { intentOfTypedData } from './typed-data-intent.ts';

type Plain = { readonly [key: string]: unknown };

/** The `types` of a type that EIP-712 spells. */
function typesOf(encoded: string): Record<string, Json> {
  const types: Record<string, Json> = {};
  for (const [, name, members] of encoded.matchAll(/(\w+)\(([^)]*)\)/g)) {
    types[name!] = members!.split(',').map((member) => {
      const [type, field] = member.split(' ');
      return { name: field!, type: type! };
    });
  }
  return types;
}

const plain = (value: unknown): Json =>
  JSON.parse(JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each))) as Json;

const DOMAIN = { name: 'X', version: '1', chainId: 1 };
const DOMAIN_TYPE = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
];

function intent(type: string, message: Plain, contract: Address | null, chainId: number | null = 1): Intent {
  const domainType = DOMAIN_TYPE.filter(
    ({ name }) => (name !== 'verifyingContract' || contract !== null) && (name !== 'chainId' || chainId !== null),
  );
  const { chainId: _, ...unchained } = DOMAIN;
  const domain = {
    ...(chainId === null ? unchained : DOMAIN),
    ...(contract === null ? {} : { verifyingContract: contract }),
  };
  const json = {
    types: { EIP712Domain: domainType, ...typesOf(type) },
    primaryType: type.slice(0, type.indexOf('(')),
    domain,
    message: plain(message),
  };
  const read = readTypedData(json as Json, 1, keccak);
  if (!read.ok) throw new Error(`${read.error.code} ${read.error.path}`);
  return intentOfTypedData(read.value, CHAIN, { wallet: WALLET, registry, keccak, delegated: false });
}

interface Example {
  readonly standard: string;
  readonly type: string;
  readonly message: Plain;
  readonly flows?: readonly Flow[];
  readonly opaque?: string;
}

const typeOf = (standard: string, start: string) =>
  standards.find(({ name }) => name === standard)!.types!.find(({ type }) => type.startsWith(start))!.type;
const example = (standard: string, start: string, message: Plain, ...flows: readonly Flow[]): Example => ({
  standard,
  type: typeOf(standard, start),
  message,
  flows,
});
const opaque = (standard: string, start: string, message: Plain, why: string): Example => ({
  standard,
  type: typeOf(standard, start),
  message,
  opaque: why,
});
const held = (standard: string, asset: string, amount: Flow[2], route: Flow[4], until: number | null = null): Flow => [
  'wallet',
  asset,
  amount,
  standard === '' ? BOB : contractOf(standard),
  route,
  'allowance',
  until,
];
const own = (standard: string) => coin(contractOf(standard));

const details = (token: Address, amount: bigint, expiration = LATER) => ({ token, amount, expiration, nonce: 0n });
const auth = { from: WALLET, to: BOB, value: 5n, validAfter: 0n, validBefore: LATER, nonce: B32 };
const permitted = { permitted: { token: COIN, amount: 5n }, spender: BOB, nonce: 0n, deadline: LATER };
const many = { ...permitted, permitted: [permitted.permitted, { token: COIN2, amount: maxUint256 }] };
const manyHeld = [
  held('', coin(COIN), 5n, 'permit2', LATER_MS),
  held('', coin(COIN2), 'unlimited', 'permit2', LATER_MS),
];
const WITNESS = 'Note witness)Note(string text)TokenPermissions(address token,uint256 amount)';
const safeTx = {
  to: COIN,
  value: 0n,
  data: hexdata('transfer(address to, uint256 amount)', [BOB, 5n]),
  operation: 0n,
  safeTxGas: 0n,
  baseGas: 0n,
  gasPrice: 0n,
  gasToken: ZERO,
  refundReceiver: ZERO,
  nonce: 0n,
};
const cow = {
  sellToken: COIN,
  buyToken: COIN2,
  receiver: ZERO,
  sellAmount: 5n,
  buyAmount: 1n,
  validTo: LATER,
  appData: B32,
  feeAmount: 2n,
  kind: 'sell',
  partiallyFillable: false,
  sellTokenBalance: 'erc20',
  buyTokenBalance: 'erc20',
};
const inch4 = {
  salt: 1n,
  maker: WALLET,
  receiver: ZERO,
  makerAsset: COIN,
  takerAsset: COIN2,
  makingAmount: 5n,
  takingAmount: 1n,
  makerTraits: LATER << 80n,
};
const inch3 = {
  ...{ salt: 1n, makerAsset: COIN, takerAsset: COIN2, maker: WALLET, receiver: ZERO, allowedSender: ZERO },
  ...{ makingAmount: 5n, takingAmount: 1n, offsets: 0n, interactions: '0x' },
};
const zeroEx = { makerToken: COIN, takerToken: COIN2, makerAmount: 5n, takerAmount: 1n, maker: WALLET, taker: ZERO };
const account = contractOf('safe');
const sentBySafe: Flow = [account, coin(COIN), 5n, BOB, 'transfer'];
const toBob = (standard: string, until: number | null): Flow => [
  contractOf(standard),
  coin(COIN2),
  'unlimited',
  BOB,
  'order',
  'allowance',
  until,
];
const sold = (standard: string, amount: bigint, until: number | null) =>
  held(standard, coin(COIN), amount, 'order', until);

const EXAMPLES: readonly Example[] = [
  example(
    'eip2612',
    'Permit',
    { owner: WALLET, spender: BOB, value: 5n, nonce: 0n, deadline: LATER },
    held('', own('eip2612'), 5n, 'permit'),
  ),
  example('eip2612', 'Permit', { owner: ALICE, spender: BOB, value: maxUint256, nonce: 0n, deadline: 0n }, [
    ALICE,
    own('eip2612'),
    'unlimited',
    BOB,
    'permit',
    'allowance',
  ]),
  ...[true, false].map((allowed) =>
    example(
      'dai-permit',
      'Permit',
      { holder: WALLET, spender: BOB, nonce: 0n, expiry: 0n, allowed },
      held('', own('dai-permit'), allowed ? 'unlimited' : 0n, 'dai-permit'),
    ),
  ),
  ...['TransferWith', 'ReceiveWith'].map((name) =>
    example('eip3009', name, auth, held('', own('eip3009'), 5n, 'eip3009', LATER_MS)),
  ),
  example('eip3009', 'Cancel', { authorizer: WALLET, nonce: B32 }),
  example(
    'permit2',
    'PermitSingle',
    { details: details(COIN, 5n), spender: BOB, sigDeadline: 1n },
    held('', coin(COIN), 5n, 'permit2', LATER_MS),
  ),
  example(
    'permit2',
    'PermitSingle',
    { details: details(COIN, maxUint160, 0n), spender: BOB, sigDeadline: LATER },
    held('', coin(COIN), 'unlimited', 'permit2', LATER_MS),
  ),
  opaque(
    'permit2',
    'PermitSingle',
    { details: details(contractOf('erc721'), 5n), spender: BOB, sigDeadline: 1n },
    'not_a_fungible_token',
  ),
  opaque('permit2', 'PermitBatch(', { details: [], spender: BOB, sigDeadline: 1n }, 'empty_batch'),
  example(
    'permit2',
    'PermitBatch(',
    { details: [details(COIN, 5n), details(COIN2, 6n)], spender: BOB, sigDeadline: 1n },
    held('', coin(COIN), 5n, 'permit2', LATER_MS),
    held('', coin(COIN2), 6n, 'permit2', LATER_MS),
  ),
  example('permit2', 'PermitTransferFrom', permitted, held('', coin(COIN), 5n, 'permit2', LATER_MS)),
  example('permit2', 'PermitBatchTransferFrom', many, ...manyHeld),
  example(
    'permit2',
    'PermitWitness',
    { ...permitted, witness: { text: 'x' } },
    held('', coin(COIN), 5n, 'permit2', LATER_MS),
  ),
  example('permit2', 'PermitBatchWitness', { ...many, witness: { text: 'x' } }, ...manyHeld),
  example(
    'aave-v3-debt',
    'Delegation',
    { delegatee: BOB, value: 5n, nonce: 0n, deadline: 1n },
    held('', coin(UNDERLYING), 5n, 'aave-delegation'),
  ),
  example(
    'compound-v3',
    'Authorization',
    { owner: WALLET, manager: BOB, isAllowed: true, nonce: 0n, expiry: 1n },
    held('', own('compound-v3'), 'unlimited', 'compound-allow'),
  ),
  example('safe', 'SafeTx', safeTx, sentBySafe),
  example('safe', 'SafeTx', { ...safeTx, gasPrice: 1n }, [account, 'native', 'unlimited', account, 'safe'], sentBySafe),
  opaque('safe', 'SafeTx', { ...safeTx, operation: 1n }, 'delegatecall'),
  opaque('safe', 'SafeTx', { ...safeTx, operation: 2n }, 'unknown_operation'),
  opaque('safe', 'SafeTx', { ...safeTx, to: STRANGER }, 'unregistered_contract'),
  opaque('safe', 'SafeMessage', { message: '0x01' }, 'approves_a_digest'),
  example('seaport', 'Order', { ...seaportParts, counter: 0n }, ...seaportFlows),
  opaque(
    'seaport',
    'Order',
    { ...seaportParts, counter: 0n, offer: [{ ...seaportParts.offer[0]!, itemType: 6 }] },
    'malformed_order',
  ),
  example('cow-settlement', 'Order', cow, sold('cow-settlement', 7n, LATER_MS)),
  example('cow-settlement', 'Order', { ...cow, receiver: WALLET }, sold('cow-settlement', 7n, LATER_MS)),
  example(
    'cow-settlement',
    'Order',
    { ...cow, receiver: BOB },
    sold('cow-settlement', 7n, LATER_MS),
    toBob('cow-settlement', LATER_MS),
  ),
  example('1inch-limit-orders', 'Order(uint256 salt,address maker,', inch4, sold('1inch-limit-orders', 5n, LATER_MS)),
  example(
    '1inch-limit-orders',
    'Order(uint256 salt,address maker,',
    { ...inch4, receiver: BOB, makerTraits: 0n },
    sold('1inch-limit-orders', 5n, null),
    toBob('1inch-limit-orders', null),
  ),
  opaque(
    '1inch-limit-orders',
    'Order(uint256 salt,address maker,',
    { ...inch4, makerTraits: 1n << 249n },
    'order_with_extension',
  ),
  example(
    '1inch-limit-orders',
    'Order(uint256 salt,address makerAsset',
    { ...inch3, receiver: BOB },
    sold('1inch-limit-orders', 5n, null),
    toBob('1inch-limit-orders', null),
  ),
  opaque(
    '1inch-limit-orders',
    'Order(uint256 salt,address makerAsset',
    { ...inch3, interactions: '0x01' },
    'order_with_extension',
  ),
  example(
    '0x-orders',
    'Limit',
    { ...zeroEx, takerTokenFeeAmount: 0n, sender: ZERO, feeRecipient: ZERO, pool: B32, expiry: LATER, salt: 0n },
    sold('0x-orders', 5n, LATER_MS),
  ),
  example(
    '0x-orders',
    'Rfq',
    { ...zeroEx, txOrigin: ZERO, pool: B32, expiry: LATER, salt: 0n },
    sold('0x-orders', 5n, LATER_MS),
  ),
];

it('has an example of every type of the table', () => {
  const rows = standards.flatMap(({ name, types = [] }) => types.map(({ type }) => `${name} ${type}`));
  const shown = EXAMPLES.map(({ standard, type }) => `${standard} ${type}`);
  expect(rows.filter((row) => !shown.includes(row))).toEqual([]);
});

describe('what a signature allows', () => {
  it.each(EXAMPLES.map((each, i) => [`${i} ${each.standard} ${each.type.slice(0, 40)}`, each] as const))(
    '%s',
    (_, each) => {
      const type = each.type.endsWith(',') ? `${each.type}${WITNESS}` : each.type;
      const judged = intent(type, each.message, contractOf(each.standard));
      expect(judged.opaque).toBe(each.opaque ?? null);
      if (each.opaque === undefined) expect(flowsOf(judged.outflows)).toEqual(each.flows!.map(full));
      expect(judged.actions.length).toBeGreaterThan(0);
    },
  );

  it('is said with every field', () => {
    const message = { owner: WALLET, spender: BOB, value: 5n, nonce: 0n, deadline: LATER };
    expect(intent(typeOf('eip2612', 'Permit'), message, contractOf('eip2612'))).toMatchObject({
      form: 'typed-data',
      chain: CHAIN,
      nonce: null,
      fee: null,
      actions: [
        {
          kind: 'typed-data',
          domain: { name: 'X', version: '1', chainId: 1n, verifyingContract: contractOf('eip2612'), salt: null },
          primaryType: 'Permit',
          registered: true,
          fields: [{ name: 'owner', type: 'address', value: WALLET }, {}, { value: 5n }, {}, {}],
        },
      ],
    });
  });

  it('is judged leaf by leaf where it is a transaction of a Safe', () => {
    expect(intent(typeOf('safe', 'SafeTx'), safeTx, account).actions).toMatchObject([
      { kind: 'token-transfer', sender: account, from: account, to: BOB, amount: 5n },
    ]);
  });
});

describe('what is not known to be good in one place only', () => {
  const message = { owner: WALLET, spender: BOB, value: 5n, nonce: 0n, deadline: LATER };
  const permit = typeOf('eip2612', 'Permit');
  it.each<[string, string, Plain, Address | null, number | null]>([
    ['domain_without_chain', permit, message, contractOf('eip2612'), null],
    ['domain_without_contract', permit, message, null, 1],
    ['unregistered_contract', permit, message, STRANGER, 1],
    ['unregistered_type', permit, message, COIN, 1],
    [
      'unregistered_type',
      'Permit(address owner,address spender,uint256 value,uint256 nonce,uint64 deadline)',
      message,
      contractOf('eip2612'),
      1,
    ],
    ['unregistered_type', 'Note(string text)', { text: 'x' }, contractOf('permit2'), 1],
    // Another TokenPermissions than Permit2's.
    [
      'unregistered_type',
      `${typeOf('permit2', 'PermitWitness')}Note witness)Note(string text)TokenPermissions(uint256 amount,address token)`,
      { ...permitted, witness: { text: 'x' } },
      contractOf('permit2'),
      1,
    ],
  ])('%s', (why, type, fields, contract, chainId) => {
    expect(intent(type, fields, contract, chainId)).toMatchObject({
      opaque: why,
      outflows: [],
      actions: [{ kind: 'typed-data', registered: false }],
    });
  });
});
