/** What a map and a layer above one have in common. */
export interface Layer<K, V> {
  get(key: K): V | undefined;
  has(key: K): boolean;
  set(key: K, value: V): unknown;
  delete(key: K): unknown;
  entries(): Iterable<[K, V]>;
  keys(): Iterable<K>;
  values(): Iterable<V>;
}

/** Takes all changes itself and leaves what lies below as it is. */
export function layered<K, V extends NonNullable<unknown>>(below: Layer<K, V>): Layer<K, V> {
  /** Undefined: deleted. */
  const own = new Map<K, V | undefined>();
  function* entries(): Generator<[K, V]> {
    // What is put in place while somebody looks through is not seen twice.
    const before = new Map(own);
    for (const entry of below.entries()) if (!before.has(entry[0])) yield entry;
    for (const [key, value] of before) if (value !== undefined) yield [key, value];
  }
  return {
    get: (key) => (own.has(key) ? own.get(key) : below.get(key)),
    has: (key) => (own.has(key) ? own.get(key) !== undefined : below.has(key)),
    set: (key, value) => own.set(key, value),
    delete: (key) => own.set(key, undefined),
    entries,
    *keys() {
      for (const [key] of entries()) yield key;
    },
    *values() {
      for (const [, value] of entries()) yield value;
    },
  };
}
