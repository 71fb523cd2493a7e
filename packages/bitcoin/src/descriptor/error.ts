/**
 * Why a descriptor was refused. Codes are stable; the message says what was found, never the text itself, because what
 * was pasted may be a private key.
 */
export type DescriptorErrorCode =
  | 'descriptor_bad_character'
  | 'descriptor_bad_checksum'
  | 'descriptor_malformed'
  | 'descriptor_too_large'
  /** A private key, where the watch takes public ones only. */
  | 'descriptor_private_key'
  | 'descriptor_bad_key'
  | 'descriptor_wrong_network'
  /** A hardened step behind a public key: only the private key could take it. */
  | 'descriptor_hardened_step'
  /** Not at this place: a script within another that may not hold it, or an uncompressed key under segwit. */
  | 'descriptor_wrong_context'
  /** Tuples of several lengths, or more than one in a key (BIP389). */
  | 'descriptor_bad_multipath'
  | 'descriptor_bad_threshold'
  | 'descriptor_bad_address'
  /** A miniscript without a meaning, or one that is not sane (BIP379). */
  | 'descriptor_bad_miniscript'
  /** Known, but not here. */
  | 'descriptor_unsupported';

export interface DescriptorError {
  readonly code: DescriptorErrorCode;
  readonly message: string;
}

export function failure(code: DescriptorErrorCode, message: string): DescriptorError {
  return { code, message };
}

/** Leaves a nest of parsing functions at once; caught where parsing begins, and never seen outside. */
export class DescriptorRefused extends Error {
  readonly reason: DescriptorError;

  constructor(code: DescriptorErrorCode, message: string) {
    super(message);
    this.reason = failure(code, message);
  }
}

export function refuse(code: DescriptorErrorCode, message: string): never {
  throw new DescriptorRefused(code, message);
}
