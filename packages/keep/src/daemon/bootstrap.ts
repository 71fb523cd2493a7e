import { closeSync, existsSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { formatConnectionString } from '@keepwatch/protocol';
import { createDurableFile } from '../durable-file.ts';
import type { VaultContext } from '../vault/context.ts';
import { identityOf } from '../vault/lifecycle.ts';
import { freshToken } from '../vault/vault.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** How peers reach this vault, once the edge has said where it listens and with which key; undefined before. */
export function connectionString(vault: VaultContext, address: Address | null): string | undefined {
  const tls = vault.boot.tls?.fingerprint;
  if (!address || tls === undefined) return undefined;
  return formatConnectionString({ ...address, tls, id: identityOf(vault) });
}

/**
 * The one-time token for the first operator: in a file that only the keep's user reads, for an operator on this
 * machine, and in what is returned, for the console. Without effect where an operator is registered.
 */
export function offerToken(vault: VaultContext, address: Address): { connection: string; expires: number } | null {
  const tls = vault.boot.tls?.fingerprint;
  const fresh = tls === undefined ? null : freshToken(vault);
  if (!fresh || tls === undefined) return null;
  const connection = formatConnectionString({ ...address, tls, id: identityOf(vault), token: fresh.token });
  writeTokenFile(vault.deps.dataDir, `${connection}\n`);
  return { connection, expires: fresh.expiresMs };
}

const tokenPath = (dataDir: string) => `${dataDir}/bootstrap_token`;

function writeTokenFile(dataDir: string, text: string): void {
  const draft = `${tokenPath(dataDir)}.new`;
  if (existsSync(draft)) unlinkSync(draft);
  const file = createDurableFile(draft);
  try {
    writeSync(file, text);
  } finally {
    closeSync(file);
  }
  renameSync(draft, tokenPath(dataDir));
}

/** The token was used: the file has no purpose any more. */
export function removeTokenFile(dataDir: string): void {
  if (existsSync(tokenPath(dataDir))) unlinkSync(tokenPath(dataDir));
}
