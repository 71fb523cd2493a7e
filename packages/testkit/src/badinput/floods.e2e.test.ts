import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import type { CodedError } from '@keepwatch/base';
import { parseConnectionString } from '@keepwatch/protocol';
import { connect, createClient, signerFromSeed, type Client, type Connection } from '@keepwatch/sdk';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { codeOf, seatHonestParty, type HonestParty } from '../takeover/honest-party.ts';
import { connectAs, startVault, type VaultProcess } from '../world/index.ts';

// Many of something, or something very slow, against a whole vault as it is started. Throughout each flood an honest
// client signs; afterwards the journal has grown by no more than the flood may cost, and so have both processes.

const FLOOD = fileURLToPath(new URL('../../../gate/src/fixtures/flood/main.ts', import.meta.url));
const MIB = 1024;
/** What a process may keep of a flood, in KiB: caches and heap that V8 has not given back yet. */
const GROWTH = 192 * MIB;

let vault: VaultProcess;
let party: HonestParty;
let good: GoodClient;
let memory: Record<'keep' | 'gate', number>;

beforeAll(async () => {
  vault = await startVault();
  party = await seatHonestParty(vault);
  await party.sign();
});
beforeEach(() => {
  memory = resident();
  good = startGoodClient();
});
afterEach(async () => {
  const { signed, slowestMs } = await good.stop();
  expect(signed).toBeGreaterThan(2);
  // It is not locked out; how fast it is told by benchmarks.
  expect(slowestMs).toBeLessThan(20_000);
  const after = resident();
  for (const process of ['keep', 'gate'] as const) {
    expect(after[process] - memory[process], `${process} has grown, KiB`).toBeLessThan(GROWTH);
  }
  expect(vault.keepStarts()).toBe(1);
});
afterAll(async () => {
  await party.close();
  await vault.stop();
});

/** Resident memory in KiB. */
function resident(): Record<'keep' | 'gate', number> {
  const pids = vault.pids();
  const of = (pid: number) => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
  return { keep: of(pids.keep), gate: of(pids.gate) };
}

interface GoodClient {
  stop(): Promise<{ signed: number; slowestMs: number }>;
}

/** Signs without a pause, and fails where one signature fails. */
function startGoodClient(): GoodClient {
  let stopping = false;
  let signed = 0;
  let slowestMs = 0;
  const done = (async () => {
    while (!stopping || signed < 3) {
      const start = performance.now();
      await party.sign();
      slowestMs = Math.max(slowestMs, performance.now() - start);
      signed++;
      await later(20);
    }
  })();
  // Looked at when it is stopped.
  done.catch(() => undefined);
  return {
    async stop() {
      stopping = true;
      await done;
      return { signed, slowestMs };
    },
  };
}

async function journalLength(): Promise<number> {
  return (await party.owner.operator.status()).head!.lastSeq;
}

