import type { Transaction, TransactionOutput } from '../transaction.ts';
import { PrevoutsMissing, ScriptFailure, type ScriptFailureName } from './failure.ts';
import { KNOWN_CONSENSUS_RULES, STANDARD_RULES, type Rules } from './rules.ts';
import { createSignatureHashes } from './sighash.ts';
import { runSpend, type Spend } from './spend.ts';

/**
 * Whether an input may spend its coin.
 *
 * - `valid`: the scripts ran and every signature holds. `nonStandard`: null, or why nodes would not relay it although a
 *   block may hold it: whoever made it had the keys, so it counts.
 * - `invalid`: no block may hold it.
 * - `cannot-verify`: the script uses what has no meaning yet (and would let anybody spend), or a taproot signature
 *   commits to other coins of the transaction that are not known here. Such a spend stays a claim.
 */
export type InputVerdict =
  | { readonly kind: 'valid'; readonly nonStandard: ScriptFailureName | null }
  | { readonly kind: 'invalid'; readonly reason: ScriptFailureName }
  | { readonly kind: 'cannot-verify'; readonly reason: 'unknown_script' | 'prevouts_missing' };

/**
 * Verifies one input against the scriptPubKey and the amount of the coin that it spends (BIP16, 65, 66, 112, 141, 143,
 * 341, 342). `prevouts` holds what each input spends, in the order of the inputs, `undefined` where that is not known.
 * The one of `input` must be there. **Taproot needs all of them**: its signatures commit to the amounts and scripts of
 * all coins that are spent (BIP341), unless they say ANYONECANPAY. All other kinds need their own alone.
 *
 * It looks at one input by itself. Whether outputs exceed inputs, or a time lock has passed, only a chain can say.
 */
export function verifyInput(
  transaction: Transaction,
  input: number,
  prevouts: readonly (TransactionOutput | undefined)[],
): InputVerdict {
  const coin = prevouts[input];
  if (!coin || !transaction.inputs[input]) throw new RangeError('the coin of the input itself must be known');
  const hashes = createSignatureHashes(transaction, prevouts);
  const spend: Spend = { transaction, input, script: coin.script, sats: coin.sats, hashes };
  const strict = attempt(spend, STANDARD_RULES);
  if (strict === null) return { kind: 'valid', nonStandard: null };
  const verdict = strict.startsWith('discourage_') ? strict : attempt(spend, KNOWN_CONSENSUS_RULES);
  if (strict === 'prevouts_missing' || verdict === 'prevouts_missing') {
    return { kind: 'cannot-verify', reason: 'prevouts_missing' };
  }
  if (verdict === null) return { kind: 'valid', nonStandard: strict };
  if (verdict.startsWith('discourage_')) return { kind: 'cannot-verify', reason: 'unknown_script' };
  return { kind: 'invalid', reason: verdict as ScriptFailureName };
}

function attempt(spend: Spend, rules: Rules): ScriptFailureName | 'prevouts_missing' | null {
  try {
    runSpend(spend, rules);
    return null;
  } catch (error) {
    if (error instanceof ScriptFailure) return error.code;
    if (error instanceof PrevoutsMissing) return 'prevouts_missing';
    throw error;
  }
}
