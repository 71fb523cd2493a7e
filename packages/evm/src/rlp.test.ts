import { fromHex, toHex, utf8 } from '@keepwatch/base';
import { describe, expect, it } from 'vitest';
import { decodeRlp, encodeRlp, uintFromBytes, uintToBytes, type RlpItem } from './rlp.ts';

const LIMITS = { maxBytes: 4096, maxDepth: 8 };
const hex = (text: string) => fromHex(text)!;
const repeat = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

describe('RLP, the vectors of ethereum/tests RLPTests/rlptest.json', () => {
  const words = ['asdf', 'qwer', 'zxcv'].map(utf8);
  const lorem = 'Lorem ipsum dolor sit amet, consectetur adipisicing eli';
  const vectors: [string, RlpItem, string][] = [
    ['emptystring', utf8(''), '80'],
    ['bytestring00', hex('00'), '00'],
    ['bytestring7F', hex('7f'), '7f'],
    ['mediumint1', uintToBytes(128n), '8180'],
    ['shortstring', utf8('dog'), '83646f67'],
    ['shortstring2', utf8(lorem), `b7${toHex(utf8(lorem))}`],
    ['longstring', utf8(`${lorem}t`), `b838${toHex(utf8(`${lorem}t`))}`],
    [
      'longstring2',
      repeat(1024, 7).reduce((out, byte, i) => out.fill(byte, i), new Uint8Array(1024)),
      `b90400${'07'.repeat(1024)}`,
    ],
    ['zero', uintToBytes(0n), '80'],
    ['mediumint3', uintToBytes(100000n), '830186a0'],
    ['mediumint4', uintToBytes(83729609699884896815286331701780722n), '8f102030405060708090a0b0c0d0e0f2'],
    ['bigint', uintToBytes(1n << 256n), `a101${'00'.repeat(32)}`],
    ['emptylist', [], 'c0'],
    ['stringlist', ['dog', 'god', 'cat'].map(utf8), 'cc83646f6783676f6483636174'],
    ['multilist', [utf8('zw'), [uintToBytes(4n)], uintToBytes(1n)], 'c6827a77c10401'],
    ['longList1', repeat(4, words), `f840${'cf84617364668471776572847a786376'.repeat(4)}`],
    ['longList2', repeat(32, words), `f90200${'cf84617364668471776572847a786376'.repeat(32)}`],
    ['listsoflists', [[[], []], []], 'c4c2c0c0c0'],
    ['listsoflists2', [[], [[]], [[], [[]]]], 'c7c0c1c0c3c0c1c0'],
  ];
  it.each(vectors)('%s', (_, item, encoded) => {
    expect(toHex(encodeRlp(item))).toBe(encoded);
    expect(decodeRlp(hex(encoded), LIMITS)).toEqual({ ok: true, value: item });
  });
});

describe('RLP, the refusals of ethereum/tests RLPTests/invalidRLPTest.json', () => {
  it.each([
    ['int32Overflow', 'bf0f000000000000021111', 'rlp_truncated'],
    ['int32Overflow2', 'ff0f000000000000021111', 'rlp_truncated'],
    ['wrongSizeList', 'f80180', 'rlp_not_canonical'],
    ['wrongSizeList2', 'f80100', 'rlp_not_canonical'],
    ['incorrectLengthInArray', `b9002100${'dc'.repeat(32)}`, 'rlp_not_canonical'],
    ['randomRLP', `f861f83eb9002100${'dc'.repeat(32)}`, 'rlp_truncated'],
    ['bytesShouldBeSingleByte00', '8100', 'rlp_not_canonical'],
    ['bytesShouldBeSingleByte01', '8101', 'rlp_not_canonical'],
    ['bytesShouldBeSingleByte7F', '817f', 'rlp_not_canonical'],
    ['leadingZerosInLongLengthArray1', `b90040${'01'.repeat(64)}`, 'rlp_not_canonical'],
    ['leadingZerosInLongLengthArray2', 'b800', 'rlp_not_canonical'],
    ['leadingZerosInLongLengthList1', `fb00000040${'01'.repeat(64)}`, 'rlp_not_canonical'],
    ['leadingZerosInLongLengthList2', 'f800', 'rlp_not_canonical'],
    ['nonOptimalLongLengthArray1', 'b81000112233445566778899aabbccddeeff', 'rlp_not_canonical'],
    ['nonOptimalLongLengthArray2', 'b801ff', 'rlp_not_canonical'],
    ['nonOptimalLongLengthList1', 'f810000102030405060708090a0b0c0d0e0f', 'rlp_not_canonical'],
    ['nonOptimalLongLengthList2', 'f803112233', 'rlp_not_canonical'],
  ])('%s', (_, encoded, error) => {
    expect(decodeRlp(hex(encoded), LIMITS)).toEqual({ ok: false, error });
  });
});

describe('decodeRlp', () => {
  it.each([
    ['nothing', '', 'rlp_truncated'],
    ['a second item', '8080', 'rlp_trailing_bytes'],
    ['a list that ends early', 'c283646f67', 'rlp_truncated'],
    ['a string without its last byte', '83646f', 'rlp_truncated'],
    ['a length of which a byte is missing', 'b9ff', 'rlp_truncated'],
    ['a length that reaches out of its list', 'c1b838', 'rlp_truncated'],
    ['nine lists in each other', 'c8c7c6c5c4c3c2c1c0', 'rlp_too_deep'],
  ])('refuses %s', (_, encoded, error) => {
    expect(decodeRlp(hex(encoded), LIMITS)).toEqual({ ok: false, error });
  });

  it('takes exactly what the limits permit', () => {
    expect(decodeRlp(hex('c7c6c5c4c3c2c1c0'), LIMITS).ok).toBe(true);
    const encoded = encodeRlp(new Uint8Array(100));
    expect(decodeRlp(encoded, { maxBytes: encoded.length, maxDepth: 0 }).ok).toBe(true);
    expect(decodeRlp(encoded, { maxBytes: encoded.length - 1, maxDepth: 0 })).toEqual({
      ok: false,
      error: 'rlp_too_large',
    });
  });
});

describe('integers', () => {
  it('have no leading zeros and no sign', () => {
    expect(uintFromBytes(hex('00'))).toBe(undefined);
    expect(uintFromBytes(hex('0080'))).toBe(undefined);
    expect(uintFromBytes(hex(''))).toBe(0n);
    expect(() => uintToBytes(-1n)).toThrow(RangeError);
  });
});