describe('connections', () => {
  let flood: ChildProcess | undefined;
  afterEach(() => void flood?.kill('SIGKILL'));

  /** Resolves when all were opened; `still` is how many of them are open now. */
  async function startFlood(count: number, mode: 'half-open' | 'drip'): Promise<{ still(): number }> {
    const { port } = target();
    const child = spawn(process.execPath, ['--no-warnings', FLOOD, String(port), String(count), mode], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    flood = child;
    let still = 0;
    await new Promise<void>((resolve) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        const numbers = [...text.matchAll(/still (\d+)/g)];
        if (numbers.length > 0) still = Number(numbers.at(-1)![1]);
        if (text.includes('open ')) resolve();
      });
    });
    return { still: () => still };
  }

  it('10,000 that are half open: refused beyond the limits, and closed by a deadline', async () => {
    const running = await startFlood(10_000, 'half-open');
    const during = resident();
    expect(during.gate - memory.gate).toBeLessThan(GROWTH);
    expect(during.keep - memory.keep).toBeLessThan(16 * MIB);
    // Somebody new gets in as well.
    await (await party.connect()).close();
    await until(() => running.still() < 1_100, 20_000);
    await until(() => running.still() === 0, 20_000);
  });

  it('that send a byte now and then (slow loris) are closed by the same deadline', async () => {
    const running = await startFlood(500, 'drip');
    await later(1_500);
    await (await party.connect()).close();
    await until(() => running.still() === 0, 20_000);
  });

  it('whose WebSocket is there and says nothing', async () => {
    const mute: Upgraded[] = [];
    while (mute.length < 300) mute.push(...(await Promise.all(Array.from({ length: 50 }, upgrade))));
    await party.sign();
    await (await party.connect()).close();
    const ends = Promise.all(mute.map(({ closed }) => closed));
    await Promise.race([ends, later(25_000).then(() => expect.fail('still open after 25 s'))]);
  });

  it('that speak anything but HTTP, or too much of it', async () => {
    const attempts = [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.from(`GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`),
      Buffer.from(`GET / HTTP/1.1\r\nHost: x\r\n${'X: y\r\n'.repeat(20_000)}\r\n`),
      Buffer.from('POST /.well-known/keepwatch/tls HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n'),
      randomBytes(65_536),
    ];
    for (const bytes of attempts) {
      const socket = await openTls();
      socket.on('error', () => undefined);
      socket.write(bytes);
      await Promise.race([
        new Promise((resolve) => socket.resume().once('close', resolve)),
        later(12_000).then(() => expect.fail('still open after 12 s')),
      ]);
    }
  });

  it('a WebSocket message beyond the limit, and one that never ends', async () => {
    // RFC 6455 §5.2: FIN, binary, masked, with a length of 64 bits.
    const header = (length: number, final: boolean) => {
      const bytes = Buffer.alloc(14);
      bytes[0] = (final ? 0x80 : 0) | 2;
      bytes[1] = 0x80 | 127;
      bytes.writeBigUInt64BE(BigInt(length), 2);
      return bytes;
    };
    for (const start of [header(300_000, true), header(2 ** 40, true), header(200_000, false)]) {
      const { socket, closed } = await upgrade();
      socket.write(start);
      const chunk = Buffer.alloc(65_536);
      const feeding = setInterval(() => void (socket.writable && socket.write(chunk)), 5);
      await Promise.race([closed, later(15_000).then(() => expect.fail('still open after 15 s'))]);
      clearInterval(feeding);
    }
  });
});

