import { formatBitcoin, fromHex, type CodedError } from '@keepwatch/base';
import { scriptToAddress, type Descriptor } from '@keepwatch/bitcoin';
import { coinsOf, type ComparedScans, type WalletCoin, type WalletScanState } from '@keepwatch/chain';
import type { Answer, Context } from '../command.ts';
import { table } from '../table.ts';
import { showCount, showTime } from '../values.ts';
import type { ChainSettings } from './settings.ts';

export interface CoinsReport {
  readonly settings: ChainSettings;
  readonly descriptors: readonly Descriptor[];
  readonly compared: ComparedScans;
  readonly scans: ReadonlyMap<string, WalletScanState>;
  readonly failed: readonly { readonly name: string; readonly error: CodedError }[];
  readonly spent: boolean;
}

/** The coins that a scan found, as a table or as JSON; amounts in JSON are decimal strings of satoshi. */
export function coinsAnswer(context: Context, report: CoinsReport): Answer {
  const { settings, descriptors, compared, scans, failed } = report;
  const { network } = settings.configuration;
  const coins = coinsOf(compared);
  const unspent = coins.filter(({ spentBy }) => spentBy === null);
  const total = unspent.reduce((sum, { sats }) => sum + sats, 0n);
  const addressOf = ({ script }: WalletCoin) => scriptToAddress(fromHex(script)!, network) ?? null;
  const json = {
    network,
    from: Math.min(...[...scans.values()].map(({ from }) => from)),
    to: compared.next - 1,
    descriptors: descriptors.map(({ text, checksum }, i) => ({
      descriptor: `${text}#${checksum}`,
      derived: [...scans.values()].map(({ derived }) => derived[i]!).reduce(larger),
    })),
    sats: String(total),
    coins: coins.map((coin) => ({
      ...{ txid: coin.txid, vout: coin.vout, sats: String(coin.sats), script: coin.script, address: addressOf(coin) },
      ...{ descriptor: coin.descriptor, branch: coin.branch, index: coin.index, block: coin.block },
      spentBy: coin.spentBy,
    })),
    disputed: compared.disputed.map(({ tx, seenBy, others }) => ({ txid: tx.txid, block: tx.block, seenBy, others })),
    failed: failed.map(({ name, error }) => ({ source: name, code: error.code, message: error.message })),
  };
  return { json, text: textOf(context, report, coins, unspent, total, addressOf) };
}

const larger = (a: readonly number[], b: readonly number[]) => a.map((count, i) => Math.max(count, b[i]!));

function textOf(
  { terminal: { paint } }: Context,
  { descriptors, compared, scans, spent }: CoinsReport,
  coins: readonly WalletCoin[],
  unspent: readonly WalletCoin[],
  total: bigint,
  addressOf: (coin: WalletCoin) => string | null,
): string {
  const shown = spent ? coins : unspent;
  const several = descriptors.length > 1;
  const rows = shown.map((coin) => {
    const { block, sats, spentBy } = coin;
    return [
      ...[String(block.height), showTime(block.timeSeconds * 1_000).slice(0, 10)],
      fixedBitcoin(sats).padStart(17),
      ...[placeOf(coin, descriptors, several), addressOf(coin) ?? `script ${coin.script.slice(0, 24)}…`],
      spentBy ? paint.quiet(`spent at ${spentBy.block.height}`) : paint.good('unspent'),
    ];
  });
  const lines = table([['HEIGHT', 'DAY', '              BTC', 'PLACE', 'ADDRESS', ''], ...rows]).split('\n');
  const ids = shown.flatMap(({ txid, vout }, i) => [lines[i + 1]!, paint.quiet(`        ${txid}:${vout}`)]);
  const from = Math.min(...[...scans.values()].map((scan) => scan.from));
  const summary = [
    `${paint.strong(`${formatBitcoin(total)} BTC`)} in ${showCount(unspent.length, 'coin')}`,
    coins.length > unspent.length ? `${showCount(coins.length - unspent.length, 'coin')} spent` : '',
    `blocks ${from} to ${compared.next - 1}`,
  ].filter((part) => part !== '');
  const disputes = compared.disputed.map(
    ({ tx, seenBy, others }) =>
      `${paint.warning('differs')}  ${tx.txid} in block ${tx.block.height}: found by ${seenBy.join(', ')}; not by ${others.join(', ')}`,
  );
  return [
    ...(rows.length > 0 ? [paint.title(lines[0]!), ...ids, ''] : []),
    summary.join(' · '),
    ...(disputes.length > 0 ? ['', ...disputes] : []),
  ].join('\n');
}

/** All eight decimals, so that they stand below each other. */
function fixedBitcoin(sats: bigint): string {
  const [whole = '', decimals = ''] = formatBitcoin(sats).split('.');
  return `${whole}.${decimals.padEnd(8, '0')}`;
}

/** `0/5`: branch and index, behind the number of the descriptor where there are several. */
function placeOf(
  { descriptor, branch, index }: WalletCoin,
  descriptors: readonly Descriptor[],
  several: boolean,
): string {
  const { ranged, branches } = descriptors[descriptor]!;
  const path = [...(branches > 1 ? [branch] : []), ...(ranged ? [index] : [])].join('/');
  return [...(several ? [`#${descriptor + 1}`] : []), ...(path ? [path] : [])].join(' ') || '–';
}
