import { describe, expect, it } from 'vitest';
import { mayHold, readHeader } from './header.ts';

const zeros = (bytes: number) => `0x${'00'.repeat(bytes)}`;
const EMPTY_ROOT = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421';

/** The first block of Ethereum's main chain, as eth_getBlockByNumber gives it (public data of the chain). */
const GENESIS = {
  number: '0x0',
  hash: '0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3',
  parentHash: zeros(32),
  sha3Uncles: '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347',
  miner: zeros(20),
  stateRoot: '0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544',
  transactionsRoot: EMPTY_ROOT,
  receiptsRoot: EMPTY_ROOT,
  logsBloom: zeros(256),
  difficulty: '0x400000000',
  gasLimit: '0x1388',
  gasUsed: '0x0',
  timestamp: '0x0',
  extraData: '0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa',
  mixHash: zeros(32),
  nonce: '0x0000000000000042',
  totalDifficulty: '0x400000000',
  size: '0x21c',
  transactions: [],
  uncles: [],
};

describe('a header', () => {
  it('has the hash of its fields', () => {
    expect(readHeader(GENESIS)).toMatchObject({ verified: true, block: { number: 0, hash: GENESIS.hash, timeMs: 0 } });
  });

  it.each(['gasUsed', 'timestamp', 'difficulty', 'number'])('with another %s is refused', (field) => {
    expect(() => readHeader({ ...GENESIS, [field]: '0x7' })).toThrow('is not that of its header');
  });

  it('with a field that is not known counts by its links alone', () => {
    expect(readHeader({ ...GENESIS, gasUsed: '0x7', l1BlockNumber: '0x1' })).toMatchObject({ verified: false });
  });

  it.each([
    ['no object', null],
    ['a number with a leading zero', { ...GENESIS, number: '0x00' }],
    ['a number of 300 bits', { ...GENESIS, number: `0x${'f'.repeat(75)}` }],
    ['a time that is no exact number of milliseconds', { ...GENESIS, timestamp: '0x1fffffffffffff' }],
    ['a hash that is short', { ...GENESIS, hash: '0x12' }],
    ['no bloom filter', { ...GENESIS, logsBloom: undefined }],
  ])('that is %s is refused', (_, value) => {
    expect(() => readHeader(value)).toThrow();
  });
});

it('a bloom filter holds what was put in, and an empty one nothing', () => {
  const value = new TextEncoder().encode('testtest');
  expect(mayHold('0'.repeat(512), value)).toBe(false);
  expect(mayHold('f'.repeat(512), value)).toBe(true);
  expect(mayHold('', value)).toBe(true);
});
