import { concat } from '@keepwatch/base';
import {
  compactSize,
  consensusOf,
  encodeHeader,
  encodeTransaction,
  headerHash,
  layoutTransaction,
  meetsTarget,
  merkleRoot,
  sha256d,
  targetFromBits,
  txidAt,
  wtxidAt,
  type Header,
  type InternalHash,
} from '@keepwatch/bitcoin';

/** A transaction with both of its hashes. */
export interface Raw {
  readonly raw: Uint8Array;
  readonly txid: InternalHash;
  readonly wtxid: InternalHash;
}

export interface BlockPlan {
  readonly previous: InternalHash;
  readonly height: number;
  readonly timeSeconds: number;
  /** All but the coinbase, parents before children. */
  readonly transactions: readonly Raw[];
  readonly fees: bigint;
  /** Who gets subsidy and fees. */
  readonly script: Uint8Array;
  /** Another number makes another block of the same height, time and content. */
  readonly salt: number;
}

const { powLimitBits } = consensusOf('regtest');
const NOTHING = new Uint8Array(32) as InternalHash;
const SUBSIDY = 5_000_000_000n;
/** regtest halves early (kernel/chainparams.cpp). */
const HALVING = 150;
/** BIP141 “Commitment structure”: OP_RETURN, 36 bytes, these four. */
const COMMITMENT = Uint8Array.of(0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed);

/** A block of regtest with its work, its coinbase and its commitment to the witnesses (BIP34, BIP141). */
export function mineBlock(plan: BlockPlan): Uint8Array {
  const witnessRoot = merkleRoot(concat(NOTHING, ...plan.transactions.map(({ wtxid }) => wtxid))).root;
  const coinbase = readRaw(coinbaseOf(plan, sha256d(concat(witnessRoot, NOTHING))))!;
  const all = [coinbase, ...plan.transactions];
  const head = mineHeader({
    version: 0x2000_0000,
    previous: plan.previous,
    merkleRoot: merkleRoot(concat(...all.map(({ txid }) => txid))).root,
    timeSeconds: plan.timeSeconds,
    bits: powLimitBits,
  });
  return concat(head, compactSize(all.length), ...all.map(({ raw }) => raw));
}

/** `undefined`: these bytes are no transaction. */
export function readRaw(raw: Uint8Array): Raw | undefined {
  const layout = layoutTransaction(raw);
  return layout.ok ? { raw, txid: txidAt(layout.value, 0), wtxid: wtxidAt(layout.value, 0) } : undefined;
}

function coinbaseOf({ height, fees, script, salt }: BlockPlan, commitment: InternalHash): Uint8Array {
  return encodeTransaction({
    version: 2,
    inputs: [
      {
        ...{ previous: NOTHING, vout: 0xffff_ffff, sequence: 0xffff_ffff },
        scriptSig: concat(heightPush(height), Uint8Array.of(4), u32(salt)),
        witness: [NOTHING],
      },
    ],
    outputs: [
      { sats: (SUBSIDY >> BigInt(Math.floor(height / HALVING))) + fees, script },
      { sats: 0n, script: concat(COMMITMENT, commitment) },
    ],
    lockTime: 0,
  });
}

/** One hash in two has regtest's work. */
function mineHeader(header: Omit<Header, 'nonce'>): Uint8Array {
  const target = targetFromBits(header.bits)!;
  for (let nonce = 0; ; nonce++) {
    const bytes = encodeHeader({ ...header, nonce });
    if (meetsTarget(headerHash(bytes), target)) return bytes;
  }
}

/** BIP34, as nodes write it: the shortest push of the number. */
function heightPush(height: number): Uint8Array {
  if (height <= 16) return Uint8Array.of(0x50 + height);
  const bytes: number[] = [];
  for (let rest = height; rest > 0; rest >>= 8) bytes.push(rest & 0xff);
  // The highest bit is the sign.
  if (bytes.at(-1)! >= 0x80) bytes.push(0);
  return Uint8Array.of(bytes.length, ...bytes);
}

const u32 = (value: number) => Uint8Array.from([0, 8, 16, 24], (bits) => (value >> bits) & 0xff);
