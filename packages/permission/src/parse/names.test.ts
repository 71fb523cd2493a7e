import { describe, expect, it } from 'vitest';
import {
  address,
  asset,
  chain,
  conditionPath,
  foreignText,
  functionName,
  hash,
  name,
  selector,
  text,
  typeName,
  zone,
} from './names.ts';
import type { Reader } from './reader.ts';

const D40 = 'ab'.repeat(20);
const D64 = 'cd'.repeat(32);

interface Case {
  readonly reader: Reader<string>;
  readonly code: string;
  readonly expected: string;
  readonly taken: readonly string[];
  readonly refused: readonly unknown[];
}

const CASES: Readonly<Record<string, Case>> = {
  'an address': {
    reader: address,
    code: 'invalid_address',
    expected: 'an address: 0x and 40 lower-case digits',
    taken: [`0x${D40}`, `0x${'0'.repeat(40)}`],
    refused: [
      `0x${D40.toUpperCase()}`,
      `0x${D40}0`,
      `0x${D40.slice(1)}`,
      D40,
      ` 0x${D40}`,
      `x0x${D40.slice(1)}`,
      5,
      null,
      undefined,
    ],
  },
  'a chain': {
    reader: chain,
    code: 'invalid_chain',
    expected: 'a CAIP-2 chain id such as eip155:1',
    taken: ['eip155:1', 'eip155:42161', `eip155:${'9'.repeat(16)}`],
    refused: [
      'eip155:0',
      'eip155:01',
      `eip155:${'9'.repeat(17)}`,
      'eip155:1x',
      'xeip155:1',
      'eip155:1 ',
      'eip155:1a2',
      '1',
      1,
    ],
  },
  'a hash': {
    reader: hash,
    code: 'invalid_hash',
    expected: 'a hash: 0x and 64 lower-case digits',
    taken: [`0x${D64}`],
    refused: [`0x${D64.toUpperCase()}`, `0x${D64}0`, `0x${D64.slice(2)}`, '0xa', ` 0x${D64}`, D64],
  },
  'a selector': {
    reader: selector,
    code: 'invalid_selector',
    expected: '0x and 8 lower-case digits, or none for a call with less than four bytes',
    taken: ['0xa9059cbb', 'none'],
    refused: ['0xa9059cb', '0xa9059cbbb', '0xA9059CBB', '0xa', 'none ', 'not none', 'x0xa9059c', 'any', '0xzzzzzzzz'],
  },
  'an asset': {
    reader: asset,
    code: 'invalid_asset',
    expected: 'native, erc20:0x…, erc721:0x… or erc1155:0x…/ID, in lower case',
    taken: [
      ...['native', `erc20:0x${D40}`, `erc721:0x${D40}`, `erc1155:0x${D40}`, `erc1155:0x${D40}/0`],
      ...[`erc1155:0x${D40}/10`, `erc1155:0x${D40}/${'9'.repeat(78)}`],
    ],
    refused: [
      ...[
        'ETH',
        'native ',
        'xnative',
        'natives',
        `erc20:0x${D40}0`,
        `erc20:0x${D40}/1`,
        `erc721:0x${D40}/1`,
        `erc721:0xa`,
      ],
      ...[
        `erc721:0x${'zz'.repeat(20)}`,
        `erc1155:0x${'zz'.repeat(20)}`,
        `erc1155:0xa`,
        `erc20:0xa`,
        `xerc1155:0x${D40}`,
      ],
      ...[`erc1155:0x${D40}/`, `erc1155:0x${D40}/01`, `erc1155:0x${D40}/x`, `erc1155:0x${D40}/${'9'.repeat(79)}`],
      ...[`erc1155:0x${D40}/1x`, `erc777:0x${D40}`, `erc20:0x${D40.toUpperCase()}`],
    ],
  },
  'a function': {
    reader: functionName,
    code: 'invalid_function',
    expected: 'a function with the types of its arguments, such as deposit(uint256,address)',
    taken: ['deposit(uint256,address)', 'f()', '$_1()', 'f((uint8[2],string)[])', `${'f'.repeat(510)}()`],
    refused: [
      'deposit',
      '1f()',
      'f(',
      'f() ',
      ' f()',
      'f(uint256 amount)',
      'a-b()',
      `${'f'.repeat(511)}()`,
      'f()g',
      '()',
    ],
  },
  'a type': {
    reader: typeName,
    code: 'invalid_text',
    expected: 'the name of a type',
    taken: ['Order', '_a1', '$', 'x'.repeat(128)],
    refused: ['1Order', 'Order ', ' Order', 'a-b', '', 'Order[]', 'x'.repeat(129)],
  },
  'a path': {
    reader: conditionPath,
    code: 'invalid_condition',
    expected: 'names or positions from the outside in, such as /order/recipient or /path/-1',
    taken: ['/a', '/order/recipient', '/path/-1', '/0', '/123456', '/list/*/to', '/_$9', '/a'.repeat(16)],
    refused: [
      '',
      'a',
      '/',
      '/a/',
      '/1234567',
      '/--1',
      '/a b',
      '/**',
      '/a'.repeat(17),
      'x/a',
      '/a-b',
      `/${'a'.repeat(1024)}`,
    ],
  },
  'a text': {
    reader: text(5),
    code: 'invalid_text',
    expected: '1 to 5 visible characters, no space at either end',
    taken: ['a', 'a b', 'März', '"<>"', '😀'],
    refused: [
      '',
      ' a',
      'a ',
      'a\nb',
      'a\u0000b',
      'a\u202eb',
      'a\u2028b',
      'a\u2029b',
      '\u00a0a',
      '\u2028',
      'abcdef',
      ' ',
      5,
    ],
  },
  'a text of others': {
    reader: foreignText,
    code: 'invalid_text',
    expected: '1 to 4096 visible characters or line feeds',
    taken: [' a\nb ', '\n', 'x'.repeat(4096), '\u00a0'],
    refused: ['', 'a\rb', 'a\u0000', '\u202ea', 'a\u2028b', 'a\u2029', '\ta', 'x'.repeat(4097)],
  },
  'a name': {
    reader: name,
    code: 'invalid_text',
    expected: 'a name of 1 to 64 letters, digits, dots, dashes, underscores, single spaces between them',
    taken: ['a', 'Payroll März 2', 'a.b-c_d', '支付', '9', 'x'.repeat(64)],
    refused: [
      '',
      ' a',
      'a ',
      'a  b',
      '.a',
      '-a',
      '_a',
      'a/b',
      'a\u3164',
      'a\u00adb',
      'x'.repeat(65),
      'a\nb',
      'a b  c',
      'a!',
    ],
  },
  'a time zone': {
    reader: zone,
    code: 'invalid_zone',
    expected: 'an IANA time zone such as Europe/Berlin',
    taken: ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5', 'Etc/GMT-14'],
    refused: [
      'utc ',
      'Berlin',
      'A/Berlin',
      'Europe/',
      '/Berlin',
      'a/b/c/d',
      'Europe/Ber lin',
      ' UTC',
      'UTC1',
      '1234/5',
      'Europe/Berlin/x y',
      '../etc',
    ],
  },
};

describe.each(Object.keys(CASES))('%s', (what) => {
  const { reader, code, expected, taken, refused } = CASES[what]!;

  it('is taken as it is written', () => {
    for (const each of taken) expect(reader(each, '/x')).toEqual({ ok: true, value: each });
  });

  it('is refused in every other form, with the place and what belongs there', () => {
    for (const each of refused) {
      expect([each, reader(each, '/x')]).toEqual([each, { ok: false, error: { code, path: '/x', expected } }]);
    }
  });
});
