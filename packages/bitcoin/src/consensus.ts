import { assertNever, fromHex } from '@keepwatch/base';
import { toInternal, type BlockHash, type InternalHash } from './hash.ts';
import { encodeHeader } from './header.ts';
import type { Network } from './network.ts';

/** What the rules for headers need to know of a network (Bitcoin Core, kernel/chainparams.cpp). */
export interface ConsensusParams {
  /** The first block's header: 80 bytes. */
  readonly genesis: Uint8Array;
  readonly genesisHash: BlockHash;
  /** No target may be larger. */
  readonly powLimit: bigint;
  /** The same in compact form. */
  readonly powLimitBits: number;
  /** regtest: the target never changes. */
  readonly retargets: boolean;
  /** A block that comes 20 minutes after its parent may have the easiest target (test networks). */
  readonly minDifficultyBlocks: boolean;
  /** BIP94: the retarget starts from the period's first block, and a period's first block is not far before its parent. */
  readonly bip94: boolean;
  /** From these heights on a header's version is at least 2, 3 and 4 (BIP34, BIP66, BIP65). */
  readonly minVersionHeights: readonly [number, number, number];
  /** From this height on a block commits to its witnesses where it has any (BIP141). */
  readonly segwitHeight: number;
  /** BIP325: what whoever makes a block has to solve; null where work alone counts. */
  readonly signetChallenge: Uint8Array | null;
}

/** Blocks between two changes of the target, and how long they should take. */
export const RETARGET_INTERVAL = 2_016;
export const TARGET_SPACING_SECONDS = 600;

const MAIN_MERKLE_ROOT = '4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b';

const MAIN: ConsensusParams = {
  genesis: genesis(1, MAIN_MERKLE_ROOT, 1_231_006_505, 0x1d00ffff, 2_083_236_893),
  genesisHash: '000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f' as BlockHash,
  powLimit: 0xffffn << 208n,
  powLimitBits: 0x1d00ffff,
  retargets: true,
  minDifficultyBlocks: false,
  bip94: false,
  minVersionHeights: [227_931, 363_725, 388_381],
  segwitHeight: 481_824,
  signetChallenge: null,
};

const TEST4: ConsensusParams = {
  genesis: genesis(
    1,
    '7aa0a7ae1e223414cb807e40cd57e667b718e42aaf9306db9102fe28912b7b4e',
    1_714_777_860,
    0x1d00ffff,
    393_743_547,
  ),
  genesisHash: '00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043' as BlockHash,
  powLimit: 0xffffn << 208n,
  powLimitBits: 0x1d00ffff,
  retargets: true,
  minDifficultyBlocks: true,
  bip94: true,
  minVersionHeights: [1, 1, 1],
  segwitHeight: 1,
  signetChallenge: null,
};

/** BIP325. Whether a block was signed is written in its coinbase; a header shows its proof of work alone. */
const SIGNET: ConsensusParams = {
  genesis: genesis(1, MAIN_MERKLE_ROOT, 1_598_918_400, 0x1e0377ae, 52_613_770),
  genesisHash: '00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6' as BlockHash,
  powLimit: 0x0377aen << 216n,
  powLimitBits: 0x1e0377ae,
  retargets: true,
  minDifficultyBlocks: false,
  bip94: false,
  minVersionHeights: [1, 1, 1],
  segwitHeight: 1,
  // One signature of two keys.
  signetChallenge: fromHex(
    '512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be430210359ef5021964fe22d6f8e05b2463c9540ce96883fe3b278760f048f5189f2e6c452ae',
  )!,
};

const REGTEST: ConsensusParams = {
  genesis: genesis(1, MAIN_MERKLE_ROOT, 1_296_688_602, 0x207fffff, 2),
  genesisHash: '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206' as BlockHash,
  powLimit: 0x7fffffn << 232n,
  powLimitBits: 0x207fffff,
  retargets: false,
  minDifficultyBlocks: true,
  bip94: false,
  minVersionHeights: [1, 1, 1],
  segwitHeight: 0,
  signetChallenge: null,
};

export function consensusOf(network: Network): ConsensusParams {
  switch (network) {
    case 'main':
      return MAIN;
    case 'test4':
      return TEST4;
    case 'signet':
      return SIGNET;
    case 'regtest':
      return REGTEST;
    default:
      return assertNever(network);
  }
}

function genesis(version: number, merkleRoot: string, timeSeconds: number, bits: number, nonce: number): Uint8Array {
  const previous = fromHex('00'.repeat(32)) as InternalHash;
  return encodeHeader({ version, previous, merkleRoot: toInternal(merkleRoot)!, timeSeconds, bits, nonce });
}
