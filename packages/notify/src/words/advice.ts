import { assertNever } from '@keepwatch/base';
import type { FindingDetail } from '@keepwatch/watch';
import { cleanLabel } from './clean.ts';

/**
 * How sure a finding is and what to do next, for somebody who was woken by it. It stands right below what happened, where a
 * text that is cut still has it, and names no amount, address or transaction. Empty where there is nothing to do.
 */
export function adviceOf(detail: FindingDetail): string[] {
  // The end of something that was wrong.
  if ('over' in detail && detail.over) return [];
  switch (detail.kind) {
    case 'sighted':
      return sighted(detail);
    case 'spent':
      return ['It is in a block: only a reorganisation of the chain would undo it.', `${NOT_YOURS}: ${MOVE}.`];
    case 'replaced':
      return [
        'What the other one does to this wallet is told by itself, if it does anything.',
        `If it was your payment, and none of you raised its fee or took it back, somebody else can sign: ${MOVE}.`,
      ];
    case 'evicted':
      return ['It can still be sent again and be in a block later: what it spent is not safe from it until then.'];
    case 'double-spend':
      return [
        'Either may win: count on neither before one of them is in a block.',
        `If none of you sent both, somebody else can sign for this wallet: ${MOVE}.`,
      ];
    case 'disconnected':
      return ['It may be in a later block again, or never: do not count on it until then.'];
    case 'address-reuse':
      return ['Whoever looks can tell that both payments are yours: give each payer a fresh address.'];
    case 'timelock-expiry':
      return [
        'From then on whoever has the keys of that path can take it. To close it again, send the coin to yourself.',
      ];
    case 'unvault-started':
      return ['If you did not start this, take the coin back by the vault’s other path before the lock ends.'];
    case 'tip-stalled':
      return [
        'Blocks are late by chance now and then. After hours it is more likely that the sources are cut off: keepwatch monitor status shows them.',
      ];
    case 'tip-slow':
      return [
        'So few blocks can be a chain that somebody made for you: compare the last block with a source that is not among yours. The sources: keepwatch monitor status',
      ];
    case 'source-down':
      return ['What happens is seen by the other sources, where there are any: keepwatch monitor status shows them.'];
    case 'source-behind':
      return ['It is not listened to until it has caught up; the others are.'];
    case 'sources-disagree':
      return ['One of them is wrong, or lies. What they do not agree on is not told as a fact: find out which it is.'];
    case 'quorum-lost':
      return ['Until enough speak again, a theft can go unseen. Look at the sources: keepwatch monitor status'];
    case 'disk-low':
      return ['When the disk is full the monitor ends, and sees nothing: make room.'];
    case 'clock-skew':
      return ['Set the clock of the machine: waiting times, quiet hours and time-locks go by it.'];
    case 'restarted':
      return ['If none of you started it again, look at why it stopped. What came meanwhile is told as late.'];
    case 'channel-dead':
      return [
        `Nobody is reached by it until it is mended. To try it: keepwatch channel test ${cleanLabel(detail.channel)}`,
      ];
    case 'evm-sighted':
      return evmSighted(detail);
    case 'evm-counted':
      return [`${UPSTREAM_CLAIM} ${NOT_YOURS_EVM}: get ready to ${MOVE_EVM}.`];
    case 'evm-replaced':
      return ['What the other one does to this account is told by itself, if it does anything.'];
    case 'evm-evicted':
      return ['As long as its nonce is not used, it can still be sent again and be in a block later.'];
    case 'evm-spent':
      // Anybody can make a token that says such things; the account's own transactions are another matter.
      if (detail.how === 'transaction') return [`${NOT_YOURS_EVM}: ${MOVE_EVM}.`];
      return detail.asset.known ? [`If none of you allowed that, take the right away, and ${MOVE_EVM}.`] : [];
    case 'evm-allowance':
      if (detail.amount === 0n || (!detail.asset.known && detail.how !== 'transaction')) return [];
      return ['If none of you allowed that, take it back at once (approve 0), and find out who else has the key.'];
    case 'evm-internal':
      return detail.direction === 'spent' ? [`If none of you know why: ${MOVE_EVM}.`] : [];
    case 'evm-nonce':
    case 'evm-code':
      return [`If none of you did this, somebody else has the key: ${MOVE_EVM}.`];
    case 'evm-upgraded':
      return [`If none of you did this, whoever did can let it do anything: ${MOVE_EVM}.`];
    case 'evm-delegation':
      return detail.after === null ? [] : [`If none of you did this, somebody else has the key: ${MOVE_EVM}.`];
    case 'evm-disconnected':
      return ['It may be in a later block again, or never: do not count on it until then.'];
    case 'unsigned-spend':
      return [`Seal the vault now (keepwatch vault seal), and ${MOVE_EVM}.`];
    case 'unclear-spend':
      return [
        'Compare it with the entries that are named below (keepwatch journal receipt SEQ).',
        `If it was none of them: seal the vault, and ${MOVE_EVM}.`,
      ];
    case 'sealed-spend':
      return [`If nobody has unsealed it since: ${MOVE_EVM}.`];
    case 'vault-silent':
      return [`Until the vault answers, nothing says that this was yours. If none of you sent it: ${MOVE_EVM}.`];
    case 'vault-down':
      return ['Until it answers, what it signed cannot be told from what others did. Look at its machine.'];
    case 'vault-sealed':
      return ['It signs nothing until an operator unseals it. If none of you sealed it, find out why it is.'];
    case 'vault-rolled-back':
    case 'vault-forked':
      return ['If that was none of you, keep it sealed (keepwatch vault seal) until you know who it was.'];
    case 'vault-withholds':
      return ['Do not trust what it says until you know why. Look at its machine.'];
    case 'received':
    case 'self-transfer':
    case 'watched':
    case 'confirmed':
    case 'large-amount':
    case 'balance-above':
    case 'balance-below':
    case 'dust':
    case 'feerate-spike':
    case 'gap-filled':
    case 'backfilled':
    case 'evm-received':
    case 'evm-confirmed':
    case 'evm-large-amount':
    case 'evm-balance-above':
    case 'evm-balance-below':
    case 'evm-backfilled':
    case 'signed-spend':
    case 'signed-unseen':
    case 'spend-withdrawn':
    case 'earlier-spends':
      return [];
    default:
      return assertNever(detail);
  }
}

