import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CodedError } from '@keepwatch/base';
import { startChild, type Child } from '@keepwatch/devnet';
import { startAnvil, type Anvil } from './anvil.ts';
import type { Order, Report } from './client/messages.ts';
import { createMonitorStage, type MonitorStage } from './monitor-stage.ts';

/**
 * Everything that the story is played with: a directory that goes away afterwards, a chain, a vault daemon, the owner's
 * command line and the client's process. All of them are real processes; nothing here knows how they work inside.
 */
export interface Stage extends MonitorStage {
  readonly directory: string;
  readonly passwordFile: string;
  readonly dataDirectory: string;
  /** `--home` of the owner's commands. */
  readonly ownerHome: string;
  startChain(): Promise<Anvil>;
  startVault(): Promise<{ readonly connection: string; readonly awaitsOperator: boolean }>;
  startClient(connection: string, nodeUrl: string): Promise<(order: Order) => Promise<Report>>;
  readonly monitorDirectory: string;
  /** Runs `keepwatch --json` as the owner, of this vault and this monitor. Throws what the command reports. */
  owner(...args: readonly string[]): Promise<Readonly<Record<string, unknown>>>;
  /** Rejected when a process ends that should not. */
  readonly broken: Promise<never>;
  end(): Promise<void>;
}

const KEEPWATCH = fileURLToPath(new URL('../../bin/keepwatch.mjs', import.meta.url));
const CLIENT = fileURLToPath(new URL('./client/main.ts', import.meta.url));

export interface StageOptions {
  /** The small node, even where there is a bitcoind. */
  readonly devnetOnly: boolean;
}

/** Commands that reach a monitor. */
const OF_MONITOR: ReadonlySet<string> = new Set(['monitor', 'watch', 'channel', 'findings', 'rules']);

export async function setStage(
  environment: Readonly<Record<string, string | undefined>>,
  { devnetOnly }: StageOptions,
): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'keepwatch-story-'));
  const passwordFile = join(directory, 'password');
  await writeFile(passwordFile, `${randomBytes(15).toString('base64url')}\n`, { mode: 0o600 });
  const dataDirectory = join(directory, 'vault');
  const ownerHome = join(directory, 'owner');
  const monitorDirectory = join(directory, 'monitor');
  const stops: (() => Promise<void>)[] = [];
  let ending = false;
  const { promise: broken, reject: breakDown } = Promise.withResolvers<never>();
  // It may break while nobody looks.
  broken.catch(() => undefined);

  function watch(name: string, child: Child): Child {
    stops.push(child.stop);
    void child.ended.then((code) => {
      if (!ending)
        breakDown(new CodedError('story_broken', `${name} ended with code ${code}. ${child.lastErrors()}`.trim()));
    });
    return child;
  }

  const keepwatch = (args: readonly string[]) => startChild(process.execPath, [KEEPWATCH, ...args], environment);

  /** Commands under way: they may write into the directory. */
  const commands = new Set<Child>();
  async function owner(...args: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
    const place = OF_MONITOR.has(args[0]!) ? ['--data', monitorDirectory] : [];
    const child = keepwatch(['--json', '--home', ownerHome, ...args, ...place]);
    commands.add(child);
    void child.ended.then(() => commands.delete(child));
    const lines: string[] = [];
    for (let line = await child.nextLine(); line !== undefined; line = await child.nextLine()) lines.push(line);
    if ((await child.ended) === 0) return JSON.parse(lines.join('\n')) as Record<string, unknown>;
    throw reported(child.lastErrors(), args);
  }

  const monitorStage = createMonitorStage({
    ...{ directory, environment, keepwatch, owner, watch, devnetOnly },
    onEnd: (stop) => void stops.push(stop),
    breakDown(error) {
      if (!ending) breakDown(error);
    },
  });

  return {
    ...monitorStage,
    directory,
    monitorDirectory,
    passwordFile,
    dataDirectory,
    ownerHome,
    broken,

    async startChain() {
      const anvil = await startAnvil(environment);
      watch('anvil', anvil.process);
      return anvil;
    },

    async startVault() {
      const args = ['vault', 'run', '--json', '--data', dataDirectory, '--listen', '127.0.0.1:0'];
      const daemon = watch('the vault daemon', keepwatch(args));
      let connection: string | undefined;
      for (let line = await daemon.nextLine(); line !== undefined; line = await daemon.nextLine()) {
        const said = JSON.parse(line) as { event: string; connection: string };
        if (said.event === 'ready') connection = said.connection;
        if (said.event === 'bootstrap' && connection !== undefined) return { connection, awaitsOperator: true };
      }
      throw new CodedError('vault_failed', `The vault daemon did not start.\n${daemon.lastErrors()}`);
    },

    async startClient(connection, nodeUrl) {
      const home = join(directory, 'bot');
      await mkdir(home, { mode: 0o700 });
      const bot = watch('the client', startChild(process.execPath, [CLIENT, connection, home, nodeUrl], environment));
      return async (order) => {
        bot.send(JSON.stringify(order));
        const line = await bot.nextLine();
        if (line === undefined) throw new CodedError('client_failed', `The client ended.\n${bot.lastErrors()}`);
        return JSON.parse(line) as Report;
      };
    },

    owner,

    async end() {
      ending = true;
      for (const { stop } of commands) await stop();
      for (const stop of stops.toReversed()) await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function reported(text: string, args: readonly string[]): CodedError {
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string; remedy?: string } };
    return new CodedError(error.code, error.message, error.remedy === undefined ? {} : { remedy: error.remedy });
  } catch {
    return new CodedError('command_failed', `keepwatch ${args.join(' ')} failed.\n${text}`);
  }
}
