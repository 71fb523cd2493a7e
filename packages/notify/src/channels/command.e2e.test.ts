import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { channelContract, type ChannelFault } from '@keepwatch/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Message } from '../channel.ts';
import { sampleMessage } from '../message.fixture.ts';
import { createCommand } from './command.ts';

/** A program that keeps each message as one line of a file, and fails as a file tells it. */
const PROGRAM = `
const { readFileSync, appendFileSync, existsSync } = require('node:fs');
const [, , taken, fault] = process.argv;
const message = readFileSync(0, 'utf8');
const how = existsSync(fault) ? readFileSync(fault, 'utf8') : '';
const take = () => appendFileSync(taken, message);
if (how === 'hung') setInterval(() => undefined, 1000);
else if (how === 'slow') setTimeout(take, 300);
else if (how !== '') process.exit(Number(how));
else take();
`;

const EXIT: Partial<Record<ChannelFault, string>> = { error: '70', busy: '75', hung: 'hung', slow: 'slow' };

function createWorld() {
  const dir = mkdtempSync(join(tmpdir(), 'keepwatch-command-'));
  const [script, taken, fault] = ['program.cjs', 'taken', 'fault'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(script, PROGRAM);
  const args = [script, taken, fault];
  return {
    ...{ dir, args },
    fail: (how: string | null) => (how === null ? rmSync(fault, { force: true }) : writeFileSync(fault, how)),
    taken: () =>
      existsSync(taken)
        ? readFileSync(taken, 'utf8')
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as Message)
        : [],
    stop: () => rmSync(dir, { recursive: true, force: true }),
  };
}

channelContract(
  'a program',
  async () => {
    const world = createWorld();
    return {
      channel: createCommand({
        name: 'command',
        program: process.execPath,
        args: world.args,
        env: { TOKEN: 'secret-env' },
      }),
      service: {
        fail: async (fault) => world.fail(fault === null ? null : EXIT[fault]!),
        stop: async () => world.stop(),
      },
      taken: () => world.taken().map(({ body }) => body),
      ...{ secrets: ['secret-env'], asksToWait: false },
    };
  },
  ['hung', 'error', 'busy', 'slow'],
);

describe('a program as a channel', () => {
  let world: ReturnType<typeof createWorld>;
  beforeEach(() => {
    world = createWorld();
  });
  afterEach(() => world.stop());
  const send = (program: string, args: readonly string[], signal = AbortSignal.timeout(60_000)) =>
    createCommand({ name: 'command', program, args }).send(sampleMessage(), signal);

  it.each([
    ['65', 'refused', 'not_taken'],
    ['77', 'broken', 'denied'],
    ['78', 'broken', 'denied'],
    ['1', 'later', 'program_failed'],
  ])('that ends with %s says %s', async (code, kind, expected) => {
    world.fail(code);
    expect(await send(process.execPath, world.args)).toMatchObject({ kind, code: expected });
  });

  it('is run by no shell: what looks like one is an argument', async () => {
    const marker = join(world.dir, 'marker');
    await send(process.execPath, ['-e', '', `; touch ${marker}`, `$(touch ${marker})`]);
    expect(existsSync(marker)).toBe(false);
  });

  it('sees nothing of the environment of the monitor', async () => {
    const seen = join(world.dir, 'seen');
    process.env['KEEPWATCH_TEST_SECRET'] = 'secret';
    const code = `require('node:fs').writeFileSync(${JSON.stringify(seen)}, JSON.stringify(process.env))`;
    expect(await send(process.execPath, ['-e', code])).toMatchObject({ kind: 'delivered' });
    delete process.env['KEEPWATCH_TEST_SECRET'];
    expect(readFileSync(seen, 'utf8')).not.toContain('secret');
  });

  it('is killed with all that it started when its time is over', async () => {
    const pidFile = join(world.dir, 'pid');
    const code = `const c = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)']);
      require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(c.pid)); setInterval(() => 0, 1000)`;
    const stop = new AbortController();
    const sending = send(process.execPath, ['-e', code], stop.signal);
    await expect.poll(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8'), { timeout: 60_000 }).toMatch(/\d+/);
    stop.abort();
    expect(await sending).toMatchObject({ kind: 'later', code: 'timeout' });
    const pid = readFileSync(pidFile, 'utf8');
    // Gone, or dead and waiting for its parent to look.
    const state = () =>
      existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2] : 'Z';
    if (existsSync('/proc')) await expect.poll(state, { timeout: 60_000 }).toBe('Z');
  });

  it('must be there, executable, and named by an absolute path', async () => {
    for (const program of ['/nowhere/at-all', 'node', join(world.dir, 'program.cjs')]) {
      expect(await send(program, [])).toMatchObject({ kind: 'broken', code: 'not_there' });
    }
  });
});
