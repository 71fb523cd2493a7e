import { assetOf, explainedBy, say, spend, type AccountTurn } from './account-turn.ts';
import { byOthers, delegateOf, NOT_OWN, ownOf } from './decide-transfers.ts';
import type { EvmApprovalFacts, EvmCode } from './facts.ts';

const MAX_UNKNOWN = 16;

/** Who may do what with the account: allowances, its code, and whether its nonce is where it should be. */
export function decideRights(now: AccountTurn): void {
  const { address } = now.wallet;
  let unknown = 0;
  for (const approval of now.sight.facts.approvals) {
    if (approval.owner !== address) continue;
    if (!assetOf(now.turn.state, now.wallet, approval.token).known && ++unknown > MAX_UNKNOWN) continue;
    tellApproval(now, approval);
  }
  if (now.facts.state === null) return;
  const isRedelegated = tellCode(now, now.facts.state.code);
  tellNonce(now, now.facts.state.nonce, now.facts.state.code, isRedelegated);
  tellUpgrade(now, now.facts.state.implementation);
}

function tellApproval(now: AccountTurn, approval: EvmApprovalFacts): void {
  const { token, spender, amount, txHash, logIndex, caller } = approval;
  const { wallet, before: account, sight } = now;
  const known = account.allowances.find((each) => each.token === token && each.spender === spender)?.amount;
  const how = caller === wallet.address ? 'transaction' : 'allowance';
  // Many tokens say what is left of an allowance each time some of it is spent: that is told as the spend.
  const isSpending = sight.facts.transfers.some(
    (each) => each.txHash === txHash && each.token === token && each.from === wallet.address && each.amount > 0n,
  );
  if (how === 'allowance' && isSpending && known !== undefined && amount < known) return;
  const asset = assetOf(now.turn.state, now.wallet, token);
  const id = say(now, `evm-allowance/${logIndex}`, txHash, txHash, {
    ...{ kind: 'evm-allowance', chainId: wallet.chainId, asset, amount, spender },
    ...{ before: known ?? null, how, caller },
  });
  if (amount === 0n || !(asset.known || how === 'transaction')) return;
  const own = how === 'transaction' ? ownOf(now, txHash) : { ...NOT_OWN, ...byOthers(now, approval), spender };
  spend(now, id, { how, txHash, caller, token, amount, ...own });
}

/** Gives back whether a delegation was set, changed or cleared. */
function tellCode(now: AccountTurn, after: EvmCode): boolean {
  const { before, wallet } = now;
  const { chainId, address } = wallet;
  if (codeKey(before.code) === codeKey(after)) return false;
  const [from, to] = [delegationOf(before.code), delegationOf(after)];
  if (before.code.kind === 'contract' || after.kind === 'contract') {
    say(now, 'evm-code', address, null, { kind: 'evm-code', chainId, before: before.code, after });
    return from !== null || to !== null;
  }
  const id = say(now, 'evm-delegation', address, null, { kind: 'evm-delegation', chainId, before: from, after: to });
  if (to === null) return true;
  const uses = { from: before.nonce, to: now.facts.state!.nonce };
  spend(now, id, { ...SILENT, how: 'delegation', delegate: to, uses });
  return true;
}

/** What stands in no transaction that was seen, and moved nothing. */
const SILENT = { txHash: null, nonce: null, caller: null, token: null, amount: 0n } as const;

const delegationOf = (code: EvmCode) => (code.kind === 'delegation' ? code.to : null);
const codeKey = (code: EvmCode) =>
  code.kind === 'none' ? '' : code.kind === 'delegation' ? `to ${code.to}` : `is ${code.hash}`;

/**
 * An account's nonce counts its transactions, and its authorisations of a delegation (EIP-7702). That of a contract counts
 * the contracts that it made, and is nobody's business here.
 */
function tellNonce(now: AccountTurn, nonce: bigint, code: EvmCode, isRedelegated: boolean): void {
  const { before, wallet, sight } = now;
  if (code.kind === 'contract') return;
  const { own } = explainedBy(sight.facts, wallet.address);
  const expected = before.nonce + before.ownTransactions + own;
  if (nonce === expected || (isRedelegated && nonce === expected + 1n)) return;
  const { chainId, address } = wallet;
  const id = say(now, 'evm-nonce', address, null, { kind: 'evm-nonce', chainId, expected, nonce });
  const how = delegateOf(now).delegate === undefined ? 'unexplained' : 'delegation';
  if (nonce > expected) spend(now, id, { ...SILENT, how, uses: { from: before.nonce, to: nonce } });
}

function tellUpgrade(now: AccountTurn, after: `0x${string}` | null): void {
  const { before, wallet } = now;
  if (before.implementation === after) return;
  const { chainId, address } = wallet;
  const detail = { kind: 'evm-upgraded', chainId, before: before.implementation, after } as const;
  say(now, 'evm-upgraded', address, null, detail);
}
