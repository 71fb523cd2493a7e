import type { Address } from '@keepwatch/evm';
import { assetOf, explainedBy, say, spend, type AccountTurn, type SpendOf } from './account-turn.ts';
import type { EvmLogFacts, EvmTransactionFacts, EvmTransferFacts } from './facts.ts';
import type { EvmSpendWay } from './spend.ts';

/** Of contracts that nobody named: so many of their claims are told for one wallet in one block. */
const MAX_UNKNOWN = 16;

/** Coins and tokens that came to the account or left it. */
export function decideTransfers(now: AccountTurn): void {
  const { facts } = now.sight;
  const { address } = now.wallet;
  for (const transaction of facts.transactions) {
    if (transaction.from === address) tellSent(now, transaction);
    else if (transaction.to === address && transaction.succeeded && transaction.value > 0n) {
      const { hash, from, value: amount } = transaction;
      const moved = { chainId: now.wallet.chainId, asset: assetOf(now.turn.state, now.wallet, null), amount };
      say(now, 'evm-received', hash, hash, { kind: 'evm-received', ...moved, from });
    }
  }
  let unknown = 0;
  for (const transfer of facts.transfers) {
    if (transfer.from !== address && transfer.to !== address) continue;
    // Anybody may move nothing out of any account: it is done to put a look-alike address into its history.
    if (transfer.amount === 0n && transfer.caller !== address) continue;
    if (!assetOf(now.turn.state, now.wallet, transfer.token).known && ++unknown > MAX_UNKNOWN) continue;
    tellTransfer(now, transfer);
  }
  for (const [i, withdrawal] of facts.withdrawals.entries()) {
    if (withdrawal.address !== address || withdrawal.amount === 0n) continue;
    const { chainId } = now.wallet;
    const asset = assetOf(now.turn.state, now.wallet, null);
    const received = { kind: 'evm-received', chainId, asset, amount: withdrawal.amount, from: null } as const;
    say(now, `evm-received/withdrawal-${i}`, address, null, received);
  }
  tellInternal(now);
}

function tellSent(now: AccountTurn, transaction: EvmTransactionFacts): void {
  const { hash, from, to, nonce, value, succeeded, fee, digest } = transaction;
  const amount = succeeded ? value : 0n;
  const id = say(now, 'evm-spent', hash, hash, {
    ...{ kind: 'evm-spent', chainId: now.wallet.chainId, asset: assetOf(now.turn.state, now.wallet, null), amount, to },
    ...{ how: 'transaction', caller: from, nonce, fee, failed: !succeeded },
  });
  const signed = digest === null ? {} : { digest };
  spend(now, id, { how: 'transaction', txHash: hash, nonce, caller: from, token: null, amount, ...signed });
}

function tellTransfer(now: AccountTurn, transfer: EvmTransferFacts): void {
  const { token, amount, txHash, logIndex, caller, from, to } = transfer;
  const { address, chainId } = now.wallet;
  const asset = assetOf(now.turn.state, now.wallet, token);
  const moved = { chainId, asset, amount };
  if (from !== address) {
    say(now, `evm-received/${logIndex}`, txHash, txHash, { kind: 'evm-received', ...moved, from });
    return;
  }
  const how = wayOf(now, token, caller);
  const own = how === 'transaction' ? ownOf(now, txHash) : NOT_OWN;
  const { nonce } = own;
  const detail = { kind: 'evm-spent', ...moved, to, how, caller, nonce, fee: null, failed: false } as const;
  const id = say(now, `evm-spent/${logIndex}`, txHash, txHash, detail);
  // What an unknown contract says that others did is a claim, and no ground for an alarm.
  if (!asset.known && how !== 'transaction') return;
  const more = how === 'transaction' ? own : { ...own, ...byOthers(now, transfer), recipient: to };
  spend(now, id, { how, txHash, caller, token, amount, ...more });
}

/** What is known of a transaction of somebody else, and of the code by which it may have done what it did. */
export function byOthers(now: AccountTurn, { callee }: EvmLogFacts): Pick<SpendOf, 'callee' | 'delegate'> {
  return { ...(callee === undefined ? {} : { callee }), ...delegateOf(now) };
}

/** Whose code the account runs, where it is delegated (EIP-7702). */
export function delegateOf({ before, facts }: AccountTurn): Pick<SpendOf, 'delegate'> {
  const code = [before.code, facts.state?.code].find((each) => each?.kind === 'delegation');
  return code?.kind === 'delegation' ? { delegate: code.to } : {};
}

export const NOT_OWN: Pick<SpendOf, 'nonce' | 'digest'> = { nonce: null };

/** What a spend says of the account's own transaction. */
export function ownOf(now: AccountTurn, txHash: string): Pick<SpendOf, 'nonce' | 'digest'> {
  const found = now.sight.facts.transactions.find(({ hash }) => hash === txHash);
  if (!found) return NOT_OWN;
  return { nonce: found.nonce, ...(found.digest === null ? {} : { digest: found.digest }) };
}

/** By which right somebody moved what is the account's. */
export function wayOf({ wallet, before, facts, sight }: AccountTurn, token: Address, caller: Address): EvmSpendWay {
  if (caller === wallet.address) return 'transaction';
  const wasAllowed =
    before.allowances.some((each) => each.token === token) ||
    sight.facts.approvals.some((each) => each.token === token && each.owner === wallet.address);
  if (wasAllowed) return 'allowance';
  const kinds = [before.code.kind, facts.state?.code.kind ?? 'none'];
  if (kinds.includes('delegation')) return 'delegation';
  return kinds.includes('contract') ? 'unexplained' : 'allowance';
}

/** What the balance changed beside all that names the account: contracts paid it, or moved it on. */
function tellInternal(now: AccountTurn): void {
  const { facts, before, wallet, sight } = now;
  if (facts.state === null) return;
  const { explained } = explainedBy(sight.facts, wallet.address);
  const rest = facts.state.balance - before.balance - before.explained - explained;
  if (rest === 0n) return;
  const isSpent = rest < 0n;
  const amount = isSpent ? -rest : rest;
  const id = say(now, 'evm-internal', wallet.address, null, {
    ...{ kind: 'evm-internal', chainId: wallet.chainId, asset: assetOf(now.turn.state, now.wallet, null), amount },
    ...{ direction: isSpent ? 'spent' : 'received', sinceBlock: before.unreadSince ?? sight.facts.block.number },
  });
  if (!isSpent) return;
  const by = delegateOf(now);
  const how = by.delegate === undefined ? 'unexplained' : 'delegation';
  spend(now, id, { how, txHash: null, nonce: null, caller: null, token: null, amount, ...by });
}
