import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bitcoind } from './find.ts';
import { freePorts } from '../free-ports.ts';
import { createRpc, RpcError, type Rpc } from './rpc.ts';

export interface BitcoindOptions {
  /** Added to the defaults, such as `-prune=550` or `-v2transport=0`; a later value of the same name wins. */
  readonly args?: readonly string[];
  /** Nodes that it connects to at once. */
  readonly connectTo?: readonly BitcoindNode[];
  /** Publishes rawtx, hashtx, rawblock, hashblock and sequence on one free port. */
  readonly zmq?: boolean;
  /** Told, with its last words, when it ends and nobody asked it to. */
  readonly onEnd?: (words: string) => void;
}

/** A real node on regtest, on loopback, in a temporary directory of its own. */
export interface BitcoindNode {
  readonly p2pPort: number;
  readonly rpcPort: number;
  /** `tcp://127.0.0.1:…`; null without ZMQ. */
  readonly zmqEndpoint: string | null;
  readonly dataDir: string;
  readonly cookieFile: string;
  readonly rpc: Rpc;
  /** The RPC of one wallet; made or loaded where it is not yet. */
  wallet(name: string): Promise<Rpc>;
  /** Mines `count` blocks to `address`, or to an output that anyone can spend and no two calls share. */
  mine(count: number, address?: string): Promise<readonly string[]>;
  /** Takes back `depth` blocks and mines `length` others. Gives the hashes of the new ones. */
  reorg(depth: number, length?: number, address?: string): Promise<readonly string[]>;
  tip(): Promise<{ readonly height: number; readonly hash: string }>;
  /** Connects to the other node and waits until both see each other. */
  connect(other: BitcoindNode): Promise<void>;
  /** Waits until this node has the block as its tip. */
  reach(hash: string): Promise<void>;
  /** kill -9, and waits for the end. The directory stays. */
  kill(): Promise<void>;
  /** Ends in good order and starts again in the same directory with the same ports. */
  restart(args?: readonly string[]): Promise<void>;
  /** Ends it and removes its directory. */
  stop(): Promise<void>;
}

const START_MS = 90_000;
/** An input that anyone can spend, `<n> OP_DROP OP_TRUE`: another n in each call, so that no two branches are alike. */
const freshDescriptor = (n: number) => `raw(03${(n & 0xffffff).toString(16).padStart(6, '0')}7551)`;
let minings = 0;

export async function startBitcoind(bitcoind: Bitcoind, options: BitcoindOptions = {}): Promise<BitcoindNode> {
  for (let attempt = 1; ; attempt++) {
    const dataDir = mkdtempSync(join(tmpdir(), 'keepwatch-bitcoind-'));
    try {
      return await startIn(bitcoind, options, dataDir);
    } catch (error) {
      rmSync(dataDir, { recursive: true, force: true });
      // Somebody else took the port between our look at it and the start.
      if (attempt === 3 || !isPortTaken(error)) throw error;
    }
  }
}

const isPortTaken = (error: unknown) => /bind|in use/i.test(String(error));

