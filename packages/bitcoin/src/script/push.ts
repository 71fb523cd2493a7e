import { concat } from '@keepwatch/base';
import { encodeScriptNumber } from './number.ts';

const OP_PUSHDATA1 = 0x4c;
const OP_PUSHDATA2 = 0x4d;
const OP_1NEGATE = 0x4f;
const OP_1 = 0x51;

/** The shortest opcode that pushes these bytes as they are, up to 65,535 of them (BIP62 rule 3, short of numbers). */
export function pushBytes(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  if (length < OP_PUSHDATA1) return concat(Uint8Array.of(length), bytes);
  if (length <= 0xff) return concat(Uint8Array.of(OP_PUSHDATA1, length), bytes);
  return concat(Uint8Array.of(OP_PUSHDATA2, length & 0xff, length >> 8), bytes);
}

/** The shortest way to push a number: one opcode for −1 to 16, else its bytes. */
export function pushNumber(value: number): Uint8Array {
  if (value === 0) return Uint8Array.of(0);
  if (value === -1) return Uint8Array.of(OP_1NEGATE);
  if (value >= 1 && value <= 16) return Uint8Array.of(OP_1 + value - 1);
  return pushBytes(encodeScriptNumber(value));
}
