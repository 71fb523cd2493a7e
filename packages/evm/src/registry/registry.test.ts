import { describe, expect, it } from 'vitest';
import { book, CHAIN, entry, keccak, named, registry, registryOf } from '../routes/world.fixture.ts';
import { parseEntry } from './entry-parse.ts';
import {
  addEntry,
  createStandardBook,
  emptyRegistry,
  entriesOf,
  lookup,
  removeEntry,
  restoreRegistry,
  type ContractEntry,
} from './registry.ts';

const plain: ContractEntry = {
  chain: CHAIN,
  address: named('plain'),
  name: 'Plain',
  standards: [],
  functions: ['vote(uint256 id, bool yes)'],
};
const add = (more: Partial<ContractEntry>) => addEntry(emptyRegistry(book), { ...plain, ...more }, keccak);

describe('a registry', () => {
  it('is a value: adding and removing give others, each with the next version', () => {
    const empty = emptyRegistry(book);
    const one = registryOf(plain);
    expect(lookup(empty, CHAIN, plain.address)).toBeUndefined();
    expect(lookup(one, CHAIN, plain.address)).toMatchObject({ entry: plain, version: 1 });
    expect(lookup(one, 'eip155:10', plain.address)).toBeUndefined();
    const none = removeEntry(one, CHAIN, plain.address);
    expect(none).toMatchObject({ ok: true, value: { version: 2 } });
    if (!none.ok) return;
    expect(lookup(none.value, CHAIN, plain.address)).toBeUndefined();
    expect(lookup(one, CHAIN, plain.address)).toBeDefined();
    expect(removeEntry(none.value, CHAIN, plain.address)).toMatchObject({ error: { code: 'registry_entry_missing' } });
    expect(addEntry(none.value, plain, keccak)).toMatchObject({ ok: true, value: { version: 3 } });
  });

  it('comes back from what entriesOf says of it, through JSON', () => {
    const json = JSON.parse(JSON.stringify(entriesOf(registry))) as { version: number; entry: unknown }[];
    const entries = json.map(({ version, entry: each }) => {
      const parsed = parseEntry(each);
      if (!parsed.ok) throw new Error(parsed.error.about);
      return { version, entry: parsed.value };
    });
    expect(restoreRegistry(book, registry.version, entries, keccak)).toEqual(registry);
    expect(() => restoreRegistry(book, 1, entries, keccak)).toThrow(TypeError);
    expect(() => restoreRegistry(book, 99, [entries[0]!, entries[0]!], keccak)).toThrow(TypeError);
  });

  it.each<[string, Partial<ContractEntry>]>([
    ['registry_unknown_standard', { standards: ['erc9999'] }],
    ['registry_standards_conflict', { standards: ['erc20', 'erc721'], decimals: 6 }],
    ['registry_decimals_missing', { standards: ['erc20'] }],
    ['registry_underlying_missing', { standards: ['erc4626'] }],
    ['registry_function_conflict', { functions: ['vote(uint256 id, bool yes)', 'vote(uint256 a, bool b)'] }],
    // The selector of transfer(address,uint256), found by search and well known for it.
    ['registry_function_conflict', { standards: ['erc20'], decimals: 6, functions: ['many_msg_babbage(bytes1)'] }],
    ['registry_function_needs_standard', { functions: ['transfer(address to, uint256 amount)'] }],
    ['registry_function_needs_standard', { functions: ['approve(address a, uint256 b)'] }],
    ['registry_function_needs_standard', { functions: ['setApprovalForAll(address a, bool b)'] }],
    ['registry_function_needs_standard', { functions: ['multicall(bytes[] data)'] }],
    ['registry_too_large', { functions: Array.from({ length: 1025 }, (_, i) => `f${i}()`) }],
    ['abi_malformed_signature', { functions: ['vote'] }],
    ['abi_unknown_type', { functions: ['vote(uint id)'] }],
  ])('refuses %s', (code, more) => {
    expect(add(more)).toMatchObject({ ok: false, error: { code } });
  });

  it.each([
    ...['transfer(address,uint256)', 'transferFrom(address,address,uint256)', 'approve(address,uint256)'],
    ...['increaseAllowance(address,uint256)', 'increaseApproval(address,uint256)'],
    'permit(address,address,uint256,uint256,uint8,bytes32,bytes32)',
    'permit(address,address,uint256,uint256,bytes)',
    'permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)',
    ...['transferWithAuthorization', 'receiveWithAuthorization'].flatMap((name) => [
      `${name}(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)`,
      `${name}(address,address,uint256,uint256,uint256,bytes32,bytes)`,
    ]),
    ...[
      'send(address,uint256,bytes)',
      'operatorSend(address,address,uint256,bytes,bytes)',
      'authorizeOperator(address)',
    ],
    ...['transferAndCall(address,uint256)', 'transferAndCall(address,uint256,bytes)'],
    ...['transferFromAndCall(address,address,uint256)', 'transferFromAndCall(address,address,uint256,bytes)'],
    ...['approveAndCall(address,uint256)', 'approveAndCall(address,uint256,bytes)'],
    ...['safeTransferFrom(address,address,uint256)', 'safeTransferFrom(address,address,uint256,bytes)'],
    'safeTransferFrom(address,address,uint256,uint256,bytes)',
    'safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)',
    ...['setApprovalForAll(address,bool)', 'transferShares(address,uint256)'],
    ...['transferSharesFrom(address,address,uint256)', 'approveDelegation(address,uint256)', 'allow(address,bool)'],
    'delegationWithSig(address,address,uint256,uint256,uint8,bytes32,bytes32)',
    'allowBySig(address,address,bool,uint256,uint256,uint8,bytes32,bytes32)',
    ...['multicall(bytes[])', 'multicall(uint256,bytes[])', 'multicall(bytes32,bytes[])', 'multiSend(bytes)'],
    'execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)',
    ...['execTransactionFromModule(address,uint256,bytes,uint8)', 'approveHash(bytes32)'],
  ])('takes by a standard alone what moves tokens or credit, or passes calls on: %s', (signature) => {
    // By an ABI alone it would be a call like any other, in no budget.
    let i = 0;
    const line = signature.replaceAll(/[a-z0-9]+(?:\[\])?(?=[,)])/g, (type) => `${type} p${i++}`);
    expect(add({ functions: [line] })).toEqual({
      ok: false,
      error: { code: 'registry_function_needs_standard', about: signature },
    });
  });

  it('takes as many functions as there may be, and names entries in the order in which they came', () => {
    expect(add({ functions: Array.from({ length: 1024 }, (_, i) => `f${i}()`) }).ok).toBe(true);
    const first = { ...plain, address: named('zz'), chain: 'eip155:10' };
    const second = { ...plain, address: named('aa') };
    const third = { ...first, address: named('mm') };
    expect(
      entriesOf(registryOf(first, second, third)).map(({ version, entry: { address } }) => [version, address]),
    ).toEqual([
      [1, first.address],
      [2, second.address],
      [3, third.address],
    ]);
  });

  it('refuses an address twice, and takes it on another chain', () => {
    const one = registryOf(plain);
    expect(addEntry(one, plain, keccak)).toMatchObject({ error: { code: 'registry_entry_exists' } });
    expect(addEntry(one, { ...plain, chain: 'eip155:10' }, keccak).ok).toBe(true);
  });

  it('takes a whole ABI of a token whose standards are named, and names what is left', () => {
    const added = add({
      standards: ['erc20', 'eip2612'],
      decimals: 6,
      functions: [
        'transfer(address to, uint256 value)',
        'approve(address a, uint256 b)',
        'mint(address to, uint256 x)',
      ],
    });
    if (!added.ok) throw new Error(added.error.code);
    const { functions } = lookup(added.value, CHAIN, plain.address)!;
    const routes = [...functions.values()].map(({ abi, route }) => `${abi.name} ${route?.route ?? 'none'}`);
    expect(routes).toContain('transfer transfer');
    expect(routes).toContain('mint none');
  });

  it('knows which functions a selector may be, without believing it', () => {
    expect(book.hints.get('0xa9059cbb')).toEqual(['transfer(address,uint256)']);
    expect(() =>
      createStandardBook(
        [...book.byName.values(), ...book.byName.values()].map((each) => each.standard),
        keccak,
      ),
    ).toThrow(TypeError);
  });
});

