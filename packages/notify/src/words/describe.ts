import { assertNever, type Json } from '@keepwatch/base';
import type { Direction, Finding, FindingDetail, LabelType, Movement } from '@keepwatch/watch';
import { adviceOf } from './advice.ts';
import { cleanLabel } from './clean.ts';
import { clockWords, counted, lasting, megabytes, retracted, secondOf } from './measure.ts';
import { evmEvidence, evmHeadline, evmParticulars, isEvm } from './evm.ts';
import { isVault, vaultHeadline, vaultParticulars } from './vault.ts';

/**
 * How much a channel is told. `full`: everything. `amounts-hidden`: what happened to which wallet, with no amount,
 * address or transaction id, by which anybody could look the amount up. `look`: only that there is something to look at.
 */
export type Privacy = 'full' | 'amounts-hidden' | 'look';

export interface WalletWords {
  readonly name: string;
  /** The owner's label of an address, a transaction or a coin, where there is one. */
  labelOf?(type: LabelType, ref: string): string | null;
}

export interface Words {
  readonly subject: string;
  readonly body: string;
  /** The finding for machines; null below `full`. */
  readonly data: Json;
}

/** A finding in words for people. `wallet`: null for findings about the watch itself. */
export function describeFinding(finding: Finding, wallet: WalletWords | null, privacy: Privacy): Words {
  if (privacy === 'look') {
    return { subject: 'Keepwatch: something happened', body: 'Something happened: look at the monitor.', data: null };
  }
  const name = wallet ? cleanLabel(wallet.name) : null;
  const hidden = privacy === 'amounts-hidden';
  const head = findingHeadline(finding.detail, hidden);
  const late = finding.late ? ['This is told late: it was learnt while the monitor caught up.'] : [];
  const named = namesOf(wallet);
  const lines = hidden ? [] : [...particulars(finding.detail, named), ...evidence(finding, named)];
  const subject = name ? `${name}: ${head}` : `Monitor: ${head}`;
  const advice = adviceOf(finding.detail);
  const body = [`${subject}.`, ...late, ...advice, ...lines, `Learnt at ${secondOf(finding.atMs)}.`].join('\n');
  return { subject, body, data: hidden ? null : findingJson(finding) };
}

/** What is gathered under “n more of this kind”. */
export function groupOf({ wallet, detail }: Finding): string {
  return `${wallet ?? ''} ${detail.kind}`;
}

/** The finding as JSON: amounts as decimal strings. */
export function findingJson(finding: Finding): Json {
  return plain(finding);
}

function plain(value: unknown): Json {
  if (typeof value === 'bigint') return value.toString();
  // Canonical JSON holds whole numbers only.
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : String(value);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map(plain);
  const members = Object.entries(value as Record<string, unknown>).filter(([, each]) => each !== undefined);
  return Object.fromEntries(members.map(([key, each]) => [key, plain(each)]));
}

/** Exactly, in BTC, always with 8 decimals: `0.00012345`. */
export function btc(sats: bigint): string {
  const digits = (sats < 0n ? -sats : sats).toString().padStart(9, '0');
  return `${sats < 0n ? '-' : ''}${digits.slice(0, -8)}.${digits.slice(-8)} BTC`;
}

