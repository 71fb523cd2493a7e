import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectClient, httpsGet } from '../fixtures/client.ts';
import { isAlive, startSupervisor, type Running } from '../fixtures/running.ts';
import { supervise } from './supervise.ts';

const linux = process.platform === 'linux';
const asRoot = process.getuid?.() === 0;

let dataDir: string;
let running: Running | undefined;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'supervise-'));
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  rmSync(dataDir, { recursive: true });
});

async function start(options: Partial<Parameters<typeof startSupervisor>[0]> = {}, environment = {}) {
  running = startSupervisor({ dataDir, ...options }, environment);
  const { address, tls } = await running.event('gate_listening');
  await running.keepMessage('ready');
  return { running, port: address.port, tls };
}

/** Connects and asks, again while the keep is away, as a client does. */
async function askPatiently(port: number, tls: string, text: string): Promise<string> {
  return vi.waitFor(async () => (await connectClient(port, tls)).ask(text), { timeout: 20_000, interval: 50 });
}

describe('two processes', () => {
  it('join into one edge: a message goes to keep and back', async () => {
    const { port, tls } = await start();
    const client = await connectClient(port, tls);
    expect(await client.ask('hello')).toBe('hello');
    client.ws.close();
  });

  it('gives keep an empty environment, no network, no processes, and a directory of its own', async () => {
    const { running } = await start({ keepArgs: ['--more'] }, { NODE_OPTIONS: '--trace-uncaught', SECRET: 'x' });
    const ready = await running.keepMessage('ready');
    expect(ready).toMatchObject({
      environment: {},
      permission: { net: false, child: false },
      arguments: ['--data', join(dataDir, 'keep'), '--more'],
    });
    for (const name of ['', 'keep', 'gate']) expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(dataDir, 'gate'))).toEqual(['tls.json']);
  });

  it.skipIf(!linux)('keeps no copy of the link: what gate and keep hold, the supervisor does not', async () => {
    const { running, port, tls } = await start();
    expect(await askPatiently(port, tls, 'linked')).toBe('linked');
    const pids = [(await running.event('gate_started')).pid!, (await running.event('keep_started')).pid!];
    // Every end of a socket pair has an inode of its own, so a copy shows as the same inode in two processes.
    const sockets = (pid: number) =>
      readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
        try {
          const target = readlinkSync(`/proc/${pid}/fd/${fd}`);
          return target.startsWith('socket:') ? [target] : [];
        } catch {
          return [];
        }
      });
    const own = new Set(sockets(running.child.pid!));
    expect(own.size).toBeGreaterThan(0);
    for (const pid of pids) {
      const theirs = sockets(pid);
      // Gate: stdout, stderr, IPC, listener, link; keep: stdout, stderr, link, control channel.
      expect(theirs.length).toBeGreaterThanOrEqual(4);
      expect(theirs.filter((socket) => own.has(socket))).toEqual([]);
    }
  });

  it.skipIf(!asRoot || !linux)('runs as two users, each with its own directory', async () => {
    const keepUser = { uid: 64_001, gid: 64_001 };
    const gateUser = { uid: 64_002, gid: 64_002 };
    const { running, port, tls } = await start({ keepUser, gateUser });
    expect((await running.keepMessage('ready'))['uid']).toBe(64_001);
    const gatePid = (await running.event('gate_started')).pid!;
    expect(readFileSync(`/proc/${gatePid}/status`, 'utf8')).toMatch(/^Uid:\t64002\t64002\t64002\t64002$/m);
    expect(readFileSync(`/proc/${gatePid}/status`, 'utf8')).toMatch(/^CapEff:\t0+$/m);
    expect(statSync(join(dataDir, 'keep')).uid).toBe(64_001);
    expect(statSync(join(dataDir, 'gate', 'tls.json')).uid).toBe(64_002);
    expect(await askPatiently(port, tls, 'as two')).toBe('as two');
  });
});