describe('an entry from JSON', () => {
  const whole = {
    ...entry('erc20'),
    symbol: 'COIN',
    issuer: named('pool'),
    implementation: named('code'),
    codeHash: `0x${'ab'.repeat(32)}`,
  };

  it('is taken with all of its members, and with none that may be left out', () => {
    expect(parseEntry(whole)).toEqual({ ok: true, value: whole });
    expect(parseEntry(plain)).toEqual({ ok: true, value: plain });
  });

  it.each<[string, unknown]>([
    ['entry', null],
    ['entry', []],
    ['entry', { ...plain, extra: 1 }],
    ['chain', { ...plain, chain: 'eip155:01' }],
    ['chain', { ...plain, chain: 1 }],
    ['address', { ...plain, address: plain.address.toUpperCase() }],
    ['address', { ...plain, address: `${plain.address}00` }],
    ['name', { ...plain, name: '' }],
    ['name', { ...plain, name: ' Plain' }],
    ['name', { ...plain, name: 'Pl\u0430in' }],
    ['name', { ...plain, name: 'Plain\n' }],
    ['name', { ...plain, name: 'x'.repeat(65) }],
    ['standards', { ...plain, standards: 'erc20' }],
    ['standards', { ...plain, standards: ['erc20', 'erc20'] }],
    ['standards', { ...plain, standards: ['ERC20'] }],
    ['standards', { ...plain, standards: Array.from({ length: 17 }, (_, i) => `s${i}`) }],
    ['functions', { ...plain, functions: [1] }],
    ['symbol', { ...plain, symbol: 'A B' }],
    ['symbol', { ...plain, symbol: 'x'.repeat(17) }],
    ['decimals', { ...plain, decimals: -1 }],
    ['decimals', { ...plain, decimals: 37 }],
    ['decimals', { ...plain, decimals: '6' }],
    ['chain', { ...plain, chain: 'xeip155:1' }],
    ['chain', { ...plain, chain: 'eip155:1x' }],
    ['address', { ...plain, address: `x${plain.address}` }],
    ['codeHash', { ...plain, codeHash: `x0x${'ab'.repeat(32)}` }],
    ['codeHash', { ...plain, codeHash: `0x${'ab'.repeat(32)}x` }],
    ['standards', { ...plain, standards: ['erc20!'] }],
    ['underlying', { ...plain, underlying: 'native' }],
    ['issuer', { ...plain, issuer: '0x' }],
    ['implementation', { ...plain, implementation: null }],
    ['codeHash', { ...plain, codeHash: plain.address }],
  ])('is refused for its %s', (fault, json) => {
    expect(parseEntry(json)).toEqual({ ok: false, error: { code: 'registry_entry_malformed', about: fault } });
  });
});
