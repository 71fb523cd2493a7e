import { CodedError, formatBitcoin } from '@keepwatch/base';
import type { Receivers, Regtest } from '@keepwatch/devnet';
import { findingWords } from '../monitor/finding-words.ts';
import { showCount } from '../values.ts';
import { alarmScenes } from './alarm-scenes.ts';
import type { VaultEnding } from './vault-scenes.ts';
import type { Follower, FindingRow } from './monitor-stage.ts';
import type { Step } from './play.ts';
import type { Screen } from './screen.ts';
import type { Stage } from './stage.ts';

/** A bitcoin wallet is watched: a coin comes, is spent, and the chain changes its mind. All of it is told in two ways. */

export interface WatchEnding {
  readonly bitcoin: Regtest;
}

const BITCOIN = 100_000_000n;
const ARRIVES = (3n * BITCOIN) / 2n;
const LEAVES = (4n * BITCOIN) / 10n;
/** About this transaction; at this depth, where it is named. */
const of = (txid: string, depth?: number) => (detail: FindingRow['finding']['detail']) =>
  'txid' in detail && detail.txid === txid && ('depth' in detail ? detail.depth : undefined) === depth;
const btc = (sats: bigint) => `${formatBitcoin(sats)} BTC`;

export async function watchScenes(
  stage: Stage,
  screen: Screen,
  step: Step,
  { anvil, connection }: VaultEnding,
): Promise<WatchEnding> {
  step('A bitcoin chain, and a monitor beside it');
  const bitcoin = await stage.startBitcoin((words) => screen.say('chain', words));
  screen.say('chain', `${bitcoin.words}, on regtest, at ${bitcoin.p2p}`);
  await stage.startMonitor(bitcoin, anvil.url);
  screen.verdict('monitor', true, `is made; what it knows is encrypted under a pass phrase`);
  screen.say('monitor', 'follows the chain by its own light client (BIP157): it believes only what carries its proof');

  step('The owner names a wallet, and two ways to be told');
  await stage.owner('watch', 'add', 'savings', ...bitcoin.descriptors.flatMap((each) => ['--descriptor', each]));
  screen.say('owner', `has “savings” watched, by its public descriptor: ${shortened(bitcoin.descriptors[0]!)}`);
  const receivers = await stage.startReceivers();
  await stage.addChannels(receivers);
  const teller = createNews(screen, receivers, await stage.followFindings());
  await teller.heardTest();

  step('A coin arrives');
  const coin = await bitcoin.receive(ARRIVES);
  screen.say('Carol', `pays ${btc(ARRIVES)} to it: ${coin}`);
  await teller.told('sighted', of(coin));
  screen.say('miner', `mines block ${(await bitcoin.mine(1)).height}`);
  await teller.told('received', of(coin));

  step('It is spent, and no block has it yet');
  const first = await bitcoin.spend(LEAVES, 3n);
  screen.say('owner', `pays ${btc(LEAVES)} by another program, at 3 sat/vB: ${first}`);
  await teller.told('sighted', of(first));

  step('The spend is replaced by another one');
  const second = await bitcoin.replace(first, 25n);
  screen.say('owner', `pays the same at 25 sat/vB: ${second}`);
  await teller.told('replaced', of(first));
  await teller.told('sighted', of(second));

  step('A block takes it in');
  screen.say('miner', `mines block ${(await bitcoin.mine(1)).height}`);
  await teller.told('spent', of(second));

  step('The chain is reorganised: another block takes the place of that one');
  const { height } = await bitcoin.reorg(1);
  screen.say('miner', `mines two blocks beside the last one; the chain is at ${height} now`);
  await teller.told('disconnected', of(second));
  await teller.told('spent', of(second));

  await teller.told('confirmed', of(coin, 3));

  step('More blocks bury the coin');
  screen.say('miner', `mines block ${(await bitcoin.mine(1)).height}`);
  await teller.told('confirmed', of(second, 3));
  screen.say('miner', `mines up to block ${(await bitcoin.mine(2)).height}`);
  await teller.told('confirmed', of(coin, 6));

  await alarmScenes({ stage, screen, step, news: teller, anvil, connection });

  step('The owner has the monitor’s journal verified');
  const report = await stage.owner('findings', 'verify');
  if (report['sameState'] !== true) throw new CodedError('story_differs', 'the monitor’s state is not what follows');
  const words = `${showCount(Number(report['entries']), 'entry', 'entries')}, each hash and link holds, and its state is what follows`;
  screen.verdict('monitor', true, words);
  teller.demandOnce();
  screen.verdict('told', true, `${showCount(teller.count(), 'finding')} by webhook and by mail, each of them once`);
  return { bitcoin };
}

/** Its origin and the beginning of its key. */
const shortened = (descriptor: string) => descriptor.replace(/(\[[^\]]*\]\w{8})\w+/, '$1…');

/** Waits for findings and for both receivers, and tells of them. */
export interface News {
  heardTest(): Promise<void>;
  told(kind: string, holds: (detail: FindingRow['finding']['detail']) => boolean): Promise<void>;
  count(): number;
  /** No finding came twice to the webhook. */
  demandOnce(): void;
}

function createNews(screen: Screen, receivers: Receivers, follower: Follower): News {
  const { taken } = receivers;
  let findings = 0;

  async function until(what: string, holds: () => boolean): Promise<void> {
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    while (!holds()) {
      const late = new Promise<void>((resolve) => deadline.addEventListener('abort', () => resolve(), { once: true }));
      await Promise.race([receivers.more(), late]);
      if (deadline.aborted) throw new CodedError('story_differs', `${what} did not come`);
    }
  }

  return {
    async heardTest() {
      await until(
        'the test message',
        () => taken.some(({ by }) => by === 'webhook') && taken.some(({ by }) => by === 'mail'),
      );
      screen.verdict('owner', true, 'adds a webhook and a mailbox; a test message came to both');
    },
    async told(kind, holds) {
      const row = await follower.next(({ detail }) => detail.kind === kind && holds(detail));
      screen.say('monitor', `${findingWords(row.finding)}`);
      await until(`the webhook about “${kind}”`, () => taken.some(({ finding }) => finding === row.finding.id));
      const { subject } = taken.find(({ finding }) => finding === row.finding.id)!;
      const times = (by: string) => taken.filter((each) => each.by === by && each.subject === subject).length;
      await until(`the mail about “${kind}”`, () => times('mail') >= times('webhook'));
      findings++;
      screen.verdict('told', true, `webhook and mail: “${subject}”`);
    },
    count: () => findings,
    demandOnce() {
      const ids = taken.flatMap(({ finding }) => (finding === null ? [] : [finding]));
      if (new Set(ids).size < ids.length) throw new CodedError('story_differs', 'a finding was told twice');
    },
  };
}

const PATIENCE_MS = 120_000;
