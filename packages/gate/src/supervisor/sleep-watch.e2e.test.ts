import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { joinBus, startBus, type BusPeer } from '../fixtures/fake-logind.ts';
import { startSupervisor } from '../fixtures/running.ts';
import { watchSleep, type SleepEvent, type SleepWatch } from './sleep-watch.ts';

// A real bus, real signals and the real listeners; only logind itself is played, because it cannot run beside the
// machine's own. The lock is a real process too, but not systemd-inhibit, which needs the real logind.
const has = (command: string) => spawnSync(command, ['--version']).error === undefined;
const busHere = process.platform === 'linux' && has('dbus-daemon');

let dir: string;
let bus: Awaited<ReturnType<typeof startBus>>;
let logind: BusPeer;
let watch: SleepWatch | undefined;

beforeEach(async () => {
  if (!busHere) return;
  dir = mkdtempSync(join(tmpdir(), 'sleep-'));
  bus = await startBus(dir);
  vi.stubEnv('DBUS_SYSTEM_BUS_ADDRESS', bus.address);
  logind = await joinBus(bus.path, true);
});
afterEach(() => {
  if (!busHere) return;
  watch?.stop();
  watch = undefined;
  vi.unstubAllEnvs();
  logind.leave();
  bus.child.kill();
  // The shell that holds the lock may write its last line a moment after it is let go.
  rmSync(dir, { recursive: true, maxRetries: 10, retryDelay: 20 });
});

const lockLog = () => (existsSync(join(dir, 'lock')) ? readFileSync(join(dir, 'lock'), 'utf8') : '');
const inhibitCommand = () => ['/bin/sh', '-c', `echo held >>${dir}/lock; cat; echo released >>${dir}/lock`];
const soon = <T>(check: () => T) => vi.waitFor(check, { timeout: 10_000, interval: 10 });

function start(seal: () => Promise<boolean>): SleepEvent[] {
  const events: SleepEvent[] = [];
  watch = watchSleep({ seal, onEvent: (event) => void events.push(event) }, { inhibitCommand: inhibitCommand() });
  return events;
}

/** Leaves only this listener to be found. */
function only(listener: string): void {
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  for (const name of [listener, 'sh', 'cat']) {
    const found = process.env['PATH']!.split(delimiter).find((each) => existsSync(join(each, name)))!;
    symlinkSync(join(found, name), join(bin, name));
  }
  vi.stubEnv('PATH', bin);
}

describe.skipIf(!busHere)('sleep', () => {
  it.each(['gdbus', 'dbus-monitor'].filter(has))(
    'seals before it, and only then lets it go on (%s)',
    async (listener) => {
      only(listener);
      let sealed: (done: boolean) => void = () => undefined;
      const seal = vi.fn(() => new Promise<boolean>((resolve) => (sealed = resolve)));
      const events = start(seal);
      await soon(() => expect(events).toEqual([{ type: 'sleep_watch', state: 'watching', delayed: true }]));
      await soon(() => expect(lockLog()).toBe('held\n'));

      logind.prepareForSleep(true);
      await soon(() => expect(seal).toHaveBeenCalledTimes(1));
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(lockLog()).toBe('held\n');
      sealed(true);
      await soon(() => expect(lockLog()).toBe('held\nreleased\n'));
      expect(events.at(-1)).toEqual({ type: 'sleep_watch', state: 'sleeping', sealed: true });

      logind.prepareForSleep(false);
      await soon(() => expect(lockLog()).toBe('held\nreleased\nheld\n'));
      logind.prepareForSleep(true);
      await soon(() => expect(seal).toHaveBeenCalledTimes(2));
      sealed(false);
      await soon(() => expect(events.at(-1)).toEqual({ type: 'sleep_watch', state: 'sleeping', sealed: false }));
      await soon(() => expect(lockLog()).toBe('held\nreleased\nheld\nreleased\n'));
    },
  );

  it.each(['gdbus', 'dbus-monitor'].filter(has))('is not announced by anyone but logind (%s)', async (listener) => {
    only(listener);
    const seal = vi.fn(async () => true);
    const events = start(seal);
    await soon(() => expect(events.length).toBe(1));
    const stranger = await joinBus(bus.path, false);
    stranger.prepareForSleep(true);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(seal).not.toHaveBeenCalled();
    // Control: the same signal from logind is heard.
    logind.prepareForSleep(true);
    await soon(() => expect(seal).toHaveBeenCalledTimes(1));
    await soon(() => expect(lockLog()).toBe('held\nreleased\n'));
    stranger.leave();
  });

  it.skipIf(!has('gdbus'))('says when logind is not there, and notices when it comes', async () => {
    logind.leave();
    const events = start(async () => true);
    await soon(() =>
      expect(events).toEqual([{ type: 'sleep_watch', state: 'unavailable', why: 'no logind on the system bus' }]),
    );
    logind = await joinBus(bus.path, true);
    await soon(() => expect(events.at(-1)).toMatchObject({ state: 'watching' }));
  });

  it('says when nothing can listen', () => {
    vi.stubEnv('PATH', join(dir, 'nothing'));
    expect(start(async () => true)).toEqual([
      { type: 'sleep_watch', state: 'unavailable', why: 'neither gdbus nor dbus-monitor is installed' },
    ]);
  });

  it('reaches keep through the supervisor', async () => {
    const running = startSupervisor({ dataDir: join(dir, 'vault'), sleep: { inhibitCommand: inhibitCommand() } });
    await running.keepMessage('ready');
    await running.event('sleep_watch');
    logind.prepareForSleep(true);
    expect(await running.keepMessage('sealed')).toMatchObject({ reason: 'sleep' });
    expect(await running.event('sleep_watch', 2)).toMatchObject({ state: 'sleeping', sealed: true });
    await soon(() => expect(lockLog()).toBe('held\nreleased\n'));
    await running.stop();
  });
});
