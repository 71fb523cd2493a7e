import { concat } from '@keepwatch/base';

/**
 * What a scriptPubKey is, by its shape alone. `hash` and `key` are the bytes in the script, not copies.
 *
 * - `p2pk`, `p2pkh`, `p2sh` (BIP16), `p2wpkh`, `p2wsh` (BIP141), `p2tr` (BIP341), `p2a` (BIP433: `OP_1 <4e73>`)
 * - `multi`: bare CHECKMULTISIG with at most three keys, as relay policy knows it
 * - `witness`: a witness program of a version or length that has no meaning yet
 * - `data`: begins with OP_RETURN and cannot be spent · `other`: anything else
 */
export type ScriptKind =
  | { readonly kind: 'p2pk'; readonly key: Uint8Array }
  | { readonly kind: 'p2pkh' | 'p2sh' | 'p2wpkh' | 'p2wsh'; readonly hash: Uint8Array }
  | { readonly kind: 'p2tr'; readonly key: Uint8Array }
  | { readonly kind: 'p2a' }
  | { readonly kind: 'multi'; readonly threshold: number; readonly keys: readonly Uint8Array[] }
  | { readonly kind: 'witness'; readonly version: number; readonly program: Uint8Array }
  | { readonly kind: 'data' }
  | { readonly kind: 'other' };

const OP_0 = 0x00;
const OP_1 = 0x51;
const OP_16 = 0x60;
const OP_RETURN = 0x6a;
const OP_DUP = 0x76;
const OP_EQUAL = 0x87;
const OP_EQUALVERIFY = 0x88;
const OP_HASH160 = 0xa9;
const OP_CHECKSIG = 0xac;
const OP_CHECKMULTISIG = 0xae;

export function scriptKind(script: Uint8Array): ScriptKind {
  const witness = witnessProgram(script);
  if (witness) {
    const { version, program } = witness;
    if (version === 0 && program.length === 20) return { kind: 'p2wpkh', hash: program };
    if (version === 0 && program.length === 32) return { kind: 'p2wsh', hash: program };
    if (version === 1 && program.length === 32) return { kind: 'p2tr', key: program };
    if (version === 1 && program.length === 2 && program[0] === 0x4e && program[1] === 0x73) return { kind: 'p2a' };
    return { kind: 'witness', version, program };
  }
  const { length } = script;
  if (length === 23 && script[0] === OP_HASH160 && script[1] === 20 && script[22] === OP_EQUAL) {
    return { kind: 'p2sh', hash: script.subarray(2, 22) };
  }
  if (
    length === 25 &&
    script[0] === OP_DUP &&
    script[1] === OP_HASH160 &&
    script[2] === 20 &&
    script[23] === OP_EQUALVERIFY &&
    script[24] === OP_CHECKSIG
  ) {
    return { kind: 'p2pkh', hash: script.subarray(3, 23) };
  }
  if (script[0] === OP_RETURN) return { kind: 'data' };
  if (script[length - 1] === OP_CHECKSIG) {
    const key = keyAt(script, 0);
    if (key && key.length + 2 === length) return { kind: 'p2pk', key };
  }
  return bareMulti(script) ?? { kind: 'other' };
}

/** A witness program (BIP141): a version, then one push of 2 to 40 bytes, and nothing else. */
export function witnessProgram(script: Uint8Array): { version: number; program: Uint8Array } | undefined {
  const { length } = script;
  if (length < 4 || length > 42 || script[1] !== length - 2) return undefined;
  const first = script[0]!;
  if (first !== OP_0 && (first < OP_1 || first > OP_16)) return undefined;
  return { version: first === OP_0 ? 0 : first - OP_1 + 1, program: script.subarray(2) };
}

/** A pushed public key of either length; whether it is a point of the curve is not looked at. */
function keyAt(script: Uint8Array, at: number): Uint8Array | undefined {
  const size = script[at];
  const first = script[at + 1];
  const fits = (size === 33 && (first === 2 || first === 3)) || (size === 65 && first === 4);
  return fits && at + 1 + size! <= script.length ? script.subarray(at + 1, at + 1 + size!) : undefined;
}

function bareMulti(script: Uint8Array): ScriptKind | undefined {
  if (script[script.length - 1] !== OP_CHECKMULTISIG) return undefined;
  const keys: Uint8Array[] = [];
  let at = 1;
  for (let key = keyAt(script, at); key; key = keyAt(script, at)) {
    keys.push(key);
    at += key.length + 1;
  }
  const threshold = script[0]! - OP_1 + 1;
  const total = script[at]! - OP_1 + 1;
  const holds = at + 2 === script.length && total === keys.length && total <= 3 && threshold >= 1 && threshold <= total;
  return holds ? { kind: 'multi', threshold, keys } : undefined;
}

export function p2pkScript(key: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(key.length), key, Uint8Array.of(OP_CHECKSIG));
}

export function p2pkhScript(hash: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(OP_DUP, OP_HASH160, 20), hash, Uint8Array.of(OP_EQUALVERIFY, OP_CHECKSIG));
}

export function p2shScript(hash: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(OP_HASH160, 20), hash, Uint8Array.of(OP_EQUAL));
}

/** `version` 0 to 16, `program` 2 to 40 bytes (BIP141). */
export function witnessScript(version: number, program: Uint8Array): Uint8Array {
  if (version < 0 || version > 16 || program.length < 2 || program.length > 40) {
    throw new RangeError('a witness program has a version of 0 to 16 and 2 to 40 bytes');
  }
  return concat(Uint8Array.of(version === 0 ? OP_0 : OP_1 + version - 1, program.length), program);
}

/** The keyless output that anyone may spend to raise the fee of its transaction (BIP433). */
export const P2A_SCRIPT: Uint8Array = Uint8Array.of(OP_1, 2, 0x4e, 0x73);
