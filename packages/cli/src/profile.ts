import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '@keepwatch/base';
import { formatConnectionString, parseConnectionString, type ConnectionString, type Role } from '@keepwatch/protocol';

/**
 * What one peer keeps of one vault, in a folder of its own: `identity.json` (its key, mode 0600), `vault.json` (where
 * the vault is and how to know it again) and `memory.json` (the last signed head and the TLS pin, kept by the SDK).
 */
export interface Profile {
  readonly directory: string;
  readonly role: Role;
}

/** How to find the vault and to know it again; the keys let receipts be checked without a connection. */
export interface KnownVault {
  /** Without the token. */
  readonly connection: ConnectionString;
  /** Public halves of the boot key and the receipt key, base64url: the vault's identity commits to both. */
  readonly bootKey: string | null;
  readonly receiptKey: string | null;
}

export const identityPath = ({ directory }: Profile) => join(directory, 'identity.json');
export const memoryPath = ({ directory }: Profile) => join(directory, 'memory.json');
const vaultPath = ({ directory }: Profile) => join(directory, 'vault.json');

const FORMAT = 'keepwatch-vault/1';

/** `undefined`: this peer has not joined a vault yet. */
export async function readKnownVault(profile: Profile): Promise<KnownVault | undefined> {
  const path = vaultPath(profile);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CodedError('profile_unreadable', `The profile ${path} cannot be read.`, {
      cause,
      remedy: 'Check its permissions, or choose another --home or --profile.',
    });
  }
  const vault = parseKnownVault(text);
  if (vault) return vault;
  throw new CodedError('profile_damaged', `The profile ${path} is damaged.`, {
    remedy: 'Remove the file and join the vault again with its connection string; the key beside it stays valid.',
  });
}

function parseKnownVault(text: string): KnownVault | undefined {
  try {
    const { format, connection, bootKey, receiptKey } = JSON.parse(text) as Record<string, unknown>;
    const parsed = typeof connection === 'string' ? parseConnectionString(connection) : undefined;
    const keys = [bootKey, receiptKey].every((key) => key === null || typeof key === 'string');
    if (format !== FORMAT || !parsed?.ok || !keys) return undefined;
    return { connection: parsed.value, bootKey: bootKey as string | null, receiptKey: receiptKey as string | null };
  } catch {
    return undefined;
  }
}

/** Written whole or not at all. The token is left out: it is spent, or it belongs to whoever has the string. */
export async function writeKnownVault(profile: Profile, vault: KnownVault): Promise<void> {
  const { host, port, tls, id } = vault.connection;
  const text = `${JSON.stringify(
    {
      format: FORMAT,
      connection: formatConnectionString({ host, port, tls, id }),
      bootKey: vault.bootKey,
      receiptKey: vault.receiptKey,
    },
    null,
    2,
  )}\n`;
  await createProfileDirectory(profile);
  await writeWhole(vaultPath(profile), text);
}

export async function createProfileDirectory({ directory }: Profile): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new CodedError('profile_unwritable', `The directory ${directory} cannot be made.`, {
      cause,
      remedy: 'Check its permissions, or choose another one with --home.',
    });
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
