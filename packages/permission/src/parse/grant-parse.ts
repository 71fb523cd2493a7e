import { ok } from '@keepwatch/base';
import {
  ACKNOWLEDGE_DELEGATECALL,
  ACKNOWLEDGE_DELEGATION,
  ACKNOWLEDGE_OPAQUE_CALL,
  ACKNOWLEDGE_UNREGISTERED_TYPE,
  type Condition,
  type Grant,
  type GrantKind,
  type MessageRule,
  type Party,
} from '../grant.ts';
import type { ActionKind, Route } from '../intent.ts';
import { constraints } from './constraint-parse.ts';
import { missingLimit } from './missing-limit.ts';
import {
  address,
  asset,
  chain,
  conditionPath,
  foreignText,
  functionName,
  hash,
  name,
  selector,
  text,
  typeName,
} from './names.ts';
import {
  amount,
  anyOf,
  integer,
  isObject,
  list,
  nullable,
  record,
  refuse,
  word,
  type Parsed,
  type Reader,
} from './reader.ts';

export type { GrantError, GrantErrorCode } from './reader.ts';

const MAX_ADDRESSES = 1_000;
const MAX_UINT256 = (1n << 256n) - 1n;
const MAX_INT256 = (1n << 255n) - 1n;

export const ROUTES = [
  'value',
  'transfer',
  'transfer-from',
  'approve',
  'increase-allowance',
  'permit',
  'dai-permit',
  'permit2',
  'permit2-transfer',
  'eip3009',
  'erc777',
  'transfer-and-call',
  'approval-for-all',
  'vault-4626',
  'weth',
  'shares',
  'aave-delegation',
  'aave-withdraw',
  'compound-allow',
  'lending',
  'router',
  'order',
  'safe',
] as const satisfies readonly Route[];

export const ACTION_KINDS = [
  'ether-transfer',
  'token-transfer',
  'contract-call',
  'opaque-call',
  'contract-creation',
  'typed-data',
  'message',
  'delegation',
] as const satisfies readonly ActionKind[];

const addresses = anyOf(address, MAX_ADDRESSES);
const route = word<Route>(ROUTES, 'invalid_route');
const acknowledge = <W extends string>(words: W) => word([words], 'not_acknowledged');

/** `any` is a word of its own where it is allowed at all, so nothing else is called so. */
const id: Reader<string> = (json, path) =>
  json === 'any' ? refuse('invalid_text', path, 'a name other than any') : text(128)(json, path);

const group = record({ group: name });
const party: Reader<Party> = (json, path) => (isObject(json) ? group(json, path) : id(json, path));

const literal: Reader<string | boolean> = (json, path) =>
  typeof json === 'boolean' ? ok(json) : foreignText(json, path);

/** Integers of an ABI have a sign or none. */
const bound: Reader<bigint | null> = nullable((json, path) => {
  const negative = typeof json === 'string' && json.startsWith('-');
  const read = amount(negative ? 1n : 0n, negative ? MAX_INT256 + 1n : MAX_UINT256, 'invalid_condition');
  const parsed = read(negative ? json.slice(1) : json, path);
  return parsed.ok && negative ? ok(-parsed.value) : parsed;
});

const CONDITIONS: { readonly [T in Condition['test']]: Reader<unknown> } = {
  equals: record({ path: conditionPath, test: word(['equals'], 'invalid_condition'), value: literal }),
  'one-of': record({
    path: conditionPath,
    test: word(['one-of'], 'invalid_condition'),
    values: list(literal, 1, MAX_ADDRESSES),
  }),
  range: (json, path) => {
    const test = word(['range'], 'invalid_condition');
    const parsed = record({ path: conditionPath, test, min: bound, max: bound })(json, path);
    if (!parsed.ok) return parsed;
    const { min, max } = parsed.value;
    const holds = min === null ? max !== null : max === null || min <= max;
    return holds ? parsed : refuse('invalid_condition', `${path}/max`, 'not below min; not both may be null');
  },
  prefix: record({ path: conditionPath, test: word(['prefix'], 'invalid_condition'), value: foreignText }),
  'is-wallet': record({ path: conditionPath, test: word(['is-wallet'], 'invalid_condition') }),
};

const condition: Reader<Condition> = (json, path) => {
  if (!isObject(json)) return refuse('not_an_object', path, 'an object');
  const { test } = json;
  if (typeof test === 'string' && Object.hasOwn(CONDITIONS, test)) {
    return CONDITIONS[test as Condition['test']](json, path) as Parsed<Condition>;
  }
  return refuse('invalid_condition', `${path}/test`, `one of ${Object.keys(CONDITIONS).join(', ')}`);
};
const where = list(condition, 0, 16);