/** What happened, in a few words. `hidden`: without amounts and addresses. */
export function findingHeadline(detail: FindingDetail, hidden = false): string {
  if (isEvm(detail)) return evmHeadline(detail, hidden);
  if (isVault(detail)) return vaultHeadline(detail);
  const amount = (sats: bigint) => (hidden ? '' : ` ${btc(sats)}`);
  switch (detail.kind) {
    case 'sighted':
      return `${moved(detail.direction, detail, hidden)}, ${GRADES[detail.grade]}`;
    case 'received':
    case 'spent':
    case 'self-transfer':
    case 'watched':
      return `${moved(detail.kind, detail, hidden)}, in a block`;
    case 'replaced':
      return 'a transaction was replaced by another before it was in a block';
    case 'evicted':
      return 'a transaction is no longer waiting for a block';
    case 'double-spend':
      return 'a coin is spent by two transactions that cannot both stand, and the second is no mere fee';
    case 'confirmed':
      return detail.buried
        ? `a transaction is buried, ${blocks(detail.depth)} deep`
        : `a transaction is ${blocks(detail.depth)} deep`;
    case 'disconnected':
      return 'a transaction is no longer in a block: the chain was reorganised';
    case 'large-amount':
      return hidden
        ? 'an amount above the limit moved'
        : `${btc(detail.sats)} moved, above the limit of${amount(detail.limitSats)}`;
    case 'balance-above':
    case 'balance-below': {
      const side = detail.kind === 'balance-above' ? 'above' : 'below';
      return hidden
        ? `the balance is ${side} the limit`
        : `the balance is${amount(detail.sats)}, ${side} the limit of${amount(detail.limitSats)}`;
    }
    case 'dust':
      return `somebody sent dust${hidden ? '' : `,${amount(detail.sats)}`}: do not spend it together with other coins`;
    case 'address-reuse':
      return 'an address was used again';
    case 'timelock-expiry':
      return `a coin${hidden ? '' : ` of${amount(detail.sats)}`} can be spent by another path ${timeLeft(detail)}`;
    case 'unvault-started':
      return `a coin${hidden ? '' : ` of${amount(detail.sats)}`} leaves the vault: ${lockWords(detail)}`;
    case 'feerate-spike':
      return `fees are at ${detail.satPerVbyte} sat/vB, above ${detail.limit}`;
    case 'tip-stalled':
      return detail.over ? 'blocks arrive again' : `no block for ${lasting(detail.forSeconds)}`;
    case 'tip-slow': {
      const come = `${counted(detail.blocks, 'block')} in ${lasting(detail.inSeconds)}`;
      return detail.over
        ? `blocks come at their pace again: ${come}`
        : `only ${come}, where ${detail.dueBlocks} are due`;
    }
    case 'source-down':
      return `source ${cleanLabel(detail.source)} ${detail.over ? 'is back' : 'is down'}`;
    case 'source-behind':
      return `source ${cleanLabel(detail.source)} ${detail.over ? 'has caught up' : 'is behind'}`;
    case 'sources-disagree':
      return detail.over ? 'the sources agree again' : 'the sources disagree';
    case 'quorum-lost':
      return detail.over ? 'enough sources speak again' : 'too few sources speak: nothing can be confirmed';
    case 'disk-low':
      return detail.over
        ? 'there is room on the disk again'
        : `the disk is nearly full: ${megabytes(detail.freeBytes)} left`;
    case 'clock-skew':
      return detail.over ? 'the clock is right again' : clockWords(detail.skewSeconds);
    case 'restarted':
      return `the monitor was down for ${lasting(detail.downSeconds)} and runs again${detail.fromHeight < 0 ? '' : ` from block ${detail.fromHeight}`}`;
    case 'gap-filled':
      return `blocks ${detail.fromHeight} to ${detail.toHeight} were read after the fact`;
    case 'backfilled':
      return `its history up to block ${detail.toHeight} was read: ${counted(detail.transactions, 'transaction')}`;
    case 'channel-dead':
      return `channel ${cleanLabel(detail.channel)} ${detail.over ? 'delivers again' : 'cannot deliver'}`;
    default:
      return assertNever(detail);
  }
}

/** A claim is never worded as a fact. */
const GRADES = {
  claimed: 'claimed by one source and not checked',
  valid: 'seen and valid, in no block yet',
  relayed: 'seen and relayed, in no block yet',
  confirmed: 'in a block',
} as const;

function moved(direction: Direction, movement: Movement, hidden: boolean): string {
  const { receivedSats, spentSats } = movement;
  switch (direction) {
    case 'received':
      return hidden ? 'received coins' : `received ${btc(receivedSats - spentSats)}`;
    case 'spent':
      return hidden ? 'spent coins' : `spent ${btc(spentSats - receivedSats)}`;
    case 'self-transfer':
      return hidden
        ? 'moved coins to itself'
        : `moved ${btc(receivedSats)} to itself, for a fee of ${btc(spentSats - receivedSats)}`;
    case 'watched':
      return 'a watched transaction';
    default:
      return assertNever(direction);
  }
}

type Named = ReturnType<typeof namesOf>;

/** What a finding is about, each with what its owner wrote to it. */
function namesOf(wallet: WalletWords | null) {
  const called = (type: LabelType, ref: string, name = ref) => {
    const label = wallet?.labelOf?.(type, ref) ?? null;
    return label === null ? name : `${name} (${cleanLabel(label)})`;
  };
  return {
    address: (address: string | null) =>
      address === null ? 'a script without an address' : called('addr', address, cleanLabel(address, 128)),
    coin: ({ txid, vout }: { readonly txid: string; readonly vout: number }) => called('output', `${txid}:${vout}`),
    transaction: (txid: string) => called('tx', txid),
  };
}

