import { concat, err, ok, utf8, type Result } from '@keepwatch/base';
import { sha256d } from '../sha256d.ts';
import { MAX_MESSAGE_BYTES } from './message.ts';

/** The frame of the first transport: magic, command, length, checksum, payload (protocol documentation). */

export const V1_HEAD_BYTES = 24;
const COMMAND_BYTES = 12;

export type FrameErrorCode = 'frame_magic' | 'frame_command' | 'frame_too_large' | 'frame_checksum';

export interface V1Head {
  readonly command: string;
  readonly length: number;
  readonly checksum: Uint8Array;
}

/** Reads a frame's first 24 bytes. Whoever refuses here has not waited for, nor made room for, the payload. */
export function readV1Head(bytes: Uint8Array, magic: Uint8Array): Result<V1Head, FrameErrorCode> {
  if (!magic.every((byte, i) => bytes[i] === byte)) return err('frame_magic');
  let command = '';
  let ended = false;
  for (const byte of bytes.subarray(4, 4 + COMMAND_BYTES)) {
    if (byte === 0) ended = true;
    else if (ended || byte < 0x20 || byte > 0x7e) return err('frame_command');
    else command += String.fromCharCode(byte);
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset, V1_HEAD_BYTES).getUint32(16, true);
  if (length > MAX_MESSAGE_BYTES) return err('frame_too_large');
  return ok({ command, length, checksum: bytes.slice(20, 24) });
}

export function checksumHolds(head: V1Head, payload: Uint8Array): boolean {
  const hash = sha256d(payload);
  return head.checksum.every((byte, i) => hash[i] === byte);
}

export function encodeV1Frame(magic: Uint8Array, command: string, payload: Uint8Array): Uint8Array {
  const head = new Uint8Array(V1_HEAD_BYTES);
  head.set(magic);
  head.set(utf8(command), 4);
  new DataView(head.buffer).setUint32(16, payload.length, true);
  head.set(sha256d(payload).subarray(0, 4), 20);
  return concat(head, payload);
}
