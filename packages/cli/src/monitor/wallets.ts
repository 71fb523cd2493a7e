import { formatBitcoin, fromHex } from '@keepwatch/base';
import { addressToScript, type Network } from '@keepwatch/bitcoin';
import {
  descriptorsOfKey,
  labelOf,
  type EvmWalletView,
  type MonitorApi,
  type WalletDetails,
  type WalletSummary,
} from '@keepwatch/monitor';
import type { Answer, Context } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { nextCommand } from '../next-command.ts';
import { fields, table } from '../table.ts';
import { parseCount, showTime, splitList } from '../values.ts';
import { readBeginning } from '../chain/wallet.ts';
import { coinRows, oneLine } from './coin-rows.ts';
import { evmDetails, evmTable, watchAddEvm } from './evm-accounts.ts';
import { samePlace, type AddOptions, type MonitorPlace } from './options.ts';
import { withMonitor } from './reach.ts';
import { scanWords } from './scan-words.ts';
import { limitWords, readLimit } from './wallet-limits.ts';

export const networkOf = async (api: MonitorApi) =>
  ((await api.call('settings')) as { readonly network: Network }).network;
export function gapLimitOf(text: string | undefined): { readonly gapLimit?: number } {
  if (text === undefined) return {};
  const gapLimit = parseCount(text, '--gap-limit', 10_000);
  if (gapLimit > 0) return { gapLimit };
  throw usageError('number', '--gap-limit: with 0 no address would be watched.', 'Write a number from 1 to 10000.');
}

/** Null: it is new, and has no past. */
export const birthdayOf = (text: string | undefined) =>
  text === undefined || text === 'new' ? null : readBeginning(text, '--birthday');

export async function watchAdd(context: Context, name: string, options: AddOptions): Promise<Answer> {
  if (options.evm !== undefined) return watchAddEvm(context, name, options.evm, options);
  const stranger = (['chain', 'token', 'limit'] as const).find((each) => (options[each]?.length ?? 0) > 0);
  if (stranger) throw usageError('option_missing', `--${stranger} is for accounts of EVM chains: give --evm ADDRESS.`);
  const birthday = birthdayOf(options.birthday);
  const gapLimit = gapLimitOf(options['gap-limit']);
  const limits = {
    largeSats: readLimit(options.large, '--large'),
    aboveSats: readLimit(options.above, '--above'),
    belowSats: readLimit(options.below, '--below'),
  };
  const outpoints = options.outpoint.map(readOutpoint);
  const txids = [...new Set(options.txid.map(readTxid))];
  return withMonitor(context, options, async (api, { start }) => {
    const network = await networkOf(api);
    const descriptors = [
      ...options.descriptor,
      ...options.xpub.flatMap((key) => keyDescriptors(key, network)),
      ...options.address.map((address) => addressDescriptor(address, network)),
      ...options.script.map(scriptDescriptor),
    ];
    const { unvault } = options;
    if (descriptors.length + unvault.length + outpoints.length + options.transaction.length + txids.length === 0) {
      throw usageError(
        'option_missing',
        'Nothing to watch is named.',
        'Give --descriptor, --unvault, --xpub, --address, --script, --outpoint, --transaction, --txid or --evm.',
      );
    }
    const fetched: string[] = [];
    for (const txid of txids) {
      fetched.push(((await api.call('chain.transaction', { txid })) as { readonly hex: string }).hex);
    }
    const put = {
      ...{
        name,
        birthday,
        outpoints,
        transactions: [...options.transaction, ...fetched],
        descriptors,
        tags: splitTags(options.tag),
        ...gapLimit,
      },
      ...(options.owner === undefined ? {} : { owner: options.owner }),
      ...(unvault.length > 0 ? { unvault } : {}),
      limits: Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined)),
    };
    return added(context, [await putWallet(api, put)], start, birthday !== null);
  });
}

export async function putWallet(api: MonitorApi, put: object): Promise<WalletDetails> {
  const { id } = (await api.call('wallet.put', put)) as WalletSummary;
  return (await api.call('wallet.show', { wallet: id })) as WalletDetails;
}

export const splitTags = (tags: readonly string[]) => (tags.length === 0 ? [] : splitList(tags, '--tag'));

