import { CHAIN_OPTIONS, EVM_OPTIONS } from '../chain/options.ts';
import { command } from '../command.ts';
import { LOCAL_OPTIONS, MONITOR_OPTIONS, ORDER_OPTIONS } from '../monitor/options.ts';

// What these commands need is read from disk only when one of them runs: all others start without it.

const { data: _, ...SOURCES } = CHAIN_OPTIONS;

const init = command({
  name: 'monitor init',
  summary: 'Make a monitor: its data directory, and what protects it',
  options: {
    ...LOCAL_OPTIONS,
    network: { value: 'NAME', words: 'main, test4, signet or regtest (default: main)' },
    key: { value: 'KIND', words: 'passphrase (default), credential or file' },
    credential: { value: 'NAME', words: 'of systemd’s credential that holds the key (default: keepwatch-monitor-key)' },
  },
  more: [
    'Everything that a monitor knows is encrypted: whose addresses these are is as much worth as what lies on them. With',
    '`passphrase` somebody types it at each start; with `credential` systemd hands the key over, from a file or a TPM;',
    'with `file` it lies beside the data, which protects from other users of the machine and from nothing else.',
  ].join('\n'),
  run: async (context, options) => (await import('../monitor/run.ts')).monitorInit(context, options),
});

const run = command({
  name: 'monitor run',
  summary: 'Watch the chain in the foreground until Ctrl-C, and tell what happens',
  options: {
    ...LOCAL_OPTIONS,
    ...SOURCES,
    ...EVM_OPTIONS,
    listen: { value: 'HOST:PORT', words: 'let operators and readers in over a network (default: nobody)' },
    http: { value: 'HOST:PORT', words: 'health and metrics; `off` for none (default: 127.0.0.1:7410)' },
  },
  more: [
    'It goes on behind the last block that it knew, whatever ended it. Logs go to stderr: JSON lines, or short lines on a',
    'terminal; they name no wallet and no address. Sources are named as for `keepwatch chain status`. With --listen the',
    'one-time token for the first operator is left in the data directory, where `monitor join` finds it by itself, and is',
    'shown by `monitor status` here. It is not printed.',
  ].join('\n'),
  run: async (context, options) => (await import('../monitor/run.ts')).monitorRun(context, options),
});

const status = command({
  name: 'monitor status',
  summary: 'Whether the monitor runs, what its sources say, and what it has left to do',
  options: MONITOR_OPTIONS,
  run: async (context, options) => (await import('../monitor/status.ts')).monitorStatus(context, options),
});

const unlock = command({
  name: 'monitor unlock',
  summary: 'Give a running monitor its pass phrase',
  options: LOCAL_OPTIONS,
  run: async (context, options) => (await import('../monitor/status.ts')).monitorUnlock(context, options),
});

const vaultAdd = command({
  name: 'monitor vault add',
  summary: 'Follow what a vault signs: a spend that it did not sign is an alarm',
  positionals: ['NAME', 'CONNECTION'],
  options: {
    as: { value: 'NAME', words: 'what the vault shall call this monitor (default: monitor)' },
    ...ORDER_OPTIONS,
  },
  more: [
    'The monitor makes a key of its own and asks the vault to become a client; an operator approves it and gives it the',
    'observer’s right for some wallets. It can sign nothing. Accounts that are watched and whose keys the vault has are',
    'compared by their addresses. NAME is how the monitor calls the vault.',
  ].join('\n'),
  run: async (context, options, [name, connection]) =>
    (await import('../monitor/vaults.ts')).vaultAdd(context, name!, connection!, options),
});

const vaultList = command({
  name: 'monitor vault list',
  summary: 'The vaults that are followed, how they stand, and up to where their journals are known',
  options: MONITOR_OPTIONS,
  run: async (context, options) => (await import('../monitor/vaults.ts')).vaultList(context, options),
});

const vaultSet = command({
  name: 'monitor vault set',
  summary: 'After how long it is told that what a vault signed is in no block',
  positionals: ['NAME'],
  options: {
    'unseen-after': { value: 'DURATION', words: 'for instance 6h, or “never” (at first: 1d)' },
    ...ORDER_OPTIONS,
  },
  run: async (context, options, [name]) => (await import('../monitor/vaults.ts')).vaultSet(context, name!, options),
});

const vaultRemove = command({
  name: 'monitor vault remove',
  summary: 'Follow a vault no longer',
  positionals: ['NAME'],
  options: ORDER_OPTIONS,
  run: async (context, options, [name]) => (await import('../monitor/vaults.ts')).vaultRemove(context, name!, options),
});

const READER = { words: 'with the right to read, and no other' } as const;
const NAME = { value: 'NAME', words: 'a name for it: a–z, 0–9 and dashes' } as const;

const join = command({
  name: 'monitor join',
  summary: 'Ask a monitor over a network to be let in; with its one-time token, become its first operator',
  positionals: ['CONNECTION?'],
  options: {
    name: NAME,
    reader: READER,
    data: { value: 'DIR', words: 'without CONNECTION: data directory of the monitor on this machine' },
  },
  more: [
    'Afterwards the commands of the watch reach that monitor from here, where this machine has none of its own. The key is',
    'in the profile: --profile tells several monitors apart.',
  ].join('\n'),
  run: async (context, options, [connection]) =>
    (await import('../monitor/remote.ts')).monitorJoin(context, connection, options),
});

const peers = command({
  name: 'monitor peers',
  summary: 'Who may reach the monitor over a network, and who has asked',
  options: MONITOR_OPTIONS,
  run: async (context, options) => (await import('../monitor/peers.ts')).monitorPeers(context, options),
});

const approve = command({
  name: 'monitor approve',
  summary: 'Let somebody in who has asked, as an operator or a reader',
  positionals: ['PEER'],
  options: { name: NAME, reader: READER, ...ORDER_OPTIONS },
  run: async (context, options, [peer]) =>
    (await import('../monitor/peers.ts')).monitorApprove(context, peer!, options),
});

const revoke = command({
  name: 'monitor revoke',
  summary: 'Let somebody in no more, and end the sessions',
  positionals: ['PEER'],
  options: MONITOR_OPTIONS,
  run: async (context, options, [peer]) => (await import('../monitor/peers.ts')).monitorRevoke(context, peer!, options),
});

const rename = command({
  name: 'monitor rename',
  summary: 'Call a peer by another name: it answers under it',
  positionals: ['PEER', 'NAME'],
  options: ORDER_OPTIONS,
  run: async (context, options, [peer, name]) =>
    (await import('../monitor/peers.ts')).monitorRename(context, peer!, name!, options),
});

const journal = command({
  name: 'monitor journal',
  summary: 'Who changed what: the last orders, with the check of each signature',
  options: {
    lines: { value: 'N', words: 'so many (default: 50, at most 1000)' },
    before: { value: 'SEQ', words: 'only those before this number' },
    ...MONITOR_OPTIONS,
  },
  more: [
    'Over the network every change is signed by the key of the peer that orders it, and the journal keeps the signature. It is',
    'checked here, by the key that the id of the peer stands for, and the monitor is not asked whether it holds. What is done',
    'on the monitor’s own machine has no signature. `keepwatch findings verify` checks that each might be ordered by whom it',
    'was, from the first entry on.',
  ].join('\n'),
  run: async (context, options) => (await import('../monitor/journal.ts')).monitorJournal(context, options),
});

export const MONITOR_COMMANDS = [
  ...[init, run, status, unlock, journal, join, peers, approve, rename, revoke],
  ...[vaultAdd, vaultList, vaultSet, vaultRemove],
];
