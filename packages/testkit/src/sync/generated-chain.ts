import { hash } from 'node:crypto';
import { consensusOf } from '@keepwatch/bitcoin';

export const HEADER_BYTES = 80;

export interface GeneratedBlocks {
  /** Each block spends a coin of which nobody knows the script. Without: it is empty but for its coinbase. */
  readonly spends?: boolean;
}

/** A chain of `count` regtest headers on top of genesis, each with its work: 80 bytes each, some eight minutes apart. */
export function generateHeaders(count: number, blocks: GeneratedBlocks = {}): Uint8Array {
  const params = consensusOf('regtest');
  const headers = Buffer.alloc(count * HEADER_BYTES);
  const header = Buffer.alloc(HEADER_BYTES);
  let previous = doubleHash(params.genesis);
  const start = Buffer.from(params.genesis).readUInt32LE(68);
  for (let i = 0; i < count; i++) {
    header.writeInt32LE(4, 0);
    header.set(previous, 4);
    const ids = transactionsOf(i + 1, blocks).map(doubleHash);
    header.set(ids.length === 1 ? ids[0]! : doubleHash(Buffer.concat(ids)), 36);
    header.writeUInt32LE(start + (i + 1) * 500, 68);
    header.writeUInt32LE(params.powLimitBits, 72);
    for (let nonce = 0; ; nonce++) {
      header.writeUInt32LE(nonce, 76);
      previous = doubleHash(header);
      // regtest's target: the highest bit is not set.
      if (previous[31]! < 0x7f) break;
    }
    headers.set(header, i * HEADER_BYTES);
  }
  return headers;
}

/** The whole block at this height. */
export function generatedBlock(headers: Uint8Array, height: number, blocks: GeneratedBlocks = {}): Uint8Array {
  const header = headers.subarray((height - 1) * HEADER_BYTES, height * HEADER_BYTES);
  const transactions = transactionsOf(height, blocks);
  return Buffer.concat([header, Uint8Array.of(transactions.length), ...transactions]);
}

const transactionsOf = (height: number, { spends }: GeneratedBlocks): Uint8Array[] =>
  spends ? [coinbaseOf(height), spendOf(height)] : [coinbaseOf(height)];

/** One input of a coin that is nowhere, without a script that says anything of it; one output of nothing (OP_TRUE). */
function spendOf(height: number): Uint8Array {
  const spend = Buffer.alloc(4 + 1 + 36 + 1 + 4 + 1 + 10 + 4);
  spend.writeInt32LE(1, 0);
  spend[4] = 1;
  spend.fill(0xaa, 5, 37);
  spend.writeUInt32LE(height, 37);
  spend[46] = 1;
  spend.set([1, 0x51], 55);
  return spend;
}

/** One input of nothing with the height (BIP34), one output of nothing to whoever wants it (OP_TRUE). */
function coinbaseOf(height: number): Uint8Array {
  const coinbase = Buffer.alloc(4 + 1 + 36 + 6 + 4 + 1 + 10 + 4);
  coinbase.writeInt32LE(1, 0);
  coinbase[4] = 1;
  coinbase.fill(0xff, 37, 41);
  coinbase[41] = 5;
  coinbase[42] = 4;
  coinbase.writeUInt32LE(height, 43);
  coinbase.fill(0xff, 47, 51);
  coinbase[51] = 1;
  coinbase.set([1, 0x51], 60);
  return coinbase;
}

export const doubleHash = (bytes: Uint8Array): Buffer => hash('sha256', hash('sha256', bytes, 'buffer'), 'buffer');
