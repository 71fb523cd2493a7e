import { CodedError } from '@keepwatch/base';

/** What is said of a member that is not known, by its name. */
export type Advice = Readonly<Record<string, string>>;

/**
 * The first member of `value` that is not among `known`, inherited ones and getters of classes included; `undefined` where
 * there is none. What has no value says nothing, so it is passed over. `advice` names members that could hide from a loop.
 */
export function unknownMember(value: object, known: readonly string[], advice: Advice = {}): string | undefined {
  const named = value as Readonly<Record<string, unknown>>;
  const isUnknown = (name: string) => !known.includes(name) && named[name] !== undefined;
  for (const name in named) if (isUnknown(name)) return name;
  for (const name of Object.getOwnPropertyNames(named)) if (isUnknown(name)) return name;
  return Object.keys(advice).find((name) => name in named && isUnknown(name));
}

/**
 * Demands that a request has no other members than these: one that is passed over is one that the caller relies on, such as
 * a misspelt idempotency key. Throws `params_invalid`.
 */
export function demandMembers(method: string, request: object, known: readonly string[], advice: Advice = {}): void {
  if (!isObject(request)) throw invalid(method, 'it takes one object', `Give one with ${listed(known)}.`);
  const name = unknownMember(request, known, advice);
  if (name === undefined) return;
  throw invalid(method, `“${name}” is not known`, advice[name] ?? `It takes ${listed(known)}.`);
}

/** A fault in what the program gave to a method of the SDK. Throws nothing itself. */
export function invalid(method: string, what: string, remedy: string): CodedError {
  return new CodedError('params_invalid', `${method}: ${what}.`, { remedy });
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function listed(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** What a value is, for a message: its kind and not what it holds. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (typeof value === 'object') return 'an object';
  return `a ${typeof value}`;
}
