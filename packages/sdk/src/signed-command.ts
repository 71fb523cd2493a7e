import { randomBytes } from 'node:crypto';
import { CodedError } from '@keepwatch/base';
import { signCommand, uuidV7, type Command, type IdentitySigner } from '@keepwatch/wire';
import { wireCrypto } from './crypto-node.ts';

/** How long a command is valid, in ms: long enough for a slow unseal, short enough that a held-back one is void. */
export const COMMAND_LIFETIME_MS = 60_000;

export interface CommandOptions {
  /** The state version that the operator decided on. Left out: the version of this moment. */
  readonly expects?: number;
  /** How often to look again and repeat the command after a `version_conflict`. Left out: never. */
  readonly retries?: number;
}

/** A command for the vault, or the monitor, of this identity, signed by the operator's long-term key. */
export function signedCommand(
  identity: IdentitySigner,
  command: Pick<Command, 'vault' | 'method' | 'params' | 'expects'>,
): Promise<string> {
  const now = Date.now();
  return signCommand(wireCrypto.codec, identity, {
    ...command,
    expires: now + COMMAND_LIFETIME_MS,
    id: uuidV7(now, randomBytes),
  });
}

/**
 * Sends what was decided on a version. One that the caller named is not replaced, for he decided on what he saw; otherwise
 * it is the version of this moment, looked at again after a conflict.
 */
export async function atVersion<T>(
  options: CommandOptions,
  present: () => Promise<number>,
  send: (expects: number) => Promise<T>,
): Promise<T> {
  for (let left = options.retries ?? 0; ; left--) {
    try {
      return await send(options.expects ?? (await present()));
    } catch (error) {
      const mayRetry = left > 0 && options.expects === undefined;
      if (!mayRetry || !(error instanceof CodedError) || error.code !== 'version_conflict') throw error;
    }
  }
}
