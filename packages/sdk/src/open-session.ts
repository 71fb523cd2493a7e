import { CodedError, fromBase64url, toBase64url } from '@keepwatch/base';
import { parseConnectionString, type Role } from '@keepwatch/protocol';
import {
  createPeerHandshake,
  type AcceptedKeep,
  type IdentitySigner,
  type JsonObject,
  type Wish,
} from '@keepwatch/wire';
import { openChannel, type Channel } from './channel.ts';
import { connectionError, errorOfCode } from './connection-errors.ts';
import { wireCrypto } from './crypto-node.ts';
import type { PeerMemory, VaultMemory } from './memory.ts';
import { openPinnedTls } from './pinned-tls.ts';

export interface SessionOptions {
  /** `keepwatch://HOST:PORT?tls=…&id=…[&token=…]`. The token is proved with `wish: 'register'` and else left alone. */
  readonly connectionString: string;
  readonly identity: IdentitySigner;
  readonly role: Role;
  /** `session` unless said otherwise. */
  readonly wish?: Wish;
  readonly memory: PeerMemory;
  /** From the first packet to the first frame of the session, in ms. */
  readonly connectTimeoutMs?: number;
}

/** A session with whoever has the identity of the connection string, before anything was said in it. */
export interface OpenSession {
  readonly channel: Channel;
  readonly keep: AcceptedKeep;
  /** base64url. */
  readonly vault: string;
  readonly known: VaultMemory;
  /** The first frame from the other end, sealed: that it opens confirms the keys. */
  readonly first: Uint8Array;
  /** The first frame opened: what was learned of the TLS key is remembered. */
  confirm(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 15_000;

/** Pinned TLS and handshake. Throws what `connect` throws. */
export async function openSession(options: SessionOptions): Promise<OpenSession> {
  const target = parseConnectionString(options.connectionString);
  if (!target.ok) {
    throw new CodedError(target.error.code, `The connection string is not valid: ${target.error.what}.`, {
      remedy: 'Copy the whole line that the vault shows.',
    });
  }
  const { host, port, id, tls, token } = target.value;
  const { memory } = options;
  const remembered = await memory.get(id);
  const wish = options.wish ?? 'session';
  const signal = AbortSignal.timeout(options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS);
  const vault = fromBase64url(id)!;

  const pinned = await openPinnedTls(
    {
      host,
      port,
      pins: [...new Set([remembered?.tls ?? tls, tls])].map((pin) => fromBase64url(pin)!),
      vault,
      statementCounter: remembered?.tlsCounter ?? 0,
    },
    signal,
  );
  const channel = await openChannel(pinned.socket, host, signal);
  const abort = () => channel.cut();
  signal.addEventListener('abort', abort, { once: true });
  try {
    const handshake = createPeerHandshake(
      { crypto: wireCrypto, signer: options.identity },
      {
        role: options.role,
        wish,
        vault,
        tls: pinned.pin,
        head: (remembered?.head ?? null) as JsonObject | null,
        ...(token !== undefined && wish === 'register' ? { token: fromBase64url(token)! } : {}),
      },
    );
    channel.send(await handshake.hello());
    const accepted = await handshake.receiveChallenge(await channel.next());
    if (!accepted.ok) throw errorOfCode(accepted.error.code, 'handshake_malformed');
    channel.send(accepted.value.message);
    const first = await channel.next();
    // Only once it opens is the TLS key the vault's: both ends have signed it into their transcript.
    const known: VaultMemory = {
      tls: toBase64url(pinned.pin),
      tlsCounter: pinned.statement?.counter ?? remembered?.tlsCounter ?? 0,
      head: remembered?.head ?? null,
    };
    return {
      ...{ channel, keep: accepted.value, vault: id, known, first },
      confirm: () => Promise.resolve(memory.set(id, known)),
    };
  } catch (error) {
    channel.close();
    throw signal.aborted ? connectionError('connection_timeout', { cause: error }) : error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
