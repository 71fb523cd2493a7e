import type { Entropy } from '@keepwatch/base';
import type { Layout } from '../layout.ts';
import { createByteSet } from './byte-set.ts';
import { findAll, type ByteTable } from './byte-table.ts';
import { drawHashKey } from './keyed-hash.ts';

/** What a scanner watches, for other threads to look up: plain data over the scanner's own memory. */
export interface SharedWatch {
  readonly scripts: ByteTable;
  readonly outpoints: ByteTable;
}

/**
 * Says whether a block touches what a scanner in another thread watches, so that this scanner needs to look at few blocks
 * itself. What was added to the scanner since its tables were handed over has to be told.
 */
export interface Probe {
  /** Outpoints as they stand in inputs: 36 bytes each. */
  addOutpoints(outpoints: Uint8Array): void;
  touches(layout: Layout): boolean;
}

const OUTPOINT_BYTES = 36;

export function createProbe(watch: SharedWatch, deps: { readonly entropy: Entropy }): Probe {
  const later = createByteSet(drawHashKey(deps.entropy));
  let found = new Uint32Array(0);
  let hashes = new Uint32Array(0);
  let outpointLengths = new Uint32Array(0);
  return {
    addOutpoints(outpoints) {
      for (let at = 0; at < outpoints.length; at += OUTPOINT_BYTES)
        later.add(outpoints.subarray(at, at + OUTPOINT_BYTES));
    },
    touches({ bytes, txCount, txFirstInput, txFirstOutput, inputAt, scriptAt, scriptLength }) {
      const outputs = txFirstOutput[txCount]!;
      const inputs = txFirstInput[txCount]!;
      const most = Math.max(outputs, inputs);
      if (found.length < most) {
        found = new Uint32Array(most);
        hashes = new Uint32Array(most * 2);
        outpointLengths = new Uint32Array(most).fill(OUTPOINT_BYTES);
      }
      return (
        findAll(watch.scripts, bytes, scriptAt, scriptLength, outputs, found, hashes) > 0 ||
        findAll(watch.outpoints, bytes, inputAt, outpointLengths, inputs, found, hashes) > 0 ||
        later.findAll(bytes, inputAt, outpointLengths, inputs, found) > 0
      );
    },
  };
}
