import { assertNever, mapEach } from '@keepwatch/base';
import type { PermissionRequest } from '../decision.ts';
import type { Action, Amount, Intent, NamedValue, Outflow, TokenTransfer, TypedData, Value } from '../intent.ts';
import { amountWords, listed, onChain, timeWords, type Names } from './names.ts';

/**
 * "Client bot wants to transfer 250 USDT to 0x… on Ethereum": what a request would do, in the words that the journal, the
 * command line, an approval and a denial have in common.
 */
export function describeIntent(
  { client, intent }: Pick<PermissionRequest, 'client' | 'intent'>,
  names: Names = {},
): string {
  const deeds = mapEach(intent.actions, (action) => actionWords(action, intent, names));
  const shown = deeds.length > MAX_DEEDS ? [...deeds.slice(0, MAX_DEEDS), `${deeds.length - MAX_DEEDS} more`] : deeds;
  const opaque = intent.opaque === null ? '' : ` (not understood: ${intent.opaque})`;
  const leaving = leavingWords(intent, names);
  return `Client ${names.client ?? client} wants to ${listed(shown)} ${onChain(intent.chain, names)}${opaque}${leaving}`;
}

/**
 * What may leave and is in no transfer that the sentence names: by a signed permit or order, by a call of a router, or by
 * the rest of a long batch. Operators approve by these words, and the amounts and who gets them are what they decide on.
 */
function leavingWords({ actions, chain, outflows }: Intent, names: Names): string {
  const isSaid = actions.length <= MAX_DEEDS && !actions.some(({ kind }) => MAY_LEAK.includes(kind));
  if (isSaid) return '';
  const said = new Set(actions.slice(0, MAX_DEEDS).flatMap(moveOf));
  const unsaid = outflows.filter(({ amount, asset, to }) => amount !== 0n && !said.has(moveKey(asset, amount, to)));
  if (unsaid.length === 0) return '';
  const shown = unsaid.slice(0, MAX_DEEDS).map((each) => outflowWords(each, chain, names));
  const rest = unsaid.length - shown.length;
  const all = rest === 0 ? '' : `, and ${rest} more; in all ${listed(totalsOf(outflows, chain, names))}`;
  return `; by it may leave ${rest === 0 ? listed(shown) : shown.join(', ')}${all}`;
}

const MAY_LEAK: readonly Action['kind'][] = ['typed-data', 'contract-call'];

const moveKey = (asset: string, amount: Amount, to: string) => `${asset} ${amount} ${to}`;

function moveOf(action: Action): readonly string[] {
  switch (action.kind) {
    case 'ether-transfer':
      return [moveKey('native', action.amount, action.recipient)];
    case 'token-transfer':
      return [moveKey(action.asset, action.amount, action.to)];
    case 'contract-call':
    case 'opaque-call':
      return [moveKey('native', action.value, action.contract)];
    default:
      return [];
  }
}

function outflowWords({ account, amount, asset, to, untilMs }: Outflow, chain: string, names: Names): string {
  const owner = account === 'wallet' ? '' : ` of ${account}`;
  const until = untilMs === null ? '' : ` until ${timeWords(untilMs)}`;
  return `${amountWords(amount, asset, chain, names)}${owner} to ${to}${until}`;
}

/** By asset, in the order in which they come. */
function totalsOf(outflows: readonly Outflow[], chain: string, names: Names): readonly string[] {
  const totals = new Map<string, Amount>();
  for (const { amount, asset } of outflows) {
    const before = totals.get(asset) ?? 0n;
    totals.set(asset, before === 'unlimited' || amount === 'unlimited' ? 'unlimited' : before + amount);
  }
  const words = [...totals].map(([asset, amount]) => amountWords(amount, asset, chain, names));
  const rest = words.length - MAX_DEEDS;
  return rest > 0 ? [...words.slice(0, MAX_DEEDS), `${rest} other assets`] : words;
}

/** A sentence stays a sentence. */
const MAX_DEEDS = 8;
const MAX_TEXT = 60;

/** "nonce 7, fee at most 0.0005 ETH"; empty where it has neither. */
export function describeTerms({ chain, nonce, fee }: Intent, names: Names = {}): string {
  const parts = nonce === null ? [] : [`nonce ${nonce}`];
  if (fee !== null) parts.push(`fee at most ${amountWords(fee.maxFeeWei, 'native', chain, names)}`);
  return parts.join(', ');
}

