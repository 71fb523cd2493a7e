import { fromHex, toHex, type Keccak256 } from '@keepwatch/base';
import { keccak256, toFunctionSelector } from 'viem';
import { describe, expect, it } from 'vitest';
import { parseArtefact } from './artefact.ts';
import { decodeParameters } from './decode.ts';
import { encodeCall, encodeParameters } from './encode.ts';
import { formatFunction, parseFunction } from './function.ts';

const keccak: Keccak256 = (bytes) => keccak256(bytes, 'bytes');
const make = (line: string) => {
  const made = parseFunction(line, keccak);
  if (!made.ok) throw new Error(`${line}: ${made.error}`);
  return made.value;
};
const words = (...list: readonly string[]) =>
  fromHex(list.map((each) => (each.length > 64 ? each : each.padStart(64, '0'))).join(''))!;
const left = (text: string) => text.padEnd(64, '0');
const decode = (line: string, bytes: Uint8Array) => decodeParameters(make(line).inputs, bytes);

describe('the examples of the specification', () => {
  // Solidity documentation, "Contract ABI Specification", section "Examples".
  it('baz(uint32,bool)', () => {
    const baz = make('baz(uint32 x, bool y)');
    expect(baz.selector).toBe('0xcdcd77c0');
    expect(toHex(encodeCall(baz, [69n, true]))).toBe(
      'cdcd77c000000000000000000000000000000000000000000000000000000000000000450000000000000000000000000000000000000000000000000000000000000001',
    );
  });

  it('bar(bytes3[2])', () => {
    const bar = make('bar(bytes3[2])');
    expect(bar.selector).toBe('0xfce353f6');
    expect(decodeParameters(bar.inputs, words(left('616263'), left('646566')))).toEqual({
      ok: true,
      value: [{ name: '0', type: 'bytes3[2]', value: ['0x616263', '0x646566'] }],
    });
  });

  it('sam(bytes,bool,uint256[])', () => {
    const bytes = words('60', '1', 'a0', '4', left('64617665'), '3', '1', '2', '3');
    const sam = make('sam(bytes name, bool flag, uint256[] list)');
    expect(sam.selector).toBe('0xa5643bf2');
    const decoded = decodeParameters(sam.inputs, bytes);
    expect(decoded).toEqual({
      ok: true,
      value: [
        { name: 'name', type: 'bytes', value: '0x64617665' },
        { name: 'flag', type: 'bool', value: true },
        { name: 'list', type: 'uint256[]', value: [1n, 2n, 3n] },
      ],
    });
  });

  it('g(uint256[][],string[])', () => {
    const bytes = words(
      ...['40', '140', '2', '40', 'a0', '2', '1', '2', '1', '3'],
      ...['3', '60', 'a0', 'e0', '3', left('6f6e65'), '3', left('74776f'), '5', left('7468726565')],
    );
    expect(make('g(uint256[][], string[])').selector).toBe('0x2289b18c');
    expect(decode('g(uint256[][] a, string[] b)', bytes)).toEqual({
      ok: true,
      value: [
        { name: 'a', type: 'uint256[][]', value: [[1n, 2n], [3n]] },
        { name: 'b', type: 'string[]', value: ['one', 'two', 'three'] },
      ],
    });
  });
});

describe('what is not canonical', () => {
  it.each([
    ['abi_malformed_address', 'f(address a)', words('1' + 'ff'.repeat(20))],
    ['abi_malformed_bool', 'f(bool a)', words('2')],
    ['abi_malformed_bool', 'f(bool a)', words('1' + '0'.repeat(63))],
    ['abi_integer_out_of_range', 'f(uint8 a)', words('100')],
    ['abi_integer_out_of_range', 'f(uint160 a)', words('1' + '0'.repeat(40))],
    ['abi_integer_out_of_range', 'f(int8 a)', words('80')],
    ['abi_integer_out_of_range', 'f(int8 a)', words('f'.repeat(62) + '7f')],
    ['abi_padding_not_zero', 'f(bytes3 a)', words(left('61626364'))],
    ['abi_padding_not_zero', 'f(bytes a)', words('20', '1', left('6162'))],
    ['abi_malformed_string', 'f(string a)', words('20', '1', left('ff'))],
    ['abi_malformed_string', 'f(string a)', words('20', '3', left('eda080'))],
    ['abi_offset_not_canonical', 'f(bytes a)', words('40', '0', '0')],
    ['abi_offset_not_canonical', 'f(bytes a, bytes b)', words('40', '40', '0')],
    ['abi_offset_not_canonical', 'f(bytes a, bytes b)', words('60', '40', '0', '0')],
    ['abi_offset_not_canonical', 'f(bytes a)', words('1' + '0'.repeat(61) + '20', '0')],
    ['abi_length_out_of_range', 'f(bytes a)', words('20', '21', '0')],
    ['abi_length_out_of_range', 'f(uint256[] a)', words('20', 'ffffffff')],
    ['abi_length_out_of_range', 'f(uint256[] a)', words('20', 'f'.repeat(64))],
    ['abi_length_out_of_range', 'f(bytes[] a)', words('20', '1')],
    ['abi_truncated', 'f(uint256 a)', words('1').subarray(1)],
    ['abi_truncated', 'f(bytes a)', words('20')],
    ['abi_truncated', 'f((bytes a, uint256 b) a)', words('20', '40')],
    ['abi_trailing_bytes', 'f(uint256 a)', words('1', '1')],
    ['abi_trailing_bytes', 'f()', words('1')],
    ['abi_too_large', 'f(uint256 a)', new Uint8Array(128 * 1024 + 1)],
  ])('%s: %s', (error, line, bytes) => {
    expect(decode(line, bytes)).toEqual({ ok: false, error });
  });

  it('an array of arrays cannot claim more than its bytes hold', () => {
    const line = `f(uint256${'[]'.repeat(7)} a)`;
    expect(decode(line, words('20', ...Array.from({ length: 4000 }, () => 'ff'))).ok).toBe(false);
  });

  it('takes the ends of every range', () => {
    expect(decode('f(int8 a, int8 b, uint8 c)', words('f'.repeat(62) + '80', '7f', 'ff'))).toMatchObject({
      ok: true,
      value: [{ value: -128n }, { value: 127n }, { value: 255n }],
    });
  });
});

