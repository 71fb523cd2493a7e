import { CodedError, fromBase64url, toBase64url, type Json } from '@keepwatch/base';
import {
  METHODS,
  NOTIFICATIONS,
  QUICK_RESULTS,
  type MethodName,
  type MethodParams,
  type MethodResult,
  type NotificationName,
  type Role,
  type SignedHeadJson,
} from '@keepwatch/protocol';
import {
  createOutbox,
  createReceiptReader,
  decodeRpc,
  openTlsStatement,
  RPC_CODES,
  rpcText,
  vaultId,
  type AcceptedKeep,
  type IdentitySigner,
  type JsonObject,
  type RpcMessage,
  type Session,
  type Wish,
} from '@keepwatch/wire';
import type { Channel } from './channel.ts';
import { connectionError, errorOfCode } from './connection-errors.ts';
import { wireCrypto } from './crypto-node.ts';
import { createHeadKeeper } from './head-keeper.ts';
import { createMemory, type PeerMemory, type VaultMemory } from './memory.ts';
import { openSession } from './open-session.ts';
import { createPendingCalls } from './pending-calls.ts';

export interface ConnectOptions {
  /** `keepwatch://HOST:PORT?tls=…&id=…[&token=…]`. The token is proved with `wish: 'register'` and else left alone. */
  readonly connectionString: string;
  readonly identity: IdentitySigner;
  readonly role: Role;
  /** `session` unless said otherwise. */
  readonly wish?: Wish;
  /** Left out: what is learned is forgotten with the process, and an old copy of the vault goes unnoticed. */
  readonly memory?: PeerMemory;
  /** From the first packet to the vault's `ready`, in ms. */
  readonly connectTimeoutMs?: number;
  /** For the answer to a call, in ms. */
  readonly callTimeoutMs?: number;
  /** Answers what the vault asks. A CodedError that it throws goes back as it is. */
  readonly onRequest?: (method: string, params: JsonObject) => Promise<Json>;
}

export type NotificationParams<N extends NotificationName> = ReturnType<(typeof NOTIFICATIONS)[N]['parse']>;

export interface ConnectionInfo {
  /** Identity of the vault, base64url. */
  readonly vault: string;
  /** Ed25519 keys to which the identity commits, 32 bytes each. */
  readonly bootPublicKey: Uint8Array;
  readonly receiptPublicKey: Uint8Array;
  readonly role: Role;
  /** What the vault said when the session began: who this peer is to it, and how it stands. */
  readonly ready: NotificationParams<'ready'>;
}

/** A session with a vault that has proved its identity. It does not come back by itself once it has ended. */
export interface Connection {
  readonly info: ConnectionInfo;
  /** Hash of the handshake, 32 bytes. */
  readonly sessionId: Uint8Array;
  /** Throws a CodedError: the vault's own code, `request_timeout`, or what ended the connection. */
  call<N extends MethodName>(method: N, params: MethodParams<N>): Promise<MethodResult<N>>;
  /** Calls the handler for each notification of this name, until the function that it returns is called. */
  on<N extends NotificationName>(name: N, handler: (params: NotificationParams<N>) => void): () => void;
  /** Fulfilled with what ended the connection; `undefined` where this end closed it. */
  readonly closed: Promise<CodedError | undefined>;
  /** Ends it, and stores what is to be remembered. */
  close(): Promise<void>;
}

const CALL_TIMEOUT_MS = 30_000;

