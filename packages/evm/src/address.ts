import { err, ok, toHex, utf8, type Keccak256, type Result } from '@keepwatch/base';

/**
 * An account's address in its canonical form: `0x` and 40 lower-case hex digits. All comparisons are made on this form;
 * the checksummed one (EIP-55) is for people.
 */
export type Address = `0x${string}`;

/**
 * The canonical address that `text` names.
 *
 * - `not_an_address`: not `0x` and 40 hex digits
 * - `wrong_checksum`: it has an upper-case letter, and so claims an EIP-55 checksum, which is not right. Text that is all
 *   upper case claims one too: accepting it unchecked would accept a mistyped address.
 */
export function parseAddress(text: string, keccak: Keccak256): Result<Address, 'not_an_address' | 'wrong_checksum'> {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) return err('not_an_address');
  const address: Address = `0x${text.slice(2).toLowerCase()}`;
  if (text !== address && text !== checksumAddress(address, keccak)) return err('wrong_checksum');
  return ok(address);
}

/** The address with the mixed-case checksum of EIP-55. Throws a RangeError where `address` is not canonical. */
export function checksumAddress(address: Address, keccak: Keccak256): string {
  if (!/^0x[0-9a-f]{40}$/.test(address)) throw new RangeError('not a canonical address');
  const digits = address.slice(2);
  const hash = keccak(utf8(digits));
  let out = '0x';
  for (let i = 0; i < 40; i++) {
    const nibble = i % 2 === 0 ? hash[i >> 1]! >> 4 : hash[i >> 1]! & 15;
    out += nibble >= 8 ? digits[i]!.toUpperCase() : digits[i]!;
  }
  return out;
}

/**
 * The address of a secp256k1 public key: the last 20 bytes of the Keccak-256 of its two coordinates (Yellow Paper,
 * appendix F). `publicKey` is uncompressed: 64 bytes, or 65 with the leading 0x04. Throws a RangeError for anything else.
 */
export function addressOfPublicKey(publicKey: Uint8Array, keccak: Keccak256): Address {
  const hasPrefix = publicKey.length === 65 && publicKey[0] === 4;
  if (!hasPrefix && publicKey.length !== 64) throw new RangeError('not an uncompressed public key');
  return `0x${toHex(keccak(hasPrefix ? publicKey.subarray(1) : publicKey).subarray(12))}`;
}
