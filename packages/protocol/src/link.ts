import { concat, err, fromUtf8, ok, utf8, viewFrom, type Result } from '@keepwatch/base';

/**
 * The link: how gate and keep share the one connected socket between them (DESIGN §2). A frame is
 *
 *     u32 payload length ‖ u8 type ‖ u32 connection ‖ payload        (integers big-endian)
 *
 * The payloads of `data` frames are sealed; gate can neither read nor forge them. Keep is silent on a new link until
 * gate has said `gate_ready`: until then the socket may still be on its way from the supervisor to gate.
 */
export const LINK_HEADER_BYTES = 9;

/** The largest payload that both sides accept unless told otherwise: one WebSocket message and a little air. */
export const LINK_MAX_PAYLOAD = 272 * 1024;

/** Connection number of frames that concern the link itself. Connections count from 1. */
export const LINK_CONTROL_CONNECTION = 0;

const TYPE_CODES = { open: 1, data: 2, close: 3, control: 4, authenticated: 5 } as const;

/**
 * - `open` (gate → keep): a peer has finished its WebSocket upgrade; payload {@link LinkOpen}.
 * - `data` (both ways): one WebSocket message.
 * - `close` (both ways): the connection ended or is to end; payload {@link LinkClose}. A number is never used again.
 * - `control` (both ways, connection 0): one {@link LinkControl} message.
 * - `authenticated` (keep → gate, empty payload): the peer proved that it is registered; gate stops counting it as a
 *   stranger.
 */
export type LinkFrameType = keyof typeof TYPE_CODES;

const TYPES: readonly (LinkFrameType | undefined)[] = [undefined, 'open', 'data', 'close', 'control', 'authenticated'];

export interface LinkFrame {
  readonly type: LinkFrameType;
  readonly connection: number;
  /** A view of the chunk that it came in: valid as long as it is held, shared with its neighbours. */
  readonly payload: Uint8Array;
}

export type LinkError = 'link_frame_too_large' | 'link_frame_unknown';

export interface LinkDecoder {
  /**
   * Takes the next bytes of the stream, cut anywhere, and hands out every frame that they complete, in order. After an
   * error the stream has no meaning any more: the decoder stays in error and the link must be closed.
   */
  push(chunk: Uint8Array, onFrame: (frame: LinkFrame) => void): Result<void, LinkError>;
  /** Whether a frame has begun that is not complete: an end of stream now is a torn frame. */
  midFrame(): boolean;
}

const NOTHING = new Uint8Array(0);

/**
 * Incremental decoder. Frames that lie whole within a chunk are handed out as views of it, without a copy; only a frame
 * cut by a chunk's end is gathered. Memory held is at most one frame, and its length is checked before it is allocated.
 */
export function createLinkDecoder(options: { maxPayload?: number } = {}): LinkDecoder {
  const maxPayload = options.maxPayload ?? LINK_MAX_PAYLOAD;
  let failed: LinkError | undefined;
  // A header cut by a chunk's end gathers in `header`, a payload in `gathered`; at most one of them is in progress.
  const header = new Uint8Array(LINK_HEADER_BYTES);
  let headerFilled = 0;
  let gathered: Uint8Array | undefined;
  let gatheredFilled = 0;
  let type: LinkFrameType = 'data';
  let connection = 0;
  let length = 0;

  function readHeader(bytes: Uint8Array, at: number): LinkError | undefined {
    length = readU32(bytes, at);
    connection = readU32(bytes, at + 5);
    const named = TYPES[bytes[at + 4]!];
    if (named === undefined) return 'link_frame_unknown';
    if ((named === 'control') !== (connection === LINK_CONTROL_CONNECTION)) return 'link_frame_unknown';
    type = named;
    return length > maxPayload ? 'link_frame_too_large' : undefined;
  }

  function push(chunk: Uint8Array, onFrame: (frame: LinkFrame) => void): Result<void, LinkError> {
    if (failed) return err(failed);
    let at = 0;
    while (at < chunk.length) {
      if (gathered) {
        const taken = Math.min(length - gatheredFilled, chunk.length - at);
        gathered.set(chunk.subarray(at, at + taken), gatheredFilled);
        gatheredFilled += taken;
        at += taken;
        if (gatheredFilled < length) break;
        const payload = gathered;
        gathered = undefined;
        onFrame({ type, connection, payload });
        continue;
      }
      if (headerFilled > 0 || chunk.length - at < LINK_HEADER_BYTES) {
        const taken = Math.min(LINK_HEADER_BYTES - headerFilled, chunk.length - at);
        header.set(chunk.subarray(at, at + taken), headerFilled);
        headerFilled += taken;
        at += taken;
        if (headerFilled < LINK_HEADER_BYTES) break;
        headerFilled = 0;
        failed = readHeader(header, 0);
      } else {
        failed = readHeader(chunk, at);
        at += LINK_HEADER_BYTES;
      }
      if (failed) return err(failed);
      if (length === 0) {
        onFrame({ type, connection, payload: NOTHING });
      } else if (chunk.length - at >= length) {
        const payload = viewFrom(chunk, at, at + length);
        at += length;
        onFrame({ type, connection, payload });
      } else {
        gathered = new Uint8Array(length);
        gatheredFilled = 0;
      }
    }
    return ok(undefined);
  }

  return { push, midFrame: () => headerFilled > 0 || gathered !== undefined };
}

