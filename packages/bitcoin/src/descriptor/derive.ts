import { assertNever, concat } from '@keepwatch/base';
import { sha256 } from '@noble/hashes/sha2.js';
import { p2pkhScript, p2pkScript, p2shScript, witnessScript } from '../script/kinds.ts';
import { hash160 } from '../script/hashes.ts';
import { pushBytes, pushNumber } from '../script/push.ts';
import { branchHash, leafHash, outputKey } from '../script/taproot.ts';
import { createKeyDeriver, type KeyDeriver } from './derive-key.ts';
import type { Descriptor, ScriptExpression, TapTree } from './descriptor.ts';
import type { KeyExpression } from './key.ts';
import { fillTemplate } from './template.ts';

/** A script of a descriptor, and which one: its branch (BIP389) and its index, both from 0. */
export interface DerivedScript {
  readonly branch: number;
  readonly index: number;
  readonly script: Uint8Array;
}

/** Indices are those of unhardened steps: below 2^31. */
const MAX_INDEX = 0x8000_0000;

/**
 * The scripts of one branch at the indices `from` up to, not including, `to`; of a descriptor that is not ranged, its
 * only index is 0. `combo` gives two or four scripts an index, all others one.
 *
 * It costs about half a millisecond a key, so it is done once: `encodeDerived` stores what came out. It is a generator
 * so that a caller can do something else in between.
 */
export function* deriveScripts(
  descriptor: Descriptor,
  branch: number,
  from: number,
  to: number,
): Generator<DerivedScript, void, undefined> {
  const end = descriptor.ranged ? MAX_INDEX : 1;
  if (!(branch >= 0 && branch < descriptor.branches)) throw new RangeError('there is no such branch');
  if (!(from >= 0 && from <= to && to <= end)) throw new RangeError(`indices lie between 0 and ${end}`);
  const deriver = createKeyDeriver(branch, descriptor.network);
  for (let index = from; index < to; index++) {
    for (const script of outputs(descriptor.script, deriver, index)) yield { branch, index, script };
  }
}

function outputs(script: ScriptExpression, keys: KeyDeriver, index: number): readonly Uint8Array[] {
  if (script.kind !== 'combo') return [output(script, keys, index)];
  // BIP384: what wallets made of a key before there were descriptors.
  const key = keys.full(script.key, index);
  const bare = [p2pkScript(key), p2pkhScript(hash160(key))];
  if (key.length === 65) return bare;
  const segwit = witnessScript(0, hash160(key));
  return [...bare, segwit, p2shScript(hash160(segwit))];
}

/** The scriptPubKey, or the script within `sh` and `wsh`. */
function output(script: ScriptExpression, keys: KeyDeriver, index: number): Uint8Array {
  const full = (key: KeyExpression) => keys.full(key, index);
  switch (script.kind) {
    case 'pk':
      return p2pkScript(full(script.key));
    case 'pkh':
      return p2pkhScript(hash160(full(script.key)));
    case 'wpkh':
      return witnessScript(0, hash160(full(script.key)));
    case 'rawtr':
      return witnessScript(1, keys.xOnly(script.key, index));
    case 'multi': {
      const list = ordered(script.keys.map(full), script.sorted);
      const pushes = list.map(pushBytes);
      return concat(pushNumber(script.threshold), ...pushes, pushNumber(list.length), Uint8Array.of(0xae));
    }
    case 'miniscript':
      return fillTemplate(script.template, script.keys.map(full));
    case 'sh':
      return p2shScript(hash160(output(script.inner, keys, index)));
    case 'wsh':
      return witnessScript(0, sha256(output(script.inner, keys, index)));
    case 'tr': {
      const internal = keys.xOnly(script.internal, index);
      return witnessScript(1, outputKey(internal, script.tree && treeHash(script.tree, keys, index)));
    }
    case 'fixed':
      return script.script;
    case 'combo':
    case 'multi_a':
      throw new TypeError(`${script.kind} does not stand here`);
    default:
      return assertNever(script);
  }
}

function treeHash(tree: TapTree, keys: KeyDeriver, index: number): Uint8Array {
  return tree.kind === 'leaf'
    ? leafHash(leafScript(tree.script, keys, index))
    : branchHash(treeHash(tree.left, keys, index), treeHash(tree.right, keys, index));
}

function leafScript(script: ScriptExpression, keys: KeyDeriver, index: number): Uint8Array {
  const xOnly = (key: KeyExpression) => keys.xOnly(key, index);
  switch (script.kind) {
    case 'pk':
      return p2pkScript(xOnly(script.key));
    case 'multi_a': {
      // BIP387: the first key is checked, the others add to its result.
      const list = ordered(script.keys.map(xOnly), script.sorted);
      const checks = list.map((key, i) => concat(pushBytes(key), Uint8Array.of(i === 0 ? 0xac : 0xba)));
      return concat(...checks, pushNumber(script.threshold), Uint8Array.of(0x9c));
    }
    case 'miniscript':
      return fillTemplate(script.template, script.keys.map(xOnly));
    default:
      throw new TypeError(`${script.kind} does not stand in a script tree`);
  }
}

function ordered(keys: readonly Uint8Array[], sorted: boolean): readonly Uint8Array[] {
  return sorted ? [...keys].sort(compareBytes) : keys;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
