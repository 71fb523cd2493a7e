import { formatBitcoin } from '@keepwatch/base';
import { findingHeadline, type FindingDetail } from '@keepwatch/monitor';
import { showCount } from '../values.ts';
import { evmFindingWords } from './evm-finding-words.ts';
import { laterKind, type DetailJson, type EvmDetailJson, type FindingJson } from './finding-json.ts';
import { vaultFindingWords } from './vault-finding-words.ts';

/** What happened, in one line of a table. */
export function findingWords({ detail, evidence }: Pick<FindingJson, 'detail' | 'evidence'>): string {
  if (isEvm(detail)) return evmFindingWords(detail, evidence);
  const at = evidence.block ? ` in block ${evidence.block.height}` : '';
  switch (detail.kind) {
    case 'sighted':
      return `${movement(detail.direction, detail)}, in no block yet: ${detail.grade}`;
    case 'received':
    case 'spent':
    case 'self-transfer':
      return `${movement(detail.kind, detail)}${at}`;
    case 'watched':
      return `${short(detail.txid)}, which is watched, is${at || ' in a block'}`;
    case 'replaced':
      return `${short(detail.txid)} is replaced by ${short(detail.by)}`;
    case 'evicted':
      return `${short(detail.txid)} has left the mempool`;
    case 'double-spend':
      return `${short(detail.txid)} and ${short(detail.other)} spend the same coin`;
    case 'confirmed':
      return `${short(detail.txid)} is ${showCount(detail.depth, 'block')} deep${detail.buried ? ', buried' : ''}`;
    case 'disconnected':
      return `${short(detail.txid)} is in no block any more: the chain was reorganised`;
    case 'large-amount':
      return `${short(detail.txid)} moves ${btc(detail.sats)}, more than ${btc(detail.limitSats)}`;
    case 'balance-above':
    case 'balance-below':
      return `the balance is ${btc(detail.sats)}, ${detail.kind.slice(8)} ${btc(detail.limitSats)}`;
    case 'dust':
      return `somebody sent dust, ${btc(detail.sats)} as ${coinOf(detail.outpoint)}: do not spend it together with other coins`;
    case 'address-reuse':
      return `${detail.address} was used again, by ${short(detail.txid)}`;
    case 'timelock-expiry':
      return `${btc(detail.sats)} of ${coinOf(detail.outpoint)} can be spent by another path ${lockEnd(detail) ?? ''}`.trim();
    case 'unvault-started': {
      const end = lockEnd(detail);
      const when = end === undefined ? 'how long it waits is not known' : `its time lock ends ${end}`;
      return `${btc(detail.sats)} of ${coinOf(detail.outpoint)} LEAVES THE VAULT${at || ', in no block yet'}: ${when}`;
    }
    case 'restarted':
      return `the monitor is back after ${detail.downSeconds} s`;
    case 'backfilled':
      return `the past is read up to block ${detail.toHeight}: ${showCount(detail.transactions, 'transaction')}`;
    case 'gap-filled':
      return `blocks ${detail.fromHeight} to ${detail.toHeight} are caught up with`;
    // About the watch itself: in the words that channels are told.
    case 'source-down':
    case 'source-behind':
    case 'channel-dead':
      return withWhy(detail, detail.over ? '' : detail.words);
    case 'sources-disagree':
      return withWhy(detail, detail.over ? '' : `${detail.about}, against ${detail.others.join(', ')}`);
    case 'feerate-spike':
    case 'tip-stalled':
    case 'tip-slow':
    case 'quorum-lost':
    case 'disk-low':
    case 'clock-skew':
      return findingHeadline(detail);
    case 'signed-spend':
    case 'unsigned-spend':
    case 'unclear-spend':
    case 'earlier-spends':
    case 'sealed-spend':
    case 'signed-unseen':
    case 'spend-withdrawn':
    case 'vault-silent':
    case 'vault-down':
    case 'vault-sealed':
    case 'vault-rolled-back':
    case 'vault-forked':
    case 'vault-withholds':
      return vaultFindingWords(detail);
    default:
      return laterKind(detail);
  }
}

const withWhy = (detail: FindingDetail, why: string) => `${findingHeadline(detail)}${why === '' ? '' : `: ${why}`}`;

const isEvm = (detail: DetailJson): detail is EvmDetailJson => detail.kind.startsWith('evm-');

const btc = (sats: string | bigint) => `${formatBitcoin(BigInt(sats))} BTC`;
const short = (txid: string) => `${txid.slice(0, 12)}…`;
const coinOf = ({ txid, vout }: { readonly txid: string; readonly vout: number }) => `${short(txid)}:${vout}`;

/** When a lock ends, by what is left of it and, where it is known, the block or the chain's time at which it does. */
function lockEnd(
  detail: Extract<DetailJson, { readonly kind: 'timelock-expiry' | 'unvault-started' }>,
): string | undefined {
  const { blocksLeft, opensAtHeight, secondsLeft, opensAtSeconds } = detail;
  if (blocksLeft !== undefined) {
    const left = blocksLeft === 0 ? 'now' : `in ${showCount(blocksLeft, 'block')}`;
    return opensAtHeight === undefined ? left : `${left}, with block ${opensAtHeight}`;
  }
  if (secondsLeft === undefined) return undefined;
  const left = secondsLeft === 0 ? 'now' : `in ${showCount(Math.ceil(secondsLeft / 3_600), 'hour')}`;
  return opensAtSeconds === undefined ? left : `${left}, at ${new Date(opensAtSeconds * 1_000).toISOString()}`;
}

function movement(direction: string, detail: Extract<DetailJson, { readonly receivedSats: string }>): string {
  const [received, spent] = [BigInt(detail.receivedSats), BigInt(detail.spentSats)];
  const tx = short(detail.txid);
  switch (direction) {
    case 'received':
      return `received ${btc(received)} by ${tx}`;
    case 'spent':
      return `spent ${btc(spent > received ? spent - received : spent)} by ${tx}`;
    case 'watched':
      return `${tx}, which is watched`;
    default:
      return `moved ${btc(spent)} to itself by ${tx}`;
  }
}
