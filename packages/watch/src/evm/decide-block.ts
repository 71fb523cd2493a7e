import { decideAccount } from './decide-account.ts';
import type { EvmInput } from './event.ts';
import type { EvmBlockRef } from './spend.ts';
import { blockKey, type EvmBlockPart, type EvmState } from './state.ts';
import { emitEvm, evmId, tellEvm, type EvmTurn } from './turn.ts';

type Connected = Extract<EvmInput, { readonly kind: 'evm-connected' }>;

/** Headers say whole seconds: a block of the second of the start is not from before it. */
const START_TOLERANCE_MS = 2_000;
/** A block that is older than this is late news in any case. */
const LATE_MS = 900_000;

/** A block on top of the tip. Told again, it says nothing. */
export function decideEvmBlock(turn: EvmTurn, { facts, seenBy }: Connected): void {
  const { state } = turn;
  const { chainId, block } = facts;
  const chain = () => state.chains.get(String(chainId));
  if (!chain()) return;
  if (state.blocks.get(blockKey(chainId, block.number))?.block.hash === block.hash) return;
  // A source that forgot to take blocks back is believed in what it says now.
  for (let tip = chain()!.tip; tip !== null; tip = chain()!.tip) {
    const isParent = tip.number === block.number - 1 && tip.hash === facts.parentHash;
    if (isParent || tip.number < block.number - 1) break;
    takeBack(turn, chainId, tip, seenBy);
  }
  emitEvm(turn, { kind: 'evm-block', chainId, block });
  const late = turn.nowMs - block.timeMs > LATE_MS || block.timeMs + START_TOLERANCE_MS < state.startedMs;
  for (const { wallet } of [...state.wallets.values()]) {
    if (wallet.chainId === chainId) decideAccount(turn, { facts, seenBy, late, wallet: wallet.id });
  }
  tellDepths(turn, chainId, block, seenBy, late);
}

/** The tip leaves the chain, and what was told of it no longer holds. */
export function decideEvmBlockBack(
  turn: EvmTurn,
  chainId: bigint,
  block: EvmBlockRef,
  seenBy: readonly string[],
): void {
  const tip = turn.state.chains.get(String(chainId))?.tip;
  if (tip?.hash === block.hash) takeBack(turn, chainId, tip, seenBy);
}

function takeBack(turn: EvmTurn, chainId: bigint, block: EvmBlockRef, seenBy: readonly string[]): void {
  const { state } = turn;
  const parts = state.blocks.get(blockKey(chainId, block.number))?.parts ?? [];
  const ids = parts.map(({ wallet }) => evmId(turn, 'evm-disconnected', wallet, 'block', chainId, block));
  emitEvm(turn, { kind: 'evm-block-back', chainId, block, withdrawn: parts.flatMap(({ spends }) => spends) });
  for (const [i, { wallet, told }] of parts.entries()) {
    if (told.length === 0) continue;
    const telling = { id: ids[i]!, wallet, evidence: { chainId, block }, seenBy, late: false };
    tellEvm(turn, telling, { kind: 'evm-disconnected', chainId, retracts: told });
  }
}

/** Blocks up to a number can no longer be taken back. */
export function decideEvmFinality(turn: EvmTurn, chainId: bigint, number: number): void {
  const { state } = turn;
  const record = state.chains.get(String(chainId));
  if (!record?.tip) return;
  const to = Math.min(number, record.tip.number);
  if (to <= record.finalized) return;
  emitEvm(turn, { kind: 'evm-finalized', chainId, number: to });
  for (let each = Math.max(record.finalized + 1, record.lowest); each <= to; each++) {
    tellConfirmed(turn, chainId, each, [], false, (block) => {
      return {
        what: 'evm-confirmed/final',
        depth: record.tip!.number - block.number + 1,
        buried: true,
        finalized: true,
      };
    });
  }
}

function tellDepths(turn: EvmTurn, chainId: bigint, tip: EvmBlockRef, seenBy: readonly string[], late: boolean): void {
  const { depths } = turn.state.chains.get(String(chainId))!.chain;
  for (const depth of depths.toReversed()) {
    const buried = depth === depths.at(-1);
    const confirmed = () => ({ what: `evm-confirmed/${depth}`, depth, buried, finalized: false });
    tellConfirmed(turn, chainId, tip.number - depth + 1, seenBy, late, confirmed);
  }
}

interface Confirmed {
  readonly what: string;
  readonly depth: number;
  readonly buried: boolean;
  readonly finalized: boolean;
}

function tellConfirmed(
  turn: EvmTurn,
  chainId: bigint,
  number: number,
  seenBy: readonly string[],
  late: boolean,
  confirmed: (block: EvmBlockRef) => Confirmed,
): void {
  const record = turn.state.blocks.get(blockKey(chainId, number));
  for (const part of record?.parts ?? []) {
    const about = happenings(part);
    if (about.length === 0) continue;
    const { block } = record!;
    const { what, ...rest } = confirmed(block);
    const id = evmId(turn, what, part.wallet, 'block', chainId, block);
    if (part.told.includes(id)) continue;
    const telling = { id, wallet: part.wallet, evidence: { chainId, block }, seenBy, late };
    tellEvm(turn, telling, { kind: 'evm-confirmed', chainId, ...rest, about });
  }
}

const happenings = ({ told }: EvmBlockPart) => told.filter((id) => !id.startsWith('evm-confirmed/'));

/** The last blocks of a chain, newest first, for a source to go on from. */
export function evmCursor(state: EvmState, chainId: bigint): readonly EvmBlockRef[] {
  const record = state.chains.get(String(chainId));
  const blocks: EvmBlockRef[] = [];
  if (!record?.tip) return blocks;
  for (let number = record.tip.number; number >= record.lowest; number--) {
    const found = state.blocks.get(blockKey(chainId, number));
    if (!found) break;
    blocks.push(found.block);
  }
  return blocks;
}
