import { concat, fromHex } from '@keepwatch/base';

/**
 * The part of RLP (Yellow Paper, appendix B) that an ether transfer needs: encoding byte strings and one flat list, and
 * reading the flat list at the end of a signed transaction. The vault has a complete and strict codec of its own; what
 * is encoded here is decoded there before anything is signed.
 */
export function rlpString(bytes: Uint8Array): Uint8Array {
  return bytes.length === 1 && bytes[0]! < 0x80 ? bytes : concat(header(bytes.length, 0x80), bytes);
}

/** A list of items that are encoded already. */
export function rlpList(items: readonly Uint8Array[]): Uint8Array {
  const content = concat(...items);
  return concat(header(content.length, 0xc0), content);
}

/** An integer has no leading zeros; zero is the empty string. */
export function rlpInteger(value: bigint): Uint8Array {
  return rlpString(bigEndian(value));
}

/** The content of a list that fills `bytes` exactly, in its one canonical form; `undefined` for anything else. */
export function rlpListContent(bytes: Uint8Array): Uint8Array | undefined {
  const lengthSize = bytes[0]! > 0xf7 ? bytes[0]! - 0xf7 : 0;
  const content = bytes.subarray(1 + lengthSize);
  const canonical = header(content.length, 0xc0);
  if (canonical.length !== 1 + lengthSize) return undefined;
  return canonical.every((byte, i) => byte === bytes[i]) ? content : undefined;
}

/** Where the last `count` of the byte strings in a list's content begin; `undefined` where they are not so many strings. */
export function rlpTailStart(content: Uint8Array, count: number): number | undefined {
  const starts: number[] = [];
  for (let at = 0; at < content.length;) {
    starts.push(at);
    const prefix = content[at]!;
    if (prefix < 0x80) at += 1;
    else if (prefix < 0xb8) at += 1 + prefix - 0x80;
    else if (prefix < 0xc0) {
      const sizeBytes = prefix - 0xb7;
      let size = 0;
      for (let i = 1; i <= sizeBytes; i++) size = size * 256 + (content[at + i] ?? 0);
      at += 1 + sizeBytes + size;
    } else return undefined;
    if (at > content.length) return undefined;
  }
  return starts.at(-count);
}

/** Short canonical byte strings (below 56 bytes) one after another; `undefined` where there is anything else. */
export function rlpShortStrings(bytes: Uint8Array): Uint8Array[] | undefined {
  const strings: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const prefix = bytes[at]!;
    const start = prefix < 0x80 ? at : at + 1;
    const end = prefix < 0x80 ? at + 1 : start + prefix - 0x80;
    if (prefix > 0xb7 || end > bytes.length) return undefined;
    const string = bytes.subarray(start, end);
    if (prefix === 0x81 && string[0]! < 0x80) return undefined;
    strings.push(string);
    at = end;
  }
  return strings;
}

function header(length: number, offset: number): Uint8Array {
  if (length < 56) return Uint8Array.of(offset + length);
  const size = bigEndian(BigInt(length));
  return concat(Uint8Array.of(offset + 55 + size.length), size);
}

function bigEndian(value: bigint): Uint8Array {
  if (value < 0n) throw new RangeError('RLP has no negative integers');
  const digits = value === 0n ? '' : value.toString(16);
  return fromHex(digits.length % 2 === 0 ? digits : `0${digits}`)!;
}
