import { connect, type Socket } from 'node:net';

/**
 * A subscriber of bitcoind's notifications: ZMTP 3.0 (RFC 23/ZMTP) with the NULL mechanism, SUB socket. bitcoind drops
 * messages without a word when its queue is full, so what comes here is a hint to look, and never the only way to learn
 * of something. A native ZeroMQ would have to be compiled; the part of it that is needed is this file.
 */
export interface ZmqSubscription {
  close(): void;
}

export interface ZmqHandlers {
  /** `sequence` rises by one with each message of a topic: a gap means that something was dropped. */
  readonly message: (topic: string, body: Uint8Array, sequence: number) => void;
  /** The connection ended, was refused, or the other side speaks something else. It is not made anew from here. */
  readonly closed: (why: string) => void;
}

const GREETING_BYTES = 64;
const FLAG_MORE = 1;
const FLAG_LONG = 2;
const FLAG_COMMAND = 4;
/** bitcoind sends raw transactions and hashes; a raw block has at most 4 MB. */
const MAX_FRAME_BYTES = 8 * 1024 * 1024;

/** `address`: `tcp://127.0.0.1:28332`, as in bitcoind's `-zmqpub…`. */
export function subscribeZmq(address: string, topics: readonly string[], on: ZmqHandlers): ZmqSubscription {
  const { hostname, port } = new URL(address.replace(/^tcp:/, 'http:'));
  const socket = connect({ host: hostname, port: Number(port) });
  let ended = false;
  const end = (why: string) => {
    if (ended) return;
    ended = true;
    socket.destroy();
    on.closed(why);
  };
  socket.setNoDelay(true).setKeepAlive(true, 30_000);
  socket.on('connect', () => socket.write(greeting()));
  socket.on('error', (error) => end(error.message));
  socket.on('close', () => end('the node closed the connection'));
  const reader = createReader({
    greeted: () => socket.write(command('READY', property('Socket-Type', 'SUB'))),
    ready: () => subscribe(socket, topics),
    parts: ([topic, body, counter]) => {
      if (!topic || !body || counter?.length !== 4) return;
      on.message(
        Buffer.from(topic).toString('latin1'),
        body,
        new DataView(counter.buffer, counter.byteOffset).getUint32(0, true),
      );
    },
    broken: end,
  });
  socket.on('data', reader);
  return {
    close() {
      ended = true;
      socket.destroy();
    },
  };
}

function greeting(): Uint8Array {
  const bytes = new Uint8Array(GREETING_BYTES);
  bytes[0] = 0xff;
  bytes[9] = 0x7f;
  bytes[10] = 3;
  bytes.set(Buffer.from('NULL'), 12);
  return bytes;
}

function subscribe(socket: Socket, topics: readonly string[]): void {
  for (const topic of topics) socket.write(frame(0, Buffer.concat([Uint8Array.of(1), Buffer.from(topic, 'latin1')])));
}

function property(name: string, value: string): Uint8Array {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(value.length);
  return Buffer.concat([Uint8Array.of(name.length), Buffer.from(name), size, Buffer.from(value)]);
}

function command(name: string, data: Uint8Array): Uint8Array {
  return frame(FLAG_COMMAND, Buffer.concat([Uint8Array.of(name.length), Buffer.from(name), data]));
}

function frame(flags: number, body: Uint8Array): Uint8Array {
  if (body.length < 256) return Buffer.concat([Uint8Array.of(flags, body.length), body]);
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(body.length));
  return Buffer.concat([Uint8Array.of(flags | FLAG_LONG), size, body]);
}

interface ReaderEvents {
  readonly greeted: () => void;
  readonly ready: () => void;
  readonly parts: (parts: readonly Uint8Array[]) => void;
  readonly broken: (why: string) => void;
}

/** Cuts the stream into frames, and frames into messages of several parts. */
function createReader(on: ReaderEvents): (chunk: Uint8Array) => void {
  let held = Buffer.alloc(0);
  let phase: 'greeting' | 'handshake' | 'traffic' | 'broken' = 'greeting';
  let parts: Uint8Array[] = [];

  const broken = (why: string) => {
    phase = 'broken';
    on.broken(why);
  };

  function take(flags: number, body: Uint8Array): void {
    if (flags & FLAG_COMMAND) {
      const name = Buffer.from(body.subarray(1, 1 + body[0]!)).toString('latin1');
      if (name === 'ERROR') return broken('the node refused the subscription');
      if (name !== 'READY' || phase !== 'handshake') return;
      phase = 'traffic';
      return on.ready();
    }
    parts.push(body);
    if (flags & FLAG_MORE) return parts.length > 8 ? broken('a message of too many parts') : undefined;
    const whole = parts;
    parts = [];
    on.parts(whole);
  }

  return (chunk) => {
    held = held.length === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk]);
    for (;;) {
      if (phase === 'broken') return;
      if (phase === 'greeting') {
        if (held.length < GREETING_BYTES) return;
        if (held[0] !== 0xff || held[9] !== 0x7f || held[10]! < 3) return broken('what answers does not speak ZMTP 3');
        held = held.subarray(GREETING_BYTES);
        phase = 'handshake';
        on.greeted();
        continue;
      }
      const long = (held[0]! & FLAG_LONG) !== 0;
      const header = long ? 9 : 2;
      if (held.length < header) return;
      const size = long ? Number(held.readBigUInt64BE(1)) : held[1]!;
      if (size > MAX_FRAME_BYTES) return broken('a frame is too large');
      if (held.length < header + size) return;
      const body = Uint8Array.from(held.subarray(header, header + size));
      const flags = held[0]!;
      held = held.subarray(header + size);
      take(flags, body);
    }
  };
}
