import { err, ok, type Result } from '@keepwatch/base';
import { failure, type DescriptorError } from './error.ts';

/** The characters of descriptors, in the order that the checksum gives them (BIP380 “Character Set”). */
const INPUT = `0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH\`#"\\ `;
const OUTPUT = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const VALUE = new Int8Array(128).fill(-1);
for (let i = 0; i < INPUT.length; i++) VALUE[INPUT.charCodeAt(i)] = i;

/** The generator of BIP380, each of its 40 bits in two words: above and below 2^32. */
const GENERATOR_HIGH = [0xf5, 0xa9, 0x1b, 0x37, 0x64] as const;
const GENERATOR_LOW = [0xdee51989, 0xfdca3312, 0xab10e32d, 0x06b1677a, 0x4d626ffd] as const;

/** The eight letters behind `#` (BIP380 “Checksum”); `undefined` where a character is none of a descriptor's. */
export function descriptorChecksum(body: string): string | undefined {
  let high = 0;
  let low = 1;
  const feed = (symbol: number) => {
    const top = high >>> 3;
    high = ((high & 7) << 5) | (low >>> 27);
    low = (low << 5) ^ symbol;
    for (let i = 0; i < 5; i++) {
      if (((top >> i) & 1) === 0) continue;
      high ^= GENERATOR_HIGH[i]!;
      low ^= GENERATOR_LOW[i]!;
    }
  };
  let groups = 0;
  for (let i = 0; i < body.length; i++) {
    const code = body.charCodeAt(i);
    const value = code < 128 ? VALUE[code]! : -1;
    if (value < 0) return undefined;
    feed(value & 31);
    groups = groups * 3 + (value >> 5);
    if (i % 3 === 2) {
      feed(groups);
      groups = 0;
    }
  }
  if (body.length % 3 !== 0) feed(groups);
  for (let i = 0; i < 8; i++) feed(0);
  low ^= 1;
  let text = '';
  for (let i = 7; i >= 0; i--) {
    const shift = i * 5;
    const bits = shift >= 32 ? high >>> (shift - 32) : (low >>> shift) | (shift > 27 ? high << (32 - shift) : 0);
    text += OUTPUT[bits & 31];
  }
  return text;
}

/** A descriptor without its checksum, if it has one; the checksum must then be right. */
export function withoutChecksum(text: string): Result<string, DescriptorError> {
  const at = text.indexOf('#');
  const body = at < 0 ? text : text.slice(0, at);
  const checksum = descriptorChecksum(body);
  if (checksum === undefined) {
    return err(failure('descriptor_bad_character', 'A descriptor holds a character that none can have (BIP380).'));
  }
  if (at >= 0 && text.slice(at + 1) !== checksum) {
    return err(
      failure(
        'descriptor_bad_checksum',
        'The checksum does not belong to the descriptor: one of the two was changed or is incomplete.',
      ),
    );
  }
  return ok(body);
}