export function added(
  context: Context,
  wallets: readonly WalletDetails[],
  start: string | null,
  past: boolean,
  notes: readonly string[] = [],
): Answer {
  const { paint } = context.terminal;
  const lines = wallets.flatMap(({ name, id, descriptors, sharedWith }) => [
    `${paint.strong(name)} is watched${name === id ? '' : `, as ${id}`}.`,
    ...(sharedWith.length === 0
      ? []
      : [
          paint.warning(
            `${quoted(sharedWith)} watch${sharedWith.length === 1 ? 'es' : ''} some of the same already: each is told.`,
          ),
        ]),
    ...(receivesOnly(descriptors.map(({ text }) => text))
      ? [
          paint.warning(
            'It has receiving addresses (/0/*) and no change (/1/*): write <0;1> in place of 0 to watch both.',
          ),
        ]
      : []),
  ]);
  const later = past ? laterWords(start) : 'It is taken as new: without --birthday its past is not looked at.';
  return { json: { wallets }, text: [...lines, ...notes, later].join('\n') };
}

const quoted = (names: readonly string[]) => {
  const some = names.slice(0, names.length > 3 ? 2 : 3).map((name) => `“${name}”`);
  const last = names.length > some.length ? `${names.length - some.length} more` : some.pop()!;
  return some.length === 0 ? last : `${some.join(', ')} and ${last}`;
};

/** Its keys end with the branch that wallets receive at, and the branch of the change (BIP44) is not there. */
const receivesOnly = (descriptors: readonly string[]) =>
  descriptors.some((text) => text.includes('/0/*')) &&
  !descriptors.some((text) => text.includes('/1/*') || text.includes(';'));

const laterWords = (start: string | null) =>
  start === null
    ? 'Its past is being read: `keepwatch watch list` shows how far that is.'
    : `Its past is read when the monitor runs: ${start}`;

function readOutpoint(text: string): { readonly txid: string; readonly vout: number } {
  const [, txid, vout] = /^([0-9a-fA-F]{64}):([0-9]{1,10})$/.exec(text) ?? [];
  if (txid !== undefined) return { txid: txid.toLowerCase(), vout: parseCount(vout!, '--outpoint', 0xffff_ffff) };
  throw usageError('outpoint', `--outpoint: “${text}” is no coin.`, 'Write TXID:NUMBER, as explorers show it.');
}

function readTxid(text: string): string {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase();
  throw usageError('txid', `--txid: “${text}” is no transaction id.`, 'Write its 64 digits, as explorers show them.');
}

function keyDescriptors(key: string, network: Network): readonly string[] {
  try {
    return descriptorsOfKey(key, network);
  } catch (error) {
    // Never the text itself: it may be a private key.
    const words = error instanceof Error ? error.message : '';
    throw usageError('xpub', `--xpub: ${words}`, 'Give the extended public key of the account, whole.');
  }
}

function addressDescriptor(address: string, network: Network): string {
  if (addressToScript(address, network).ok) return `addr(${address})`;
  throw usageError('address', `--address: “${address}” is no address of ${network}.`, 'Copy it again, whole.');
}

function scriptDescriptor(hex: string): string {
  if (hex !== '' && fromHex(hex.toLowerCase())) return `raw(${hex.toLowerCase()})`;
  throw usageError('script', `--script: “${hex}” is no script.`, 'Write the scriptPubKey in hex.');
}

export function watchList(context: Context, place: MonitorPlace): Promise<Answer> {
  return withMonitor(context, place, async (api) => {
    const wallets = (await api.call('wallet.list')) as readonly WalletSummary[];
    const evm = (await api.call('evm.list')) as readonly EvmWalletView[];
    const { paint } = context.terminal;
    if (wallets.length + evm.length === 0) {
      const next = nextCommand('watch add NAME --descriptor D', samePlace(place));
      return { json: { wallets, evm }, text: `No wallet is watched.\nNext: ${next}` };
    }
    const rows = wallets.map((wallet) => [
      ...[wallet.name, formatBitcoin(BigInt(wallet.confirmedSats)).padStart(12), String(wallet.scripts)],
      ...[wallet.owner ?? '–', wallet.tags.join(' ') || '–'],
      wallet.scan ? paint.warning(scanWords(wallet.scan)) : paint.good('known'),
    ]);
    const head = ['WALLET', '         BTC', 'SCRIPTS', 'OWNER', 'TAGS', 'PAST'];
    const tables = [
      ...(rows.length > 0 ? [table([head, ...rows], paint.title)] : []),
      ...(evm.length > 0 ? [evmTable(context, evm)] : []),
    ];
    return { json: { wallets, evm }, text: tables.join('\n\n') };
  });
}