function actionWords(action: Action, intent: Intent, names: Names): string {
  const { chain } = intent;
  const by = 'sender' in action && action.sender !== 'wallet' ? ` by way of ${action.sender}` : '';
  switch (action.kind) {
    case 'ether-transfer':
      return `transfer ${amountWords(action.amount, 'native', chain, names)} to ${action.recipient}${by}`;
    case 'token-transfer':
      return `${tokenWords(action, chain, names)}${by}`;
    case 'contract-call':
      return `call ${shortCall(action.function, action.args)} of ${action.contract}${withValue(action.value, chain, names)}${as(action.callType)}${by}`;
    case 'opaque-call':
      return `make a call of ${action.contract} that is not understood (${action.selector ?? 'no selector'})${withValue(action.value, chain, names)}${as(action.callType)}${by}`;
    case 'contract-creation':
      return `create a contract of ${action.initCodeBytes} bytes (${action.initCodeHash})${withValue(action.value, chain, names)}`;
    case 'typed-data':
      return `sign ${signedWords(action)} for ${action.domain.name === null ? 'an application' : quoted(action.domain.name)} (${action.domain.verifyingContract ?? 'no contract'})${action.registered ? '' : ', a type that is not registered,'}`;
    case 'message':
      return `sign the message ${quoted(action.text)}`;
    case 'delegation':
      return `hand the wallet over to the code of ${action.delegate}`;
    default:
      return assertNever(action);
  }
}

function tokenWords(action: TokenTransfer, chain: string, names: Names) {
  const { asset, tokenId, amount, to, from, route, holds, untilMs } = action;
  const id = tokenId === undefined ? '' : ` (token ${tokenId})`;
  const what = `${amountWords(amount, asset, chain, names)}${id}`;
  const until = untilMs === null ? '' : ` until ${timeWords(untilMs)}`;
  const owner = from === 'wallet' ? '' : ` of ${from}`;
  if (route === 'order') return `offer ${what}${owner} through ${to}${until}`;
  return holds === 'spent' ? `transfer ${what}${owner} to ${to}` : `let ${to} take ${what}${owner}${until}`;
}

const withValue = (value: bigint, chain: string, names: Names) =>
  value === 0n ? '' : ` with ${amountWords(value, 'native', chain, names)}`;
const as = (callType: 'call' | 'delegatecall') => (callType === 'call' ? '' : ' with the rights of the caller');

const signedWords = ({ primaryType, fields }: TypedData) =>
  fields.length === 0 ? clip(primaryType) : shortCall(`${clip(primaryType)}(`, fields);

/** `deposit(amount: 5, receiver: 0x…)`. */
function shortCall(name: string, args: readonly NamedValue[]): string {
  const shown = args.map((arg) => (arg.name === '' ? valueWords(arg) : `${arg.name}: ${valueWords(arg)}`));
  return clip(`${name.slice(0, name.indexOf('('))}(${shown.join(', ')})`, 4 * MAX_TEXT);
}

function valueWords({ type, value }: NamedValue): string {
  return wordsOf(value, type.startsWith('string'));
}

/** `isText`: what somebody may have written as he liked stands in quotes, so that it passes for nothing else. */
function wordsOf(value: Value | NamedValue, isText: boolean): string {
  if (typeof value === 'string' && isText) return quoted(value);
  if (typeof value !== 'object') return clip(String(value));
  if (!Array.isArray(value)) return valueWords(value as NamedValue);
  const shown = value.slice(0, 4).map((item: Value | NamedValue) => wordsOf(item, isText));
  return `[${shown.join(', ')}${value.length > 4 ? ', …' : ''}]`;
}

const quoted = (text: string) => JSON.stringify(clip(text));

/**
 * What is invisible or turns the writing direction would make the sentence say something else. Well formed: what is cut
 * within a letter has no UTF-8, and nobody could check the entry that holds it.
 */
function clip(text: string, max = MAX_TEXT): string {
  const visible = text.replace(/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu, '�');
  return visible.length > max ? `${visible.slice(0, max - 1).toWellFormed()}…` : visible;
}
