import { CodedError, type Json } from '@keepwatch/base';
import {
  CLOSE_CODES,
  decodeLinkOpen,
  encodeLinkClose,
  isErrorCode,
  ERRORS,
  METHODS,
  QUICK_PARAMS,
  type Caller,
  type LinkFrame,
  type LinkWriter,
  type MethodName,
  type NotificationName,
} from '@keepwatch/protocol';
import {
  createOutbox,
  decodeRpc,
  resultText,
  RPC_CODES,
  rpcText,
  type AcceptedPeer,
  type KeepHandshake,
  type Outbox,
  type ReceiptParts,
  type RpcError,
  type RpcId,
  type RpcMessage,
  type Session,
} from '@keepwatch/wire';
import { isJsonText, textOf } from './json-text.ts';

/**
 * All connections that gate has passed on: each goes through the handshake, then lives as a session until it ends.
 * What a frame says is decided by its session's keys alone; the numbers that gate gives only say where to answer.
 */

/** A peer on the other end of a session. */
export interface PeerSession {
  readonly peer: string;
  readonly caller: Caller;
  readonly key: AcceptedPeer['claim']['key'];
  /** Peers of one network have the same, by what gate says. */
  readonly crowd: string;
  /** Transcript hash: the session's name, 32 bytes. */
  readonly id: Uint8Array;
  /** One-time work of this session, dropped when it ends. */
  readonly scratch: Map<string, unknown>;
}

/** What the rest of the keep does for sessions. */
export interface SessionHost {
  readonly now: () => number;
  /** A fresh handshake for one connection. */
  readonly handshake: () => KeepHandshake;
  /** Who this is to the vault, or why it is sent away. Effects (token, proposal) happen here. */
  readonly accept: (accepted: AcceptedPeer) => { peer: string; caller: Caller } | CodedError;
  readonly ready: (session: PeerSession) => Json;
  /** The answer (`JsonText` where it is written already), or a promise of it; a refusal is a thrown CodedError. */
  readonly call: (session: PeerSession, method: MethodName, params: unknown) => unknown;
  readonly sealed: () => 'vault_sealed' | 'vault_uninitialised' | null;
  readonly ended: (session: PeerSession) => void;
  /** Runs the function when the present turn has answered what it can: answers that are ready together share a frame. */
  readonly soon: (run: () => void) => void;
  readonly log: (level: 'info' | 'warn', words: string, details?: Record<string, unknown>) => void;
}

export interface Sessions {
  readonly frame: (frame: LinkFrame) => void;
  /** Ends every session of a peer at once. */
  endPeer(peer: string, reason: string): void;
  /** Ends the sessions that `keep` does not vouch for. */
  endUnless(keep: (session: PeerSession) => boolean, reason: string): void;
  notify(to: (session: PeerSession) => boolean, method: NotificationName, params: Json): void;
  connected(): ReadonlySet<string>;
  /** The link is gone, and every connection with it. */
  dropAll(): void;
}

type Connection = Greeted | Live;

interface Greeted {
  readonly phase: 'hello' | 'proof';
  readonly handshake: KeepHandshake;
  readonly crowd: string;
}

interface Live {
  readonly phase: 'live';
  readonly session: Session;
  readonly outbox: Outbox;
  readonly peer: PeerSession;
  inFlight: number;
  /** The receipt of the last answer, where that had one: the next need not repeat what it has in common with it. */
  receipt: ReceiptParts | null;
}

/** Requests of one session that wait for their answer: a peer that sends more is told to slow down. */
const MAX_IN_FLIGHT = 1_024;
/** Connections at one time; gate has a lower limit of its own. */
const MAX_CONNECTIONS = 16_384;
/** Sessions of one peer: gate never puts out whom the keep knows, so that a peer with more could fill its table. */
const MAX_SESSIONS_OF_PEER = 128;

