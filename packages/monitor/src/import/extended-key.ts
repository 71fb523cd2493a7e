import { concat, u32be } from '@keepwatch/base';
import type { Network } from '@keepwatch/bitcoin';
import { sha256 } from '@noble/hashes/sha2.js';
import { createBase58check } from '@scure/base';
import { refuse } from './imported.ts';

/**
 * Extended public keys with the versions of SLIP-132, by which wallets say what scripts they make of a key: descriptors
 * (BIP380) know only xpub and tpub, and say it themselves.
 */
export type KeyUse = 'unsaid' | 'pkh' | 'sh-wpkh' | 'wpkh' | 'sh-wsh' | 'wsh';

const base58check = createBase58check(sha256);

/** SLIP-132 §Registered HD version bytes. */
const VERSIONS = new Map<number, { readonly use: KeyUse; readonly main: boolean }>([
  [0x0488b21e, { use: 'unsaid', main: true }],
  [0x049d7cb2, { use: 'sh-wpkh', main: true }],
  [0x04b24746, { use: 'wpkh', main: true }],
  [0x0295b43f, { use: 'sh-wsh', main: true }],
  [0x02aa7ed3, { use: 'wsh', main: true }],
  [0x043587cf, { use: 'unsaid', main: false }],
  [0x044a5262, { use: 'sh-wpkh', main: false }],
  [0x045f1cf6, { use: 'wpkh', main: false }],
  [0x024289ef, { use: 'sh-wsh', main: false }],
  [0x02575483, { use: 'wsh', main: false }],
]);

/** The key as descriptors write it, and what its version says of its use. */
export function readExtendedKey(text: string, network: Network): { readonly xpub: string; readonly use: KeyUse } {
  let payload: Uint8Array;
  try {
    payload = base58check.decode(text);
  } catch {
    if (/^[A-Za-z]prv/.test(text)) refuse('import_private_key', 'An extended private key is in it.');
    return refuse('import_malformed', 'An extended public key has a letter wrong: its checksum does not fit.');
  }
  if (payload.length !== 78) return refuse('import_malformed', 'An extended public key does not have 78 bytes.');
  if (payload[45] === 0) refuse('import_private_key', 'An extended private key is in it.');
  const version = VERSIONS.get(new DataView(payload.buffer, payload.byteOffset).getUint32(0));
  if (!version) return refuse('import_malformed', 'An extended public key has a version that is not known.');
  if (version.main !== (network === 'main')) {
    refuse('import_wrong_network', `An extended public key is not of the network ${network}.`);
  }
  const bytes = concat(u32be(version.main ? 0x0488b21e : 0x043587cf), payload.subarray(4));
  return { xpub: base58check.encode(bytes), use: version.use };
}

/**
 * What a wallet with this key alone has, as descriptors. Where the key does not say (xpub, tpub), all that wallets make of
 * it is watched: it costs some scripts, and a payment to a kind that was not thought of would be missed otherwise.
 */
export function descriptorsOfKey(text: string, network: Network): readonly string[] {
  const origin = /^\[[^\]]*\]/.exec(text)?.[0] ?? '';
  const { xpub, use } = readExtendedKey(text.slice(origin.length), network);
  const key = `${origin}${xpub}/<0;1>/*`;
  switch (use) {
    case 'unsaid':
      return [`wpkh(${key})`, `tr(${key})`, `sh(wpkh(${key}))`, `pkh(${key})`];
    case 'pkh':
      return [`pkh(${key})`];
    case 'sh-wpkh':
      return [`sh(wpkh(${key}))`];
    case 'wpkh':
      return [`wpkh(${key})`];
    case 'sh-wsh':
    case 'wsh':
      return refuse('import_malformed', 'This key is one of several (multisig): give the descriptor of the wallet.');
  }
}
