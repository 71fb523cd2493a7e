import { canonicalJson } from '@keepwatch/base';
import { toJson } from '../json.ts';
import { accountAfter, balanceOf, passedOf } from './account-after.ts';
import { assetOf, say, type AccountTurn, type Sight } from './account-turn.ts';
import { forgetUsedAllowances } from './decide-past.ts';
import { forgetPending, settledIn, settlePending } from './decide-pending.ts';
import { decideRights } from './decide-rights.ts';
import { decideTransfers } from './decide-transfers.ts';
import type { EvmAccountRecord } from './state.ts';
import { emitEvm, type EvmTurn } from './turn.ts';

/** What a block does to one wallet. The first one that is looked at tells where the account stands, and is no news. */
export function decideAccount(turn: EvmTurn, sight: Sight): void {
  const record = turn.state.wallets.get(sight.wallet)!;
  const { wallet, account } = record;
  const facts = sight.facts.accounts.find(({ address }) => address === wallet.address);
  if (!facts) return;
  if (account === null) {
    if (facts.state === null) return;
    forgetPending(turn, wallet.id);
    const first = { ...facts.state, unreadSince: null, explained: 0n, ownTransactions: 0n };
    const { tokens, allowances } = facts;
    const found = { ...first, tokens, allowances: allowances.filter(({ amount }) => amount > 0n), passed: [] };
    emitEvm(turn, { kind: 'evm-account', wallet: wallet.id, account: { ...found, passed: passedOf(wallet, found) } });
    const now = { turn, sight, wallet, facts, before: found, past: null };
    if (found.code.kind === 'delegation') {
      const { chainId } = wallet;
      say(now, 'evm-delegation', wallet.address, null, {
        ...{ kind: 'evm-delegation', chainId, before: null, after: found.code.to },
      });
    }
    return;
  }
  const now: AccountTurn = { turn, sight, wallet, facts, before: account, past: null };
  const after = accountAfter(now);
  const settled = settledIn(now);
  // Before anything is told of it: what is told stands with the part of the block that this begins.
  if (!same(account, after) || isNamed(now) || settled.length > 0) {
    emitEvm(turn, { kind: 'evm-account', wallet: wallet.id, account: after });
  }
  forgetUsedAllowances(turn, record, facts);
  decideTransfers(now);
  decideRights(now);
  tellLimits(now, after);
  settlePending(now, settled);
}

/** Whether anything in the block names the account; a state that ends as it began is no sign that nothing happened. */
function isNamed({ sight: { facts }, wallet: { address } }: AccountTurn): boolean {
  return (
    facts.transactions.some(({ from, to }) => from === address || to === address) ||
    facts.withdrawals.some((each) => each.address === address) ||
    facts.transfers.some(({ from, to }) => from === address || to === address) ||
    facts.approvals.some(({ owner }) => owner === address)
  );
}

function tellLimits(now: AccountTurn, after: EvmAccountRecord): void {
  const { wallet, before } = now;
  for (const passed of after.passed) {
    if (before.passed.includes(passed)) continue;
    const token = wallet.limits.find(({ token: each }) => passed.endsWith(`/${each ?? ''}`))!.token;
    const { above, below } = wallet.limits.find((each) => each.token === token)!;
    const isAbove = passed.startsWith('above/');
    const kind = isAbove ? ('evm-balance-above' as const) : ('evm-balance-below' as const);
    const detail = {
      ...{ kind, chainId: wallet.chainId, asset: assetOf(now.turn.state, now.wallet, token) },
      ...{ amount: balanceOf(after, token)!, limit: (isAbove ? above : below)! },
    } as const;
    say(now, kind, token ?? 'native', null, detail);
  }
}

const same = (a: unknown, b: unknown) => canonicalJson(toJson(a)) === canonicalJson(toJson(b));