const template: Reader<string> = (json, path) => {
  const parsed = foreignText(json, path);
  if (!parsed.ok) return parsed;
  const parts = parsed.value.split('{}');
  const clear = parts.slice(1, -1).every((part) => part !== '') && !/[{}]/.test(parts.join(''));
  if (clear && parts.length <= 17) return parsed;
  return refuse('invalid_message', path, 'at most 16 placeholders {} with text between them, and no other braces');
};
const messageRule: Reader<MessageRule> = (json, path) =>
  isObject(json) && Object.hasOwn(json, 'template')
    ? record({ template })(json, path)
    : record({ prefix: foreignText })(json, path);

const numbered = { id: text(128), createdSeq: integer(0, Number.MAX_SAFE_INTEGER, 'invalid_sequence') };
const scope = { ...numbered, client: party, wallet: id, chain, constraints };
const options = { label: name, unlimited: list(asset, 1, 64), accounts: list(address, 1, 64) };
const kind = (each: GrantKind) => word([each], 'unknown_kind');
const delegatecall = acknowledge(ACKNOWLEDGE_DELEGATECALL);

const READERS: { readonly [K in GrantKind]: Reader<unknown> } = {
  'ether-transfer': record({ ...scope, kind: kind('ether-transfer'), recipients: addresses }, options),
  'token-transfer': record(
    {
      ...scope,
      kind: kind('token-transfer'),
      assets: list(record({ asset }, { symbol: text(32), decimals: integer(0, 77, 'invalid_limit') }), 1, 64),
      routes: anyOf(route, ROUTES.length),
      recipients: addresses,
      spenders: addresses,
    },
    options,
  ),
  'contract-call': record(
    {
      ...scope,
      kind: kind('contract-call'),
      contracts: list(address, 0, MAX_ADDRESSES),
      functions: list(record({ function: functionName, where }), 1, 64),
    },
    { ...options, recipients: addresses, delegatecall },
  ),
  'opaque-call': record(
    {
      ...scope,
      kind: kind('opaque-call'),
      contracts: list(address, 0, MAX_ADDRESSES),
      selectors: anyOf(selector, 64),
      acknowledge: acknowledge(ACKNOWLEDGE_OPAQUE_CALL),
    },
    { ...options, delegatecall },
  ),
  'contract-creation': record(
    { ...scope, kind: kind('contract-creation'), initCodeHashes: anyOf(hash, MAX_ADDRESSES) },
    options,
  ),
  'typed-data': record(
    {
      ...scope,
      kind: kind('typed-data'),
      contract: (json, path) => (json === 'none' ? ok(json) : address(json, path)),
      types: list(record({ primaryType: typeName, where }, { typeHash: hash }), 1, 32),
    },
    { ...options, name: text(128), recipients: addresses, acknowledge: acknowledge(ACKNOWLEDGE_UNREGISTERED_TYPE) },
  ),
  message: record({ ...scope, kind: kind('message'), messages: list(messageRule, 1, 32) }, options),
  delegation: record(
    {
      ...scope,
      kind: kind('delegation'),
      delegates: list(address, 1, 64),
      acknowledge: acknowledge(ACKNOWLEDGE_DELEGATION),
    },
    options,
  ),
  deny: record(
    {
      ...numbered,
      kind: kind('deny'),
      client: (json, path) => (json === 'any' ? ok(json) : party(json, path)),
      wallet: (json, path) => (json === 'any' ? ok(json) : id(json, path)),
      chain: (json, path) => (json === 'any' ? ok(json) : chain(json, path)),
    },
    {
      label: name,
      actions: list(word(ACTION_KINDS, 'unknown_kind'), 1, ACTION_KINDS.length),
      assets: list(asset, 1, 64),
      addresses: list(address, 1, MAX_ADDRESSES),
      functions: list(functionName, 1, 64),
      routes: list(route, 1, ROUTES.length),
    },
  ),
  cap: record({ ...numbered, kind: kind('cap'), wallet: id, chain, constraints }, { label: name }),
};

/**
 * A grant from plain JSON, the only way to one. Members are those of `Grant`; amounts are decimal strings in base units,
 * everything else is as it is there. Nothing has a default but what is optional, and what is left out permits less.
 *
 * - `unknown_member`: a member that is not known could be a restriction that is not kept
 * - `invalid_text`: something invisible, a space at an end, or too long
 * - `duplicate_constraint`: two of the same type, asset and window; which one holds?
 * - `not_acknowledged`: such a grant has to say word for word what it means
 * - `no_volume_limit`: nothing limits how much of an asset may leave, and it is not named as unlimited
 * - `no_fee_limit`: nothing limits what the fees may cost
 */
export function parseGrant(json: unknown): Parsed<Grant> {
  if (!isObject(json)) return refuse('not_an_object', '', 'an object');
  const { kind: named } = json;
  if (typeof named !== 'string' || !Object.hasOwn(READERS, named)) {
    return refuse('unknown_kind', '/kind', `one of ${Object.keys(READERS).join(', ')}`);
  }
  const parsed = READERS[named as GrantKind](json, '') as Parsed<Grant>;
  return parsed.ok ? (missingLimit(parsed.value) ?? parsed) : parsed;
}