describe('restarts', () => {
  it('starts keep again, sealed, while gate lives on; peers are told and come back', async () => {
    const { running, port, tls } = await start();
    const client = await connectClient(port, tls);
    await client.ask('auth');
    client.send('exit');
    expect(await client.closed).toEqual({ code: 1013, reason: 'keep unavailable' });
    expect(await running.event('keep_ended')).toMatchObject({ code: 3, restartInMs: 250 });
    expect((await running.keepMessage('ready', 2))['wasSealed']).toBe(false);
    expect(await askPatiently(port, tls, 'again')).toBe('again');
    expect(running.events.filter(({ type }) => type === 'gate_started').length).toBe(1);
  });

  it('loses no byte in any hand-over of the link', async () => {
    const { running, port, tls } = await start();
    // Clients hammer at gate while keep is killed again and again: each new link begins under load.
    for (let round = 1; round <= 3; round++) {
      const { pid } = await running.event('keep_started', round);
      expect(await askPatiently(port, tls, `round ${round}`)).toBe(`round ${round}`);
      const client = await connectClient(port, tls);
      const body = 'x'.repeat(10_000);
      const answers = Array.from({ length: 200 }, (_, i) => client.ask(`${i} ${body}`));
      expect((await Promise.all(answers)).map((text) => parseInt(text))).toEqual(
        Array.from({ length: 200 }, (_, i) => i),
      );
      client.ws.close();
      process.kill(pid!, 'SIGKILL');
      await running.event('keep_ended', round);
    }
  });

  it('starts gate again on the same port with the same key, and keep with it', async () => {
    const { running, port, tls } = await start();
    const keepPid = (await running.event('keep_started')).pid!;
    process.kill((await running.event('gate_started')).pid!, 'SIGKILL');
    expect(await running.event('gate_listening', 2)).toMatchObject({ address: { port }, tls });
    await running.keepMessage('ready', 2);
    expect(isAlive(keepPid)).toBe(false);
    expect(await askPatiently(port, tls, 'again')).toBe('again');
  });

  it('reports a crash loop and goes on trying, with longer and longer waits', async () => {
    const keepMain = join(dataDir, 'broken.mjs');
    writeFileSync(keepMain, 'process.exit(7);\n');
    running = startSupervisor({ dataDir, keepMain });
    expect(await running.event('crash_loop')).toEqual({ type: 'crash_loop', process: 'keep', ends: 5 });
    const waits = running.events.flatMap((event) => (event.type === 'keep_ended' ? [event.restartInMs] : []));
    expect(waits.slice(0, 5)).toEqual([250, 500, 1000, 2000, 4000]);
    const { port } = (await running.event('gate_listening')).address;
    expect((await httpsGet(port, '/health')).status).toBe(200);
  });
});

describe('a first start that fails', () => {
  const lastOf = (ended: Running) => ended.events.at(-1) as unknown;
  const keepThat = (text: string) => {
    const path = join(dataDir, 'keep.mjs');
    writeFileSync(
      path,
      `import { writeSync } from 'node:fs';\nconst say = (m) => writeSync(4, JSON.stringify(m) + '\\n');\n${text}`,
    );
    return path;
  };
  const FULL = `say({ event: 'failed', code: 'storage_full', message: 'No space is left.' });\nprocess.exit(70);\n`;

  it('ends where the port is taken, after it was tried again for processes of before', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = other.address() as AddressInfo;
      running = startSupervisor({ dataDir, listen: { host: '127.0.0.1', port } });
      expect(await running.ended).toBe(1);
      expect(lastOf(running)).toEqual({ type: 'ended', code: 'gate_listen_failed' });
      expect(running.events.filter(({ type }) => type === 'gate_started')).toHaveLength(4);
    } finally {
      other.close();
    }
  });

  it('goes on once the port is free', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    running = startSupervisor({ dataDir, listen: { host: '127.0.0.1', port } });
    await running.event('gate_ended');
    other.close();
    await running.keepMessage('ready');
  });

  it('ends at once with what a keep says that trying again cannot mend, and leaves no process behind', async () => {
    running = startSupervisor({ dataDir, keepMain: keepThat(FULL) });
    expect(await running.ended).toBe(1);
    expect(lastOf(running)).toEqual({ type: 'ended', code: 'storage_full' });
    expect(running.events.filter(({ type }) => type === 'keep_started')).toHaveLength(1);
    const { pid } = await running.event('gate_started');
    expect(isAlive(pid!)).toBe(false);
  });

  it('is over once the vault was ready: then the same is tried again', async () => {
    running = startSupervisor({ dataDir, keepMain: keepThat(`say({ event: 'ready' });\n${FULL}`) });
    await running.event('keep_started', 3);
    expect(running.events.flatMap((event) => (event.type === 'keep_ended' ? [event.restartInMs] : []))).toEqual([
      250, 500,
    ]);
  });

  it('ends with its own error where the directory cannot be made', async () => {
    const file = join(dataDir, 'file');
    writeFileSync(file, '');
    const options = { keepMain: '', listen: { host: '127.0.0.1', port: 0 }, onEvent: () => undefined };
    expect(() => supervise({ ...options, dataDir: join(file, 'vault') })).toThrow(
      expect.objectContaining({ code: 'vault_directory_unusable' }),
    );
  });
});

describe('the end', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('on %s seals keep, ends it, then gate', async (signal) => {
    const { running, port, tls } = await start();
    const client = await connectClient(port, tls);
    await client.ask('auth');
    running.child.kill(signal);
    expect(await running.ended).toBe(0);
    expect((await client.closed).code).toBe(1013);
    expect(await running.keepMessage('sealed')).toMatchObject({ reason: 'shutdown' });
    const order = running.events.map(({ type }) => type).filter((type) => type.endsWith('_ended'));
    expect(order).toEqual(['keep_ended', 'gate_ended']);
  });

  it('leaves no process behind when the supervisor is killed', async () => {
    const { running } = await start();
    const pids = [(await running.event('keep_started')).pid!, (await running.event('gate_started')).pid!];
    running.child.kill('SIGKILL');
    await running.ended;
    await vi.waitFor(() => expect(pids.map(isAlive)).toEqual([false, false]), { timeout: 10_000 });
  });
});
