import { assertNever } from '@keepwatch/base';
import type { PermissionRequest } from '../decision.ts';
import type { Action, Intent, NamedValue, TokenTransfer, Value } from '../intent.ts';
import { amountWords, listed, onChain, timeWords, type Names } from './names.ts';

/**
 * "Client bot wants to transfer 250 USDT to 0x… on Ethereum": what a request would do, in the words that the journal, the
 * command line, an approval and a denial have in common.
 */
export function describeIntent(
  { client, intent }: Pick<PermissionRequest, 'client' | 'intent'>,
  names: Names = {},
): string {
  const deeds = intent.actions.map((action) => actionWords(action, intent, names));
  const shown = deeds.length > MAX_DEEDS ? [...deeds.slice(0, MAX_DEEDS), `${deeds.length - MAX_DEEDS} more`] : deeds;
  const opaque = intent.opaque === null ? '' : ` (not understood: ${intent.opaque})`;
  return `Client ${names.client ?? client} wants to ${listed(shown)} ${onChain(intent.chain, names)}${opaque}`;
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
      return `sign ${clip(action.primaryType)} for ${action.domain.name === null ? 'an application' : quoted(action.domain.name)} (${action.domain.verifyingContract ?? 'no contract'})${action.registered ? '' : ', a type that is not registered,'}`;
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
