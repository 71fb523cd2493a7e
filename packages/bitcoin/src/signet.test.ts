import { readFileSync } from 'node:fs';
import { concat, fromHex, toHex } from '@keepwatch/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBlock } from './block.ts';
import { consensusOf } from './consensus.ts';
import { toDisplay, type BlockHash } from './hash.ts';
import { decodeHeader, encodeHeader, headerHash, type Header } from './header.ts';
import { layoutBlock } from './layout.ts';
import { txids } from './merkle.ts';

// Blocks 1 to 3 of the public signet (Bitcoin Core, test/functional/feature_signet.py, `signet_blocks`).
const BLOCKS = (
  JSON.parse(readFileSync(new URL('./vectors/signet-blocks.json', import.meta.url), 'utf8')) as string[]
).map((hex) => fromHex(hex)!);
const [block] = BLOCKS as [Uint8Array];
const params = consensusOf('signet');

function read(bytes: Uint8Array, signetChallenge = params.signetChallenge): string {
  const result = readBlock(bytes, { hash: headerHash(bytes), height: 1, params: { ...params, signetChallenge } });
  return result.ok ? 'signed' : result.error;
}

/** The block with other bytes in its coinbase or another header, and the merkle root that fits. */
function changed(from: string, to: string, header: Partial<Header> = {}): Uint8Array {
  const hex = toHex(block);
  expect(hex.split(from)).toHaveLength(2);
  const bytes = fromHex(hex.replace(from, to))!;
  const layout = layoutBlock(bytes);
  if (!layout.ok) throw new Error(layout.error);
  const merkleRoot = txids(layout.value).slice(0, 32) as Header['merkleRoot'];
  return concat(encodeHeader({ ...decodeHeader(bytes)!, merkleRoot, ...header }), bytes.subarray(80));
}

/** Of block 1: the script with the commitment, the push with the solution, and the solution. */
const SCRIPT = '776a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9';
const SOLUTION =
  '490047304402205e423a8754336ca99dbe16509b877ef1bf98d008836c725005b3c787c41ebe46022047246e4467ad7cc7f1ad98662afcaf14c115e0095a227c7b05c5182591c23e7e0100';
const PUSH = `4c4fecc7daa2${SOLUTION}`;
const OP_DEPTH = 0x74;
const PAID = '00f2052a01000000160014';

describe('a block of signet', () => {
  it('is signed by who may make blocks there', () => {
    let previous: string = params.genesisHash;
    for (const each of BLOCKS) {
      expect(toDisplay<BlockHash>(decodeHeader(each)!.previous)).toBe(previous);
      expect(read(each)).toBe('signed');
      previous = toDisplay<BlockHash>(headerHash(each));
    }
  });

  it('is not signed for another challenge: both keys instead of one', () => {
    const both = Uint8Array.from(params.signetChallenge!);
    both[0] = 0x52;
    expect(read(block, both)).toBe('signet_unsigned');
    expect(read(block, null)).toBe('signed');
  });

  it('is signed with all that it says, but for target and nonce', () => {
    const header = decodeHeader(block)!;
    expect(read(changed(PAID, PAID, { nonce: 1, bits: 0x207fffff }))).toBe('signed');
    expect(read(changed(PAID, PAID, { timeSeconds: header.timeSeconds + 1 }))).toBe('signet_unsigned');
    expect(read(changed(PAID, PAID, { version: 1 }))).toBe('signet_unsigned');
    expect(read(changed(PAID, PAID, { previous: header.merkleRoot }))).toBe('signet_unsigned');
    expect(read(changed(PAID, PAID.replace('f2', 'f3')))).toBe('signet_unsigned');
  });

  it('without a solution is good where everybody may make blocks, and nowhere else', () => {
    const bare = changed(`${SCRIPT}${PUSH}`, SCRIPT.replace('77', '26'));
    expect(read(bare)).toBe('signet_unsigned');
    expect(read(bare, Uint8Array.of(0x51))).toBe('signed');
    expect(read(changed('aa21a9ed', 'aa21a9ee'), Uint8Array.of(0x51))).toBe('witness_unexpected');
  });

  it('has its solution to the last byte, and no other', () => {
    const longer = changed(`${SCRIPT}${PUSH}`, `${SCRIPT.replace('77', '78')}${PUSH.replace('4c4f', '4c50')}00`);
    expect(read(longer)).toBe('signet_unsigned');
    const cut = changed(
      `${SCRIPT}${PUSH}`,
      `${SCRIPT.replace('77', '76')}${PUSH.replace('4c4f', '4c4e').slice(0, -2)}`,
    );
    expect(read(cut)).toBe('signet_unsigned');
    // The rest of the push may stand anywhere in the script, and pushes of anything behind it.
    expect(read(changed(`${SCRIPT}${PUSH}`, `${SCRIPT.replace('77', '79')}${PUSH}0101`))).toBe('signet_unsigned');
    // OP_DEPTH pushes the same nothing as OP_0 ahead of the signature, and a scriptSig need not be of pushes alone.
    const depth = fromHex(SOLUTION)!;
    depth[1] = OP_DEPTH;
    expect(read(changed(SOLUTION, toHex(depth)))).toBe('signed');
    // It is the only one of all changes of a single byte that is good.
    fc.assert(
      fc.property(fc.nat(SOLUTION.length / 2 - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = fromHex(SOLUTION)!;
        bytes[at]! ^= flip;
        fc.pre(at !== 1 || bytes[at] !== OP_DEPTH);
        expect(read(changed(SOLUTION, toHex(bytes)))).toBe('signet_unsigned');
      }),
      { numRuns: 60 },
    );
  });
});
