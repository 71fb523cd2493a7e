import { type Sats } from '@keepwatch/base';
import { DUST_FEERATE, feeAt, type Feerate } from './feerate.ts';
import { scriptKind, witnessProgram } from './script/kinds.ts';

/** Outpoint, length of an empty scriptSig, sequence: what an input has in any case. */
const INPUT_BYTES = 32 + 4 + 1 + 4;
/** A signature and a compressed key in the scriptSig, as relay policy assumes for every script that is not segwit. */
const ASSUMED_SPEND_BYTES = 107;

/**
 * The least amount at which an output is not dust: what its own bytes and an assumed input that spends it cost at
 * `feerate`. By default p2pkh 546, p2sh 540, p2wpkh 294, p2wsh and p2tr 330, p2a 240. Zero for outputs that cannot be
 * spent. The assumed input is the same for all of segwit, as nodes assume it.
 */
export function dustLimit(script: Uint8Array, feerate: Feerate = DUST_FEERATE): Sats {
  if (scriptKind(script).kind === 'data' || script.length > 10_000) return 0n as Sats;
  const lengthBytes = script.length < 0xfd ? 1 : 3;
  const output = 8 + lengthBytes + script.length;
  const spend = witnessProgram(script) ? Math.floor(ASSUMED_SPEND_BYTES / 4) : ASSUMED_SPEND_BYTES;
  return feeAt(feerate, output + INPUT_BYTES + spend);
}
