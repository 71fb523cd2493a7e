import { mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createGate, startKeepProcess, type Gate, type KeepProcess } from '@keepwatch/gate';
import {
  createLinkDecoder,
  decodeLinkClose,
  encodeLinkFrames,
  encodeLinkOpen,
  type LinkClose,
  type LinkFrame,
} from '@keepwatch/protocol';

/**
 * A gate that was taken over. The keep is the real process, started as the supervisor starts it; the TLS edge is the
 * real one too; but between the two sits the attacker, who sees every frame of the link and may withhold, change, copy
 * or invent as many as it likes. Peers reach the keep through it by the SDK, as they reach any vault.
 */
export interface HostileGate {
  readonly keep: KeepProcess;
  /** The keep's own directory. */
  readonly keepDir: string;
  connection(): string;
  /** With the token for the first operator. */
  bootstrapConnection(): Promise<string>;
  /** Lines that the keep wrote. */
  readonly output: readonly string[];
  /** Takes the next `count` data frames of one direction off the link. They go on only if somebody sends them. */
  withhold(direction: Direction, count?: number): Promise<readonly LinkFrame[]>;
  /** Copies of all data frames of one direction from now on, until `stop`. They go on as they are. */
  record(direction: Direction): { readonly frames: readonly LinkFrame[]; stop(): void };
  /** Changes every frame from gate to keep, control frames too; `undefined` ends that. */
  change(toKeep: ((frame: LinkFrame) => readonly LinkFrame[]) | undefined): void;
  /** Frames of the attacker's own making, in one write. */
  sendToKeep(frames: readonly LinkFrame[]): void;
  sendToPeers(frames: readonly LinkFrame[]): void;
  /** Bytes that need not be frames. */
  sendRaw(bytes: Uint8Array): void;
  /** Whether the attacker reads what the keep sends. */
  read(reading: boolean): void;
  /** A connection of the attacker's own, which no peer knows of. */
  openWire(): Wire;
  stop(): Promise<void>;
}

export type Direction = 'to-keep' | 'to-peers';

/** One connection on the link, as raw messages. */
export interface Wire {
  readonly id: number;
  send(message: Uint8Array): void;
  /** The keep's next message; rejects with a {@link WireClosed} where it closes the connection instead. */
  next(): Promise<Uint8Array>;
  readonly closed: Promise<LinkClose>;
}

export class WireClosed extends Error {
  readonly close: LinkClose;
  constructor(close: LinkClose) {
    super(`the keep closed the connection: ${close.code} ${close.reason}`);
    this.close = close;
  }
}

export interface HostileGateOptions {
  /** What gate says on the new link, changed by the attacker. */
  readonly change?: (frame: LinkFrame) => readonly LinkFrame[];
}

/** Numbers that the real gate does not reach. */
const FIRST_OWN_CONNECTION = 0x8000_0000;
const START_MS = 20_000;
const QUIET = { info() {}, warn() {}, error() {} };

