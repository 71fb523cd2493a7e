import { canonicalBytes, err, ok, type Result } from '@keepwatch/base';
import type { IdentityKey, IdentitySigner, WireCodec, WireCrypto } from './crypto.ts';
import { finishJws, openJws, signingInput } from './jws.ts';
import { exactMembers, isCount, isObject, parseCanonicalJson, type JsonObject } from './strict-json.ts';
import { isUuidV7 } from './uuid-v7.ts';

/**
 * What an operator commands, signed by its long-term key. The session already says who speaks; this signature stays
 * with the command in the journal, so that anybody can check later who ordered what.
 */
export interface Command {
  /** Identity of the vault, base64url: a command means nothing to another vault. */
  readonly vault: string;
  readonly method: string;
  readonly params: JsonObject;
  /** Milliseconds since the Unix epoch after which the command is void. */
  readonly expires: number;
  /** The state version that the operator saw (compare and set). */
  readonly expects: number;
  /** UUIDv7: the command is carried out at most once. */
  readonly id: string;
}

const MEMBERS = ['vault', 'method', 'params', 'expires', 'expects', 'id'] as const;

/** The command as a compact JWS. */
export async function signCommand(codec: WireCodec, signer: IdentitySigner, command: Command): Promise<string> {
  const { vault, method, params, expires, expects, id } = command;
  const payload = canonicalBytes({ vault, method, params, expires, expects, id });
  const input = signingInput(codec, 'keepwatch-command', signer.alg, payload);
  return finishJws(codec, input, await signer.sign(codec.fromAscii(input)));
}

/** For what, and when, a command is opened. */
export interface CommandContext {
  /** Identity of this vault, base64url. */
  readonly vault: string;
  readonly nowMs: number;
  /** How far ahead an expiry may lie: for so long the ids of commands are remembered. */
  readonly maxLifetimeMs: number;
}

/**
 * The command, if `key` signed it for this vault and it is neither expired nor valid for longer than ids are kept.
 * Whether `expects` still holds and `id` is new is for the vault's state to say.
 */
export function openCommand(
  crypto: Pick<WireCrypto, 'ed25519Verify' | 'mldsa65Verify' | 'codec'>,
  key: IdentityKey,
  jws: string,
  context: CommandContext,
): Result<Command, 'command_invalid' | 'command_expired'> {
  const opened = openJws(crypto, 'keepwatch-command', key, jws);
  if (!opened.ok) return err('command_invalid');
  const members = exactMembers(parseCanonicalJson(opened.value), MEMBERS);
  if (!members) return err('command_invalid');
  const { vault, method, params, expires, expects, id } = members;
  if (vault !== context.vault || typeof method !== 'string' || !isObject(params)) return err('command_invalid');
  if (!isCount(expires) || !isCount(expects) || typeof id !== 'string' || !isUuidV7(id)) return err('command_invalid');
  if (expires <= context.nowMs || expires - context.nowMs > context.maxLifetimeMs) return err('command_expired');
  return ok({ vault, method, params, expires, expects, id });
}
