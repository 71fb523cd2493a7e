import { ok, type Result } from '@keepwatch/base';
import { intentOf as evmIntentOf, type IntentErrorCode, type Transaction } from '@keepwatch/evm';
import type { Intent } from '@keepwatch/permission';

/** What a transaction would do, in the words of the permission engine. */
export function intentOf(transaction: Transaction): Result<Intent, IntentErrorCode> {
  const decoded = evmIntentOf(transaction);
  if (!decoded.ok) return decoded;
  const { chain, nonce, recipient, valueWei, kind: _kind, ...fee } = decoded.value;
  return ok({
    actions: [{ amount: valueWei, kind: 'ether-transfer', recipient, sender: 'wallet' }],
    chain,
    fee,
    form: 'transaction',
    nonce,
    notes: [],
    opaque: null,
    outflows: [
      {
        account: 'wallet',
        amount: valueWei,
        asset: 'native',
        holds: 'spent',
        route: 'value',
        to: recipient,
        untilMs: null,
      },
    ],
  });
}