describe('lines', () => {
  it.each([
    'transfer(address to, uint256 amount)',
    'f()',
    'f(uint256, bytes32 b)',
    'f((address target, (uint256 a, bytes) b)[2][] calls, bool)',
    'f(function cb)',
  ])('%s', (line) => {
    expect(formatFunction(make(line))).toBe(line);
    expect(make(line).selector).toBe(toFunctionSelector(make(line).signature));
  });

  it.each([
    ['transfer', 'abi_malformed_signature'],
    ['1f()', 'abi_malformed_signature'],
    ['f(', 'abi_unknown_type'],
    ['f(uint256', 'abi_malformed_signature'],
    ['f(uint256))', 'abi_malformed_signature'],
    ['f(uint256,)', 'abi_unknown_type'],
    ['f(uint256  a)', 'abi_malformed_signature'],
    ['f(uint a)', 'abi_unknown_type'],
    ['f(uint7 a)', 'abi_unknown_type'],
    ['f(uint264 a)', 'abi_unknown_type'],
    ['f(uint08 a)', 'abi_unknown_type'],
    ['f(bytes33 a)', 'abi_unknown_type'],
    ['f(bytes0 a)', 'abi_unknown_type'],
    ['f(fixed128x18 a)', 'abi_unknown_type'],
    ['f(uint256[0] a)', 'abi_unknown_type'],
    ['f(uint256[01] a)', 'abi_unknown_type'],
    ['f(() a)', 'abi_empty_tuple'],
    ['f(uint256[9999] a)', 'abi_type_too_large'],
    ['f(uint256 a, uint256 a)', 'abi_duplicate_name'],
    [`f(${'('.repeat(12)}bool${')'.repeat(12)} a)`, 'abi_type_too_deep'],
    [`f(bool${'[]'.repeat(9)} a)`, 'abi_type_too_deep'],
    [`f(${'bool,'.repeat(900)}bool)`, 'abi_too_large'],
    [`f(${'bool,'.repeat(70)}bool)`, 'abi_type_too_large'],
  ])('refuses %.60s', (line, error) => {
    expect(parseFunction(line, keccak)).toEqual({ ok: false, error });
  });
});

