import { utf8 } from '@keepwatch/base';
import { openSecret, sealSecret, sealedUnder } from './aead.ts';
import { damaged, decodeKdfRecord, KDF_KEY, numberedKey, placeOf, recordsOf, ROOT_SPACE } from './key-records.ts';
import type { Scheme } from './aead.ts';
import type { KdfRecord, KeyRecord, KeyRecordReader, KeyRecordWrite } from './key-records.ts';
import type { SecureMemory, Slot } from './memory.ts';

/** Root keys by id. */
export type Roots = Map<number, Slot>;

/** What the password protects: the parameters of its hash, and the root keys wrapped under the user key. */
export interface WrappedRoots {
  readonly kdf: KdfRecord;
  readonly records: readonly KeyRecord[];
}

/**
 * Undefined where no vault was ever initialised.
 * @throws CodedError `key_record_damaged`
 */
export async function readWrappedRoots(reader: KeyRecordReader): Promise<WrappedRoots | undefined> {
  let kdf: KdfRecord | undefined;
  const records: KeyRecord[] = [];
  for await (const record of recordsOf(reader, ROOT_SPACE)) {
    if (record.key === KDF_KEY) kdf = decodeKdfRecord(record.value);
    else records.push(record);
  }
  if (kdf === undefined && records.length === 0) return undefined;
  if (kdf === undefined || records.length === 0) throw damaged(ROOT_SPACE, KDF_KEY);
  return { kdf, records };
}

/**
 * The root keys, or undefined where the user key opens none of them: the password is wrong.
 * @throws CodedError `key_record_damaged`: it opens some and not others
 */
export function openRoots(memory: SecureMemory, userKey: Slot, { kdf, records }: WrappedRoots): Roots | undefined {
  const roots: Roots = new Map();
  const closed: string[] = [];
  for (const { key, value } of records) {
    const id = numberedKey(ROOT_SPACE, key);
    const place = placeOf(ROOT_SPACE, key);
    const root = openSecret(memory, userKey, { keyId: kdf.generation, place, sealed: value });
    if (root === undefined) closed.push(key);
    else roots.set(id, root);
  }
  if (roots.size === 0) return undefined;
  if (closed.length > 0) {
    for (const root of roots.values()) memory.free(root);
    throw damaged(ROOT_SPACE, closed[0]!);
  }
  return roots;
}

export function wrapRoot(userKey: Slot, generation: number, id: number, root: Slot, scheme: Scheme): KeyRecordWrite {
  const key = String(id);
  const value = sealSecret(userKey, generation, utf8(placeOf(ROOT_SPACE, key)), root, scheme);
  return { op: 'put', space: ROOT_SPACE, key, value };
}

/** Root keys that an older scheme wraps, wrapped anew. */
export function upgradeRoots(userKey: Slot, wrapped: WrappedRoots, roots: Roots, scheme: Scheme): KeyRecordWrite[] {
  return wrapped.records
    .filter(({ value }) => (sealedUnder(value)?.scheme ?? scheme) < scheme)
    .map(({ key }) => wrapRoot(userKey, wrapped.kdf.generation, Number(key), roots.get(Number(key))!, scheme));
}
