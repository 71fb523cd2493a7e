import { canonicalJson } from '@keepwatch/base';
import { wireCrypto } from '@keepwatch/sdk';
import { openCommand } from '@keepwatch/wire';
import { peerIdOf } from '../access/peer-id.ts';
import { digestOf, keyOf } from './order-desk.ts';
import type { Ordered } from './order-log.ts';
import { aboutOf, paramsOf, type OrderRow } from './order-rows.ts';

/** FIPS 204 §4 and RFC 8032 §5.1.5. */
const KEY_BYTES = { EdDSA: 32, 'ML-DSA-65': 1_952 } as const;

type ByPeer = Extract<Ordered['by'], { kind: 'peer' }>;

/**
 * Whether the key that this peer's id stands for signed this order, for this monitor. Whether that peer might order it at
 * the time is for the journal before it to say.
 */
export function isSigned(
  { id, method, by }: Pick<Ordered, 'id' | 'method'> & { readonly by: Omit<ByPeer, 'kind' | 'name'> },
  identity: string,
): boolean {
  const key = keyOf(by);
  if (key?.publicKey.length !== KEY_BYTES[by.alg] || peerIdOf(key) !== by.peer) return false;
  const context = { vault: identity, nowMs: 0, maxLifetimeMs: Infinity };
  const opened = openCommand(wireCrypto, key, by.command, context);
  return (
    opened.ok &&
    opened.value.id === id &&
    opened.value.method === method &&
    opened.value.expires === by.expiresMs &&
    digestOf(by.command) === by.digest
  );
}

/**
 * What can be said of a row without trusting who sent it. `good`: the peer of this id signed exactly what the row says, for
 * the monitor of this identity. `withheld`: the order holds a secret, and only the monitor can check it.
 */
export function signatureOf(row: OrderRow, identity: string): 'good' | 'bad' | 'none' | 'withheld' {
  const { id, by, method, command, params, about, withheld } = row;
  if (by.kind !== 'peer') return 'none';
  if (withheld) return 'withheld';
  if (id === null || command === null) return 'bad';
  const { alg, peer, publicKey, expiresMs } = by;
  const claimed = { id, method, by: { alg, peer, publicKey, expiresMs, command, digest: digestOf(command) } };
  const signed = isSigned(claimed, identity) ? paramsOf(command) : undefined;
  const isSame =
    signed !== undefined && canonicalJson(signed) === canonicalJson(params) && aboutOf(method, signed) === about;
  return isSame ? 'good' : 'bad';
}
