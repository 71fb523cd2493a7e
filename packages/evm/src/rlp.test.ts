import { fromHex, toHex, utf8 } from '@keepwatch/base';
import { describe, expect, it } from 'vitest';
import {
  countItems,
  enterList,
  fail,
  leaveList,
  openList,
  readSafeInteger,
  readString,
  readUint,
} from './rlp-reader.ts';
import { readTree } from './rlp-tree.fixture.ts';
import { encodeRlp, encodeRlpList, uintToBytes, type RlpItem } from './rlp.ts';

const hex = (text: string) => fromHex(text)!;
/** The item as the only member of a list. */
const inList = (encoded: string) => encodeRlpList(hex(encoded), []);
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
    // The reader opens lists alone, as everything that is signed is one.
    expect(readTree(encodeRlp([new Uint8Array(0), item]))).toEqual([new Uint8Array(0), item]);
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
    expect(readTree(inList(encoded))).toBe(error);
  });
});

describe('the reader', () => {
  it.each([
    ['nothing', '', 'rlp_truncated'],
    ['a string', '83646f67', 'not_a_list'],
    ['a single byte', '7f', 'not_a_list'],
    ['a second list', 'c0c0', 'rlp_trailing_bytes'],
    ['a byte behind the list', 'c10180', 'rlp_trailing_bytes'],
    ['a list that ends before its member', 'c283646f67', 'rlp_trailing_bytes'],
    ['a list without its last byte', 'c280', 'rlp_truncated'],
    ['a length of which a byte is missing', 'f9ff', 'rlp_truncated'],
    ['a length that reaches out of its list', 'c2b838', 'rlp_truncated'],
    ['a string that reaches out of its list', 'c28201', 'rlp_truncated'],
    ['a list that reaches out of its list', 'c3c1c101', 'rlp_truncated'],
    ['a member of an inner list that reaches out of it', 'c4c1820102', 'rlp_truncated'],
  ])('refuses %s', (_, encoded, error) => {
    expect(readTree(hex(encoded))).toBe(error);
  });

  it('takes exactly as many bytes as it was told', () => {
    const encoded = encodeRlp([new Uint8Array(100)]);
    expect(readTree(encoded, encoded.length)).toEqual([new Uint8Array(100)]);
    expect(readTree(encoded, encoded.length - 1)).toBe('rlp_too_large');
  });

  it('keeps the first failure', () => {
    const reader = openList(hex('c28101'), 0, 10, 'not_a_list');
    expect(readUint(reader, 32, 'malformed', 'out_of_range')).toBe(0n);
    expect(readSafeInteger(reader, 'malformed', 'out_of_range')).toBe(0);
    expect(reader.error).toBe('rlp_not_canonical');
  });

  const open = (encoded: string) => openList(hex(encoded), 0, 100, 'not_a_list');

  it('stays inside its list, whatever follows', () => {
    for (const read of [enterList, readString]) {
      const reader = open('c3c0c101');
      enterList(reader, 'not_a_list');
      read(reader, 'missing');
      expect(reader.error).toBe('missing');
    }
  });

  it('leaves a list only when it was read to its end', () => {
    const half = open('c4c2010203');
    const outer = enterList(half, 'not_a_list');
    readString(half, 'not_a_string');
    leaveList(half, outer, 'left_over');
    expect(half.error).toBe('left_over');

    const whole = open('c4c2010203');
    const end = enterList(whole, 'not_a_list');
    readString(whole, 'not_a_string');
    readString(whole, 'not_a_string');
    leaveList(whole, end, 'left_over');
    expect(whole.error).toBe(null);
    expect(readSafeInteger(whole, 'malformed', 'out_of_range')).toBe(3);
  });

  it('reads nothing more after a failure', () => {
    const counted = open('c3018101');
    countItems(counted);
    expect([counted.error, counted.at]).toEqual(['rlp_not_canonical', counted.end]);

    const left = open('c4c2010203');
    const outer = enterList(left, 'not_a_list');
    fail(left, 'wrong');
    leaveList(left, outer, 'left_over');
    expect([left.error, left.at, left.end]).toEqual(['wrong', 5, 5]);

    const zero = open('c3820101');
    fail(zero, 'wrong');
    expect(readUint(zero, 32, 'malformed', 'out_of_range')).toBe(0n);
    const padded = open('c3820001');
    expect(readUint(padded, 32, 'malformed', 'out_of_range')).toBe(0n);
    const long = open('c3820101');
    expect(readUint(long, 1, 'malformed', 'out_of_range')).toBe(0n);
  });
});

describe('integers', () => {
  const uint = (encoded: string, maxLength = 32) => {
    const reader = openList(hex(encoded), 0, 100, 'not_a_list');
    const value = readUint(reader, maxLength, 'malformed', 'out_of_range');
    return reader.error ?? value;
  };
  const safe = (encoded: string) => {
    const reader = openList(hex(encoded), 0, 100, 'not_a_list');
    const value = readSafeInteger(reader, 'malformed', 'out_of_range');
    return reader.error ?? value;
  };

  it('have no leading zeros and no sign', () => {
    expect(uint('c100')).toBe('malformed');
    expect(uint('c3820080')).toBe('malformed');
    expect(safe('c100')).toBe('malformed');
    expect(safe('c3820080')).toBe('malformed');
    expect(uint('c180')).toBe(0n);
    expect(safe('c180')).toBe(0);
    // A zero, and after it a byte that is none of its own.
    expect(safe('c28000')).toBe(0);
    expect(uint('c28000')).toBe(0n);
    expect(() => uintToBytes(-1n)).toThrow(RangeError);
  });

  it('are no lists, and not missing', () => {
    expect(uint('c1c0')).toBe('malformed');
    expect(uint('c0')).toBe('malformed');
    expect(safe('c1c0')).toBe('malformed');
    expect(safe('c0')).toBe('malformed');
  });

  it('have a bound', () => {
    expect(uint('c382ffff', 2)).toBe(0xffffn);
    expect(uint('c483010000', 2)).toBe('out_of_range');
    expect(uint('c483000000', 2)).toBe('malformed');
    expect(safe('c8871fffffffffffff')).toBe(Number.MAX_SAFE_INTEGER);
    expect(safe('c88720000000000000')).toBe('out_of_range');
    expect(safe('c9880100000000000000')).toBe('out_of_range');
    expect(safe('c786ffffffffffff')).toBe(0xffffffffffff);
  });
});
