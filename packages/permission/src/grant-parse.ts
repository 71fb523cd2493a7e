import { err, ok, parseWei, type Result } from '@keepwatch/base';
import { MAX_WINDOW_SECONDS, type Constraint, type Grant } from './grant.ts';
import type { KindRules } from './kinds/kind.ts';
import type { Intent, IntentKind } from './intent.ts';
import { isIntentKind, rulesOfKind } from './kinds/table.ts';

export type GrantErrorCode =
  | 'not_an_object'
  | 'unknown_member'
  | 'invalid_text'
  | 'invalid_sequence'
  | 'unknown_kind'
  | 'invalid_chain'
  | 'invalid_recipients'
  | 'invalid_recipient'
  | 'duplicate_recipient'
  | 'invalid_constraints'
  | 'unknown_constraint'
  | 'invalid_limit'
  | 'invalid_window'
  | 'duplicate_constraint'
  | 'no_volume_limit';

/** What is wrong with a grant, where (a JSON Pointer, RFC 6901), and what belongs there. */
export interface GrantError {
  readonly code: GrantErrorCode;
  readonly path: string;
  readonly expected: string;
}

const MAX_RECIPIENTS = 1024;
const MAX_CONSTRAINTS = 16;
/** More transactions than any chain takes from one wallet in a year. */
const MAX_COUNT = 1_000_000_000;

type Parsed<T> = Result<T, GrantError>;
type JsonObject = Readonly<Record<string, unknown>>;

function refuse(
  code: GrantErrorCode,
  path: string,
  expected: string,
): { readonly ok: false; readonly error: GrantError } {
  return err({ code, path, expected });
}

/**
 * A grant from plain JSON, the only way to one. Members are those of `Grant`; the limits of `volume` and `max-fee` are
 * decimal strings in base units, everything else is as it is there, and nothing has a default.
 *
 * - `unknown_member`: a member that is not known could be a restriction that is not kept
 * - `invalid_text`: `id`, `client` and `wallet` have 1 to 128 characters, `label` at most 200; none is invisible
 * - `invalid_recipient`: not in canonical form, which for ether is `0x` and 40 lower-case digits
 * - `duplicate_constraint`: two of the same type over the same window; which one holds?
 * - `no_volume_limit`: nothing limits what may leave the wallet
 */
export function parseGrant(json: unknown): Parsed<Grant> {
  const members = ['id', 'createdSeq', 'client', 'wallet', 'chain', 'kind', 'recipients', 'constraints', 'label'];
  const record = parseObject(json, '', members);
  if (!record.ok) return record;
  const { createdSeq, chain, kind } = record.value;

  const id = parseText(record.value, 'id', 128);
  if (!id.ok) return id;
  const client = parseText(record.value, 'client', 128);
  if (!client.ok) return client;
  const wallet = parseText(record.value, 'wallet', 128);
  if (!wallet.ok) return wallet;
  if (!isIntegerWithin(createdSeq, 0, Number.MAX_SAFE_INTEGER)) {
    return refuse('invalid_sequence', '/createdSeq', 'a safe integer from 0');
  }
  if (!isIntentKind(kind)) return refuse('unknown_kind', '/kind', "'ether-transfer'");
  const rules = rulesOfKind(kind);
  if (typeof chain !== 'string' || !rules.isChain(chain)) {
    return refuse('invalid_chain', '/chain', `a CAIP-2 chain id that has the kind ${kind}, for instance eip155:1`);
  }
  const recipients = parseRecipients(record.value['recipients'], rules);
  if (!recipients.ok) return recipients;
  const constraints = parseConstraints(record.value['constraints']);
  if (!constraints.ok) return constraints;

  const scope = { id: id.value, createdSeq, client: client.value, wallet: wallet.value, chain };
  const grant = {
    ...scope,
    kind: kind satisfies IntentKind,
    recipients: recipients.value,
    constraints: constraints.value,
  };
  if (!Object.hasOwn(record.value, 'label')) return ok(grant);
  const label = parseText(record.value, 'label', 200);
  return label.ok ? ok({ ...grant, label: label.value }) : label;
}

