import { CHAIN_OPTIONS } from '../chain/options.ts';
import { command } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { parseCount, parseDuration } from '../values.ts';

// What these commands need is read from disk only when one of them runs: all others start without it.

const WITHIN = 15;
const PATIENCE = 60;
const GAP_LIMIT = 20;
/** Beyond it a scan would look for more than any wallet hands out, and each script costs the light client downloads. */
const MAX_GAP_LIMIT = 10_000;

const within = (text: string | undefined, fallbackSeconds: number) =>
  (text === undefined ? fallbackSeconds : parseDuration(text, '--within')) * 1_000;

const WITHOUT =
  'Without an option that names a source, and without a configuration file, the light client is used: it speaks with\n' +
  'nodes of the bitcoin network itself and tells nobody what is looked for. docs/sources.md says what each source can\n' +
  'prove, what it learns of you, and how several are used side by side.';

const status = command({
  name: 'chain status',
  summary: 'What each source of the chain says: its tip, its health, how far it is behind',
  options: {
    ...CHAIN_OPTIONS,
    within: { value: 'TIME', words: `how long a source may take to answer (default: ${WITHIN}s)` },
  },
  more: WITHOUT,
  run: async (context, options) =>
    (await import('../chain/status.ts')).chainStatus(context, options, within(options.within, WITHIN)),
});

const sync = command({
  name: 'chain sync',
  summary: 'Bring headers and filter headers to the tip; goes on after whatever ended it',
  options: {
    ...CHAIN_OPTIONS,
    within: {
      value: 'TIME',
      words: `light client: longest silence; other sources: longest wait in all (default: ${PATIENCE}s)`,
    },
  },
  more: `${WITHOUT}\n\nA light client keeps some 110 MB of headers of the main chain. Servers send them slowly: give an Esplora server hours\n(--within 5h) the first time, or go on later, for what has come is kept.`,
  run: async (context, options) =>
    (await import('../chain/sync.ts')).chainSync(context, options, within(options.within, PATIENCE)),
});

const scan = command({
  name: 'chain scan',
  summary: 'Find the coins of a wallet in past blocks; goes on after whatever ended it',
  options: {
    descriptor: { value: 'D', many: true, words: 'public output descriptor of the wallet (BIP380 to BIP389)' },
    'descriptor-file': { value: 'FILE', words: 'descriptors, one in each line' },
    from: { value: 'HEIGHT|DATE', words: 'the first block or day that may hold a payment' },
    'gap-limit': { value: 'N', words: `unused addresses in a row that were handed out (default: ${GAP_LIMIT})` },
    spent: { words: 'show spent coins too (JSON always has them)' },
    anew: { words: 'begin at --from, whatever was looked at before' },
    ...CHAIN_OPTIONS,
    within: { value: 'TIME', words: `give up when nothing is heard for so long (default: ${PATIENCE}s)` },
  },
  more: [
    "keepwatch chain scan --descriptor 'wpkh([d34db33f/84h/0h/0h]xpub…/<0;1>/*)' --from 2023-06-01",
    "keepwatch chain scan --descriptor 'addr(bc1…)' --from 820000 --bitcoind http://127.0.0.1:8332",
    '',
    'The same command again goes on where it ended, and finds what has come since. A wallet that handed out more unused',
    'addresses in a row than the gap limit needs a higher one. With several sources their findings are compared.',
    '',
    WITHOUT,
  ].join('\n'),
  run: async (context, options) => {
    const gapLimit = parseCount(options['gap-limit'] ?? String(GAP_LIMIT), '--gap-limit', MAX_GAP_LIMIT);
    if (gapLimit === 0) throw usageError('number', '--gap-limit: at least one address has to be looked for.');
    const { chainScan } = await import('../chain/scan.ts');
    return chainScan(context, options, {
      ...{ descriptors: options.descriptor, descriptorFile: options['descriptor-file'], from: options.from, gapLimit },
      ...{ anew: options.anew, spent: options.spent, patienceMs: within(options.within, PATIENCE) },
    });
  },
});

const peers = command({
  name: 'chain peers',
  summary: 'The nodes that the light client is connected to, and those that it has banned',
  options: {
    ...CHAIN_OPTIONS,
    within: { value: 'TIME', words: `how long to look for nodes (default: ${WITHIN}s)` },
  },
  run: async (context, options) =>
    (await import('../chain/peers.ts')).chainPeers(context, options, within(options.within, WITHIN)),
});

export const CHAIN_COMMANDS = [status, sync, scan, peers];
