import { concat } from '@keepwatch/base';
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { compactSize } from '../compact-size.ts';

/** The leaf version of tapscript (BIP342). */
export const TAPSCRIPT_VERSION = 0xc0;

const { taggedHash } = schnorr.utils;

/** The hash of a script in a tree (BIP341 “Script validation rules”). */
export function leafHash(script: Uint8Array, version: number = TAPSCRIPT_VERSION): Uint8Array {
  return taggedHash('TapLeaf', Uint8Array.of(version), compactSize(script.length), script);
}

/** The hash above two others; they are put in order, so that it does not matter which comes first. */
export function branchHash(a: Uint8Array, b: Uint8Array): Uint8Array {
  for (let i = 0; i < 32; i++) {
    if (a[i]! !== b[i]!) return a[i]! < b[i]! ? taggedHash('TapBranch', a, b) : taggedHash('TapBranch', b, a);
  }
  return taggedHash('TapBranch', a, b);
}

/** The output key of an internal key and the root of its script tree, if it has one (BIP341): 32 bytes. */
export function outputKey(internal: Uint8Array, root: Uint8Array | null): Uint8Array {
  return tweakedKey(internal, root).key;
}

/** The output key, and whether its y coordinate is odd: a control block says both. Throws where `internal` is no point. */
export function tweakedKey(internal: Uint8Array, root: Uint8Array | null): { key: Uint8Array; odd: boolean } {
  const { BASE, Fn } = secp256k1.Point;
  const tweak = Fn.fromBytes(taggedHash('TapTweak', root ? concat(internal, root) : internal));
  const point = secp256k1.Point.fromBytes(Uint8Array.of(2, ...internal)).add(BASE.multiplyUnsafe(tweak));
  const bytes = point.toBytes(true);
  return { key: bytes.subarray(1), odd: bytes[0] === 3 };
}
