import { createHash } from 'node:crypto';

/** What an endpoint can be told to lie about, at any time. */
export interface Lies {
  /** Merkle proofs lead elsewhere. */
  falseProof: boolean;
  /** Another transaction than the one that was asked for. */
  otherTransaction: boolean;
  /** Headers without their work. */
  falseHeaders: boolean;
  /** Transactions that are not in its histories. */
  readonly withheld: Set<string>;
}

export const noLies = (): Lies => ({
  falseProof: false,
  otherTransaction: false,
  falseHeaders: false,
  withheld: new Set(),
});

/** The header with a nonce that does not reach the target: on regtest every second one does. */
export function spoilHeader(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  const sha256 = (data: Buffer) => createHash('sha256').update(data).digest();
  do bytes.writeUInt32LE((bytes.readUInt32LE(76) + 1) >>> 0, 76);
  while (sha256(sha256(bytes))[31]! < 0x80);
  return bytes.toString('hex');
}
