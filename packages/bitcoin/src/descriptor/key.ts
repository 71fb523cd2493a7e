import { fromHex } from '@keepwatch/base';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { createBase58check } from '@scure/base';
import { HDKey } from '@scure/bip32';
import type { Network } from '../network.ts';
import { refuse } from './error.ts';

/** Where a key comes from: the master key's fingerprint and the steps from there. Hardened steps have 2^31 added. */
export interface KeyOrigin {
  readonly fingerprint: string;
  readonly path: readonly number[];
}

/**
 * A key expression (BIP380, with the tuples of BIP389). Only public keys: a `fixed` one of 33 bytes, 65 (uncompressed)
 * or 32 (x-only, under `tr` alone), or an `extended` one (BIP32) with the steps to take from it. A step that is a list
 * has one value for each branch of the descriptor. `ranged`: an index is the last step.
 */
export type KeyExpression =
  | { readonly kind: 'fixed'; readonly origin: KeyOrigin | null; readonly bytes: Uint8Array }
  | {
      readonly kind: 'extended';
      readonly origin: KeyOrigin | null;
      readonly xpub: string;
      readonly path: readonly (number | readonly number[])[];
      readonly ranged: boolean;
    };

export const HARDENED = 0x8000_0000;
export const MAINNET_VERSIONS = { public: 0x0488b21e, private: 0x0488ade4 };
export const TESTNET_VERSIONS = { public: 0x043587cf, private: 0x04358394 };

const base58check = createBase58check(sha256);
const STEP = /^(0|[1-9][0-9]{0,9})([hH']?)$/;

export function parseKey(text: string, network: Network): KeyExpression {
  let origin: KeyOrigin | null = null;
  let rest = text;
  if (text.startsWith('[')) {
    const end = text.indexOf(']');
    if (end < 0) refuse('descriptor_bad_key', 'The origin of a key has no closing bracket.');
    origin = parseOrigin(text.slice(1, end));
    rest = text.slice(end + 1);
  }
  if (/[[\]]/.test(rest)) refuse('descriptor_bad_key', 'A key has one origin at most, in front of it.');
  const [key, ...steps] = rest.split('/') as [string, ...string[]];
  if (/^[0-9a-fA-F]*$/.test(key) && [64, 66, 130].includes(key.length)) {
    if (steps.length > 0) refuse('descriptor_bad_key', 'A single key has no path behind it; only extended keys do.');
    return { kind: 'fixed', origin, bytes: pointBytes(key) };
  }
  const xpub = extendedKey(key, network);
  return { kind: 'extended', origin, xpub, ...parsePath(steps) };
}

function pointBytes(hex: string): Uint8Array {
  const bytes = fromHex(hex)!;
  const encoded = bytes.length === 32 ? Uint8Array.of(2, ...bytes) : bytes;
  try {
    secp256k1.Point.fromBytes(encoded);
  } catch {
    refuse('descriptor_bad_key', 'A key in hex is not a point of the curve.');
  }
  return bytes;
}

function parseOrigin(text: string): KeyOrigin {
  const [fingerprint, ...steps] = text.split('/') as [string, ...string[]];
  if (!/^[0-9a-fA-F]{8}$/.test(fingerprint)) {
    refuse('descriptor_bad_key', 'The fingerprint in the origin of a key has eight hex digits.');
  }
  return { fingerprint: fingerprint.toLowerCase(), path: steps.map(parseStep) };
}

function parseStep(text: string): number {
  const match = STEP.exec(text);
  const index = match ? Number(match[1]) : NaN;
  if (!(index < HARDENED)) refuse('descriptor_bad_key', 'A step of a key’s path is not a number below 2^31.');
  return match![2] ? index + HARDENED : index;
}

function parsePath(steps: readonly string[]): { path: (number | readonly number[])[]; ranged: boolean } {
  const last = steps.at(-1);
  const ranged = last !== undefined && /^\*[hH']?$/.test(last);
  if (ranged && last !== '*') hardened();
  const path = (ranged ? steps.slice(0, -1) : steps).map((text) => {
    if (!/[<>;]/.test(text)) return publicStep(parseStep(text));
    const tuple = /^<([^<>]*)>$/.exec(text);
    const values = tuple?.[1]!.split(';').map(parseStep) ?? [];
    if (values.length < 2 || new Set(values).size !== values.length) {
      refuse('descriptor_bad_multipath', 'A tuple of steps has the form <0;1>: two or more numbers, each once.');
    }
    return values.map(publicStep);
  });
  if (path.filter((step) => typeof step !== 'number').length > 1) {
    refuse('descriptor_bad_multipath', 'A key has at most one tuple of steps.');
  }
  return { path, ranged };
}

function publicStep(step: number): number {
  return step >= HARDENED ? hardened() : step;
}

function hardened(): never {
  refuse(
    'descriptor_hardened_step',
    'A public key cannot take a hardened step. Export the key behind the last hardened step, with its origin in front.',
  );
}

/** An extended public key of the network, checked; anything that could be a private key is refused as one. */
function extendedKey(text: string, network: Network): string {
  let payload: Uint8Array;
  try {
    payload = base58check.decode(text);
  } catch {
    // A private key with a typing error is one all the same: say so before anything else is said about it.
    if (/^([xyztuv]prv|[5KL9c][1-9A-HJ-NP-Za-km-z]{50,51}$)/i.test(text)) privateKey();
    refuse('descriptor_bad_key', 'A key is neither hex nor an extended public key with a right checksum.');
  }
  // WIF: a version byte, 32 bytes, and 01 where the key is used compressed.
  if (payload.length === 33 || payload.length === 34) privateKey();
  if (payload.length !== 78) refuse('descriptor_bad_key', 'A key has neither 33 bytes nor the 78 of an extended key.');
  const version = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
  if (payload[45] === 0) privateKey();
  const ours = network === 'main' ? MAINNET_VERSIONS : TESTNET_VERSIONS;
  const others = network === 'main' ? TESTNET_VERSIONS : MAINNET_VERSIONS;
  if (version === others.public) {
    refuse('descriptor_wrong_network', `An extended key is not of the network ${network}.`);
  }
  if (version !== ours.public) {
    refuse(
      'descriptor_bad_key',
      'An extended key has a version that BIP380 does not know (such as ypub or zpub): write it as an xpub or tpub.',
    );
  }
  try {
    HDKey.fromExtendedKey(text, ours);
  } catch {
    refuse('descriptor_bad_key', 'An extended key does not hold a point of the curve.');
  }
  return text;
}

function privateKey(): never {
  refuse(
    'descriptor_private_key',
    'The descriptor holds a private key. Nothing here needs one: export the descriptor with public keys, and treat the private key as seen.',
  );
}
