import { concat } from '@keepwatch/base';
import { compactSizeLength, readCompactSize } from './compact-size.ts';
import type { InternalHash } from './hash.ts';
import { scriptOf, type Layout } from './layout.ts';
import { merkleRoot, txids } from './merkle.ts';
import { pushBytes } from './script/push.ts';
import { sha256d } from './sha256d.ts';
import { encodeTransaction, transactionAt, type Transaction } from './transaction.ts';
import { verifyInput } from './verify/verify-input.ts';

/** BIP325 "Signet": the push in the coinbase's witness commitment that holds the solution starts with these bytes. */
const SIGNET_HEADER = Uint8Array.of(0xec, 0xc7, 0xda, 0xa2);
const OP_PUSHDATA1 = 0x4c;
const OP_PUSHDATA4 = 0x4e;
const OP_RETURN = 0x6a;
const NULL_HASH = new Uint8Array(32) as InternalHash;

interface Solution {
  readonly scriptSig: Uint8Array;
  readonly witness: readonly Uint8Array[];
}

/**
 * Whether whoever may make blocks of the signet has signed this one: its solution spends an output with the challenge in a
 * made-up transaction that commits to the block without the solution (BIP325). `commitment`: the output of the coinbase
 * with the witness commitment (BIP141), which a block of a signet has to have. A block without a solution has an empty one.
 */
export function isSignedForSignet(layout: Layout, commitment: number, challenge: Uint8Array): boolean {
  const { script, solution: bytes } = withoutSolution(scriptOf(layout, commitment));
  const solution = bytes === undefined ? { scriptSig: new Uint8Array(0), witness: [] } : readSolution(bytes);
  if (solution === undefined) return false;
  const { inputs, outputs, ...coinbase } = transactionAt(layout, 0);
  const plain = {
    ...coinbase,
    inputs: inputs.map((input) => ({ ...input, witness: [] })),
    outputs: outputs.map((output, i) => (i === commitment ? { ...output, script } : output)),
  };
  const ids = txids(layout).slice();
  ids.set(sha256d(encodeTransaction(plain)));
  const header = layout.bytes.subarray(0, 80);
  const signed = concat(header.subarray(0, 36), merkleRoot(ids).root, header.subarray(68, 72));
  const coin = { sats: 0n, script: challenge };
  const spent = unsigned(NULL_HASH, 0xffff_ffff, concat(Uint8Array.of(0), pushBytes(signed)), [], coin);
  const spending = unsigned(sha256d(encodeTransaction(spent)), 0, solution.scriptSig, solution.witness, {
    sats: 0n,
    script: Uint8Array.of(OP_RETURN),
  });
  return verifyInput(spending, 0, [coin]).kind === 'valid';
}

function unsigned(
  previous: InternalHash,
  vout: number,
  scriptSig: Uint8Array,
  witness: readonly Uint8Array[],
  output: Transaction['outputs'][number],
): Transaction {
  return { version: 0, inputs: [{ previous, vout, scriptSig, sequence: 0, witness }], outputs: [output], lockTime: 0 };
}

/** The script with the first push that starts with the header cut down to the header, and what stood behind it there. */
function withoutSolution(script: Uint8Array): { readonly script: Uint8Array; readonly solution?: Uint8Array } {
  const parts: Uint8Array[] = [];
  let solution: Uint8Array | undefined;
  for (let at = 0; at < script.length;) {
    const opcode = script[at]!;
    const width = opcode < OP_PUSHDATA1 || opcode > OP_PUSHDATA4 ? 0 : 1 << (opcode - OP_PUSHDATA1);
    let length = opcode < OP_PUSHDATA1 ? opcode : 0;
    for (let i = width - 1; i >= 0; i--) length = length * 256 + (script[at + 1 + i] ?? 0);
    const start = at + 1 + width;
    // What is no script any more is not read further, here as in Bitcoin Core.
    if (start + length > script.length) break;
    const pushed = script.subarray(start, start + length);
    const holds = pushed.length > SIGNET_HEADER.length && SIGNET_HEADER.every((byte, i) => pushed[i] === byte);
    if (solution === undefined && holds) {
      solution = pushed.subarray(SIGNET_HEADER.length);
      parts.push(pushBytes(SIGNET_HEADER));
    } else parts.push(pushed.length > 0 ? pushBytes(pushed) : Uint8Array.of(opcode));
    at = start + length;
  }
  return solution === undefined ? { script } : { script: concat(...parts), solution };
}

/** scriptSig and witness one behind the other, as they stand in a transaction; nothing may follow. */
function readSolution(bytes: Uint8Array): Solution | undefined {
  let at = 0;
  let good = true;
  const size = () => {
    const value = readCompactSize(bytes, at);
    good &&= value >= 0 && value <= bytes.length;
    if (!good) return 0;
    at += compactSizeLength(value);
    return value;
  };
  const item = () => {
    const length = size();
    good &&= at + length <= bytes.length;
    at += good ? length : 0;
    return bytes.subarray(at - (good ? length : 0), at);
  };
  const scriptSig = item();
  const count = size();
  const witness: Uint8Array[] = [];
  for (let i = 0; i < count && good; i++) witness.push(item());
  return good && at === bytes.length ? { scriptSig, witness } : undefined;
}