function parseRecipients(json: unknown, rules: KindRules<Intent>): Parsed<readonly string[] | 'any'> {
  if (json === 'any') return ok(json);
  if (!Array.isArray(json) || json.length > MAX_RECIPIENTS) {
    return refuse('invalid_recipients', '/recipients', `'any', or a list of at most ${MAX_RECIPIENTS}`);
  }
  const recipients = new Set<string>();
  for (const [i, recipient] of (json as unknown[]).entries()) {
    const path = `/recipients/${i}`;
    if (typeof recipient !== 'string' || !rules.isRecipient(recipient)) {
      return refuse('invalid_recipient', path, 'a recipient in canonical form; for ether, 0x and 40 lower-case digits');
    }
    if (recipients.has(recipient)) return refuse('duplicate_recipient', path, 'each recipient once');
    recipients.add(recipient);
  }
  return ok([...recipients]);
}

function parseConstraints(json: unknown): Parsed<readonly Constraint[]> {
  if (!Array.isArray(json) || json.length > MAX_CONSTRAINTS) {
    return refuse('invalid_constraints', '/constraints', `a list of at most ${MAX_CONSTRAINTS}`);
  }
  const constraints: Constraint[] = [];
  const seen = new Set<string>();
  for (const [i, item] of (json as unknown[]).entries()) {
    const path = `/constraints/${i}`;
    const constraint = parseConstraint(item, path);
    if (!constraint.ok) return constraint;
    const { type } = constraint.value;
    const key = type === 'max-fee' ? type : `${type}/${constraint.value.windowSeconds}`;
    if (seen.has(key)) return refuse('duplicate_constraint', path, 'one constraint of each type and window');
    seen.add(key);
    constraints.push(constraint.value);
  }
  if (!constraints.some(({ type }) => type === 'volume')) {
    return refuse('no_volume_limit', '/constraints', 'at least one volume constraint');
  }
  return ok(constraints);
}

function parseConstraint(json: unknown, path: string): Parsed<Constraint> {
  if (!isObject(json)) return refuse('not_an_object', path, 'an object');
  const { type } = json;
  switch (type) {
    case 'volume':
    case 'count': {
      const record = parseObject(json, path, ['type', 'limit', 'windowSeconds']);
      if (!record.ok) return record;
      const { limit, windowSeconds } = record.value;
      if (!isIntegerWithin(windowSeconds, 1, MAX_WINDOW_SECONDS)) {
        return refuse('invalid_window', `${path}/windowSeconds`, `whole seconds from 1 to ${MAX_WINDOW_SECONDS}`);
      }
      if (type === 'count') {
        if (isIntegerWithin(limit, 1, MAX_COUNT)) return ok({ type, limit, windowSeconds });
        return refuse('invalid_limit', `${path}/limit`, `an integer from 1 to ${MAX_COUNT}`);
      }
      const amount = parseAmount(limit, `${path}/limit`);
      return amount.ok ? ok({ type, limit: amount.value, windowSeconds }) : amount;
    }
    case 'max-fee': {
      const record = parseObject(json, path, ['type', 'limit']);
      if (!record.ok) return record;
      const amount = parseAmount(record.value['limit'], `${path}/limit`);
      return amount.ok ? ok({ type, limit: amount.value }) : amount;
    }
    default:
      return refuse('unknown_constraint', `${path}/type`, "'volume', 'count' or 'max-fee'");
  }
}

/** A positive amount in base units. A limit of nothing is no limit to set: revoke the grant instead. */
function parseAmount(json: unknown, path: string): Parsed<bigint> {
  const amount = typeof json === 'string' ? parseWei(json) : undefined;
  if (amount?.ok && amount.value > 0n) return ok(amount.value);
  return refuse('invalid_limit', path, 'base units as a decimal string, from 1 to 2^256−1');
}

/** Texts end up in sentences on terminals, so nothing that is invisible or turns the writing direction is let in. */
function parseText(record: JsonObject, member: string, maxLength: number): Parsed<string> {
  const text = record[member];
  const isVisible = typeof text === 'string' && /^[^\p{C}\p{Zl}\p{Zp}]+$/u.test(text);
  if (isVisible && text.length <= maxLength && text.trim() === text) return ok(text);
  return refuse('invalid_text', `/${member}`, `1 to ${maxLength} visible characters, no space at either end`);
}

function parseObject(json: unknown, path: string, members: readonly string[]): Parsed<JsonObject> {
  if (!isObject(json)) return refuse('not_an_object', path, 'an object');
  for (const member of Object.keys(json)) {
    if (members.includes(member)) continue;
    const escaped = member.replaceAll('~', '~0').replaceAll('/', '~1');
    return refuse('unknown_member', `${path}/${escaped}`, `one of ${members.join(', ')}`);
  }
  return ok(json);
}

function isObject(json: unknown): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function isIntegerWithin(value: unknown, min: number, max: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}