export function watchShow(context: Context, name: string, place: MonitorPlace): Promise<Answer> {
  return withMonitor(context, place, async (api) => {
    if (await isEvm(api, name))
      return evmDetails(context, (await api.call('evm.show', { wallet: name })) as EvmWalletView);
    const wallet = (await api.call('wallet.show', { wallet: name })) as WalletDetails;
    return { json: wallet, text: detailText(context, wallet) };
  });
}

/** Ids and names are unique over all chains; an id comes first. */
export async function isEvm(api: MonitorApi, name: string): Promise<boolean> {
  const evm = (await api.call('evm.list')) as readonly EvmWalletView[];
  if (evm.some(({ id }) => id === name)) return true;
  if (!evm.some((wallet) => wallet.name === name)) return false;
  return !((await api.call('wallet.list')) as readonly WalletSummary[]).some(({ id }) => id === name);
}

function birthdayWords({ birthdaySeconds, birthHeight }: WalletDetails): string {
  if (birthHeight !== null) return `block ${birthHeight}`;
  return birthdaySeconds === null ? 'new' : showTime(birthdaySeconds * 1_000);
}

export function detailText({ terminal: { paint } }: Context, wallet: WalletDetails): string {
  const btc = (text: string) => `${formatBitcoin(BigInt(text))} BTC`;
  const about = fields([
    ['wallet', paint.strong(wallet.name)],
    ['id', wallet.id],
    ['owner', wallet.owner ?? undefined],
    ['tags', wallet.tags.join(', ') || undefined],
    ['confirmed', btc(wallet.confirmedSats)],
    ['incoming', wallet.incomingSats === '0' ? undefined : btc(wallet.incomingSats)],
    ['outgoing', wallet.outgoingSats === '0' ? undefined : btc(wallet.outgoingSats)],
    ['birthday', birthdayWords(wallet)],
    ['gap limit', String(wallet.gapLimit)],
    ['told when it', limitWords(wallet)],
    ['past', wallet.scan ? scanWords(wallet.scan) : 'known'],
    ['labels', Object.keys(wallet.labels).length > 0 ? String(Object.keys(wallet.labels).length) : undefined],
  ]);
  const called = (type: 'output' | 'tx', ref: string) => {
    const label = labelOf(wallet.labels, type, ref);
    return `  ${ref}${label === null ? '' : `  ${paint.quiet(oneLine(label))}`}`;
  };
  const watched = [
    ...wallet.descriptors.map(
      ({ text, derived, unvault }) =>
        `  ${text}  ${paint.quiet(`${derived.join(' + ')} derived${unvault ? ', a way out of the vault' : ''}`)}`,
    ),
    ...wallet.outpoints.map(({ txid, vout }) => called('output', `${txid}:${vout}`)),
    ...wallet.transactions.map((txid) => called('tx', txid)),
  ];
  const coins = coinRows(wallet, paint.warning('being spent'));
  const rest = coins.length > 0 ? ['', table(coins, paint.title)] : [];
  return [about, '', ...watched, ...rest].join('\n');
}

export interface RescanOptions extends MonitorPlace {
  readonly 'gap-limit': string | undefined;
}

export async function watchRescan(context: Context, name: string, options: RescanOptions): Promise<Answer> {
  const gapLimit = gapLimitOf(options['gap-limit']);
  return withMonitor(context, options, async (api, { start }) => {
    await api.call('wallet.rescan', { wallet: name, ...gapLimit });
    const wallet = (await api.call('wallet.show', { wallet: name })) as WalletDetails;
    const when = wallet.scan === null ? 'It has no past to look through.' : laterWords(start);
    return { json: wallet, text: `The gap limit of ${name} is ${wallet.gapLimit}. ${when}` };
  });
}

export function watchRemove(context: Context, name: string, place: MonitorPlace): Promise<Answer> {
  return withMonitor(context, place, async (api) => {
    const json = await api.call((await isEvm(api, name)) ? 'evm.remove' : 'wallet.remove', { wallet: name });
    return { json, text: `${name} is no longer watched. What was found stays in the journal.` };
  });
}