describe('peers', () => {
  it('2,000 handshakes with keys that nobody knows leave nothing behind', async () => {
    const before = await party.ledger();
    const codes = new Set<string>();
    // A few at once: a handshake that takes longer than the gate allows would hear something else.
    for (let i = 0; i < 200; i++) {
      const attempts = Array.from({ length: 10 }, () => connectWith({ role: 'client' }));
      for (const code of await Promise.all(attempts.map(codeOf))) codes.add(code);
    }
    expect([...codes]).toEqual(['peer_unknown']);
    expect((await party.ledger()).allowed).toMatchObject({ peers: (before.allowed as { peers: unknown }).peers });
  });

  it('300 strangers who ask to be registered: a few are heard, fewer are proposed, and repeating costs nothing', async () => {
    const before = await journalLength();
    const codes: string[] = [];
    const heard: Connection[] = [];
    let proposed: Connection | undefined;
    for (let i = 0; i < 300; i++) {
      const connection = await connectWith({ role: 'client', wish: 'register' }).catch((error: unknown) => {
        codes.push((error as CodedError).code);
      });
      if (!connection) continue;
      heard.push(connection);
      codes.push(await codeOf(connection.call('peer.register', { name: `stranger ${i}`, role: 'client' })));
      if (codes.at(-1) === 'fulfilled') proposed = connection;
    }
    const count = (code: string) => codes.filter((each) => each === code).length;
    const refusals = ['registration_closed', 'rate_limited', 'proposals_full'];
    for (const code of codes) expect(['fulfilled', ...refusals]).toContain(code);
    expect(count('fulfilled')).toBeGreaterThan(0);
    expect(count('fulfilled')).toBeLessThanOrEqual(64);
    expect(codes).toHaveLength(300);
    // The last of them: whoever is no peer yet is let go after a while.
    for (let i = 0; i < 500; i++) {
      const again = codeOf(proposed!.call('peer.register', { name: `again ${i}`, role: 'operator' }));
      expect(['fulfilled', 'rate_limited']).toContain(await again);
    }
    for (const connection of heard) await connection.close();
    const entries = (await party.ledger()).entries.slice(before);
    expect(entries.filter((entry) => entry.endsWith(' peer.proposed'))).toHaveLength(count('fulfilled'));
    for (const { peer, state } of await party.owner.operator.peers()) {
      if (state === 'proposed') await party.owner.operator.command('peer.reject', { peer });
    }
  });

  it('2,000 requests that are denied: a few are journaled, all are answered, and doctor counts the rest', async () => {
    const before = await party.ledger();
    const session = await party.connect();
    const client = createClient(session);
    const started = performance.now();
    const codes = new Set<string>();
    for (let i = 0; i < 20; i++) {
      for (const code of await Promise.all(Array.from({ length: 100 }, () => codeOf(tooMuch(client))))) codes.add(code);
    }
    const seconds = (performance.now() - started) / 1_000;
    expect([...codes]).toEqual(['denied']);
    const denials = (await party.ledger()).entries
      .slice(before.entries.length)
      .filter((entry) => entry.endsWith(' request.denied')).length;
    expect(denials).toBeGreaterThan(10);
    expect(denials).toBeLessThan(62 + seconds);
    const { findings } = await party.owner.operator.query('doctor.report', {});
    expect(JSON.stringify(findings)).toContain(String(2_000 - denials));
    await session.close();
  });

  it('20,000 nonsensical requests on one session', async () => {
    const before = await party.ledger();
    const session = await party.connect();
    const codes = new Set<string>();
    for (let i = 0; i < 40; i++) {
      const calls = Array.from({ length: 500 }, () => codeOf(session.call('wallet.list', { limit: -1 } as never)));
      for (const code of await Promise.all(calls)) codes.add(code);
      if (codes.has('rate_limited')) break;
    }
    for (const code of codes) expect(['params_invalid', 'rate_limited']).toContain(code);
    expect((await party.ledger()).entries.slice(before.entries.length).every((e) => e.endsWith('permitted'))).toBe(
      true,
    );
    await session.close();
  });

  it('64 one-time keys that nobody uses: the next is refused, and their session’s end frees them', async () => {
    const session = await connectAs(vault, party.owner.person);
    const codes = [];
    for (let i = 0; i < 70; i++) codes.push(await codeOf(session.call('entry.begin', { purpose: 'vault.backup' })));
    expect(codes.filter((code) => code === 'entry_key_limit')).toHaveLength(6);
    await session.close();
    const again = await connectAs(vault, party.owner.person);
    await expect.poll(() => codeOf(again.call('entry.begin', { purpose: 'vault.backup' }))).toBe('fulfilled');
    await again.close();
  });
});

function target() {
  const parsed = parseConnectionString(vault.connection());
  if (!parsed.ok) throw new Error(parsed.error.what);
  return parsed.value;
}

function connectWith(options: { role: 'client' | 'operator'; wish?: 'register' }): Promise<Connection> {
  const identity = signerFromSeed('EdDSA', randomBytes(32));
  return connect({ connectionString: vault.connection(), identity, ...options });
}

/** More than any grant allows. */
function tooMuch(client: Client): Promise<unknown> {
  const transaction = {
    chainId: 1,
    nonce: 5_000_000,
    to: party.wallet.address,
    maxFeePerGas: 1n,
    maxPriorityFeePerGas: 0n,
  };
  return client.signTransaction({ wallet: party.wallet.wallet, transaction: { ...transaction, value: 10n ** 30n } });
}

async function openTls(): Promise<TLSSocket> {
  const { host, port } = target();
  const socket = connectTls({ host, port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  return socket;
}

/** A WebSocket, as bytes. */
interface Upgraded {
  readonly socket: TLSSocket;
  readonly closed: Promise<void>;
}

async function upgrade(): Promise<Upgraded> {
  const socket = await openTls();
  const closed = new Promise<void>((resolve) => socket.on('error', () => undefined).once('close', () => resolve()));
  const key = randomBytes(16).toString('base64');
  const lines = [
    'GET / HTTP/1.1',
    'Host: vault',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
  ];
  socket.write(`${[...lines, `Sec-WebSocket-Key: ${key}`].join('\r\n')}\r\n\r\n`);
  await Promise.race([
    new Promise<void>((resolve) => socket.once('data', () => resolve())),
    closed.then(() => expect.fail('closed before it was upgraded')),
  ]);
  socket.resume();
  return { socket, closed };
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function until(holds: () => boolean, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!holds()) {
    if (Date.now() > deadline) expect.fail(`not within ${withinMs} ms: ${holds.toString()}`);
    await later(50);
  }
}
