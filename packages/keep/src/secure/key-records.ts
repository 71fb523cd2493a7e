import { CodedError, type MaybePromise } from '@keepwatch/base';
import { KDF_SALT_BYTES, type KdfParams } from './kdf.ts';

/**
 * How the hierarchy lies in the store's records: spaces of keyed values.
 *
 *     root         kdf   → version u8 ‖ generation u32 ‖ opsLimit u32 ‖ memLimitBytes u64 ‖ salt 16
 *     root         <id>  → a root key, sealed under the user key of that generation
 *     data-key     <id>  → a key of the journal, sealed under a root key
 *     receipt-key  1     → the Ed25519 seed, sealed under a root key
 *     wallet-key   <wallet>, seed <name> → sealed under a root key
 *
 * The newest root key is the one with the highest id. Which root key, and which scheme, a record was sealed with stands
 * in its head, so a change of either is finished when no record names the old one.
 */
export type KeySpace = (typeof WRAPPED_SPACES)[number];

export const WRAPPED_SPACES = ['receipt-key', 'data-key', 'seed', 'wallet-key'] as const;

export type KeyRecordWrite =
  | { readonly op: 'put'; readonly space: string; readonly key: string; readonly value: Uint8Array }
  | { readonly op: 'delete'; readonly space: string; readonly key: string };

export interface KeyRecord {
  readonly key: string;
  readonly value: Uint8Array;
}

/** What is read of the store. `list` gives records in the order of their keys, those after `after`. */
export interface KeyRecordReader {
  get(space: string, key: string): MaybePromise<Uint8Array | undefined>;
  list(space: string, options: { readonly after?: string; readonly limit?: number }): MaybePromise<Iterable<KeyRecord>>;
}

export const ROOT_SPACE = 'root';
export const KDF_KEY = 'kdf';
export const RECEIPT_KEY_ID = '1';

/** Parameters of the password hash now in force; the generation counts the passwords. */
export interface KdfRecord extends KdfParams {
  readonly generation: number;
  readonly salt: Uint8Array;
}

const KDF_VERSION = 1;
const KDF_RECORD_BYTES = 1 + 4 + 4 + 8 + KDF_SALT_BYTES;
const PAGE = 1000;

export function encodeKdfRecord(record: KdfRecord): Uint8Array {
  const out = new Uint8Array(KDF_RECORD_BYTES);
  const numbers = new DataView(out.buffer);
  numbers.setUint8(0, KDF_VERSION);
  numbers.setUint32(1, record.generation);
  numbers.setUint32(5, record.opsLimit);
  numbers.setBigUint64(9, BigInt(record.memLimitBytes));
  out.set(record.salt, 17);
  return out;
}

/** @throws CodedError `key_record_damaged` */
export function decodeKdfRecord(value: Uint8Array): KdfRecord {
  if (value.length !== KDF_RECORD_BYTES || value[0] !== KDF_VERSION) throw damaged(ROOT_SPACE, KDF_KEY);
  const numbers = new DataView(value.buffer, value.byteOffset, value.length);
  return {
    generation: numbers.getUint32(1),
    opsLimit: numbers.getUint32(5),
    memLimitBytes: Number(numbers.getBigUint64(9)),
    salt: value.slice(17),
  };
}

/** Where a record stands: what its ciphertext is bound to. */
export function placeOf(space: string, key: string): string {
  return `${space}/${key}`;
}

/** The number that a root or data key's record is named by. */
export function numberedKey(space: string, key: string): number {
  const number = Number(key);
  if (!/^[1-9][0-9]{0,9}$/.test(key) || number > 0xffff_ffff) throw damaged(space, key);
  return number;
}

/** All records of a space. */
export async function* recordsOf(reader: KeyRecordReader, space: string, from?: string): AsyncGenerator<KeyRecord> {
  for await (const page of recordPages(reader, space, from)) yield* page;
}

/** The same a page at a time: waiting for each of a hundred thousand records costs more than looking at it. */
export async function* recordPages(
  reader: KeyRecordReader,
  space: string,
  from?: string,
): AsyncGenerator<readonly KeyRecord[]> {
  let after = from;
  for (;;) {
    const page = [...(await reader.list(space, { ...(after === undefined ? {} : { after }), limit: PAGE }))];
    yield page;
    if (page.length < PAGE) return;
    after = page.at(-1)!.key;
  }
}

export function damaged(space: string, key: string): CodedError {
  return new CodedError('key_record_damaged', `the record ${space}/${key} does not open: it was altered or moved`, {
    remedy: 'Stop the keep, keep a copy of its data directory, and restore the vault from a backup.',
    details: { space, key },
  });
}
