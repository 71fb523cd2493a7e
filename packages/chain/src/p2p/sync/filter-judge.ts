import { createHash } from 'node:crypto';
import {
  buildBasicFilter,
  createFilterMatcher,
  isCoinbase,
  p2shScript,
  scriptOf,
  transactionAt,
  witnessScript,
  type Block,
  type TransactionInput,
} from '@keepwatch/bitcoin';
import { same } from './block-fetch.ts';

export type FilterVerdict = 'right' | 'possible' | 'wrong';

/**
 * Judges a filter by its block. Where the block says all that its filter holds (each coin that it spends was made in it),
 * the filter is built and compared: `right` or `wrong`. Else a filter that leaves out a script that the block is sure to
 * hold is `wrong`: leaving out is how a filter hides a payment. What is left is `possible`: it may name too much, which
 * costs a download and hides nothing.
 */
export function judgeFilter(block: Block, filter: Uint8Array): FilterVerdict {
  const { layout } = block;
  /** Of each of these at least one is in the filter. */
  const sure: (readonly Uint8Array[])[] = [];
  const outputs = new Map<string, Uint8Array>();
  for (let tx = 0; tx < layout.txCount; tx++) {
    const id = Buffer.from(block.txids.subarray(tx * 32, tx * 32 + 32)).toString('hex');
    const first = layout.txFirstOutput[tx]!;
    for (let output = first; output < layout.txFirstOutput[tx + 1]!; output++) {
      const script = scriptOf(layout, output);
      outputs.set(`${id}:${output - first}`, script);
      if (script.length > 0 && script[0] !== 0x6a) sure.push([script]);
    }
  }
  const spent: Uint8Array[] = [];
  let all = true;
  for (let tx = 0; tx < layout.txCount; tx++) {
    if (isCoinbase(layout, tx)) continue;
    for (const input of transactionAt(layout, tx).inputs) {
      const own = outputs.get(`${Buffer.from(input.previous).toString('hex')}:${input.vout}`);
      if (own !== undefined) {
        spent.push(own);
        continue;
      }
      all = false;
      const scripts = spentScripts(input);
      if (scripts.length > 0) sure.push(scripts);
    }
  }
  if (all) return same(buildBasicFilter(layout, block.hash, spent), filter) ? 'right' : 'wrong';
  for (const scripts of [...sure, ...spent.map((script) => [script])]) {
    const matched = createFilterMatcher(scripts).matches(filter, block.hash);
    if (!matched.ok || !matched.value) return 'wrong';
  }
  return 'possible';
}

/**
 * The scripts of which the coin has one, where the input alone gives that away. Only what no valid spend of another kind
 * can look like counts: a block could be made to convict whoever has the right filter.
 */
function spentScripts({ scriptSig, witness }: TransactionInput): readonly Uint8Array[] {
  const last = witness.at(-1);
  if (last === undefined) return [];
  // BIP141: a witness beside a scriptSig is that of a program within P2SH, and the scriptSig is one push of it.
  if (scriptSig.length > 0) return [p2shScript(hash160(scriptSig.subarray(1)))];
  // A key of P2WPKH, or a script of P2WSH that has the form of one. (A taproot control block starts with 0xc0 or more,
  // its single signature stands alone.)
  const isKey = witness.length === 2 && last.length === 33 && (last[0] === 2 || last[0] === 3);
  return isKey ? [witnessScript(0, hash160(last)), witnessScript(0, sha256(last))] : [];
}

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest());

function hash160(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('ripemd160').update(createHash('sha256').update(bytes).digest()).digest());
}
