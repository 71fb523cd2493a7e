import type { Address } from '@keepwatch/evm';
import type { EvmAsset, EvmFindingDetail } from './detail.ts';
import type { EvmPastEntry, EvmPastSpend } from './event.ts';
import type { EvmAccountFacts, EvmBlockFacts } from './facts.ts';
import type { EvmSpend, Hash32 } from './spend.ts';
import type { EvmAccountRecord, EvmState } from './state.ts';
import { emitEvm, evmId, tellEvm, type EvmTurn } from './turn.ts';
import type { EvmWallet } from './wallet.ts';

/** A block as one wallet sees it. */
export interface Sight {
  readonly facts: EvmBlockFacts;
  readonly seenBy: readonly string[];
  readonly late: boolean;
  /** Its id. */
  readonly wallet: string;
}

/** One account in one block while it is decided. */
export interface AccountTurn {
  readonly turn: EvmTurn;
  readonly sight: Sight;
  readonly wallet: EvmWallet;
  readonly facts: EvmAccountFacts;
  readonly before: EvmAccountRecord;
  /** Takes what a block of the past says, which is no news; null: it is told. */
  readonly past: EvmPastFound | null;
}

/** What a block of the past turned out to say. */
export interface EvmPastFound {
  readonly entries: EvmPastEntry[];
  readonly spends: EvmPastSpend[];
}

/** By how much the transactions of a block that name the account change its balance, and how many are its own. */
export function explainedBy(facts: EvmBlockFacts, address: Address): { explained: bigint; own: bigint } {
  let [explained, own] = [0n, 0n];
  for (const { from, to, value, succeeded, fee } of facts.transactions) {
    if (from === address) {
      explained -= fee + (succeeded ? value : 0n);
      own += 1n;
    }
    if (to === address && succeeded) explained += value;
  }
  for (const each of facts.withdrawals) if (each.address === address) explained += each.amount;
  return { explained, own };
}

/** `what` and `about` make the id. Amounts that reach the wallet's limit are told once more. */
export function say(
  { turn, sight, wallet, past }: AccountTurn,
  what: string,
  about: string,
  txHash: Hash32 | null,
  detail: EvmFindingDetail,
): string {
  const { block, chainId } = sight.facts;
  const id = evmId(turn, what, wallet.id, about, chainId, block);
  if (past) {
    past.entries.push({ id, txHash, detail });
    return id;
  }
  const evidence = { chainId, block, ...(txHash === null ? {} : { txHash }) };
  const { seenBy, late } = sight;
  tellEvm(turn, { id, wallet: wallet.id, evidence, seenBy, late }, detail);
  const isMovement = detail.kind === 'evm-received' || detail.kind === 'evm-spent' || detail.kind === 'evm-internal';
  if (!isMovement || !detail.asset.known) return id;
  const { asset, amount } = detail;
  const limit = wallet.limits.find(({ token }) => token === asset.token)?.large ?? null;
  if (limit !== null && amount >= limit) {
    const large = { kind: 'evm-large-amount', chainId, asset, amount, limit } as const;
    tellEvm(turn, { id: `evm-large-amount/${id}`, wallet: wallet.id, evidence, seenBy, late }, large);
  }
  return id;
}

export type SpendOf = Omit<EvmSpend, 'wallet' | 'chainId' | 'address' | 'seenAtMs' | 'block'>;

/** Notes that value or rights left; it has the id of the finding that says so. */
export function spend({ turn, sight, wallet, past }: AccountTurn, id: string, of: SpendOf): void {
  const { block, chainId } = sight.facts;
  const about = { wallet: wallet.id, chainId, address: wallet.address, seenAtMs: turn.nowMs, block };
  if (past) past.spends.push({ id, spend: { ...about, ...of } });
  else emitEvm(turn, { kind: 'evm-spend', id, spend: { ...about, ...of } });
}

/** `token` null: the chain's own coin. */
export function assetOf({ chains }: EvmState, { chainId, tokens }: EvmWallet, token: Address | null): EvmAsset {
  if (token === null) {
    const { symbol } = chains.get(String(chainId))!.chain;
    return { token, symbol, decimals: 18, known: true };
  }
  const named = tokens.find((each) => each.token === token);
  if (named) return { token, symbol: named.symbol, decimals: named.decimals, known: true };
  return { token, symbol: '', decimals: 0, known: false };
}