/**
 * Connects to a vault: pinned TLS, handshake, `ready`. Throws a CodedError with a code of `ERRORS`: those of the
 * connection, `peer_unknown`, `token_invalid`, `connection_string_invalid` and others.
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const memory = options.memory ?? createMemory();
  const opened = await openSession({ ...options, memory });
  try {
    const ready = readReady(opened.keep.session, opened.first);
    await opened.confirm();
    const { channel, keep, vault, known } = opened;
    return createConnection(channel, keep, { ...options, memory, vault, known, ready });
  } catch (error) {
    opened.channel.close();
    throw error;
  }
}

/** The first frame from the keep: that it opens confirms the keys. */
function readReady(session: Session, frame: Uint8Array): NotificationParams<'ready'> {
  const payload = session.open(frame);
  const messages = payload.ok ? decodeRpc(payload.value) : undefined;
  const first = messages?.ok && messages.value.length === 1 ? messages.value[0] : undefined;
  const params =
    first?.kind === 'notification' && first.method === 'ready'
      ? NOTIFICATIONS.ready.safeParse(first.params)
      : undefined;
  if (!params?.success) throw connectionError('handshake_unconfirmed', { cause: params?.error });
  return params.data;
}

interface Established extends ConnectOptions {
  readonly memory: PeerMemory;
  /** base64url. */
  readonly vault: string;
  readonly known: VaultMemory;
  readonly ready: NotificationParams<'ready'>;
}

type Handler = (params: never) => void;

