/** The same shape with every bigint as a decimal string: how amounts stand in JSON. */
export type Jsonified<T> = T extends bigint
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Jsonified<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: Jsonified<T[Key]> }
      : T;

/**
 * A grant, intent, decision or report as JSON: amounts become decimal strings, members that are `undefined` go. For a
 * grant, `parseGrant` is the inverse. Throws a TypeError for anything but plain data with safe integers, which JSON would
 * not hold exactly.
 */
export function toJson<T>(value: T): Jsonified<T> {
  return jsonify(value) as Jsonified<T>;
}

function jsonify(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value === 'boolean' || typeof value === 'string' || Number.isSafeInteger(value)) {
    return value;
  }
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value as readonly unknown[]) items.push(jsonify(item));
    return items;
  }
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) {
    throw new TypeError('not plain data that JSON holds exactly');
  }
  // A loop and not entries() and fromEntries(): each permitted request comes through here several times.
  const members: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw new TypeError('not plain data that JSON holds exactly');
    const member = (value as Record<string, unknown>)[key];
    if (member !== undefined) members[key] = jsonify(member);
  }
  return members;
}
