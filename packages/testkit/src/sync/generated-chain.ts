import { hash } from 'node:crypto';
import { consensusOf } from '@keepwatch/bitcoin';

export const HEADER_BYTES = 80;

/**
 * A chain of `count` regtest headers on top of genesis, each with its work: 80 bytes each, some eight minutes apart. Each
 * block is empty but for its coinbase.
 */
export function generateHeaders(count: number): Uint8Array {
  const params = consensusOf('regtest');
  const headers = Buffer.alloc(count * HEADER_BYTES);
  const header = Buffer.alloc(HEADER_BYTES);
  let previous = doubleHash(params.genesis);
  const start = Buffer.from(params.genesis).readUInt32LE(68);
  for (let i = 0; i < count; i++) {
    header.writeInt32LE(4, 0);
    header.set(previous, 4);
    header.set(doubleHash(coinbaseOf(i + 1)), 36);
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
export function generatedBlock(headers: Uint8Array, height: number): Uint8Array {
  const header = headers.subarray((height - 1) * HEADER_BYTES, height * HEADER_BYTES);
  return Buffer.concat([header, Uint8Array.of(1), coinbaseOf(height)]);
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
