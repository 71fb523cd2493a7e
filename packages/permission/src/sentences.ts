import { assertNever, formatEther } from '@keepwatch/base';
import type { DenyReason, PermissionRequest } from './decision.ts';
import type { Constraint, Grant } from './grant.ts';

/** The words that the engine itself does not know. */
export interface Names {
  /** The client's name for people; its id where it has none. */
  readonly client?: string;
  /** The wallet's name likewise. */
  readonly wallet?: string;
  /** The chain's native coin, of 18 decimals. `ETH` by default. */
  readonly symbol?: string;
}

/** "bot wants to send 0.5 ETH to 0x… on chain 31337, nonce 7, fee at most 0.0005 ETH" */
export function describeIntent({ client, intent }: PermissionRequest, names: Names = {}): string {
  switch (intent.kind) {
    case 'ether-transfer':
      return [
        `${names.client ?? client} wants to send ${coins(intent.valueWei, names)} to ${intent.recipient}`,
        `on ${describeChain(intent.chain)}, nonce ${intent.nonce}, fee at most ${coins(intent.maxFeeWei, names)}`,
      ].join(' ');
    default:
      return assertNever(intent.kind);
  }
}

/** Which rule of which grant refused, the limit, what was asked, what is left, and when enough is free again. */
export function describeDenial(reason: DenyReason, names: Names = {}): string {
  switch (reason.code) {
    case 'no_grant':
      return `no grant lets ${names.client ?? reason.client} do ${reason.kind} with wallet ${names.wallet ?? reason.wallet} on ${describeChain(reason.chain)}`;
    case 'recipient_not_permitted':
      return reason.permitted === 0
        ? `grant ${reason.grant} permits no recipient, and ${reason.asked} was asked for`
        : `grant ${reason.grant} permits ${count(reason.permitted, 'recipient')}, and ${reason.asked} is not among them`;
    case 'volume_exceeded':
      return `grant ${reason.grant} lets at most ${coins(reason.limit, names)} ${per(reason.windowSeconds)} leave (value and maximum fees): ${coins(reason.asked, names)} asked, ${coins(reason.remaining, names)} left, ${freeAgain(reason.freeAtMs)}`;
    case 'count_exceeded':
      return `grant ${reason.grant} permits ${count(reason.limit, 'transaction')} ${per(reason.windowSeconds)}: ${reason.remaining} left, ${freeAgain(reason.freeAtMs)}`;
    case 'max_fee_exceeded':
      return `grant ${reason.grant} permits a fee of at most ${coins(reason.limit, names)}: ${coins(reason.asked, names)} asked`;
    case 'unknown_constraint':
      return `grant ${reason.grant} has a constraint that this version does not know: ${reason.rule}`;
    case 'no_volume_limit':
      return `grant ${reason.grant} does not limit what may leave the wallet, so it permits nothing`;
    default:
      return assertNever(reason);
  }
}

/** "at most 2 ETH a day (value and maximum fees) to 0x…, 0x… on chain 1, at most 5 transactions an hour" */
export function describeGrant(grant: Grant, names: Names = {}): string {
  const volumesFirst = [...grant.constraints].sort((a, b) => Number(b.type === 'volume') - Number(a.type === 'volume'));
  const [first, ...rest] = volumesFirst.map((constraint) => describeConstraint(constraint, names));
  return [`${first} to ${describeRecipients(grant)} on ${describeChain(grant.chain)}`, ...rest].join(', ');
}

function describeRecipients({ recipients }: Grant): string {
  if (recipients === 'any') return 'any address';
  return recipients.length === 0 ? 'nobody' : recipients.join(', ');
}

function describeConstraint(constraint: Constraint, names: Names): string {
  switch (constraint.type) {
    case 'volume':
      return `at most ${coins(constraint.limit, names)} ${per(constraint.windowSeconds)} (value and maximum fees)`;
    case 'count':
      return `at most ${count(constraint.limit, 'transaction')} ${per(constraint.windowSeconds)}`;
    case 'max-fee':
      return `a fee of at most ${coins(constraint.limit, names)} each`;
    default:
      return assertNever(constraint);
  }
}

function coins(wei: bigint, { symbol = 'ETH' }: Names): string {
  return `${formatEther(wei)} ${symbol}`;
}

function describeChain(chain: string): string {
  return `chain ${chain.startsWith('eip155:') ? chain.slice('eip155:'.length) : chain}`;
}

function count(amount: number | bigint, noun: string): string {
  return `${amount} ${noun}${BigInt(amount) === 1n ? '' : 's'}`;
}

const SPANS = [
  { seconds: 86_400, one: 'a day', many: 'days' },
  { seconds: 3600, one: 'an hour', many: 'hours' },
  { seconds: 60, one: 'a minute', many: 'minutes' },
  { seconds: 1, one: 'a second', many: 'seconds' },
];

/** A window in the largest unit that holds it exactly: "a day", "in 36 hours". */
function per(windowSeconds: number): string {
  const { seconds, one, many } = SPANS.find((span) => windowSeconds % span.seconds === 0)!;
  return windowSeconds === seconds ? one : `in ${windowSeconds / seconds} ${many}`;
}

function freeAgain(freeAtMs: number | null): string {
  return freeAtMs === null ? 'more than its whole limit asked' : `enough again at ${new Date(freeAtMs).toISOString()}`;
}
