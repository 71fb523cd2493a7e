import { fromBase64url, toBase64url, utf8 } from '@keepwatch/base';
import { parseConnectionString } from '@keepwatch/protocol';
import { wireCrypto, type IdentitySigner } from '@keepwatch/sdk';
import {
  createPeerHandshake,
  decodeRpc,
  encodeRpc,
  type AcceptedKeep,
  type PeerHandshake,
  type PeerHandshakeOptions,
  type RpcMessage,
} from '@keepwatch/wire';
import type { HostileGate, Wire } from './hostile-gate.ts';

/** A peer that speaks on the link itself, without TLS: for messages that the SDK would never send. */
export function rawHandshake(
  gate: Pick<HostileGate, 'connection'>,
  signer: IdentitySigner,
  options: Partial<PeerHandshakeOptions> = {},
): PeerHandshake {
  const target = parseConnectionString(gate.connection());
  if (!target.ok) throw new Error(target.error.what);
  const { id, tls } = target.value;
  return createPeerHandshake(
    { crypto: wireCrypto, signer },
    { role: 'client', wish: 'session', vault: fromBase64url(id)!, tls: fromBase64url(tls)!, head: null, ...options },
  );
}

export interface RawSession {
  readonly wire: Wire;
  readonly accepted: AcceptedKeep;
  /** Sends bytes as the payload of one frame, and gives the next message that is no notification. */
  ask(payload: Uint8Array): Promise<RpcMessage>;
  /** The next message that is no notification. */
  next(): Promise<RpcMessage>;
  call(method: string, params: unknown): Promise<RpcMessage>;
}

/** A whole session over the link. Rejects with WireClosed where the keep refuses it. */
export async function openRawSession(
  gate: HostileGate,
  signer: IdentitySigner,
  options: Partial<PeerHandshakeOptions> = {},
): Promise<RawSession> {
  const wire = gate.openWire();
  const handshake = rawHandshake(gate, signer, options);
  wire.send(await handshake.hello());
  const accepted = await handshake.receiveChallenge(await wire.next());
  if (!accepted.ok) throw new Error(accepted.error.code);
  wire.send(accepted.value.message);
  const { session } = accepted.value;
  const waiting: RpcMessage[] = [];
  const receive = async (): Promise<RpcMessage> => {
    const next = waiting.shift();
    if (next) return next;
    const opened = session.open(await wire.next());
    if (!opened.ok) throw new Error(opened.error);
    const messages = decodeRpc(opened.value);
    if (!messages.ok) throw new Error(messages.error);
    waiting.push(...messages.value);
    return receive();
  };
  await receive();
  async function next(): Promise<RpcMessage> {
    for (;;) {
      const message = await receive();
      if (message.kind !== 'notification') return message;
    }
  }
  function ask(payload: Uint8Array): Promise<RpcMessage> {
    wire.send(session.seal(payload));
    return next();
  }
  let id = 0;
  return {
    wire,
    accepted: accepted.value,
    ask,
    next,
    call: (method, params) => ask(encodeRpc({ kind: 'request', id: ++id, method, params: params as never })),
  };
}

/** A compact JWS with any header at all. */
export function makeJws(header: object, payload: Uint8Array, sign: (input: Uint8Array) => Uint8Array): Uint8Array {
  const input = `${toBase64url(utf8(JSON.stringify(header)))}.${toBase64url(payload)}`;
  return utf8(`${input}.${toBase64url(sign(utf8(input)))}`);
}

/** What stands in a JWS, whoever signed it. */
export function payloadOf(jws: Uint8Array): Record<string, unknown> {
  const [, payload] = Buffer.from(jws).toString('latin1').split('.');
  return JSON.parse(Buffer.from(payload!, 'base64url').toString()) as Record<string, unknown>;
}
