import { describe, expect, it } from 'vitest';
import { derBitString, derOctetString, derOid, derUnsigned } from './der.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('DER', () => {
  it.each([
    ['1.2.840.10045.4.3.2', '06082a8648ce3d040302'],
    ['2.5.29.17', '0603551d11'],
    ['1.2.840.113549', '06062a864886f70d'],
  ])('writes the object identifier %s (X.690 §8.19)', (oid, expected) => expect(hex(derOid(oid))).toBe(expected));

  it.each([
    ['00', '020100'],
    ['0000', '020100'],
    ['7f', '02017f'],
    ['80', '02020080'],
    ['0080', '02020080'],
    ['0100', '02020100'],
    ['', '020100'],
  ])('writes the integer %s with fewest bytes and no sign (X.690 §8.3)', (bytes, expected) =>
    expect(hex(derUnsigned(Buffer.from(bytes, 'hex')))).toBe(expected),
  );

  it('writes lengths in their shortest form (X.690 §10.1)', () => {
    expect(hex(derOctetString(new Uint8Array(127))).slice(0, 4)).toBe('047f');
    expect(hex(derOctetString(new Uint8Array(128))).slice(0, 6)).toBe('048180');
    expect(hex(derOctetString(new Uint8Array(256))).slice(0, 8)).toBe('04820100');
    expect(hex(derOctetString(new Uint8Array(65536))).slice(0, 10)).toBe('0483010000');
  });

  it('names the unused bits of a bit string (X.690 §8.6)', () =>
    expect(hex(derBitString(new Uint8Array([0x80]), 7))).toBe('03020780'));
});
