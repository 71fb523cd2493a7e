import { err, ok, toHex, type Keccak256, type Result } from '@keepwatch/base';
import type { Address } from './address.ts';
import { enterList, fail, leaveList, readFixed, readSafeInteger, readString } from './rlp-reader.ts';
import type { RlpItem } from './rlp.ts';
import { scalarFault } from './signature.ts';
import {
  addressField,
  encodeTyped,
  hexField,
  openFields,
  readNonce,
  uintField,
  type FieldReader,
  type TransactionErrorCode,
} from './transaction-fields.ts';

/**
 * What an account signs to let the code of `address` act as its own (EIP-7702). Whoever holds the signature can put it on
 * the chain. `chainId` 0 means every chain: it is decoded, so that a denial can say so. The zero address takes an earlier
 * delegation back.
 */
export interface Authorization {
  readonly chainId: number;
  readonly address: Address;
  /** The nonce of the account that delegates, which the authorisation uses up. */
  readonly nonce: number;
}

/** An authorisation inside a transaction: another account's signature, or the wallet's own, comes with it. */
export interface SignedAuthorization extends Authorization {
  readonly yParity: 0 | 1;
  /** 32 bytes as `0x` and lower-case hex. */
  readonly r: `0x${string}`;
  readonly s: `0x${string}`;
}

/** MAGIC of EIP-7702: no type of a transaction, so an authorisation is never mistaken for one. */
const MAGIC = 0x05;
const CODE = 'malformed_authorization';

/**
 * The authorisation that `bytes` says: 0x05 ‖ rlp([chainId, address, nonce]), and nothing but that.
 *
 * - `unsupported_transaction_type`: another first byte
 * - `signed_transaction`: six fields
 * - `malformed_authorization`: an address that has not 20 bytes
 * - `malformed_integer`, `chain_id_out_of_range`, `nonce_out_of_range`: as in transactions, but chain id 0 is one
 */
export function decodeAuthorization(bytes: Uint8Array): Result<Authorization, TransactionErrorCode> {
  if (bytes[0] !== MAGIC) return err('unsupported_transaction_type');
  const reader = openFields(bytes, 1, 3, 3);
  const authorization = readAuthorization(reader);
  return reader.error === null ? ok(authorization) : err(reader.error);
}

/** The bytes that are signed. Throws a RangeError where {@link decodeAuthorization} would refuse them. */
export function encodeAuthorization(authorization: Authorization): Uint8Array {
  const bytes = encodeTyped(MAGIC, authorizationFields(authorization));
  const decoded = decodeAuthorization(bytes);
  if (!decoded.ok) throw new RangeError(`not an authorisation: ${decoded.error}`);
  return bytes;
}

/** What the delegating account signed: with the signature it tells who that account is (EIP-7702, "authority"). */
export function authorizationDigest({ chainId, address, nonce }: Authorization, keccak: Keccak256): Uint8Array {
  return keccak(encodeAuthorization({ chainId, address, nonce }));
}

function readAuthorization(reader: FieldReader): Authorization {
  const chainId = readSafeInteger(reader, 'malformed_integer', 'chain_id_out_of_range');
  const address: Address = readFixed(reader, 20, CODE);
  const nonce = readNonce(reader);
  return { chainId, address, nonce };
}

function authorizationFields({ chainId, address, nonce }: Authorization): RlpItem[] {
  return [uintField(chainId), addressField(address), uintField(nonce)];
}

/**
 * [[chainId, address, nonce, yParity, r, s], …]. Nodes skip what is wrong in here and run the transaction without it; a
 * wallet would then sign something else than it was told, so that here it is an error:
 *
 * - `no_authorizations`: the list is empty
 * - `malformed_authorization`: not six fields, or yParity neither 0 nor 1
 * - `authorization_for_another_chain`: neither the transaction's chain nor 0
 * - `authorization_signature_out_of_range`, `authorization_high_s`: scalars that no valid signature has (EIP-2)
 */
export function readAuthorizationList(reader: FieldReader, chain: number): SignedAuthorization[] {
  const authorizations: SignedAuthorization[] = [];
  const list = enterList(reader, CODE);
  while (reader.at < reader.end) {
    const tuple = enterList(reader, CODE);
    const authorization = readAuthorization(reader);
    const { chainId } = authorization;
    if (chainId !== 0 && chainId !== chain) fail(reader, 'authorization_for_another_chain');
    const yParity = readParity(reader);
    const r = readScalar(reader);
    const s = readScalar(reader);
    leaveList(reader, tuple, CODE);
    if (reader.error !== null) break;
    const fault = scalarFault(r, s);
    if (fault === 'scalar_out_of_range') fail(reader, 'authorization_signature_out_of_range');
    if (fault === 'high_s') fail(reader, 'authorization_high_s');
    authorizations.push({ ...authorization, yParity, r: `0x${toHex(r)}`, s: `0x${toHex(s)}` });
  }
  leaveList(reader, list, CODE);
  if (authorizations.length === 0) fail(reader, 'no_authorizations');
  return authorizations;
}

function readParity(reader: FieldReader): 0 | 1 {
  readString(reader, CODE);
  if (reader.length === 0) return 0;
  if (reader.length !== 1 || reader.bytes[reader.start] !== 1) fail(reader, CODE);
  return 1;
}

/** An integer of at most 32 bytes, as 32 bytes. */
function readScalar(reader: FieldReader): Uint8Array {
  const word = new Uint8Array(32);
  readString(reader, 'malformed_integer');
  const { bytes, start, length } = reader;
  if (length > 0 && bytes[start] === 0) fail(reader, 'malformed_integer');
  else if (length > 32) fail(reader, 'authorization_signature_out_of_range');
  else word.set(bytes.subarray(start, start + length), 32 - length);
  return word;
}

export function authorizationListField(list: readonly SignedAuthorization[]): RlpItem {
  return list.map((entry) => [
    ...authorizationFields(entry),
    uintField(entry.yParity),
    scalarField(entry.r),
    scalarField(entry.s),
  ]);
}

function scalarField(text: `0x${string}`): Uint8Array {
  hexField(text, 32);
  return uintField(BigInt(text));
}
