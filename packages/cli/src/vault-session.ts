import { CodedError, fromBase64url, toBase64url } from '@keepwatch/base';
import { formatConnectionString, type ConnectionString, type Role } from '@keepwatch/protocol';
import {
  connect,
  createClient,
  createIdentity,
  createOperator,
  fileMemory,
  loadIdentity,
  type Client,
  type Connection,
  type IdentitySigner,
  type Operator,
} from '@keepwatch/sdk';
import type { Context } from './command.ts';
import {
  createProfileDirectory,
  identityPath,
  memoryPath,
  readKnownVault,
  writeKnownVault,
  type KnownVault,
  type Profile,
} from './profile.ts';

/** Connections to the vault that a profile knows: opened for one command, closed after it whatever happens. */

export const profileOf = (context: Context, role: Role): Profile => ({ role, directory: context.directories[role] });

/** Runs `use` as this profile's operator. */
export function withOperator<T>(
  context: Context,
  use: (operator: Operator, connection: Connection) => Promise<T>,
): Promise<T> {
  return withVault(context, 'operator', ({ connection, identity }) =>
    use(createOperator(connection, identity), connection),
  );
}

/** Runs `use` as this profile's client. */
export function withClient<T>(
  context: Context,
  use: (client: Client, connection: Connection) => Promise<T>,
): Promise<T> {
  return withVault(context, 'client', ({ connection }) => use(createClient(connection), connection));
}

export interface OpenVault {
  readonly connection: Connection;
  readonly identity: IdentitySigner;
}

async function withVault<T>(context: Context, role: Role, use: (open: OpenVault) => Promise<T>): Promise<T> {
  const profile = profileOf(context, role);
  const known = await demandKnownVault(context, role);
  const identity = await loadIdentity(identityPath(profile));
  return withConnection(profile, known.connection, identity, 'session', (connection) => use({ connection, identity }));
}

/** The vault that this profile has joined. Throws `not_joined`. */
export async function demandKnownVault(context: Context, role: Role): Promise<KnownVault> {
  const known = await readKnownVault(profileOf(context, role));
  if (known) return known;
  throw new CodedError(
    'not_joined',
    `This profile (“${context.profile}”) is not ${role === 'operator' ? 'an operator' : 'a client'} of a vault yet.`,
    {
      remedy:
        role === 'operator'
          ? 'Run `keepwatch operator join`, with the connection string if the vault is on another machine.'
          : 'Run `keepwatch client register CONNECTION --name NAME`.',
    },
  );
}

/** This profile's key, made where there is none yet. */
export async function ownIdentity(profile: Profile): Promise<IdentitySigner> {
  try {
    return await loadIdentity(identityPath(profile));
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'identity_missing') throw error;
    await createProfileDirectory(profile);
    return createIdentity(identityPath(profile));
  }
}

/** Opens a connection, remembers in the profile what it learned of the vault, and closes it after `use`. */
export async function withConnection<T>(
  profile: Profile,
  connectionString: ConnectionString,
  identity: IdentitySigner,
  wish: 'session' | 'register',
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await connect({
    connectionString: formatConnectionString(connectionString),
    identity,
    role: profile.role,
    wish,
    memory: fileMemory(memoryPath(profile)),
  });
  try {
    await rememberKeys(profile, connectionString, connection);
    return await use(connection);
  } finally {
    await connection.close();
  }
}

async function rememberKeys(profile: Profile, string: ConnectionString, { info }: Connection): Promise<void> {
  const bootKey = toBase64url(info.bootPublicKey);
  const receiptKey = toBase64url(info.receiptPublicKey);
  const known = await readKnownVault(profile);
  const same = known?.connection.id === string.id && known.bootKey === bootKey && known.receiptKey === receiptKey;
  if (!same) await writeKnownVault(profile, { connection: string, bootKey, receiptKey });
}

/** What another peer needs to connect, with the TLS key that this profile has seen last. */
export async function knownConnection(context: Context, role: Role): Promise<string> {
  const { connection } = await demandKnownVault(context, role);
  const remembered = await fileMemory(memoryPath(profileOf(context, role))).get(connection.id);
  return formatConnectionString({ ...connection, tls: remembered?.tls ?? connection.tls });
}

/** After a restore the vault has another identity: the profile goes with it. What it remembered of the old one is void. */
export async function adoptIdentity(context: Context, role: Role, id: string): Promise<void> {
  const { connection } = await demandKnownVault(context, role);
  await writeKnownVault(profileOf(context, role), {
    connection: { ...connection, id },
    bootKey: null,
    receiptKey: null,
  });
}

/** The receipt key of the profile's vault, for checks without a connection. */
export async function knownReceiptKey(context: Context, role: Role): Promise<Uint8Array> {
  const { receiptKey } = await demandKnownVault(context, role);
  const bytes = receiptKey === null ? undefined : fromBase64url(receiptKey);
  if (bytes?.length === 32) return bytes;
  throw new CodedError('receipt_key_unknown', 'This profile has never been connected to its vault.', {
    remedy: 'Connect once, for example with `keepwatch vault status`, or name the key with --receipt-key.',
  });
}
