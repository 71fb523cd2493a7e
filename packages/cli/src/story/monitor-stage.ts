import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '@keepwatch/base';
import {
  findBitcoind,
  startBitcoindRegtest,
  startDevnetProcess,
  startReceivers,
  type Child,
  type Receivers,
  type Regtest,
} from '@keepwatch/devnet';
import type { FindingJson } from '../monitor/finding-json.ts';

/** What the second part of the story is played with: a bitcoin chain, a monitor, and what its owner is told by. */
export interface MonitorStage {
  /** A real bitcoind where one is found or can be fetched, else the small node; `tell` says what takes its time, and why. */
  startBitcoin(tell: (words: string) => void): Promise<Regtest>;
  /** Makes a monitor and starts it; waits until it has the chain. */
  startMonitor(bitcoin: Regtest, evm: string): Promise<void>;
  startReceivers(): Promise<Receivers>;
  addChannels(receivers: Receivers): Promise<void>;
  /** What is found from now on, by `keepwatch findings tail`. */
  followFindings(): Promise<Follower>;
}

export interface FindingRow {
  readonly seq: number;
  readonly finding: FindingJson;
}

export interface Follower {
  /** The next one of which this holds; what comes before it is passed over. Each is given once. */
  next(holds: (finding: FindingJson) => boolean): Promise<FindingRow>;
}

export interface MonitorStageDeps {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly keepwatch: (args: readonly string[]) => Child;
  /** `keepwatch --json`, to its end. */
  readonly owner: (...args: readonly string[]) => Promise<Readonly<Record<string, unknown>>>;
  /** Stops it in the end, and breaks the story where it ends before. */
  readonly watch: (name: string, child: Child) => Child;
  readonly onEnd: (stop: () => Promise<void>) => void;
  readonly breakDown: (error: Error) => void;
  /** Plays with the small node, whatever there is. */
  readonly devnetOnly: boolean;
}

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;
const ACCOUNT = { user: 'monitor', password: randomBytes(18).toString('base64url') };
const READY_MS = 120_000;

export function createMonitorStage(deps: MonitorStageDeps): MonitorStage {
  const { directory, environment, owner, watch } = deps;
  const file = (name: string) => join(directory, name);
  const write = (name: string, text: string) => writeFile(file(name), `${text}\n`, { mode: 0o600 });

  async function node(tell: (words: string) => void): Promise<Regtest> {
    const onEnd = (words: string) =>
      deps.breakDown(new CodedError('story_broken', `The bitcoin node ended. ${words}`.trim()));
    if (!deps.devnetOnly) {
      const found = await findBitcoind(tell);
      if ('bitcoind' in found) return startBitcoindRegtest(found.bitcoind, onEnd);
      tell(`There is ${found.missing}.`);
    }
    return startDevnetProcess(environment, onEnd);
  }

  return {
    async startBitcoin(tell) {
      const bitcoin = await node(tell);
      deps.onEnd(bitcoin.stop);
      return bitcoin;
    },

    async startMonitor({ p2p }, evm) {
      await write('pass-phrase', randomBytes(18).toString('base64url'));
      const key = ['--key', 'passphrase', '--passphrase-file', file('pass-phrase')];
      await owner('monitor', 'init', '--network', 'regtest', ...key);
      const args = ['--json', 'monitor', 'run', '--data', file('monitor'), '--http', '127.0.0.1:0'];
      // The light client alone, so that it is the same story beside either node.
      const sources = ['--network', 'regtest', '--peer', p2p, '--evm', `31337=${evm}`];
      const unlock = ['--passphrase-file', file('pass-phrase')];
      const monitor = watch('the monitor', deps.keepwatch([...args, ...sources, ...unlock]));
      const line = await monitor.nextLine();
      if (line === undefined || (JSON.parse(line) as { event: string }).event !== 'running') {
        throw new CodedError('monitor_failed', `The monitor did not start.\n${monitor.lastErrors()}`);
      }
      const deadline = Date.now() + READY_MS;
      for (;;) {
        const status = (await owner('monitor', 'status')) as { able: boolean; tip: { height: number } | null };
        if (status.able && status.tip !== null) return;
        if (Date.now() > deadline) throw new CodedError('monitor_failed', 'The monitor does not reach the chain.');
        await sleep(200);
      }
    },

    async startReceivers() {
      const receivers = await startReceivers({ secret: SECRET, account: ACCOUNT }, environment);
      watch('the receivers', receivers.process);
      return receivers;
    },

    async addChannels({ webhook, smtp, ca }) {
      await Promise.all([write('ca.pem', ca), write('secret', SECRET), write('mail-password', ACCOUNT.password)]);
      const all = ['--from', 'info', '--ca', file('ca.pem')];
      await owner('channel', 'add', 'phone', '--webhook', webhook, '--secret-file', file('secret'), ...all);
      const account = ['--user', ACCOUNT.user, '--password-file', file('mail-password')];
      await owner('channel', 'add', 'mail', '--email', 'owner@keepwatch.test', '--smtp', smtp, ...account, ...all);
    },

    async followFindings() {
      const { findings } = (await owner('findings', 'list', '--limit', '1')) as { findings: FindingRow[] };
      const after = String(findings.at(-1)?.seq ?? 0);
      const args = ['--json', 'findings', 'tail', '--after', after, '--data', file('monitor')];
      const tail = watch('the owner’s `keepwatch findings tail`', deps.keepwatch(args));
      return {
        async next(holds) {
          for (let line = await tail.nextLine(); line !== undefined; line = await tail.nextLine()) {
            const row = JSON.parse(line) as FindingRow;
            if (holds(row.finding)) return row;
          }
          throw new CodedError('monitor_failed', `The findings ended.\n${tail.lastErrors()}`);
        },
      };
    },
  };
}
