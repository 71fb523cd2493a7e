import { equalBytes } from '@keepwatch/base';

/** One operation of a script: its opcode, what it pushes (if it is a push), and where the next one starts. */
export interface Operation {
  readonly opcode: number;
  readonly data: Uint8Array | null;
  readonly next: number;
  /** The push runs over the end of the script; `next` is where reading stopped. */
  readonly truncated: boolean;
}

export const OP_PUSHDATA1 = 0x4c;
export const OP_PUSHDATA4 = 0x4e;
export const OP_16 = 0x60;
export const OP_CODESEPARATOR = 0xab;

const EMPTY = new Uint8Array(0);

/** The operation at `at`, which lies within the script. */
export function operationAt(script: Uint8Array, at: number): Operation {
  const opcode = script[at]!;
  if (opcode > OP_PUSHDATA4) return { opcode, data: null, next: at + 1, truncated: false };
  const sizeBytes = opcode < OP_PUSHDATA1 ? 0 : 1 << (opcode - OP_PUSHDATA1);
  const start = at + 1 + sizeBytes;
  if (start > script.length) return { opcode, data: EMPTY, next: at + 1, truncated: true };
  let size = opcode < OP_PUSHDATA1 ? opcode : 0;
  for (let i = sizeBytes; i > 0; i--) size = size * 256 + script[at + i]!;
  if (size > script.length - start) return { opcode, data: EMPTY, next: start, truncated: true };
  return { opcode, data: script.subarray(start, start + size), next: start + size, truncated: false };
}

/** Whether it pushes and does nothing else (BIP16). OP_RESERVED counts as a push here, as it does for nodes. */
export function isPushOnly(script: Uint8Array): boolean {
  for (let at = 0; at < script.length;) {
    const operation = operationAt(script, at);
    if (operation.truncated || operation.opcode > OP_16) return false;
    at = operation.next;
  }
  return true;
}

/** Whether a push has the shortest form for what it pushes (BIP62 rules 3 and 4). */
export function isMinimalPush(opcode: number, data: Uint8Array): boolean {
  const { length } = data;
  if (length === 0) return opcode === 0;
  if (length === 1 && data[0]! >= 1 && data[0]! <= 16) return false;
  if (length === 1 && data[0] === 0x81) return false;
  if (length < OP_PUSHDATA1) return opcode === length;
  if (length <= 0xff) return opcode === OP_PUSHDATA1;
  if (length <= 0xffff) return opcode === OP_PUSHDATA1 + 1;
  return true;
}

/** The script without OP_CODESEPARATOR, as the oldest signature hash sees it. */
export function withoutCodeSeparators(script: Uint8Array): Uint8Array {
  if (!script.includes(OP_CODESEPARATOR)) return script;
  const parts: number[] = [];
  for (let at = 0; at < script.length;) {
    const { opcode, next, truncated } = operationAt(script, at);
    // A broken push ends the script there; what follows is hashed as it is.
    const end = truncated ? script.length : next;
    if (opcode !== OP_CODESEPARATOR) for (let i = at; i < end; i++) parts.push(script[i]!);
    at = end;
  }
  return Uint8Array.from(parts);
}

/** The script without a string of bytes wherever an operation begins with it (`FindAndDelete`). */
export function findAndDelete(script: Uint8Array, needle: Uint8Array): { script: Uint8Array; found: boolean } {
  const kept: number[] = [];
  let found = false;
  let at = 0;
  for (;;) {
    while (at + needle.length <= script.length && equalBytes(script.subarray(at, at + needle.length), needle)) {
      at += needle.length;
      found = true;
    }
    if (at >= script.length) break;
    const { next, truncated } = operationAt(script, at);
    const end = truncated ? script.length : next;
    for (let i = at; i < end; i++) kept.push(script[i]!);
    at = end;
  }
  return { script: found ? Uint8Array.from(kept) : script, found };
}