const CLAIM = 'Nothing proves it yet: one source says so, and the others are being asked.';
const UPSTREAM_CLAIM = 'Nothing proves it: one upstream says so.';
const UNCOUNTED = 'Do not count on it before it is in a block: until then it can be replaced.';
const NOT_YOURS = 'If none of you sent it, somebody else can sign for this wallet';
const MOVE = 'move what is left to a wallet for which nobody else can sign';
const NOT_YOURS_EVM = 'If none of you sent it, somebody else has the key';
const MOVE_EVM = 'move what is left to an account with another key';

function sighted({ direction, grade }: Extract<FindingDetail, { readonly kind: 'sighted' }>): string[] {
  const isClaim = grade === 'claimed';
  switch (direction) {
    case 'spent':
      if (isClaim) return [CLAIM, 'If none of you sent it, get ready: the next message says whether it is true.'];
      return [
        'It is a valid transaction and waits for a block: until then another one with a higher fee can take its place.',
        `${NOT_YOURS}. You can still win: send the same coins, at a higher fee, to a wallet for which nobody else can sign; then move what is left.`,
      ];
    case 'received':
    case 'self-transfer':
    case 'watched':
      return [isClaim ? CLAIM : UNCOUNTED];
  }
}

function evmSighted({ direction, grade }: Extract<FindingDetail, { readonly kind: 'evm-sighted' }>): string[] {
  if (direction === 'received') return [grade === 'claimed' ? UPSTREAM_CLAIM : UNCOUNTED];
  if (grade === 'claimed') return [`${UPSTREAM_CLAIM} ${NOT_YOURS_EVM}: get ready to ${MOVE_EVM}.`];
  return [
    'The key of the account has signed it, and it waits for a block: until then another one with its nonce and a higher fee can take its place.',
    `${NOT_YOURS_EVM}. You can still win: send such a one; then ${MOVE_EVM}.`,
  ];
}
