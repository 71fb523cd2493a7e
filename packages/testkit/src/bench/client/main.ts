import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { fromBase64url, toHex } from '@keepwatch/base';
import {
  connect,
  createClient,
  encodeTransfer,
  signerFromSeed,
  type Connection,
  type EtherTransfer,
} from '@keepwatch/sdk';
import { randomBytes, randomUUIDv7 } from 'node:crypto';
import type { MethodResult } from '@keepwatch/protocol';
import { WebSocket } from 'ws';
import { median } from '../figure.ts';
import type { ClientOrder, ClientReport, Seat } from './protocol.ts';

/**
 * The benchmark's client: all of its load in one process, as the vault's two processes are one vault. It speaks through
 * the SDK's connections (sessions, frames, result schemas, heads). Of its answers it checks each 1,000th completely, as
 * the SDK's client does with each, and that when the time is over: signature recovery in portable JavaScript takes 3 ms,
 * fifty times as long as signing. It would measure the client's core, and stop all that is in flight meanwhile.
 */
const CHECKED_EVERY = 1_000;
const CHAIN = 'eip155:1';

interface Desk {
  readonly connection: Connection;
  readonly seat: Seat;
  nextNonce: number;
}

/** An answer that is still to be checked. */
interface Sample {
  readonly desk: Desk;
  readonly unsigned: Uint8Array;
  readonly answer: MethodResult<'transaction.sign'>;
}

let desks: readonly Desk[] = [];
let requests = 0;

async function open(seat: Seat, connectionString: string): Promise<Desk> {
  const identity = signerFromSeed('EdDSA', fromBase64url(seat.seed)!);
  const connection = await connect({ connectionString, identity, role: 'client' });
  return { connection, seat, nextNonce: 0 };
}

async function signOne(desk: Desk, samples: Sample[]): Promise<void> {
  const { connection, seat } = desk;
  const transfer: EtherTransfer = {
    ...{ chainId: 1, nonce: desk.nextNonce++, to: seat.address, value: 1_000_000_000n },
    ...{ maxFeePerGas: 30_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n },
  };
  const unsigned = encodeTransfer(transfer);
  const isSample = requests++ % CHECKED_EVERY === 0;
  const answer = await connection.call('transaction.sign', {
    wallet: seat.wallet,
    chain: CHAIN,
    transaction: `0x${toHex(unsigned)}`,
    key: randomUUIDv7(),
    expires: Date.now() + 60_000,
  });
  if (isSample) samples.push({ desk, unsigned, answer });
}

/** By the SDK's own client, to which the answer is given again: what does not hold ends the benchmark. */
async function check({ desk, unsigned, answer }: Sample): Promise<void> {
  const { connection, seat } = desk;
  const call = ((method, params) =>
    method === 'transaction.sign' ? Promise.resolve(answer) : connection.call(method, params)) as Connection['call'];
  const client = createClient({ ...connection, call });
  await client.signTransaction({ wallet: seat.wallet, chain: CHAIN, transaction: unsigned });
}

async function sign(inFlight: number, ms: number): Promise<ClientReport> {
  const samples: Sample[] = [];
  const report = await load(inFlight, ms, (lane) => signOne(desks[lane % desks.length]!, samples));
  for (const sample of samples) await check(sample);
  return report;
}

/** `inFlight` lanes that each run `one` again and again until the time is over. */
async function load(inFlight: number, ms: number, one: (lane: number) => Promise<void>): Promise<ClientReport> {
  const started = performance.now();
  const times: number[] = [];
  await Promise.all(
    Array.from({ length: inFlight }, async (_, lane) => {
      for (let begun = started; begun - started < ms;) {
        await one(lane);
        const ended = performance.now();
        times.push(ended - begun);
        begun = ended;
      }
    }),
  );
  return { perSecond: (times.length / (performance.now() - started)) * 1_000, medianMs: median(times) };
}

async function echo(port: number, bytes: number, ms: number): Promise<ClientReport> {
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, minVersion: 'TLSv1.3' });
  socket.setNoDelay(true);
  await once(socket, 'secureConnect');
  const webSocket = new WebSocket('wss://127.0.0.1/', {
    createConnection: (() => socket) as never,
    perMessageDeflate: false,
  });
  await once(webSocket, 'open');
  let arrived: () => void = () => undefined;
  webSocket.on('message', () => arrived());
  const frame = randomBytes(bytes);
  const report = await load(1, ms, () => {
    const answer = new Promise<void>((resolve) => (arrived = resolve));
    webSocket.send(frame);
    return answer;
  });
  webSocket.terminate();
  return report;
}

const DONE: ClientReport = { perSecond: 0, medianMs: 0 };

async function carryOut(order: ClientOrder): Promise<ClientReport> {
  switch (order.do) {
    case 'connect':
      desks = await Promise.all(order.seats.map((seat) => open(seat, order.connectionString)));
      return DONE;
    case 'sign':
      return sign(order.inFlight, order.ms);
    case 'echo':
      return echo(order.port, order.bytes, order.ms);
    case 'end':
      await Promise.all(desks.map(({ connection }) => connection.close()));
      process.disconnect?.();
      return DONE;
  }
}

process.on('message', (order: ClientOrder) => {
  carryOut(order).then(
    (report) => process.connected && process.send?.(report),
    (error: Error) => process.send?.({ ...DONE, error: error.message }),
  );
});
