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
  if (Array.isArray(value)) return value.map(jsonify);
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) {
    throw new TypeError('not plain data that JSON holds exactly');
  }
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([key, member]) => [key, jsonify(member)]));
}