export async function startHostileGate(options: HostileGateOptions = {}): Promise<HostileGate> {
  const root = mkdtempSync(join(tmpdir(), 'keepwatch-takeover-'));
  const keepDir = join(root, 'keep');
  const gateDir = join(root, 'gate');
  for (const dir of [keepDir, gateDir]) mkdirSync(dir, { mode: 0o700 });

  const output: string[] = [];
  const told = { connection: '', bootstrap: '' };
  let isReady: () => void;
  const ready = new Promise<void>((resolve) => (isReady = resolve));
  const keep = startKeepProcess({
    main: fileURLToPath(import.meta.resolve('@keepwatch/keep/main')),
    args: [],
    extraNodeFlags: [],
    dataDir: keepDir,
    onMessage({ event, connection }) {
      if (event === 'ready') told.connection = String(connection);
      if (event === 'bootstrap') {
        // A new vault offers its token right after it has said where it is.
        told.bootstrap = String(connection);
        isReady();
      }
    },
    onOutput: (line) => void output.push(line),
  });
  const gate: Gate = await createGate({ log: QUIET }, { dataDir: gateDir, listen: { host: '127.0.0.1', port: 0 } });
  const [gateEnd, ownEnd] = await socketPair(join(root, 'link'));

  const wires = new Map<number, OwnWire>();
  const withheld: { direction: Direction; left: number; frames: LinkFrame[]; done(frames: LinkFrame[]): void }[] = [];
  const recordings = new Set<{ direction: Direction; frames: LinkFrame[] }>();
  let change = options.change;
  let nextWire = FIRST_OWN_CONNECTION;

  const sendToKeep = (frames: readonly LinkFrame[]) => void keep.linkSocket.write(encodeLinkFrames(frames));
  const sendToPeers = (frames: readonly LinkFrame[]) => void ownEnd.write(encodeLinkFrames(frames));

  /** Whether the frame goes on. */
  function pass(direction: Direction, frame: LinkFrame): boolean {
    if (frame.type !== 'data') return true;
    for (const recording of recordings) if (recording.direction === direction) recording.frames.push(copyOf(frame));
    const wanted = withheld.find((order) => order.direction === direction);
    if (!wanted) return true;
    wanted.frames.push(copyOf(frame));
    wanted.left--;
    if (wanted.left === 0) {
      withheld.splice(withheld.indexOf(wanted), 1);
      wanted.done(wanted.frames);
    }
    return false;
  }

  readFrames(ownEnd, (frame) => {
    if (pass('to-keep', frame)) sendToKeep(change ? change(frame) : [frame]);
  });
  readFrames(keep.linkSocket, (frame) => {
    const wire = wires.get(frame.connection);
    if (wire) wire.receive(frame);
    else if (pass('to-peers', frame)) sendToPeers([frame]);
  });

  gate.attachKeep(gateEnd);
  keep.send({ cmd: 'listening', host: '127.0.0.1', port: gate.address.port });
  await Promise.race([ready, failAfter(START_MS, () => `the keep did not start:\n${output.join('\n')}`)]);

  return {
    keep,
    keepDir,
    output,
    connection: () => told.connection,
    bootstrapConnection: () => Promise.resolve(told.bootstrap),
    withhold(direction, count = 1) {
      return new Promise((done) => withheld.push({ direction, left: count, frames: [], done }));
    },
    record(direction) {
      const recording = { direction, frames: [] as LinkFrame[] };
      recordings.add(recording);
      return { frames: recording.frames, stop: () => void recordings.delete(recording) };
    },
    change: (toKeep) => void (change = toKeep),
    sendToKeep,
    sendToPeers,
    sendRaw: (bytes) => void keep.linkSocket.write(bytes),
    read: (reading) => void (reading ? keep.linkSocket.resume() : keep.linkSocket.pause()),
    openWire() {
      const wire = createWire(nextWire++, sendToKeep);
      wires.set(wire.id, wire);
      sendToKeep([{ type: 'open', connection: wire.id, payload: encodeLinkOpen({ remote: 'loopback', crowd: 'a' }) }]);
      return wire;
    },
    async stop() {
      await keep.shutDown('test over', 2_000);
      await gate.close();
      for (const socket of [ownEnd, keep.linkSocket]) socket.destroy();
      rmSync(root, { recursive: true });
    },
  };
}

interface OwnWire extends Wire {
  receive(frame: LinkFrame): void;
}

function createWire(id: number, sendToKeep: (frames: readonly LinkFrame[]) => void): OwnWire {
  const messages: Uint8Array[] = [];
  const waiting: { resolve(message: Uint8Array): void; reject(error: Error): void }[] = [];
  let over: WireClosed | undefined;
  let close: (close: LinkClose) => void;
  const closed = new Promise<LinkClose>((resolve) => (close = resolve));
  return {
    id,
    closed,
    send: (payload) => sendToKeep([{ type: 'data', connection: id, payload }]),
    next() {
      const message = messages.shift();
      if (message) return Promise.resolve(message);
      if (over) return Promise.reject(over);
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    receive({ type, payload }) {
      if (type === 'data') {
        const waiter = waiting.shift();
        if (waiter) waiter.resolve(Uint8Array.from(payload));
        else messages.push(Uint8Array.from(payload));
      } else if (type === 'close') {
        const reason = decodeLinkClose(payload)!;
        over = new WireClosed(reason);
        close(reason);
        for (const { reject } of waiting.splice(0)) reject(over);
      }
    },
  };
}

function readFrames(socket: Socket, onFrame: (frame: LinkFrame) => void): void {
  const decoder = createLinkDecoder();
  socket.on('data', (chunk: Buffer) => void decoder.push(chunk, onFrame));
  socket.on('error', () => undefined);
}

function copyOf(frame: LinkFrame): LinkFrame {
  return { ...frame, payload: Uint8Array.from(frame.payload) };
}

async function socketPair(path: string): Promise<[Socket, Socket]> {
  const server = createServer().listen(path);
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const one = createConnection(path);
  const [other] = await accepted;
  server.close();
  return [one, other];
}

async function failAfter(ms: number, words: () => string): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, ms).unref());
  throw new Error(words());
}