function createConnection(channel: Channel, keep: AcceptedKeep, options: Established): Connection {
  const { session } = keep;
  const { memory, vault, ready } = options;
  let { known } = options;
  const handlers = new Map<NotificationName, Set<Handler>>();
  const receipts = createReceiptReader();
  const calls = createPendingCalls(options.callTimeoutMs ?? CALL_TIMEOUT_MS);
  let ending: CodedError | undefined;
  let closing = false;

  const heads = createHeadKeeper({
    // Heads name the journal by its receipt key, so that they stay valid over a restore, which changes the identity.
    vault: toBase64url(vaultId(wireCrypto.sha256, keep.receiptPublicKey)),
    receiptPublicKey: keep.receiptPublicKey,
    store: (head) => memory.set(vault, { ...known, head }),
    onForged: () => end(connectionError('head_forged')),
    onError: (cause) => end(cause instanceof CodedError ? cause : connectionError('connection_lost', { cause })),
  });

  /** Ends the connection from this side, for a reason. */
  function end(error: CodedError): void {
    ending ??= error;
    session.close();
    calls.rejectAll(ending);
    channel.close();
  }

  const closed = channel.ended.then(async (error) => {
    ending ??= error;
    session.close();
    calls.rejectAll(ending);
    await heads.flush();
    return closing ? undefined : ending;
  });

  const outbox = createOutbox({
    session,
    send: (frame) => channel.send(frame),
    // After the promises of this turn: calls that are made together leave together.
    soon: (flush) => process.nextTick(flush),
    failed: (error) => end(error),
  });

  function send(message: RpcMessage): void {
    outbox.push(rpcText(message));
  }

  function receive(frame: Uint8Array): void {
    const payload = session.open(frame);
    if (!payload.ok) return ending ? undefined : end(connectionError(payload.error));
    const messages = decodeRpc(payload.value);
    if (!messages.ok) return end(errorOfCode(messages.error, 'frame_malformed'));
    for (const message of messages.value) if (!ending) take(message);
  }

  function take(message: RpcMessage): void {
    switch (message.kind) {
      case 'result':
        return resolve(message);
      case 'error':
        return calls.reject(message.id, remoteError(message.error));
      case 'notification':
        return notify(message.method, message.params);
      case 'request':
        return void answer(message);
    }
  }

  function resolve({ id, result }: Extract<RpcMessage, { kind: 'result' }>): void {
    const whole = receipts.complete(result);
    if (whole === undefined) return end(errorOfCode('message_malformed', 'frame_malformed'));
    calls.resolve(id, whole);
  }

  function notify(method: string, params: JsonObject): void {
    // A newer vault may tell more than this client knows.
    if (!Object.hasOwn(NOTIFICATIONS, method)) return;
    const name = method as NotificationName;
    const parsed = NOTIFICATIONS[name].safeParse(params);
    if (!parsed.success) return end(errorOfCode('message_malformed', 'frame_malformed'));
    offerHeadsOf(parsed.data);
    if (name === 'tls.rotated') adoptTlsKey((parsed.data as NotificationParams<'tls.rotated'>).statement);
    for (const handler of handlers.get(name) ?? []) {
      try {
        handler(parsed.data as never);
      } catch (error) {
        // A handler's fault is its program's, and not the session's.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  async function answer(request: Extract<RpcMessage, { kind: 'request' }>): Promise<void> {
    const { id, method, params } = request;
    try {
      if (!options.onRequest) throw errorOfCode('method_unknown', 'frame_malformed');
      const result = await options.onRequest(method, params);
      if (!ending) send({ kind: 'result', id, result });
    } catch (error) {
      const coded = error instanceof CodedError ? error : errorOfCode('internal_error', 'frame_malformed');
      const { code, remedy } = coded;
      const data = { code, ...(remedy === undefined ? {} : { remedy }) };
      const number = code === 'method_unknown' ? RPC_CODES.methodNotFound : RPC_CODES.application;
      if (!ending) send({ kind: 'error', id, error: { code: number, message: coded.message, data } });
    }
  }

  /** The new pin, told ahead over this session: the next connection needs no statement from the edge. */
  function adoptTlsKey(jws: string): void {
    const expected = { vault: fromBase64url(vault)!, after: known.tlsCounter };
    const opened = openTlsStatement(wireCrypto, jws, expected);
    if (!opened.ok) return;
    known = { ...known, tls: toBase64url(opened.value.current), tlsCounter: opened.value.counter };
    Promise.resolve(memory.set(vault, known)).catch((cause: unknown) => {
      end(cause instanceof CodedError ? cause : connectionError('connection_lost', { cause }));
    });
  }

  /** Signed heads stand in receipts, in pages of them, and in the status. */
  function offerHeadsOf(value: unknown): void {
    const { head, complete, receipt, status } = (value ?? {}) as Partial<Record<string, HeadBearer | null>>;
    for (const found of [head, complete, receipt?.head, status?.head]) {
      if (found) heads.offer(found as SignedHeadJson);
    }
  }

  function readResult<N extends MethodName>(method: N, result: Json): MethodResult<N> {
    if (QUICK_RESULTS[method]?.(result)) {
      offerHeadsOf(result);
      return result as MethodResult<N>;
    }
    const parsed = METHODS[method].result.safeParse(result);
    if (!parsed.success) {
      const text = `The vault answered ${method} with something else than was agreed.`;
      const remedy = 'Update this client or the vault, so that both speak the same version.';
      throw new CodedError('message_malformed', text, { remedy, cause: parsed.error });
    }
    offerHeadsOf(parsed.data);
    return parsed.data as MethodResult<N>;
  }

  channel.listen(receive);
  offerHeadsOf(ready);

  return {
    info: {
      vault,
      bootPublicKey: keep.bootPublicKey,
      receiptPublicKey: keep.receiptPublicKey,
      role: options.role,
      ready,
    },
    sessionId: session.id,
    closed,

    // No async function: what is read as the answer comes in needs no turn of its own.
    call<N extends MethodName>(method: N, params: MethodParams<N>): Promise<MethodResult<N>> {
      if (ending) return Promise.reject(ending);
      const { id, answer } = calls.open((result) => readResult(method, result));
      try {
        send({ kind: 'request', id, method, params: params as JsonObject });
      } catch (error) {
        calls.reject(id, error as CodedError);
      }
      return answer;
    },

    on(name, handler) {
      const set = handlers.get(name) ?? new Set();
      handlers.set(name, set.add(handler as Handler));
      return () => void set.delete(handler as Handler);
    },

    async close() {
      closing = true;
      outbox.flush();
      end(connectionError('connection_closed'));
      await closed;
    },
  };
}

interface HeadBearer {
  readonly head?: unknown;
}

function remoteError(error: Extract<RpcMessage, { kind: 'error' }>['error']): CodedError {
  const { code, remedy, details } = error.data;
  return new CodedError(code, error.message, {
    ...(remedy === undefined ? {} : { remedy }),
    ...(details === undefined ? {} : { details }),
  });
}
