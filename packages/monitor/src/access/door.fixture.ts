import { randomBytes } from 'node:crypto';
import type { CodedError } from '@keepwatch/base';
import { createMemory, signerFromSeed, type IdentitySigner } from '@keepwatch/sdk';
import type { MonitorHome } from '../home.fixture.ts';
import { connectMonitor, type RemoteMonitor } from './remote.ts';
import { serveWire, type WireServer, type WireServerOptions } from './wire-server.ts';

/** A part of tests only: the door of a monitor on loopback, real (TLS, handshake and sessions), and who comes through it. */
export interface MonitorDoor {
  /** That of the last opening. */
  readonly server: WireServer;
  /** What it logged. */
  readonly logs: readonly string[];
  /** Opens monitor and door. */
  open(port?: number): Promise<void>;
  /** Closes both. What is open towards them is lost. */
  close(): Promise<void>;
  enter(
    identity: IdentitySigner,
    role: 'operator' | 'client',
    wish: 'session' | 'register',
    connectionString?: string,
  ): Promise<RemoteMonitor>;
  /** Lets go of everybody who entered. */
  leave(): void;
}

export function makeMonitorDoor(home: MonitorHome, limits: NonNullable<WireServerOptions['limits']> = {}): MonitorDoor {
  let server: WireServer;
  const logs: string[] = [];
  const entered: RemoteMonitor[] = [];
  return {
    logs,
    get server() {
      return server;
    },
    async open(port = 0) {
      await home.open();
      const { store, peers, orders } = home.monitor;
      for (let tries = 1; ; tries++) {
        try {
          server = await serveWire(
            { store, peers, orders, methods: () => home.monitor.methods, log: (_, words) => void logs.push(words) },
            { dataDir: home.dir, listen: { host: '127.0.0.1', port }, limits },
          );
          return;
        } catch (error) {
          // Somebody else may have been given the port that was left a moment ago.
          if (port === 0 || tries === 20 || (error as CodedError).code !== 'gate_listen_failed') throw error;
          await new Promise((resolve) => setTimeout(resolve, 250));
        }
      }
    },
    async close() {
      await server.close();
      await home.monitor.close();
    },
    async enter(identity, role, wish, connectionString = server.connection()) {
      const made = await connectMonitor({ connectionString, identity, role, wish, memory: createMemory() });
      entered.push(made);
      return made;
    },
    leave() {
      for (const each of entered.splice(0)) each.close();
    },
  };
}

export const freshIdentity = (alg: 'EdDSA' | 'ML-DSA-65' = 'EdDSA'): IdentitySigner =>
  signerFromSeed(alg, randomBytes(32));

/** The code of the error that it ends with. */
export const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'nothing was refused',
    (error: CodedError) => error.code,
  );
