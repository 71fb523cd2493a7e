import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createBackOff } from './back-off.ts';
import { readLines } from './line-channel.ts';

/**
 * Seals the vault before the machine sleeps: what is in memory would otherwise lie in RAM, or in a hibernation image on
 * the disk, for as long as it does. logind announces sleep by the signal PrepareForSleep and waits (at most its
 * InhibitDelayMaxSec, 5 s by default) for whoever holds a delay lock (systemd.io/INHIBITOR_LOCKS).
 */
export interface SleepWatchOptions {
  /** Holds the delay lock until its stdin ends. Default: systemd-inhibit around `cat`. */
  readonly inhibitCommand?: readonly string[];
}

export type SleepEvent =
  /** `delayed`: whether sleep waits for us; without it sealing races with it. */
  | { readonly type: 'sleep_watch'; readonly state: 'watching'; readonly delayed: boolean }
  /** No logind, or none of the tools that listen to it: the vault does not notice sleep. */
  | { readonly type: 'sleep_watch'; readonly state: 'unavailable'; readonly why: string }
  | { readonly type: 'sleep_watch'; readonly state: 'sleeping'; readonly sealed: boolean }
  | { readonly type: 'sleep_watch'; readonly state: 'resumed' };

export interface SleepWatch {
  stop(): void;
}

const LOGIND = 'org.freedesktop.login1';
const INHIBIT = [
  ...['systemd-inhibit', '--what=sleep', '--mode=delay', '--who=Keepwatch'],
  ...['--why=The vault seals itself before sleep', 'cat'],
];
/** A lock that is refused is refused at once; one that is held stays. */
const INHIBIT_SETTLE_MS = 300;

/** A tool that prints logind's signals. Both are told to take them from logind's owner alone: anyone can send one. */
const LISTENERS: readonly { command: readonly string[]; reader: () => SignalReader }[] = [
  {
    command: ['gdbus', 'monitor', '--system', '--dest', LOGIND, '--object-path', '/org/freedesktop/login1'],
    reader: readGdbus,
  },
  {
    command: [
      'dbus-monitor',
      '--system',
      `type='signal',sender='${LOGIND}',interface='${LOGIND}.Manager',member='PrepareForSleep'`,
    ],
    reader: readDbusMonitor,
  },
];

/** What a line of a listener's output says. */
export type SignalReader = (line: string) => 'sleep' | 'resume' | 'watching' | 'no_logind' | undefined;

export function watchSleep(
  deps: { readonly seal: () => Promise<boolean>; readonly onEvent: (event: SleepEvent) => void },
  options: SleepWatchOptions = {},
): SleepWatch {
  const inhibitCommand = options.inhibitCommand ?? INHIBIT;
  const backOff = createBackOff({ firstMs: 1_000, mostMs: 60_000, steadyMs: 60_000 }, () => performance.now());
  let listener: ChildProcess | undefined;
  let lock: ChildProcess | undefined;
  let stopped = false;
  let sleeping = false;
  let timer: NodeJS.Timeout | undefined;
  let told: string | undefined;

  function unavailable(why: string): void {
    // Once per reason: the listener is started again and again.
    if (told !== why) deps.onEvent({ type: 'sleep_watch', state: 'unavailable', why });
    told = why;
  }

  async function watching(): Promise<void> {
    told = undefined;
    const delayed = await takeLock();
    if (!stopped) deps.onEvent({ type: 'sleep_watch', state: 'watching', delayed });
  }

  /** Resolves to whether the lock is held. */
  async function takeLock(): Promise<boolean> {
    releaseLock();
    if (stopped || !inPath(inhibitCommand[0]!)) return false;
    const child = spawn(inhibitCommand[0]!, inhibitCommand.slice(1), { stdio: ['pipe', 'ignore', 'ignore'] });
    lock = child;
    child.stdin?.on('error', () => undefined);
    return new Promise((resolve) => {
      const settled = setTimeout(() => resolve(true), INHIBIT_SETTLE_MS);
      const failed = () => {
        if (lock === child) lock = undefined;
        clearTimeout(settled);
        resolve(false);
      };
      child.once('exit', failed);
      child.once('error', failed);
    });
  }

  function releaseLock(): void {
    lock?.stdin?.end();
    lock = undefined;
  }

  async function sleep(): Promise<void> {
    if (sleeping) return;
    sleeping = true;
    const sealed = await deps.seal();
    deps.onEvent({ type: 'sleep_watch', state: 'sleeping', sealed });
    releaseLock();
  }

  async function resume(): Promise<void> {
    if (!sleeping) return;
    sleeping = false;
    deps.onEvent({ type: 'sleep_watch', state: 'resumed' });
    await takeLock();
  }

  function listen(): void {
    if (stopped) return;
    const tool = LISTENERS.find(({ command }) => inPath(command[0]!));
    if (!tool) return unavailable('neither gdbus nor dbus-monitor is installed');
    const read = tool.reader();
    // A listener has no stdin to notice our end by: the kernel ends it with us where setpriv is there to ask for that.
    const bound = inPath('setpriv') ? ['setpriv', '--pdeathsig', 'TERM', ...tool.command] : tool.command;
    const child = spawn(bound[0]!, bound.slice(1), { stdio: ['ignore', 'pipe', 'ignore'] });
    listener = child;
    backOff.started();
    readLines(child.stdout, (line) => {
      const said = read(line);
      if (said === 'sleep') void sleep();
      else if (said === 'resume') void resume();
      else if (said === 'watching') void watching();
      else if (said === 'no_logind') {
        releaseLock();
        unavailable('no logind on the system bus');
      }
    });
    child.once('error', () => undefined);
    child.once('close', () => {
      if (stopped) return;
      releaseLock();
      unavailable(`${tool.command[0]} ended: no system bus?`);
      timer = setTimeout(listen, backOff.nextMs());
      timer.unref();
    });
  }

  listen();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
      listener?.kill();
      releaseLock();
    },
  };
}

/** `/org/freedesktop/login1: org.freedesktop.login1.Manager.PrepareForSleep (true,)` */
export function readGdbus(): SignalReader {
  return (line) => {
    const signal = /^\/org\/freedesktop\/login1: org\.freedesktop\.login1\.Manager\.PrepareForSleep \((true|false),\)$/;
    const match = signal.exec(line);
    if (match) return match[1] === 'true' ? 'sleep' : 'resume';
    if (/^The name org\.freedesktop\.login1 is owned by /.test(line)) return 'watching';
    if (/^The name org\.freedesktop\.login1 does not have an owner$/.test(line)) return 'no_logind';
    return undefined;
  };
}

/** `signal time=… member=PrepareForSleep` and, in the line after it, `   boolean true`. */
export function readDbusMonitor(): SignalReader {
  let announced = false;
  return (line) => {
    if (line.startsWith('signal ')) {
      announced = line.endsWith('interface=org.freedesktop.login1.Manager; member=PrepareForSleep');
      // The first signal that it prints is the bus greeting itself: from then on it listens.
      return line.endsWith('member=NameAcquired') ? 'watching' : undefined;
    }
    const match = announced && /^ {3}boolean (true|false)$/.exec(line);
    if (!match) return undefined;
    announced = false;
    return match[1] === 'true' ? 'sleep' : 'resume';
  };
}

function inPath(command: string): boolean {
  const dirs = command.includes('/') ? [''] : (process.env['PATH'] ?? '').split(delimiter);
  return dirs.some((dir) => {
    try {
      accessSync(dir === '' ? command : join(dir, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
