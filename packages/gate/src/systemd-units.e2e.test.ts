import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectClient } from './fixtures/client.ts';
import { ECHO_KEEP } from './fixtures/running.ts';
import { GATE_HEAP_FLAGS } from './supervisor/gate-process.ts';
import { KEEP_NODE_FLAGS } from './supervisor/keep-process.ts';

const repository = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
const unitDir = join(repository, 'deploy/systemd');
const gateMain = fileURLToPath(new URL('./main.ts', import.meta.url));
const has = (command: string) => spawnSync(command, ['--version']).error === undefined;

let dir: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'units-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null && child.kill('SIGTERM')) await ended;
  }
  rmSync(dir, { recursive: true });
});

describe('the units', () => {
  it.skipIf(!has('systemd-analyze'))('are read by systemd without a complaint', () => {
    const units = readdirSync(unitDir).filter((name) => /\.(service|socket)$/.test(name));
    expect(units.length).toBe(4);
    for (const name of units) {
      const text = readFileSync(join(unitDir, name), 'utf8').replaceAll('/opt/keepwatch', repository);
      writeFileSync(join(dir, name), text);
    }
    for (const name of units) {
      const run = spawnSync('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', join(dir, name)]);
      expect([name, run.stderr.toString(), run.status]).toEqual([name, '', 0]);
    }
  });

  const commandOf = (unit: string) => {
    const text = readFileSync(join(unitDir, unit), 'utf8');
    return /^ExecStart=((?:.*\\\n)*.*)$/m.exec(text)![1]!.split(/[\s\\]+/);
  };

  it('give gate the heap that the supervisor gives it', () => {
    const command = commandOf('keepwatch-gate.service');
    for (const flag of GATE_HEAP_FLAGS) expect(command).toContain(flag);
  });

  it('give keep the same belts as the supervisor does', () => {
    const command = commandOf('keepwatch-keep@.service');
    for (const flag of KEEP_NODE_FLAGS) expect(command).toContain(flag);
    expect(command.filter((word) => word.startsWith('--allow-fs-write'))).toEqual([
      '--allow-fs-write=/var/lib/keepwatch/keep',
    ]);
    for (const never of ['--allow-net', '--allow-child-process', '--allow-fs-read=*']) {
      expect(command).not.toContain(never);
    }
  });
});

describe('socket activation', () => {
  it.skipIf(!has('systemd-socket-activate'))('gives each connection of gate a keep of its own, on fd 3', async () => {
    const socket = join(dir, 'keep.sock');
    const data = join(dir, 'gate');
    mkdirSync(data);
    const keep = [process.execPath, '--no-warnings', ECHO_KEEP, '--no-channel'];
    children.push(spawn('systemd-socket-activate', ['--accept', '-l', socket, ...keep], { stdio: 'ignore' }));
    const gate = spawn(
      process.execPath,
      ['--no-warnings', gateMain, '--data', data, '--listen', '127.0.0.1:0', '--keep-socket', socket],
      { stdio: ['ignore', 'pipe', 'inherit'], env: {} },
    );
    children.push(gate);
    let log = '';
    gate.stdout.setEncoding('utf8').on('data', (text: string) => (log += text));
    const { address, tls } = await vi.waitFor(
      () => {
        const line = log.split('\n').find((each) => each.includes('gate is listening'));
        return JSON.parse(line!) as { address: { port: number }; tls: string };
      },
      { timeout: 10_000 },
    );
    const ask = (text: string) =>
      vi.waitFor(async () => (await connectClient(address.port, tls)).ask(text), { timeout: 20_000, interval: 100 });
    expect(await ask('through systemd')).toBe('through systemd');
    const client = await connectClient(address.port, tls);
    client.send('exit');
    expect((await client.closed).code).toBe(1013);
    expect(await ask('the next keep')).toBe('the next keep');
  });
});
