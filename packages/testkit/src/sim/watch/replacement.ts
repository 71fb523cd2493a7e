import { toHex } from '@keepwatch/base';
import { decodeTransaction } from '@keepwatch/bitcoin';

/** A transaction as one wallet sees it: what it takes of the wallet, and which of its outputs pay it. */
export interface Sight {
  readonly raw: Uint8Array;
  readonly takes: readonly string[];
  readonly returns: (vout: number) => boolean;
}

/**
 * Whether the owner loses nothing but a fee where `later` takes the place of `earlier`, by the bytes of both: each takes the
 * wallet's own coins alone, the later one all that the earlier one took; no stranger gets more than before; and what nobody
 * gets is a fee as people pay them, of 100,000 sats or a hundredth at most.
 */
export function losesOnlyFee(later: Sight, earlier: Sight, owned: (key: string) => bigint | undefined): boolean {
  const [one, other] = [decodeTransaction(later.raw), decodeTransaction(earlier.raw)];
  if (!one.ok || !other.ok) return false;
  if (later.takes.length !== one.value.inputs.length || earlier.takes.length !== other.value.inputs.length)
    return false;
  if (earlier.takes.some((key) => !later.takes.includes(key))) return false;
  if ([...later.takes, ...earlier.takes].some((key) => owned(key) === undefined)) return false;
  const strangers = one.value.outputs.filter(({ sats }, vout) => !later.returns(vout) && sats > 0n);
  for (const { script } of strangers) {
    const isSame = (each: { readonly script: Uint8Array }) => toHex(each.script) === toHex(script);
    const gets = sum(strangers.filter(isSame));
    const got = sum(other.value.outputs.filter((each, vout) => !earlier.returns(vout) && isSame(each)));
    if (gets > got) return false;
  }
  const put = sum(later.takes.map((key) => ({ sats: owned(key)! })));
  const fee = put - sum(one.value.outputs);
  return fee >= 0n && (fee <= 100_000n || fee * 100n <= put);
}

const sum = (list: readonly { readonly sats: bigint }[]) => list.reduce((total, { sats }) => total + sats, 0n);
