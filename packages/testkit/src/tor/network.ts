import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '@keepwatch/devnet';
import { askControl } from './control.ts';
import type { Tor } from './find.ts';
import { makeAuthorityKeys, makeRelayKeys } from './keys.ts';

/** A port of the onion service, and the port of loopback that it leads to. */
export interface OnionPort {
  readonly port: number;
  readonly target: number;
}

/** A stream through the client's Tor: what it leads to, and the circuit that it goes over. */
export interface TorStream {
  readonly target: string;
  readonly circuit: string;
}

/** A Tor network of its own on loopback, one onion service in it, and a client with a SOCKS port. */
export interface TorNetwork {
  /** `….onion`, version 3. */
  readonly onion: string;
  readonly socksPort: number;
  /** The client's streams that are open. */
  streams(): Promise<readonly TorStream[]>;
  /** Ends all its processes and removes what they wrote. */
  stop(): Promise<void>;
}

const AUTHORITIES = 3;
const RELAYS = 4;
/** On a free machine 20 s; on one that does much else, minutes. */
const START_MS = 360_000;

/**
 * Starts three directory authorities, four relays, the host of an onion service and a client: real processes of Tor that
 * know nobody but each other. Resolves when the client has built circuits; the onion service may take a while longer.
 */
export async function startTorNetwork(tor: Tor, onionPorts: readonly OnionPort[]): Promise<TorNetwork> {
  const dir = mkdtempSync(join(tmpdir(), 'keepwatch-tor-'));
  const running: RunningTor[] = [];
  const stop = async () => {
    await Promise.all(running.map((each) => each.stop()));
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const ports = await freePorts(2 * AUTHORITIES + RELAYS + 2);
    const [socksPort, controlPort] = ports.slice(-2) as [number, number];
    const authorities = await Promise.all(
      Array.from({ length: AUTHORITIES }, async (_, i) => {
        const name = `authority${i}`;
        const [orPort, dirPort] = ports.slice(2 * i, 2 * i + 2) as [number, number];
        const own = join(dir, name);
        const v3 = await makeAuthorityKeys(tor, own, `127.0.0.1:${dirPort}`);
        const relay = await makeRelayKeys(tor, own, name);
        return { name, orPort, dirPort, line: `${name} orport=${orPort} v3ident=${v3} 127.0.0.1:${dirPort} ${relay}` };
      }),
    );
    const common = [...COMMON, ...authorities.map(({ line }) => `DirAuthority ${line}`)];
    const start = (name: string, lines: readonly string[]) => {
      const own = join(dir, name);
      mkdirSync(own, { recursive: true, mode: 0o700 });
      const started = startTor(tor, own, [...common, `DataDirectory ${own}`, ...lines]);
      running.push(started);
      return started;
    };
    for (const { name, orPort, dirPort } of authorities) {
      start(name, [...relayLines(name, orPort), `DirPort 127.0.0.1:${dirPort}`, 'SocksPort 0', ...AUTHORITY]);
    }
    for (let i = 0; i < RELAYS; i++) {
      const name = `relay${i}`;
      start(name, [...relayLines(name, ports[2 * AUTHORITIES + i]!), 'SocksPort 0', ...RELAY]);
    }
    const service = join(dir, 'host', 'onion');
    const host = start('host', [
      'SocksPort 0',
      `HiddenServiceDir ${service}`,
      ...onionPorts.map(({ port, target }) => `HiddenServicePort ${port} 127.0.0.1:${target}`),
    ]);
    const client = start('client', [
      `SocksPort 127.0.0.1:${socksPort} IsolateSOCKSAuth`,
      `ControlPort 127.0.0.1:${controlPort}`,
    ]);
    await Promise.all([host.bootstrapped(), client.bootstrapped()]);
    while (!existsSync(join(service, 'hostname'))) await sleep(100);
    return {
      onion: readFileSync(join(service, 'hostname'), 'utf8').trim(),
      socksPort,
      async streams() {
        const lines = await askControl(controlPort, 'stream-status');
        return lines.flatMap((line) => {
          const [, state, circuit, target] = line.split(' ') as [string, string, string, string];
          return state === 'SUCCEEDED' ? [{ target, circuit }] : [];
        });
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const COMMON = [
  'TestingTorNetwork 1',
  'RunAsDaemon 0',
  'Log notice stdout',
  'SafeLogging 0',
  'ShutdownWaitLength 0',
  'PathsNeededToBuildCircuits 0.25',
  'AvoidDiskWrites 1',
  // A test run that is killed leaves nothing behind.
  `__OwningControllerProcess ${process.pid}`,
];

/** Fast votes; whoever is there has all flags, since nobody proves itself over days here. */
const AUTHORITY = [
  'AuthoritativeDirectory 1',
  'V3AuthoritativeDirectory 1',
  'ContactInfo nobody@localhost',
  'AssumeReachable 1',
  'TestingV3AuthInitialVotingInterval 20',
  'TestingV3AuthInitialVoteDelay 4',
  'TestingV3AuthInitialDistDelay 4',
  'V3AuthVotingInterval 20',
  'V3AuthVoteDelay 4',
  'V3AuthDistDelay 4',
  'TestingDirAuthVoteHSDir *',
  'TestingDirAuthVoteGuard *',
  'ExitPolicy reject *:*',
];

/** Nothing leaves: what is reached lies behind the onion service. */
const RELAY = ['AssumeReachable 1', 'ExitRelay 0'];

const relayLines = (name: string, port: number) => [
  `Nickname ${name}`,
  'Address 127.0.0.1',
  `ORPort 127.0.0.1:${port} IPv4Only`,
];

interface RunningTor {
  /** Resolves when it has all that it needs to build circuits. */
  bootstrapped(): Promise<void>;
  stop(): Promise<void>;
}

function startTor({ tor }: Tor, dir: string, lines: readonly string[]): RunningTor {
  const file = join(dir, 'torrc');
  writeFileSync(file, `${lines.join('\n')}\n`);
  const empty = join(dir, 'no-torrc');
  writeFileSync(empty, '');
  const args = [...tor.leading, '-f', file, '--defaults-torrc', empty];
  const child: ChildProcess = spawn(tor.command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  let done = false;
  const listen = (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-8_192);
    done ||= log.includes('Bootstrapped 100%');
  };
  child.stdout!.on('data', listen);
  child.stderr!.on('data', listen);
  const over = () => child.exitCode !== null || child.signalCode !== null;
  return {
    async bootstrapped() {
      const until = Date.now() + START_MS;
      while (!done) {
        if (over()) throw new Error(`tor ended:\n${log}`);
        if (Date.now() > until) throw new Error(`tor did not start within ${START_MS} ms:\n${log}`);
        await sleep(100);
      }
    },
    async stop() {
      if (over()) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}
