import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { layoutBlock, type Layout } from '@keepwatch/bitcoin';

/** Block 702,861 of the main chain, as a node serves it: 2,500 transactions, 6,518 inputs, 6,015 outputs, 1.4 MB. */
export function readRealBlock(): Uint8Array {
  const file = new URL('../../../bitcoin/src/vectors/mainnet-block-702861.raw.gz', import.meta.url);
  return Uint8Array.from(gunzipSync(readFileSync(file)));
}

export function layoutOrThrow(bytes: Uint8Array, reuse?: Layout): Layout {
  const walked = layoutBlock(bytes, reuse);
  if (!walked.ok) throw new Error(`the block cannot be read: ${walked.error}`);
  return walked.value;
}
