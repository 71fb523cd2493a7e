import { formatUnits } from '@keepwatch/base';
import type { EvmWalletView, MonitorApi } from '@keepwatch/monitor';
import { readBeginning } from '../chain/wallet.ts';
import type { AddOptions, MonitorPlace } from './options.ts';
import type { Answer, Context } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { fields, table } from '../table.ts';
import { parseCount, showCount, showTime, splitList } from '../values.ts';
import type { FindingJson } from './finding-json.ts';
import { findingWords } from './finding-words.ts';
import { limitChanges, unitsOf, type Units } from './evm-limits.ts';
import { withMonitor } from './reach.ts';
import { scanWords } from './scan-words.ts';
import { shownWords } from './shown-words.ts';

/** Accounts of EVM chains, for the commands that watch wallets. */

const OF_BITCOIN = [
  'descriptor',
  'unvault',
  'xpub',
  'address',
  'script',
  'outpoint',
  'transaction',
  'txid',
  'gap-limit',
] as const;

export async function watchAddEvm(context: Context, name: string, address: string, options: AddOptions) {
  const other = OF_BITCOIN.find((option) => {
    const value = options[option];
    return typeof value === 'object' ? value.length > 0 : value !== undefined;
  });
  if (other)
    throw usageError('options_conflict', `--evm and --${other} exclude each other.`, 'Make two wallets of them.');
  const chainId = /^(?:eip155:)?([1-9][0-9]{0,15})$/.exec(options.chain ?? '')?.[1];
  if (chainId === undefined) {
    throw usageError('chain', '--chain CHAIN_ID is needed, such as 1 for Ethereum.', 'It is a number (EIP-155).');
  }
  const tokens = options.token.map(readToken);
  const birthday = options.birthday === undefined ? null : readBeginning(options.birthday, '--birthday');
  return withMonitor(context, options, async (api, { start }) => {
    const put = {
      ...{
        name,
        chainId,
        address,
        tokens,
        birthday,
        tags: options.tag.length === 0 ? [] : splitList(options.tag, '--tag'),
      },
      ...(options.owner === undefined ? {} : { owner: options.owner }),
    };
    // Limits are written in whole tokens, whose decimals the monitor may have to ask for first: they are read before.
    const limits = limitChanges(options, await decimalsOf(api, chainId, tokens)).map((each) => ({
      ...UNLIMITED,
      ...each,
    }));
    const wallet = (await api.call('evm.put', { ...put, limits })) as EvmWalletView;
    const next =
      start === null
        ? `From the next block on it is looked at; ${birthday === null ? 'what it has then is no news' : 'its past is read meanwhile: `keepwatch watch list` shows how far that is'}.`
        : `It is looked at while the monitor runs: ${start} --evm ${chainId}=URL`;
    const known = wallet.name === wallet.id ? '' : `, as ${wallet.id}`;
    return {
      json: { wallets: [wallet] },
      text: `${context.terminal.paint.strong(wallet.name)} is watched${known}.\n${next}`,
    };
  });
}

const UNLIMITED = { large: null, above: null, below: null };

interface TokenText {
  readonly token: string;
  readonly symbol?: string;
  readonly decimals?: number;
}

function readToken(text: string): TokenText {
  const [, token, symbol, decimals] = /^(0x[0-9a-fA-F]{40})(?::([^:]{1,32}):([0-9]{1,2}))?$/.exec(text) ?? [];
  if (token === undefined) {
    throw usageError('token', `--token: “${text}” is none.`, 'Write ADDRESS, or ADDRESS:SYMBOL:DECIMALS.');
  }
  return symbol === undefined ? { token } : { token, symbol, decimals: Number(decimals) };
}

async function decimalsOf(api: MonitorApi, chainId: string, tokens: readonly TokenText[]): Promise<Units> {
  const found: { token: string; symbol: string; decimals: number }[] = [];
  for (const { token, symbol, decimals } of tokens) {
    const known =
      symbol === undefined || decimals === undefined
        ? ((await api.call('evm.token', { chainId, token })) as { symbol: string; decimals: number })
        : { symbol, decimals };
    if (found.some((each) => each.symbol.toLowerCase() === known.symbol.toLowerCase())) {
      const words = `Two tokens are called “${known.symbol}”, so that messages would not say which is meant.`;
      throw usageError('token', words, 'Name one of them otherwise: ADDRESS:SYMBOL:DECIMALS.');
    }
    found.push({ token, ...known });
  }
  return unitsOf(found);
}

const units = (amount: string | null, decimals: number) =>
  amount === null ? 'not read yet' : formatUnits(BigInt(amount), decimals);

/** A contract that gives no balance, or none that is there at all, is seen by no limit either. */
const holding = ({ balance, readable, decimals }: EvmWalletView['tokens'][number], { paint }: Context['terminal']) =>
  readable === false ? paint.bad('cannot be read') : units(balance, decimals);

function pastWords({ past, block }: EvmWalletView): string {
  if (past === null) return 'new';
  const { scan, from, entries, stateMissingBefore } = past;
  if (scan) return block === null ? 'is to be read' : scanWords(scan);
  const lack = stateMissingBefore === null ? '' : `, archive state is missing before block ${stateMissingBefore}`;
  return `known from block ${from ?? 0}: ${showCount(entries, 'entry', 'entries')}${lack}`;
}