describe('ABI files', () => {
  const transfer = {
    type: 'function',
    name: 'transfer',
    inputs: [
      { name: 'to', type: 'address', internalType: 'address' },
      { name: 'value', type: 'uint256', internalType: 'uint256' },
    ],
    outputs: [{ name: '', type: 'bool' }],
    stateMutability: 'nonpayable',
  };
  const abi = [transfer, { type: 'event', name: 'Transfer', inputs: [] }, { type: 'receive' }];
  const read = (json: unknown, contract?: string) => parseArtefact(JSON.stringify(json), keccak, contract);
  const linesOf = (json: unknown, contract?: string) => {
    const parsed = read(json, contract);
    return parsed.ok
      ? { name: parsed.value.name, lines: parsed.value.functions.map(formatFunction) }
      : { error: parsed.error };
  };

  it.each<[string, unknown, string | null, string?]>([
    ['the ABI alone', abi, null],
    ['Foundry', { abi, bytecode: { object: '0x' }, methodIdentifiers: {} }, null],
    ['Hardhat', { _format: 'hh-sol-artifact-1', contractName: 'Coin', abi, bytecode: '0x' }, 'Coin'],
    ['standard JSON', { contracts: { 'Coin.sol': { Coin: { abi } } }, sources: {} }, 'Coin'],
    ['combined JSON', { contracts: { 'src/Coin.sol:Coin': { abi } }, version: '0.8.37' }, 'Coin'],
    ['combined JSON, older', { contracts: { 'Coin.sol:Coin': { abi: JSON.stringify(abi) } } }, 'Coin'],
    ['one of several', { contracts: { 'Coin.sol': { Base: { abi: [] }, Coin: { abi } } } }, 'Coin', 'Coin'],
  ])('%s', (_, json, name, contract) => {
    expect(linesOf(json, contract)).toEqual({ name, lines: ['transfer(address to, uint256 value)'] });
  });

  it('spells tuples out', () => {
    const components = [
      { name: 'target', type: 'address' },
      { name: '', type: 'bytes' },
    ];
    expect(linesOf([{ name: 'run', inputs: [{ name: 'calls', type: 'tuple[2][]', components }] }])).toEqual({
      name: null,
      lines: ['run((address target, bytes)[2][] calls)'],
    });
  });

  const withInput = (input: unknown) => [{ ...transfer, inputs: [input] }];
  const nested = (depth: number): unknown =>
    depth === 0 ? { name: 'x', type: 'bool' } : { name: 'x', type: 'tuple', components: [nested(depth - 1)] };
  it.each<[string, unknown, string?]>([
    ['abi_missing', {}],
    ['abi_missing', null],
    ['abi_missing', 'abi'],
    ['abi_missing', { abi: {} }],
    ['abi_missing', { abi: 'not json' }],
    ['abi_missing', { contracts: {} }],
    ['abi_missing', { contracts: { 'Coin.sol': { Coin: { abi } } } }, 'Other'],
    ['abi_missing', { contractName: 'Coin', abi }, 'Other'],
    ['abi_ambiguous_artefact', { contracts: { 'Coin.sol': { A: { abi }, B: { abi } } } }],
    ['abi_malformed_entry', [1]],
    ['abi_malformed_entry', [{ type: 'method', name: 'f', inputs: [] }]],
    ['abi_malformed_entry', [{ type: 'function', name: 'f(', inputs: [] }]],
    ['abi_malformed_entry', [{ type: 'function', name: 'f' }]],
    ['abi_malformed_entry', withInput('address')],
    ['abi_malformed_entry', withInput({ name: 1, type: 'bool' })],
    ['abi_malformed_entry', withInput({ name: 'a' })],
    ['abi_malformed_entry', withInput({ name: 'a', type: 'tuple' })],
    ['abi_malformed_entry', withInput({ name: 'a', type: 'bool', components: [] })],
    ['abi_empty_tuple', withInput({ name: 'a', type: 'tuple', components: [] })],
    ['abi_unknown_type', withInput({ name: 'a', type: 'uint' })],
    ['abi_unknown_type', withInput({ name: 'a', type: 'bool[' })],
    ['abi_unknown_type', withInput({ name: 'a', type: 'contract Coin' })],
    ['abi_type_too_deep', withInput(nested(9))],
    ['abi_type_too_deep', withInput(nested(500))],
    ['abi_duplicate_function', [transfer, transfer]],
    // Two well-known signatures of one selector.
    [
      'abi_selector_collision',
      [
        { name: 'burn', inputs: [{ name: '', type: 'uint256' }] },
        { name: 'collate_propagate_storage', inputs: [{ name: '', type: 'bytes16' }] },
      ],
    ],
    ['abi_too_large', Array.from({ length: 1025 }, () => ({ type: 'receive' }))],
  ])('%s', (error, json, contract) => {
    expect(read(json, contract)).toEqual({ ok: false, error });
  });

  it('refuses what is no JSON, or larger than a megabyte', () => {
    expect(parseArtefact('{', keccak)).toEqual({ ok: false, error: 'abi_not_json' });
    expect(parseArtefact(' '.repeat(1024 * 1024) + '[]', keccak)).toEqual({ ok: false, error: 'abi_too_large' });
    expect(parseArtefact('['.repeat(500_000), keccak)).toEqual({ ok: false, error: 'abi_not_json' });
  });
});

describe('encoding', () => {
  it.each([
    ['f(uint8 a)', 256n],
    ['f(int8 a)', 128n],
    ['f(uint8 a)', '1'],
    ['f(bool a)', 1n],
    ['f(address a)', '0x00'],
    ['f(bytes a)', 'text'],
    ['f(bytes2 a)', '0x00'],
    ['f(string a)', '\ud800'],
    ['f(uint8[2] a)', [1n]],
    ['f((uint8 a) a)', [1n, 2n].map((value) => ({ name: '', type: 'uint8', value }))],
  ])('throws for a value that %s does not have', (line, value) => {
    expect(() => encodeParameters(make(line).inputs, [value])).toThrow(RangeError);
  });
});