function particulars(detail: FindingDetail, { address: at, coin, transaction }: Named): string[] {
  if (isEvm(detail)) return evmParticulars(detail);
  if (isVault(detail)) return vaultParticulars(detail);
  switch (detail.kind) {
    case 'sighted':
    case 'received':
    case 'spent':
    case 'self-transfer':
    case 'watched':
      return [
        ...few(detail.received.map(({ address, sats }) => `${btc(sats)} to ${at(address)}`)),
        ...few(detail.spent.map((each) => `${each.sats === null ? 'a coin' : btc(each.sats)} from ${coin(each)}`)),
        ...(detail.amends === undefined ? [] : ['This takes the place of what was said of it earlier.']),
      ];
    case 'replaced':
      return [`By: ${transaction(detail.by)}`];
    case 'double-spend':
      return [`Other: ${transaction(detail.other)}`, `Coin: ${coin(detail.outpoint)}`];
    case 'disconnected':
      return detail.retracts.length > 0 ? [retracted(detail.retracts)] : [];
    case 'dust':
      return [`Coin: ${coin(detail.outpoint)}`];
    case 'address-reuse':
      return [`Address: ${at(detail.address)}`];
    case 'timelock-expiry':
    case 'unvault-started':
      return [`Coin: ${coin(detail.outpoint)}`, ...opening(detail)];
    case 'tip-stalled':
    case 'tip-slow':
      return [`Last block: ${detail.lastBlock.height}`];
    case 'source-down':
    case 'source-behind':
    case 'channel-dead':
      return [cleanLabel(detail.words, 200)];
    case 'sources-disagree':
      return [
        `About: ${cleanLabel(detail.about, 200)}`,
        `Others: ${detail.others.map((each) => cleanLabel(each)).join(', ')}`,
      ];
    case 'evicted':
    case 'confirmed':
    case 'large-amount':
    case 'balance-above':
    case 'balance-below':
    case 'feerate-spike':
    case 'quorum-lost':
    case 'disk-low':
    case 'clock-skew':
    case 'restarted':
    case 'gap-filled':
    case 'backfilled':
      return [];
    default:
      return assertNever(detail);
  }
}

function evidence({ evidence: { txid, block, evm, seenBy } }: Finding, { transaction }: Named): string[] {
  return [
    ...(txid === undefined ? [] : [`Transaction: ${transaction(txid)}`]),
    ...(block === undefined ? [] : [`Block: ${block.height} (${block.hash})`]),
    ...(evm === undefined ? [] : evmEvidence(evm)),
    ...(seenBy.length === 0 ? [] : [`Seen by: ${seenBy.map((each) => cleanLabel(each)).join(', ')}`]),
  ];
}

type Expiry = Extract<FindingDetail, { readonly kind: 'timelock-expiry' | 'unvault-started' }>;

function timeLeft({ blocksLeft, secondsLeft = 0 }: Expiry): string {
  if (blocksLeft !== undefined) {
    return blocksLeft > 0 ? `in ${blocks(blocksLeft)}, about ${lasting(blocksLeft * 600)}` : 'now';
  }
  return secondsLeft > 0 ? `in about ${lasting(Math.max(3_600, secondsLeft))}` : 'now';
}

/** How long it can still be answered. A lock that is relative begins with the coin's block. */
function lockWords(detail: Expiry): string {
  const { blocksLeft, secondsLeft, opensAtHeight, opensAtSeconds } = detail;
  if (blocksLeft === undefined && secondsLeft === undefined) return 'how long it waits is not known';
  const left = timeLeft(detail);
  if (left === 'now') return 'its time lock is over';
  const isBegun = opensAtHeight !== undefined || opensAtSeconds !== undefined;
  return isBegun ? `its time lock ends ${left}` : `its time lock ends ${left} once it is in a block`;
}

/** A chain's time lags behind clocks by about an hour. Nothing where it is not known. */
function opening({ opensAtHeight, opensAtSeconds }: Expiry): readonly string[] {
  if (opensAtHeight !== undefined) return [`From block ${opensAtHeight} on.`];
  if (opensAtSeconds !== undefined) return [`Once the chain’s median time is ${secondOf(opensAtSeconds * 1_000)}.`];
  return [];
}

const SHOWN = 10;
const few = (lines: readonly string[]) =>
  lines.length <= SHOWN ? lines : [...lines.slice(0, SHOWN), `and ${lines.length - SHOWN} more`];
const blocks = (count: number) => counted(count, 'block');
