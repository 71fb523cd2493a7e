import { err, ok, type Result } from '@keepwatch/base';
import { sha256 } from '@noble/hashes/sha2.js';
import { bech32, bech32m, createBase58check } from '@scure/base';
import type { Network } from './network.ts';
import { p2pkhScript, p2shScript, scriptKind, witnessProgram, witnessScript } from './script/kinds.ts';

/**
 * Addresses and the scripts that they stand for: base58check (version byte and 20 bytes), bech32 for witness version 0
 * (BIP173) and bech32m for the versions after it (BIP350). An address belongs to one network; test4 and signet share
 * theirs, as they share everything that an address is made of.
 */
interface AddressForm {
  readonly pubkeyHash: number;
  readonly scriptHash: number;
  readonly hrp: string;
}

const FORMS: Readonly<Record<Network, AddressForm>> = {
  main: { pubkeyHash: 0x00, scriptHash: 0x05, hrp: 'bc' },
  test4: { pubkeyHash: 0x6f, scriptHash: 0xc4, hrp: 'tb' },
  signet: { pubkeyHash: 0x6f, scriptHash: 0xc4, hrp: 'tb' },
  regtest: { pubkeyHash: 0x6f, scriptHash: 0xc4, hrp: 'bcrt' },
};

const base58check = createBase58check(sha256);

/** The longest bech32 string that BIP173 permits. */
const MAX_BECH32 = 90;

export type AddressErrorCode = 'address_malformed' | 'address_bad_checksum' | 'address_wrong_network';

/**
 * The scriptPubKey that an address stands for.
 *
 * - `address_malformed`: neither form, or a program of a length that its version does not have
 * - `address_bad_checksum`: a letter is wrong, or the checksum of the other bech32 variant (BIP350) was used
 * - `address_wrong_network`: an address of another network
 */
export function addressToScript(address: string, network: Network): Result<Uint8Array, AddressErrorCode> {
  const separator = address.lastIndexOf('1');
  const hrp = address.slice(0, Math.max(separator, 0)).toLowerCase();
  if (hrp === FORMS[network].hrp) return fromBech32(address, hrp);
  if (Object.values(FORMS).some((form) => form.hrp === hrp)) {
    const elsewhere = fromBech32(address, hrp);
    return elsewhere.ok ? err('address_wrong_network') : elsewhere;
  }
  return fromBase58(address, network);
}

function fromBech32(address: string, hrp: string): Result<Uint8Array, AddressErrorCode> {
  if (address.length > MAX_BECH32) return err('address_malformed');
  const plain = bech32.decodeUnsafe(address, MAX_BECH32);
  const modified = bech32m.decodeUnsafe(address, MAX_BECH32);
  const decoded = plain ?? modified;
  if (!decoded || decoded.prefix !== hrp) return err('address_bad_checksum');
  const version = decoded.words[0];
  if (version === undefined || version > 16) return err('address_malformed');
  // BIP350: version 0 has the checksum of BIP173, all others that of BIP350.
  if ((version === 0) !== (plain !== undefined)) return err('address_bad_checksum');
  const program = bech32.fromWordsUnsafe(decoded.words.slice(1));
  if (!program || program.length < 2 || program.length > 40) return err('address_malformed');
  if (version === 0 && program.length !== 20 && program.length !== 32) return err('address_malformed');
  return ok(witnessScript(version, program));
}

function fromBase58(address: string, network: Network): Result<Uint8Array, AddressErrorCode> {
  if (!/^[1-9A-HJ-NP-Za-km-z]{25,40}$/.test(address)) return err('address_malformed');
  let payload: Uint8Array;
  try {
    payload = base58check.decode(address);
  } catch {
    return err('address_bad_checksum');
  }
  if (payload.length !== 21) return err('address_malformed');
  const hash = payload.subarray(1);
  const { pubkeyHash, scriptHash } = FORMS[network];
  if (payload[0] === pubkeyHash) return ok(p2pkhScript(hash));
  if (payload[0] === scriptHash) return ok(p2shScript(hash));
  const known = Object.values(FORMS).some((form) => payload[0] === form.pubkeyHash || payload[0] === form.scriptHash);
  return err(known ? 'address_wrong_network' : 'address_malformed');
}

/** The address of a scriptPubKey; `undefined` where it has none (bare keys and multisig, data, anything unknown). */
export function scriptToAddress(script: Uint8Array, network: Network): string | undefined {
  const { pubkeyHash, scriptHash, hrp } = FORMS[network];
  const kind = scriptKind(script);
  if (kind.kind === 'p2pkh') return base58check.encode(Uint8Array.of(pubkeyHash, ...kind.hash));
  if (kind.kind === 'p2sh') return base58check.encode(Uint8Array.of(scriptHash, ...kind.hash));
  const witness = witnessProgram(script);
  if (!witness) return undefined;
  const { version, program } = witness;
  // BIP141: version 0 has programs of 20 and 32 bytes only; any other cannot be spent and has no address.
  if (version === 0 && program.length !== 20 && program.length !== 32) return undefined;
  const words = [version, ...bech32.toWords(program)];
  return (version === 0 ? bech32 : bech32m).encode(hrp, words, MAX_BECH32);
}