export function createSessions(host: SessionHost, writer: LinkWriter): Sessions {
  const connections = new Map<number, Connection>();

  function close(id: number, code: number, reason: string): void {
    const connection = connections.get(id);
    if (!connection) return;
    connections.delete(id);
    // What was said before still goes out, if the session can.
    if (connection.phase === 'live') connection.outbox.flush();
    writer.send('close', id, encodeLinkClose({ code, reason }));
    forget(connection);
  }

  function forget(connection: Connection): void {
    if (connection.phase !== 'live') return;
    connection.session.close();
    host.ended(connection.peer);
  }

  function frame({ type, connection: id, payload }: LinkFrame): void {
    switch (type) {
      case 'open':
        // A number that is in use is gate's mistake; the session that has it must not be confused with a new one.
        if (connections.has(id)) return close(id, CLOSE_CODES.refused, 'connection number in use');
        if (connections.size >= MAX_CONNECTIONS) {
          return void writer.send('close', id, encodeLinkClose({ code: CLOSE_CODES.keepUnavailable, reason: 'full' }));
        }
        connections.set(id, {
          phase: 'hello',
          handshake: host.handshake(),
          crowd: decodeLinkOpen(payload)?.crowd ?? '',
        });
        return;
      case 'close': {
        const connection = connections.get(id);
        connections.delete(id);
        if (connection) forget(connection);
        return;
      }
      case 'data':
        return data(id, payload);
      default:
        return;
    }
  }

  function data(id: number, payload: Uint8Array): void {
    const connection = connections.get(id);
    if (!connection) return;
    switch (connection.phase) {
      case 'hello': {
        const challenge = step(id, () => connection.handshake.receiveHello(payload, host.now()));
        if (!challenge) return;
        if (!challenge.ok) return close(id, CLOSE_CODES.refused, challenge.error.tell);
        connections.set(id, { ...connection, phase: 'proof' });
        writer.send('data', id, challenge.value);
        return;
      }
      case 'proof':
        return proof(id, connection, payload);
      case 'live': {
        const opened = connection.session.open(payload);
        if (!opened.ok) {
          host.log('warn', 'a frame did not open; the session ends', {
            code: opened.error,
            peer: connection.peer.peer,
          });
          return close(id, CLOSE_CODES.refused, opened.error);
        }
        return messages(id, connection, opened.value);
      }
    }
  }

  /** A step of a handshake. Where the store takes nothing more, the connection ends, and not the keep. */
  function step<T>(id: number, run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      const code = error instanceof CodedError ? error.code : 'internal_error';
      host.log('warn', 'a handshake failed', { code });
      close(id, CLOSE_CODES.keepUnavailable, code);
      return undefined;
    }
  }

  function proof(id: number, { handshake, crowd }: Greeted, payload: Uint8Array): void {
    const accepted = handshake.receiveProof(payload, host.now());
    if (!accepted.ok) return close(id, CLOSE_CODES.refused, accepted.error.tell);
    const admitted = step(id, () => host.accept(accepted.value));
    if (!admitted) return accepted.value.session.close();
    if (admitted instanceof CodedError) {
      accepted.value.session.close();
      return close(id, CLOSE_CODES.refused, admitted.code);
    }
    const { session, claim } = accepted.value;
    const peer: PeerSession = { ...admitted, key: claim.key, crowd, id: session.id, scratch: new Map() };
    const outbox = createOutbox({
      session,
      send: (frame) => writer.send('data', id, frame),
      soon: host.soon,
      failed: (error) => close(id, CLOSE_CODES.refused, error.code),
    });
    makeRoomFor(peer);
    connections.set(id, { phase: 'live', session, outbox, peer, inFlight: 0, receipt: null });
    // Anybody can become a candidate: to gate it stays a stranger, who has to say what it wants and leave.
    if (peer.caller !== 'candidate') writer.send('authenticated', id);
    send(id, { kind: 'notification', method: 'ready', params: host.ready(peer) as never });
    // Alone in its frame: it is what a peer waits for.
    outbox.flush();
  }

  /** The oldest session makes room for the newest: who comes back after a break must not wait for the end of the old ones. */
  function makeRoomFor({ peer }: PeerSession): void {
    const own: number[] = [];
    each((id, live) => live.peer.peer === peer && own.push(id));
    if (own.length >= MAX_SESSIONS_OF_PEER) close(own[0]!, CLOSE_CODES.rateLimited, 'rate_limited');
  }

  function messages(id: number, connection: Live, payload: Uint8Array): void {
    const decoded = decodeRpc(payload);
    if (!decoded.ok) {
      return fail(id, null, new CodedError(decoded.error, ERRORS[decoded.error].message), RPC_CODES.parse);
    }
    for (const rpc of decoded.value) {
      // A message may end the session; what stands behind it in the frame was then never received.
      if (connections.get(id) !== connection) return;
      message(id, connection, rpc);
    }
  }

  function message(id: number, connection: Live, rpc: RpcMessage): void {
    if (rpc.kind !== 'request') return;
    if (connection.inFlight >= MAX_IN_FLIGHT) return fail(id, rpc.id, coded('rate_limited'));
    if (!isMethod(rpc.method)) return fail(id, rpc.id, coded('method_unknown'), RPC_CODES.methodNotFound);
    const spec = METHODS[rpc.method];
    if (!(spec.callers as readonly Caller[]).includes(connection.peer.caller)) {
      return fail(id, rpc.id, coded('not_allowed'));
    }
    const sealed = spec.whileSealed ? null : host.sealed();
    if (sealed) return fail(id, rpc.id, coded(sealed));
    const quick = QUICK_PARAMS[rpc.method]?.(rpc.params);
    const params = quick ? ({ success: true, data: quick } as const) : spec.params.safeParse(rpc.params);
    if (!params.success) {
      const details = params.error.issues.slice(0, 8).map(({ path, message: words }) => `${path.join('.')}: ${words}`);
      return fail(id, rpc.id, coded('params_invalid', { issues: details }), RPC_CODES.invalidParams);
    }
    connection.inFlight++;
    answer(id, connection, rpc.id, rpc.method, params.data);
  }

  function answer(id: number, connection: Live, rpcId: RpcId, method: MethodName, params: unknown): void {
    const settled = (result: unknown) => {
      connection.inFlight--;
      try {
        if (isJsonText(result)) {
          sendText(id, resultText(rpcId, textOf(result, connection.receipt)), connection);
          connection.receipt = result.receipt;
        } else {
          connection.receipt = null;
          send(id, { kind: 'result', id: rpcId, result: result as Json }, connection);
        }
      } catch (cause) {
        // Larger than a frame: the peer is told so, and may ask for less.
        fail(id, rpcId, cause);
      }
    };
    const failed = (cause: unknown) => {
      connection.inFlight--;
      if (connections.get(id) === connection) fail(id, rpcId, cause);
    };
    try {
      const result = host.call(connection.peer, method, params);
      if (result instanceof Promise) result.then(settled, failed);
      else settled(result);
    } catch (cause) {
      failed(cause);
    }
  }

  function send(id: number, message: RpcMessage, expected?: Connection): void {
    sendText(id, rpcText(message), expected);
  }

  /** `expected`: the connection that the answer belongs to; another one may have ended meanwhile. */
  function sendText(id: number, text: string, expected?: Connection): void {
    const connection = connections.get(id);
    if (connection?.phase !== 'live' || (expected && expected !== connection)) return;
    connection.outbox.push(text);
  }

  function fail(id: number, rpcId: RpcId | null, cause: unknown, code: number = RPC_CODES.application): void {
    if (!(cause instanceof CodedError)) {
      host.log('warn', 'a request failed unexpectedly', { error: cause instanceof Error ? cause.message : 'unknown' });
    }
    const error = toRpcError(cause, code);
    try {
      send(id, { kind: 'error', id: rpcId, error });
    } catch (tooLarge) {
      // Its details do not fit: a denial by hundreds of grants names a reason for each.
      const { code: name } = error.data;
      const short = toRpcError(isErrorCode(name) ? coded(name) : tooLarge, code);
      send(id, { kind: 'error', id: rpcId, error: short });
    }
  }

  /** What is larger than a frame is passed over: who follows a wallet's receipts sees the gap in their numbers. */
  function sendNotification({ outbox }: Live, text: string): void {
    try {
      outbox.push(text);
    } catch {
      host.log('warn', 'a notification is larger than a frame', { chars: text.length });
    }
  }

  function each(visit: (id: number, connection: Live) => void): void {
    for (const [id, connection] of [...connections]) if (connection.phase === 'live') visit(id, connection);
  }

  return {
    frame,
    endPeer: (peer, reason) => each((id, live) => live.peer.peer === peer && close(id, CLOSE_CODES.refused, reason)),
    endUnless: (keep, reason) => each((id, live) => !keep(live.peer) && close(id, CLOSE_CODES.refused, reason)),
    notify(to, method, params) {
      const text = rpcText({ kind: 'notification', method, params: params as never });
      each((_, live) => to(live.peer) && sendNotification(live, text));
    },
    connected() {
      const peers = new Set<string>();
      each((_, live) => peers.add(live.peer.peer));
      return peers;
    },
    dropAll() {
      for (const connection of connections.values()) forget(connection);
      connections.clear();
    },
  };
}

function isMethod(name: string): name is MethodName {
  return Object.hasOwn(METHODS, name);
}

/** An error of the table, in its own words. */
export function coded(code: keyof typeof ERRORS, details?: Record<string, unknown>): CodedError {
  const { message, remedy } = ERRORS[code];
  return new CodedError(code, message, { remedy, ...(details ? { details } : {}) });
}

/** What a peer may learn of an error. What is not coded was not foreseen, and its words stay in the log. */
function toRpcError(cause: unknown, code: number): RpcError {
  const known = cause instanceof CodedError ? cause : coded('internal_error');
  const remedy = known.remedy ?? (isErrorCode(known.code) ? ERRORS[known.code].remedy : undefined);
  return {
    code,
    message: known.message,
    data: {
      code: known.code,
      ...(remedy === undefined ? {} : { remedy }),
      ...(known.details === undefined ? {} : { details: known.details as never }),
    },
  };
}