async function startIn(bitcoind: Bitcoind, options: BitcoindOptions, dataDir: string): Promise<BitcoindNode> {
  const [p2pPort, rpcPort, onionPort, zmqPort] = (await freePorts(4)) as [number, number, number, number];
  const zmqEndpoint = options.zmq ? `tcp://127.0.0.1:${zmqPort}` : null;
  const cookieFile = join(dataDir, 'regtest/.cookie');
  const topics = ['rawtx', 'hashtx', 'rawblock', 'hashblock', 'sequence'];
  let args = [
    ...bitcoind.leading,
    '-regtest',
    `-datadir=${dataDir}`,
    // Another node on this machine must not be found by accident, and nothing may leave it.
    ...['-listen=1', '-discover=0', '-dnsseed=0', '-fixedseeds=0', '-listenonion=0', '-upnp=0', '-natpmp=0'],
    `-bind=127.0.0.1:${p2pPort}`,
    `-bind=127.0.0.1:${onionPort}=onion`,
    ...[`-rpcbind=127.0.0.1:${rpcPort}`, '-rpcallowip=127.0.0.1', `-rpcport=${rpcPort}`],
    ...['-server=1', '-rest=1', '-txindex=1', '-blockfilterindex=1', '-peerblockfilters=1'],
    // On loopback each peer is the same host: none may be pushed out by another, and relay needs no trickling.
    ...['-whitelist=noban,relay,in,out@127.0.0.1', '-fallbackfee=0.0001', '-maxtxfee=1000', '-dbcache=16'],
    ...['-par=1', '-printtoconsole=1', '-debuglogfile=0', '-persistmempool=1'],
    // Knots' own relay rules are stricter than Core's; this option gives Core's, and with them TRUC.
    ...(/knots/i.test(bitcoind.version) ? ['-corepolicy=1'] : []),
    ...(zmqEndpoint ? topics.map((topic) => `-zmqpub${topic}=${zmqEndpoint}`) : []),
    ...(options.args ?? []),
  ].filter((each) => !(each.startsWith('-upnp') && !/knots/i.test(bitcoind.version)));
  const rpc = createRpc(rpcPort, cookieFile);
  let child: ChildProcess;
  let log = '';
  /** Nobody has asked it to end. */
  let running = false;

  const start = async () => {
    rmSync(cookieFile, { force: true });
    log = '';
    const started = spawn(bitcoind.command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;
    running = true;
    started.once('exit', () => {
      if (running && child === started) options.onEnd?.(log.slice(-2_000));
    });
    const listen = (chunk: Buffer) => (log = (log + chunk.toString()).slice(-16_384));
    child.stdout!.on('data', listen);
    child.stderr!.on('data', listen);
    const until = Date.now() + START_MS;
    for (;;) {
      if (child.exitCode !== null) throw new Error(`bitcoind ended (${child.exitCode}):\n${log.slice(-2_000)}`);
      try {
        if (existsSync(cookieFile) && readFileSync(cookieFile, 'utf8') !== '') {
          await rpc('getblockchaininfo');
          return;
        }
      } catch (error) {
        // -28: warming up.
        if (error instanceof RpcError && error.code !== -28) throw error;
      }
      if (Date.now() > until) throw new Error(`bitcoind did not start within ${START_MS} ms:\n${log.slice(-2_000)}`);
      await sleep(50);
    }
  };
  const end = (signal: NodeJS.Signals) => {
    running = false;
    child.kill(signal);
  };
  const ended = async () => {
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  };
  await start();

  const node: BitcoindNode = {
    p2pPort,
    rpcPort,
    zmqEndpoint,
    dataDir,
    cookieFile,
    rpc,
    async wallet(name) {
      if (!(await rpc<string[]>('listwallets')).includes(name)) {
        const known = await rpc<{ wallets: { name: string }[] }>('listwalletdir');
        await rpc(known.wallets.some((each) => each.name === name) ? 'loadwallet' : 'createwallet', name);
      }
      return createRpc(rpcPort, cookieFile, `/wallet/${name}`);
    },
    async mine(count, address) {
      if (address !== undefined) return rpc<string[]>('generatetoaddress', count, address);
      return rpc<string[]>('generatetodescriptor', count, freshDescriptor(++minings + process.pid * 1_000));
    },
    async reorg(depth, length = depth + 1, address) {
      const { height } = await node.tip();
      await rpc('invalidateblock', await rpc<string>('getblockhash', height - depth + 1));
      // The first block pays nobody: within one second it would else be the very block that was taken back.
      const first = await node.mine(1);
      return length > 1 ? [...first, ...(await node.mine(length - 1, address))] : first;
    },
    async tip() {
      const { blocks, bestblockhash } = await rpc<{ blocks: number; bestblockhash: string }>('getblockchaininfo');
      return { height: blocks, hash: bestblockhash };
    },
    async connect(other) {
      const address = `127.0.0.1:${other.p2pPort}`;
      await rpc('addnode', address, 'add');
      await poll(async () => {
        const peers = await rpc<{ addr: string; version: number }[]>('getpeerinfo');
        return peers.some((peer) => peer.addr === address && peer.version > 0);
      }, `a connection to ${address}`);
    },
    reach: (hash) => poll(async () => (await node.tip()).hash === hash, `the tip ${hash}`),
    async kill() {
      end('SIGKILL');
      await ended();
    },
    async restart(more) {
      end('SIGTERM');
      await ended();
      if (more) args = [...args, ...more];
      for (let tries = 1; ; tries++) {
        try {
          return await start();
        } catch (error) {
          // The ports were free for a moment, and have to be these again.
          if (tries === 5 || !isPortTaken(error)) throw error;
          await sleep(1_000);
        }
      }
    },
    async stop() {
      end('SIGTERM');
      const patience = setTimeout(() => child.kill('SIGKILL'), 60_000);
      await ended();
      clearTimeout(patience);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  try {
    for (const other of options.connectTo ?? []) await node.connect(other);
  } catch (error) {
    await node.stop();
    throw error;
  }
  return node;
}

async function poll(done: () => Promise<boolean>, what: string, withinMs = 60_000): Promise<void> {
  const until = Date.now() + withinMs;
  while (!(await done())) {
    if (Date.now() > until) throw new Error(`waited ${withinMs} ms in vain for ${what}`);
    await sleep(50);
  }
}
