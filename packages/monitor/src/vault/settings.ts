import { randomBytes } from 'node:crypto';
import { CodedError, fromBase64url, toBase64url, type Json } from '@keepwatch/base';
import { formatConnectionString, parseConnectionString } from '@keepwatch/protocol';
import { signerFromSeed, type IdentitySigner, type PeerMemory } from '@keepwatch/sdk';
import { z } from 'zod';

/**
 * A vault that is followed: where it is, and the key by which this monitor is its client. It stands in the encrypted
 * journal and nowhere else. By the key somebody could follow the wallets that are observed, and sign nothing.
 */
export interface VaultSettings {
  readonly name: string;
  /** Without a token. */
  readonly connection: string;
  /** 32 bytes, base64url. */
  readonly seed: string;
  readonly peer: string;
  /** The TLS key that the vault proved last, and the counter of its statement. */
  readonly tls: string | null;
  readonly tlsCounter: number;
}

const shape = z.strictObject({
  ...{ name: z.string(), connection: z.string(), seed: z.string(), peer: z.string() },
  ...{ tls: z.string().nullable(), tlsCounter: z.int().nonnegative() },
});

export function readVault(json: Json | undefined): VaultSettings | undefined {
  const read = shape.safeParse(json);
  return read.success ? read.data : undefined;
}

export const signerOf = ({ seed }: VaultSettings): IdentitySigner => signerFromSeed('EdDSA', fromBase64url(seed)!);

/** A new key for a vault. Throws `connection_string_invalid`. */
export function newVault(name: string, connection: string): VaultSettings {
  const parsed = parseConnectionString(connection);
  if (!parsed.ok) {
    throw new CodedError(parsed.error.code, `The connection string is not valid: ${parsed.error.what}.`, {
      remedy: 'Copy the whole line that the vault shows.',
    });
  }
  const { host, port, tls, id } = parsed.value;
  return {
    ...{ name, connection: formatConnectionString({ host, port, tls, id }), peer: '', tls: null, tlsCounter: 0 },
    seed: toBase64url(randomBytes(32)),
  };
}

/**
 * What a connection remembers. The head is the one to which everything known is linked, and is journaled with that; the
 * TLS key is journaled when it changes.
 */
export function memoryOf(
  settings: () => VaultSettings | undefined,
  head: () => unknown,
  changed: (settings: VaultSettings) => Promise<void>,
): PeerMemory {
  return {
    get() {
      const known = settings();
      if (!known?.tls) return undefined;
      return { tls: known.tls, tlsCounter: known.tlsCounter, head: head() as never };
    },
    async set(_, { tls, tlsCounter }) {
      const known = settings();
      if (!known || known.tlsCounter > tlsCounter || (known.tls === tls && known.tlsCounter === tlsCounter)) return;
      await changed({ ...known, tls, tlsCounter });
    },
  };
}
