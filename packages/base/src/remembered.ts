/**
 * `make`, which is asked once for each argument: what it gives is kept by the argument's identity, for as long as that
 * lives. For what never changes.
 */
export function remembered<K extends WeakKey, V extends string | object>(make: (key: K) => V): (key: K) => V {
  const made = new WeakMap<K, V>();
  return (key) => {
    let value = made.get(key);
    if (value === undefined) made.set(key, (value = make(key)));
    return value;
  };
}
