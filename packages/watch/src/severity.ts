import { assertNever } from '@keepwatch/base';
import type { FindingDetail, Severity } from './finding.ts';

/** How much a finding matters unless a rule says otherwise. The end of something that was wrong is a notice. */
export function severityOf(detail: FindingDetail): Severity {
  if ('over' in detail && detail.over) return 'notice';
  switch (detail.kind) {
    case 'sighted':
      return detail.direction === 'spent' ? 'warning' : 'info';
    case 'spent':
      return 'warning';
    case 'received':
    case 'self-transfer':
    case 'watched':
      return 'notice';
    case 'confirmed':
      return 'info';
    case 'replaced':
    case 'evicted':
      return 'notice';
    case 'double-spend':
      return 'critical';
    case 'disconnected':
      return 'warning';
    case 'large-amount':
    case 'balance-below':
      return 'warning';
    case 'balance-above':
    case 'dust':
    case 'feerate-spike':
      return 'notice';
    case 'address-reuse':
      return 'info';
    case 'timelock-expiry':
      return detail.blocksLeft === 0 || detail.secondsLeft === 0 ? 'critical' : 'warning';
    case 'unvault-started':
      return 'critical';
    case 'tip-stalled':
    case 'tip-slow':
    case 'source-down':
    case 'sources-disagree':
    case 'clock-skew':
      return 'warning';
    case 'source-behind':
      return 'notice';
    case 'quorum-lost':
    case 'disk-low':
    case 'channel-dead':
      return 'critical';
    case 'restarted':
      return 'notice';
    case 'gap-filled':
    case 'backfilled':
      return 'info';
    case 'evm-sighted':
      return detail.direction === 'spent' ? 'warning' : 'info';
    case 'evm-counted':
      return 'warning';
    case 'evm-replaced':
    case 'evm-evicted':
      return 'notice';
    case 'evm-received':
      return detail.asset.known ? 'notice' : 'info';
    case 'evm-spent':
      // Anybody can make a token that says this; the account's own transactions are another matter.
      if (!detail.asset.known && detail.how !== 'transaction') return 'info';
      return detail.how === 'transaction' ? 'warning' : 'critical';
    case 'evm-internal':
      return detail.direction === 'spent' ? 'critical' : 'notice';
    case 'evm-allowance':
      if (detail.amount === 0n) return 'notice';
      return detail.asset.known || detail.how === 'transaction' ? 'warning' : 'info';
    case 'evm-nonce':
    case 'evm-code':
    case 'evm-upgraded':
      return 'critical';
    case 'evm-delegation':
      return detail.after === null ? 'warning' : 'critical';
    case 'evm-confirmed':
      return 'info';
    case 'evm-backfilled':
      return detail.stateMissingBefore === null ? 'info' : 'notice';
    case 'evm-disconnected':
    case 'evm-large-amount':
    case 'evm-balance-below':
      return 'warning';
    case 'evm-balance-above':
      return 'notice';
    case 'signed-spend':
      return 'info';
    case 'unclear-spend':
      return detail.why === 'unread' || detail.why === 'lost-history' ? 'critical' : 'warning';
    case 'signed-unseen':
      return 'warning';
    case 'sealed-spend':
    case 'unsigned-spend':
    case 'vault-silent':
    case 'vault-rolled-back':
    case 'vault-forked':
    case 'vault-withholds':
      return 'critical';
    case 'spend-withdrawn':
    case 'vault-down':
      return 'warning';
    case 'vault-sealed':
    case 'earlier-spends':
      return 'notice';
    default:
      return assertNever(detail);
  }
}
