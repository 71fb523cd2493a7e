import { layoutTransaction, toDisplay, type InternalHash, type Txid } from '@keepwatch/bitcoin';
import type { Outpoint } from './source.ts';

/** The outpoints that a transaction spends, in order; empty where the bytes are no transaction. */
export function inputsOf(raw: Uint8Array): readonly { readonly vin: number; readonly outpoint: Outpoint }[] {
  const read = layoutTransaction(raw);
  if (!read.ok) return [];
  const { inputAt, txFirstInput } = read.value;
  return Array.from({ length: txFirstInput[1]! }, (_, vin) => {
    const at = inputAt[vin]!;
    const vout = new DataView(raw.buffer, raw.byteOffset + at + 32, 4).getUint32(0, true);
    return { vin, outpoint: { txid: toDisplay<Txid>(raw.slice(at, at + 32) as InternalHash), vout } };
  });
}
