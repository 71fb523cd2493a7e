import { err, ok, type Result } from '@keepwatch/base';

export type GrantErrorCode =
  | 'not_an_object'
  | 'unknown_member'
  | 'invalid_text'
  | 'invalid_sequence'
  | 'unknown_kind'
  | 'invalid_chain'
  | 'invalid_list'
  | 'duplicate_item'
  | 'invalid_address'
  | 'invalid_asset'
  | 'invalid_route'
  | 'invalid_function'
  | 'invalid_selector'
  | 'invalid_hash'
  | 'invalid_condition'
  | 'invalid_message'
  | 'not_acknowledged'
  | 'unknown_constraint'
  | 'duplicate_constraint'
  | 'invalid_limit'
  | 'invalid_window'
  | 'invalid_zone'
  | 'invalid_time'
  | 'no_volume_limit'
  | 'no_fee_limit';

/** What is wrong with a grant, where (a JSON Pointer, RFC 6901), and what belongs there. */
export interface GrantError {
  readonly code: GrantErrorCode;
  readonly path: string;
  readonly expected: string;
}

export type Parsed<T> = Result<T, GrantError>;

/** Reads one member; `path` is where it stands. A member that is missing is read as `undefined`. */
export type Reader<T> = (json: unknown, path: string) => Parsed<T>;

type JsonObject = Readonly<Record<string, unknown>>;
type Readers = Readonly<Record<string, Reader<unknown>>>;
type ValueOf<R> = R extends Reader<infer T> ? T : never;

export function refuse(
  code: GrantErrorCode,
  path: string,
  expected: string,
): { readonly ok: false; readonly error: GrantError } {
  return err({ code, path, expected });
}

export function isObject(json: unknown): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/** Exactly these members; the optional ones may be missing. A member that is not known could be a restriction. */
export function record<R extends Readers, O extends Readers = Record<never, never>>(
  required: R,
  optional?: O,
): Reader<{ readonly [K in keyof R]: ValueOf<R[K]> } & { readonly [K in keyof O]?: ValueOf<O[K]> }> {
  const readers: Readers = { ...required, ...optional };
  const members = Object.keys(readers);
  return (json, path) => {
    if (!isObject(json)) return refuse('not_an_object', path, 'an object');
    for (const member of Object.keys(json)) {
      if (members.includes(member)) continue;
      return refuse('unknown_member', `${path}/${escapePointer(member)}`, `one of ${members.join(', ')}`);
    }
    const values: Record<string, unknown> = {};
    for (const member of members) {
      const isOptional = optional !== undefined && Object.hasOwn(optional, member);
      if (isOptional && !Object.hasOwn(json, member)) continue;
      const value = Object.hasOwn(json, member) ? json[member] : undefined;
      const parsed = readers[member]!(value, `${path}/${member}`);
      if (!parsed.ok) return parsed;
      values[member] = parsed.value;
    }
    return ok(values as never);
  };
}

function escapePointer(member: string): string {
  return member.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** Between `min` and `max` items, none twice: objects are the same where all their members are. */
export function list<T>(item: Reader<T>, min: number, max: number): Reader<readonly T[]> {
  return (json, path) => {
    if (!Array.isArray(json) || json.length < min || json.length > max) {
      return refuse('invalid_list', path, `a list of ${min} to ${max}`);
    }
    const items: T[] = [];
    const seen = new Set<string>();
    for (const [i, each] of (json as unknown[]).entries()) {
      const parsed = item(each, `${path}/${i}`);
      if (!parsed.ok) return parsed;
      const key = JSON.stringify(parsed.value, bigintAsText);
      if (seen.has(key)) return refuse('duplicate_item', `${path}/${i}`, 'each item once');
      seen.add(key);
      items.push(parsed.value);
    }
    return ok(items);
  };
}

const bigintAsText = (_key: string, value: unknown) => (typeof value === 'bigint' ? value.toString() : value);

/** The word `any`, or a list. */
export function anyOf<T>(item: Reader<T>, max: number): Reader<readonly T[] | 'any'> {
  const read = list(item, 0, max);
  return (json, path) => {
    if (json === 'any') return ok(json);
    return Array.isArray(json) && json.length <= max
      ? read(json, path)
      : refuse('invalid_list', path, `'any', or a list of at most ${max}`);
  };
}

export function matching(pattern: RegExp, maxLength: number, code: GrantErrorCode, expected: string): Reader<string> {
  return (json, path) =>
    typeof json === 'string' && json.length <= maxLength && pattern.test(json)
      ? ok(json)
      : refuse(code, path, expected);
}

export function word<W extends string>(words: readonly W[], code: GrantErrorCode): Reader<W> {
  return (json, path) => {
    const known = words.find((each) => each === json);
    return known === undefined ? refuse(code, path, words.map((each) => `'${each}'`).join(' or ')) : ok(known);
  };
}

export function integer(min: number, max: number, code: GrantErrorCode): Reader<number> {
  return (json, path) =>
    Number.isSafeInteger(json) && (json as number) >= min && (json as number) <= max
      ? ok(json as number)
      : refuse(code, path, `a whole number from ${min} to ${max}`);
}

/** Base units as a decimal string. */
export function amount(min: bigint, max: bigint, code: GrantErrorCode): Reader<bigint> {
  return (json, path) => {
    if (typeof json === 'string' && /^(0|[1-9][0-9]{0,77})$/.test(json)) {
      const value = BigInt(json);
      if (value >= min && value <= max) return ok(value);
    }
    return refuse(code, path, `a whole number from ${min} to ${max} as a decimal string`);
  };
}

/** Null, or what the reader reads. */
export function nullable<T>(reader: Reader<T>): Reader<T | null> {
  return (json, path) => (json === null ? ok(null) : reader(json, path));
}