/** Many frames as the bytes of one write. Throws a RangeError for a payload or connection number that cannot be sent. */
export function encodeLinkFrames(frames: readonly LinkFrame[]): Uint8Array {
  let size = 0;
  for (const frame of frames) size += LINK_HEADER_BYTES + frame.payload.length;
  const out = new Uint8Array(size);
  let at = 0;
  for (const { type, connection, payload } of frames) {
    if (!Number.isInteger(connection) || connection < 0 || connection > 0xffff_ffff) {
      throw new RangeError('a link connection is an unsigned 32-bit number');
    }
    if ((type === 'control') !== (connection === LINK_CONTROL_CONNECTION)) {
      throw new RangeError('connection 0 carries control frames, and they alone');
    }
    writeU32(out, at, payload.length);
    out[at + 4] = TYPE_CODES[type];
    writeU32(out, at + 5, connection);
    out.set(payload, at + LINK_HEADER_BYTES);
    at += LINK_HEADER_BYTES + payload.length;
  }
  return out;
}

export interface LinkWriter {
  /** Queues one frame. The payload must not change until the write. */
  send(type: LinkFrameType, connection: number, payload?: Uint8Array): void;
  /** Queues one control message. */
  control(message: LinkControl): void;
  /** Writes what is queued now. */
  flush(): void;
}

/**
 * Gathers the frames of one turn of the event loop into one write. `write` puts bytes on the socket; `schedule` calls
 * its argument once the present turn's input is through (on Node: `setImmediate`).
 */
export function createLinkWriter(deps: {
  write: (bytes: Uint8Array) => void;
  schedule: (flush: () => void) => void;
}): LinkWriter {
  let queue: LinkFrame[] = [];
  let scheduled = false;
  function flush(): void {
    scheduled = false;
    if (queue.length === 0) return;
    const frames = queue;
    queue = [];
    deps.write(encodeLinkFrames(frames));
  }
  function send(type: LinkFrameType, connection: number, payload: Uint8Array = NOTHING): void {
    queue.push({ type, connection, payload });
    if (scheduled) return;
    scheduled = true;
    deps.schedule(flush);
  }
  return {
    send,
    control: (message) => send('control', LINK_CONTROL_CONNECTION, encodeLinkControl(message)),
    flush,
  };
}

const CROWD = /^[A-Za-z0-9_-]{1,32}$/;

/**
 * What keep may know of where a peer comes from: whether it sits on this machine, and who comes from the same network as it.
 * `crowd` is a name for that network which says nothing else, and is another one each time gate starts: addresses stay with
 * gate.
 */
export interface LinkOpen {
  readonly remote: 'loopback' | 'remote';
  readonly crowd: string;
}

export function encodeLinkOpen(open: LinkOpen): Uint8Array {
  return utf8(JSON.stringify({ remote: open.remote, crowd: open.crowd }));
}

export function decodeLinkOpen(payload: Uint8Array): LinkOpen | undefined {
  const { remote, crowd } = parseRecord(payload) ?? {};
  if (typeof crowd !== 'string' || !CROWD.test(crowd)) return undefined;
  return remote === 'loopback' || remote === 'remote' ? { remote, crowd } : undefined;
}

/** A WebSocket close: code (RFC 6455 §7.4) and a reason of at most 123 bytes of UTF-8. */
export interface LinkClose {
  readonly code: number;
  readonly reason: string;
}

const MAX_REASON_BYTES = 123;

