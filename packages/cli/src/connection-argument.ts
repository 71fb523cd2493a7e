import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '@keepwatch/base';
import { parseConnectionString, type ConnectionString } from '@keepwatch/protocol';
import { usageError } from './exit-codes.ts';

/** A connection string from the command line, or the one that a daemon on this machine left for its first operator. */

export function readConnection(text: string): ConnectionString {
  const parsed = parseConnectionString(text);
  if (parsed.ok) return parsed.value;
  throw usageError(
    'connection',
    `The connection string is not valid: ${parsed.error.what}.`,
    'Copy it again, whole, and put it in single quotes: it holds an &.',
  );
}

/** Where the keep leaves the connection string with its one-time token, until the first operator has joined. */
export const bootstrapPath = (data: string) => join(data, 'keep', 'bootstrap_token');

/** Error code `no_local_vault`. */
export const localConnection = async (data: string): Promise<ConnectionString> =>
  readConnection(
    await readLeft(
      bootstrapPath(data),
      existsSync(join(data, 'keep', 'vault.db'))
        ? {
            code: 'no_local_vault',
            what: 'The vault on this machine has its first operator, or has never been ready',
            remedy:
              'To become another operator, give the connection string that `keepwatch vault status` shows an operator: `keepwatch operator join CONNECTION`.',
          }
        : {
            code: 'no_local_vault',
            what: 'No vault on this machine waits for its first operator',
            remedy:
              'Start it with `keepwatch vault run`, name its directory with --data, or give its connection string.',
          },
    ),
  );

/**
 * What is wrong with the token of whoever wants to be the first operator. Most often there is none in the string, for what a
 * daemon prints may be read by others. `find`: where the whole string is to be had.
 */
export function withoutToken(error: unknown, connection: string, find: string): unknown {
  const parsed = parseConnectionString(connection);
  const isMissing = parsed.ok && parsed.value.token === undefined;
  if (!(error instanceof CodedError) || error.code !== 'token_invalid' || !isMissing) return error;
  const words =
    'Nobody has joined it yet, and this connection string has no token, by which the first operator comes in.';
  return new CodedError(error.code, words, { cause: error, remedy: find });
}

/** What a daemon left there for its first operator. Where it cannot be read, `none` says that nobody is waited for. */
export async function readLeft(
  path: string,
  none: { readonly code: string; readonly what: string; readonly remedy: string },
): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (cause) {
    throw new CodedError(none.code, `${none.what} (${path}).`, { cause, remedy: none.remedy });
  }
}
