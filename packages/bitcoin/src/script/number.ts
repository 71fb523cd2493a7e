/**
 * Numbers on the stack: little-endian, the sign in the top bit of the last byte, zero is the empty string. Those of at
 * most five bytes (the widest that a time lock takes) are exact in a double.
 */
export function encodeScriptNumber(value: number): Uint8Array {
  if (value === 0) return new Uint8Array(0);
  const bytes: number[] = [];
  for (let rest = Math.abs(value); rest > 0; rest = Math.floor(rest / 256)) bytes.push(rest % 256);
  if (bytes.at(-1)! & 0x80) bytes.push(value < 0 ? 0x80 : 0);
  else if (value < 0) bytes[bytes.length - 1]! |= 0x80;
  return Uint8Array.from(bytes);
}

/**
 * The number in so many bytes; `undefined` where there are more than `maxBytes`, or, with `minimal`, where fewer bytes
 * would say the same.
 */
export function decodeScriptNumber(bytes: Uint8Array, minimal: boolean, maxBytes = 4): number | undefined {
  const { length } = bytes;
  if (length > maxBytes) return undefined;
  if (length === 0) return 0;
  const last = bytes[length - 1]!;
  if (minimal && (last & 0x7f) === 0 && (length === 1 || (bytes[length - 2]! & 0x80) === 0)) return undefined;
  let value = last & 0x7f;
  for (let i = length - 2; i >= 0; i--) value = value * 256 + bytes[i]!;
  return last & 0x80 ? -value : value;
}

/** Whether an element counts as true: anything but zeros, with or without a sign. */
export function isTrue(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 0) return !(i === bytes.length - 1 && bytes[i] === 0x80);
  }
  return false;
}