/** Payload of a `close` frame: u16 code ‖ reason. A reason too long for WebSocket is cut. */
export function encodeLinkClose(close: LinkClose): Uint8Array {
  let reason = utf8(close.reason);
  if (reason.length > MAX_REASON_BYTES) {
    // Cut between characters: a continuation byte is 10xxxxxx.
    let end = MAX_REASON_BYTES;
    while ((reason[end]! & 0xc0) === 0x80) end--;
    reason = reason.subarray(0, end);
  }
  return concat(new Uint8Array([close.code >> 8, close.code & 0xff]), reason);
}

export function decodeLinkClose(payload: Uint8Array): LinkClose | undefined {
  if (payload.length < 2 || payload.length > 2 + MAX_REASON_BYTES) return undefined;
  const reason = fromUtf8(payload.subarray(2));
  return reason === undefined ? undefined : { code: payload[0]! * 256 + payload[1]!, reason };
}

/** Why connections end, as WebSocket close codes: those of RFC 6455, and ours from the private range. */
export const CLOSE_CODES = {
  /** Normal end. */
  normal: 1000,
  /** The daemon shuts down. */
  goingAway: 1001,
  /** A message larger than the limit. */
  tooLarge: 1009,
  /** Keep is not there, or sealed itself away: try again later. */
  keepUnavailable: 1013,
  /** Refused by the session: the handshake failed or a frame did not open. */
  refused: 4001,
  /** A deadline passed: no first frame, or not authenticated in time. */
  tooSlow: 4008,
  /** The peer does not read what it is sent. */
  slowReader: 4009,
  /** Too many messages a second. */
  rateLimited: 4029,
} as const;

/**
 * What gate and keep say about the link itself. TLS fingerprints are the SHA-256 of the key's SubjectPublicKeyInfo in
 * base64url, as in the connection string.
 *
 * The rotation: keep `tls_rotate` → gate makes the next key and keeps it, `tls_rotated` → keep signs and journals a
 * statement that names both fingerprints, `tls_statement` → gate stores key and statement in one atomic step, serves the
 * new key to new connections, `tls_commit`. A crash before the last step leaves the old key in force and the next key
 * pending: `gate_ready` names it in `next`, and keep goes on from there. `tls_refused` says why gate stayed as it was.
 */
export type LinkControl =
  | { readonly type: 'gate_ready'; readonly tls: string; readonly next?: string }
  | { readonly type: 'tls_rotate' }
  | { readonly type: 'tls_rotated'; readonly tls: string }
  | { readonly type: 'tls_statement'; readonly tls: string; readonly jws: string }
  | { readonly type: 'tls_commit'; readonly tls: string }
  | { readonly type: 'tls_refused'; readonly reason: string };

export function encodeLinkControl(message: LinkControl): Uint8Array {
  return utf8(JSON.stringify(message));
}

/** Exactly one of the known messages, or `undefined`: both sides close a link on anything else. */
export function decodeLinkControl(payload: Uint8Array): LinkControl | undefined {
  const record = parseRecord(payload);
  const type = record?.['type'] as LinkControl['type'] | undefined;
  if (!record || typeof type !== 'string') return undefined;
  const text = (name: string) => (typeof record[name] === 'string' ? record[name] : undefined);
  const tls = text('tls');
  switch (type) {
    case 'gate_ready': {
      const next = text('next');
      if (tls === undefined) return undefined;
      return next === undefined ? { type, tls } : { type, tls, next };
    }
    case 'tls_rotate':
      return { type };
    case 'tls_rotated':
    case 'tls_commit':
      return tls === undefined ? undefined : { type, tls };
    case 'tls_statement': {
      const jws = text('jws');
      return tls === undefined || jws === undefined ? undefined : { type, tls, jws };
    }
    case 'tls_refused': {
      const reason = text('reason');
      return reason === undefined ? undefined : { type, reason };
    }
    default:
      return unknownType(type);
  }
}

/** A case that the switch forgot does not compile; a type that nobody knows is still only `undefined`. */
function unknownType(_type: never): undefined {
  return undefined;
}

function parseRecord(payload: Uint8Array): Record<string, unknown> | undefined {
  const text = fromUtf8(payload);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function readU32(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 0x1000000 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!);
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = (value >>> 16) & 0xff;
  bytes[at + 2] = (value >>> 8) & 0xff;
  bytes[at + 3] = value & 0xff;
}