/** Undefined where nobody follows its chain at present. */
function outsideWords({ outsideBlocks: { shown, counted, transactions } }: EvmWalletView): string | undefined {
  const found = transactions.map(({ hash, direction, grade }) => {
    return `${direction === 'spent' ? 'sends' : 'receives'} ${hash}${grade === 'valid' ? '' : ' (claimed)'}`;
  });
  const waits = [...found, ...(counted === null ? [] : [`counted up to nonce ${counted} and not shown`])];
  if (waits.length > 0) return waits.join(', ');
  if (shown === null) return undefined;
  if (shown.length === 0) return 'pending transactions are not seen here: no upstream shows them';
  return `nothing; seen are ${shownWords(shown)}`;
}

export function evmTable({ terminal }: Context, wallets: readonly EvmWalletView[]): string {
  const { paint } = terminal;
  const rows = wallets.map((wallet) => [
    ...[wallet.name, wallet.chainId, `${units(wallet.balance, 18)} ${wallet.symbol}`],
    wallet.tokens.map((each) => `${holding(each, terminal)} ${each.symbol}`).join(', ') || '–',
    ...[wallet.nonce ?? '–', wallet.owner ?? '–', wallet.tags.join(' ') || '–'],
    wallet.past?.scan ? paint.warning(pastWords(wallet)) : paint.good(pastWords(wallet)),
  ]);
  const head = ['ACCOUNT', 'CHAIN', 'BALANCE', 'TOKENS', 'NONCE', 'OWNER', 'TAGS', 'PAST'];
  return table([head, ...rows], paint.title);
}

const UNREADABLE =
  'A token that cannot be read gives no balance where it was asked: no limit of it can be told. Is its address right, and the chain?';

export function evmDetails({ terminal }: Context, wallet: EvmWalletView): Answer {
  const { paint } = terminal;
  const { code } = wallet;
  const about = fields([
    ['account', paint.strong(wallet.name)],
    ['id', wallet.id],
    ['address', wallet.address],
    ['chain', wallet.chainId],
    ['owner', wallet.owner ?? undefined],
    ['tags', wallet.tags.join(', ') || undefined],
    ['past', pastWords(wallet)],
    ['outside blocks', outsideWords(wallet)],
    ['block', wallet.block === null ? 'none looked at yet' : String(wallet.block)],
    ['balance', `${units(wallet.balance, 18)} ${wallet.symbol}`],
    ['nonce', wallet.nonce ?? undefined],
    ['delegated', code?.kind === 'delegation' ? paint.warning(`to ${code.to}`) : undefined],
    ['code', code?.kind === 'contract' ? code.hash : undefined],
    ['runs', wallet.implementation ?? undefined],
  ]);
  const tokens = wallet.tokens.map((each) => [each.symbol, holding(each, terminal), each.token]);
  const allowed = wallet.allowances.map(({ token, spender, amount }) => {
    const known = wallet.tokens.find((each) => each.token === token);
    const isAny = BigInt(amount) > (1n << 255n) - 1n;
    const much = isAny ? paint.warning('any amount') : units(amount, known?.decimals ?? 0);
    return [known?.symbol ?? token, much, spender];
  });
  const bounds = wallet.limits.map(({ token, large, above, below }) => {
    const { symbol, decimals } = wallet.tokens.find((each) => each.token === token) ?? {
      symbol: wallet.symbol,
      decimals: 18,
    };
    return [symbol, ...[large, above, below].map((each) => (each === null ? '–' : units(each, decimals)))];
  });
  const parts = [
    about,
    ...(bounds.length > 0
      ? ['', table([['TOLD WHEN IT', 'MOVES', 'HAS MORE', 'HAS LESS'], ...bounds], paint.title)]
      : []),
    ...(tokens.length > 0 ? ['', table([['TOKEN', 'BALANCE', 'CONTRACT'], ...tokens], paint.title)] : []),
    ...(wallet.tokens.some(({ readable }) => readable === false) ? [paint.bad(UNREADABLE)] : []),
    ...(allowed.length > 0 ? ['', table([['MAY BE TAKEN', 'UP TO', 'BY'], ...allowed], paint.title)] : []),
  ];
  return { json: wallet, text: parts.join('\n') };
}

interface PastRow {
  readonly seq: number;
  readonly block: { readonly number: number; readonly timeMs: number };
  readonly entries: readonly { readonly txHash: string | null; readonly detail: FindingJson['detail'] }[];
}

export interface PastOptions extends MonitorPlace {
  readonly limit: string | undefined;
  readonly before: string | undefined;
}

/** What happened to an account before it was watched. */
export function watchPast(context: Context, wallet: string, options: PastOptions): Promise<Answer> {
  const limit = options.limit === undefined ? 50 : parseCount(options.limit, '--limit', 1_000);
  if (limit === 0) throw usageError('number', '--limit: at least one has to be asked for.');
  const before = options.before === undefined ? {} : { before: parseCount(options.before, '--before') };
  return withMonitor(context, options, async (api) => {
    const rows = (await api.call('evm.past', { wallet, limit, ...before })) as readonly PastRow[];
    const json = { wallet, past: rows };
    if (rows.length === 0) {
      return { json, text: 'Nothing of its past is known: `keepwatch watch show` says whether it is being read.' };
    }
    const lines = rows.flatMap(({ seq, block, entries }) =>
      entries.map(({ detail, txHash }) => [
        ...[
          String(seq),
          showTime(block.timeMs),
          String(block.number),
          findingWords({ detail, evidence: { seenBy: [] } }),
          txHash ?? '–',
        ],
      ]),
    );
    return {
      json,
      text: table([['NO.', 'TIME', 'BLOCK', 'WHAT', 'TRANSACTION'], ...lines], context.terminal.paint.title),
    };
  });
}
