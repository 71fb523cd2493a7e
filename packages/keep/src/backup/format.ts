import {
  canonicalBytes,
  concat,
  err,
  fromUtf8,
  lengthPrefixed,
  ok,
  u32be,
  u64be,
  utf8,
  type Json,
  type Result,
} from '@keepwatch/base';
import type { StoredBatch } from '@keepwatch/journal';

/**
 * The backup file: one line of JSON (the header), then sealed pieces. Everything in the pieces was encrypted in the
 * vault already; sealing them again under a key of the backup's own hides sizes and heads too, and binds each piece to
 * the header and to its place, so that pieces of two backups cannot be mixed, dropped or re-ordered.
 *
 *     header line (canonical JSON, LF) ‖ { u32 length ‖ sealed piece }*
 */
export interface BackupHeader {
  readonly format: 'keepwatch-backup/1';
  readonly created: number;
  readonly vault: string;
  readonly epoch: number;
  readonly lastSeq: number;
  /** argon2id: how the password gives the key that wraps this backup's key. */
  readonly kdf: { readonly opsLimit: number; readonly memLimitBytes: number; readonly salt: string };
  /** The backup's key under the password's, base64url. */
  readonly wrapped: string;
}

/** What a backup holds. Boot key and boot table are not among it: a restored vault is an installation of its own. */
export type BackupItem =
  | { readonly kind: 'record'; readonly space: string; readonly key: string; readonly value: Uint8Array }
  | { readonly kind: 'batch'; readonly batch: StoredBatch };

/** Plain bytes of one piece: about 1 MiB, so that neither side holds more than that at once. */
export const PIECE_BYTES = 1 << 20;
const MAX_HEADER_BYTES = 4_096;

export function encodeItem(item: BackupItem): Uint8Array {
  const body =
    item.kind === 'record'
      ? concat(Uint8Array.of(1), lengthPrefixed(utf8(item.space), utf8(item.key), item.value))
      : concat(Uint8Array.of(2), encodeBatch(item.batch));
  return lengthPrefixed(body);
}

function encodeBatch(batch: StoredBatch): Uint8Array {
  return lengthPrefixed(
    concat(u64be(batch.epoch), u64be(batch.firstSeq), u64be(batch.lastSeq), u64be(batch.timeMs), u64be(batch.keyId)),
    batch.prev,
    batch.root,
    batch.hash,
    batch.signature,
    batch.sealed,
  );
}

export function encodeHeader(header: BackupHeader): Uint8Array {
  return concat(canonicalBytes(header as unknown as Json), utf8('\n'));
}

/** The header and where the pieces begin. */
export function decodeHeader(
  bytes: Uint8Array,
): Result<{ header: BackupHeader; encoded: Uint8Array; rest: number }, 'backup_malformed'> {
  const end = bytes.subarray(0, MAX_HEADER_BYTES).indexOf(0x0a);
  const text = end < 0 ? undefined : fromUtf8(bytes.subarray(0, end));
  if (text === undefined) return err('backup_malformed');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return err('backup_malformed');
  }
  if (!isHeader(parsed)) return err('backup_malformed');
  return ok({ header: parsed, encoded: bytes.subarray(0, end + 1), rest: end + 1 });
}

function isHeader(value: unknown): value is BackupHeader {
  if (typeof value !== 'object' || value === null) return false;
  const header = value as Record<string, unknown>;
  const kdf = header['kdf'] as Record<string, unknown> | null;
  return (
    header['format'] === 'keepwatch-backup/1' &&
    [header['created'], header['epoch'], header['lastSeq']].every(isCount) &&
    typeof header['vault'] === 'string' &&
    typeof header['wrapped'] === 'string' &&
    typeof kdf === 'object' &&
    kdf !== null &&
    isCount(kdf['opsLimit']) &&
    isCount(kdf['memLimitBytes']) &&
    typeof kdf['salt'] === 'string'
  );
}

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;

/** Where piece `i` stands: associated data for its sealing. The last one says so, so that none can be cut off. */
export function piecePlace(headerHash: Uint8Array, i: number, last: boolean): Uint8Array {
  return lengthPrefixed(utf8('backup/piece'), headerHash, u32be(i), utf8(last ? 'last' : 'more'));
}

export function frame(piece: Uint8Array): Uint8Array {
  return concat(u32be(piece.length), piece);
}

/** The items of one opened piece. The piece was authenticated, so a malformed one was written by another version. */
export function decodeItems(piece: Uint8Array): Result<readonly BackupItem[], 'backup_malformed'> {
  const items: BackupItem[] = [];
  const bodies = readParts(piece);
  if (!bodies) return err('backup_malformed');
  for (const body of bodies) {
    const parts = readParts(body.subarray(1));
    if (!parts) return err('backup_malformed');
    const item = body[0] === 1 ? decodeRecord(parts) : body[0] === 2 ? decodeBatch(parts) : undefined;
    if (!item) return err('backup_malformed');
    items.push(item);
  }
  return ok(items);
}

function decodeRecord(parts: readonly Uint8Array[]): BackupItem | undefined {
  const [space, key, value] = [
    fromUtf8(parts[0] ?? new Uint8Array()),
    fromUtf8(parts[1] ?? new Uint8Array()),
    parts[2],
  ];
  if (parts.length !== 3 || !space || !key || !value) return undefined;
  return { kind: 'record', space, key, value };
}

function decodeBatch(parts: readonly Uint8Array[]): BackupItem | undefined {
  const [numbers, prev, root, hash, signature, sealed] = parts;
  if (parts.length !== 6 || numbers?.length !== 40 || !prev || !root || !hash || !signature || !sealed)
    return undefined;
  const view = new DataView(numbers.buffer, numbers.byteOffset, 40);
  const [epoch, firstSeq, lastSeq, timeMs, keyId] = [0, 8, 16, 24, 32].map((at) => Number(view.getBigUint64(at)));
  return {
    kind: 'batch',
    batch: {
      epoch: epoch!,
      firstSeq: firstSeq!,
      lastSeq: lastSeq!,
      timeMs: timeMs!,
      keyId: keyId!,
      prev,
      root,
      hash,
      signature,
      sealed,
    },
  };
}

/** The sealed pieces of a file, without its header; undefined where the lengths do not add up. */
export const readFrames = (bytes: Uint8Array): readonly Uint8Array[] | undefined => readParts(bytes);

/** Reverses `lengthPrefixed`. */
function readParts(bytes: Uint8Array): readonly Uint8Array[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + 4 > bytes.length) return undefined;
    const length = view.getUint32(at);
    at += 4;
    if (length > bytes.length - at) return undefined;
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return parts;
}
