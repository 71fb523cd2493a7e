import type { z } from 'zod';
import * as shapes from './shapes.ts';

/**
 * Every method of a monitor: who may call it over a network, and what it does. The page docs/monitor-api.md is written from
 * this table, rights are judged by it, and a method that is not in it is not there for anybody.
 */
export interface MethodSpec {
  readonly summary: string;
  readonly params: z.ZodType;
  /** Who may call it, and everybody before it in this order: `candidate` has only asked, `owner` is on the machine itself. */
  readonly callers: 'owner' | 'operator' | 'reader' | 'candidate';
  /**
   * `asks` changes nothing. All else is an order: signed by the peer, and journaled with the signature.
   * `changes` is compared with the version that the peer saw; `tightens` can only take away and is not compared, so that it
   * is instant; `answers` changes nothing that an owner set.
   */
  readonly effect: 'asks' | 'changes' | 'tightens' | 'answers';
  /** Whether the parameters of an order hold what is shown to nobody again. */
  readonly secret?: (params: unknown) => boolean;
}

type Callers = MethodSpec['callers'];
const asks = (callers: Callers, params: z.ZodType, summary: string): MethodSpec => {
  return { callers, params, summary, effect: 'asks' };
};
const changes = (params: z.ZodType, summary: string): MethodSpec => {
  return { callers: 'operator', params, summary, effect: 'changes' };
};
const withToken = (params: unknown): boolean => JSON.stringify(params).includes('token=');

export const MONITOR_METHODS: Readonly<Record<string, MethodSpec>> = {
  status: asks('reader', shapes.none, 'Phase, version, tip, sources, and what waits.'),
  settings: asks(
    'reader',
    shapes.none,
    'What holds for all wallets, such as the depths that are told; and the version.',
  ),
  connection: asks('owner', shapes.none, 'How it is reached, with the one-time token while there is no operator.'),
  unlock: { ...asks('owner', shapes.unlock, 'The pass phrase of a monitor that is locked.'), effect: 'answers' },
  command: asks('reader', shapes.commandSigned, 'Carries out an order that the peer signed.'),

  'findings.list': asks('reader', shapes.findingsList, 'The last findings, by a filter.'),
  'findings.show': asks('reader', shapes.findingNamed, 'One finding, who was told of it, and what became of that.'),
  'findings.follow': asks('reader', shapes.findingsFollow, 'A subscription from behind the finding `after` on.'),
  'findings.verify': asks(
    'reader',
    shapes.none,
    'The whole journal checked and folded anew, with the signature of every order.',
  ),
  'findings.acknowledge': {
    ...asks('reader', shapes.acknowledgement, 'Answers what must not go unanswered.'),
    effect: 'answers',
  },
  'journal.orders': asks('operator', shapes.ordersList, 'Who ordered what: the last orders, with their signatures.'),

  'chain.transaction': asks(
    'operator',
    shapes.transactionNamed,
    'The bytes of a transaction, without witnesses, from the sources; servers learn that they were asked.',
  ),

  'wallet.list': asks('reader', shapes.none, 'Wallets with their balances.'),
  'wallet.show': asks('reader', shapes.walletId, 'One wallet with its coins, descriptors and labels.'),
  'wallet.put': changes(shapes.walletPut, 'Watches a wallet; with `id`, in place of the one that is watched.'),
  'wallet.set': changes(shapes.walletSet, 'Changes the name, owner, tags or limits of a wallet.'),
  'wallet.rescan': changes(
    shapes.walletRescan,
    'Looks through a wallet’s past again, with another gap limit where one is given.',
  ),
  'wallet.labels': changes(shapes.walletLabels, 'Adds labels to a wallet: `output:TXID:VOUT` and so on, by BIP329.'),
  'wallet.remove': changes(shapes.walletId, 'Watches a wallet no longer.'),
  'evm.list': asks('reader', shapes.none, 'Accounts of EVM chains.'),
  'evm.show': asks('reader', shapes.walletId, 'One account.'),
  'evm.past': asks(
    'reader',
    shapes.evmPast,
    'What happened to an account before it was watched: the newest of it, in order.',
  ),
  'evm.token': asks('operator', shapes.evmToken, 'What a token is called: as it was given, or as its contract says.'),
  'evm.put': changes(shapes.evmPut, 'Watches an account.'),
  'evm.set': changes(shapes.evmSet, 'Changes the name, owner, tags or limits of an account.'),
  'evm.remove': changes(shapes.walletId, 'Watches an account no longer.'),
  'vault.list': asks('operator', shapes.none, 'Vaults whose receipts are followed.'),
  'vault.add': {
    ...changes(shapes.vaultAdd, 'Makes a key for a vault and asks it to become its client.'),
    secret: withToken,
  },
  'vault.set': changes(shapes.vaultSet, 'Says after how long a signed transaction that is in no block is told.'),
  'vault.remove': changes(shapes.vaultNamed, 'Follows a vault no longer.'),

  'channel.list': asks('reader', shapes.none, 'Channels without their secrets.'),
  'channel.put': {
    ...changes(
      shapes.channelPut,
      'Adds a channel, or replaces one. One that starts a program is added on the machine itself, only.',
    ),
    secret: () => true,
  },
  'channel.remove': changes(shapes.channelNamed, 'Tells nothing more by a channel.'),
  'channel.test': asks('operator', shapes.channelNamed, 'Sends one message at once, and says what the service said.'),
  'channel.verify': asks('operator', shapes.channelVerify, 'Whether a text was written by this monitor.'),
  'rules.show': asks('reader', shapes.none, 'The rules as they were written.'),
  'rules.apply': changes(shapes.rulesGiven, 'Which findings are told to whom, and when.'),
  'rules.clear': changes(shapes.none, 'No rules: each channel is told what is severe enough for it.'),
  'rules.dryRun': asks('operator', shapes.rulesDryRun, 'What rules would have made of past findings.'),
  'ladder.show': asks('reader', shapes.none, 'The ladder as it was written.'),
  'ladder.apply': changes(shapes.ladderGiven, 'Who is told next where nobody answers.'),
  'ladder.clear': changes(shapes.none, 'No answer is asked for any more.'),
  'schedule.show': asks('operator', shapes.none, 'The schedule as it was written.'),
  'schedule.apply': changes(shapes.scheduleGiven, 'When the monitor says that it lives, and tests channels.'),
  'schedule.clear': changes(shapes.none, 'No heartbeat.'),

  'peer.self': asks('candidate', shapes.peerSelf, 'Who the caller is; a candidate gives its name.'),
  'peer.list': asks('operator', shapes.none, 'Who may reach the monitor, and who has asked.'),
  'peer.approve': changes(shapes.peerApproval, 'Lets somebody in who has asked, or changes a right.'),
  'peer.rename': changes(shapes.peerRename, 'Calls a peer by another name.'),
  'peer.revoke': {
    ...changes(shapes.peerNamed, 'Lets somebody in no more, and ends the sessions.'),
    effect: 'tightens',
  },
};

export const specOf = (method: string): MethodSpec | undefined =>
  Object.hasOwn(MONITOR_METHODS, method) ? MONITOR_METHODS[method] : undefined;

/** Whether calling it is an order, which a peer has to sign. */
export const isOrder = (method: string): boolean => (specOf(method)?.effect ?? 'asks') !== 'asks';
