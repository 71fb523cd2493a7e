import { assertNever, canonicalJson } from '@keepwatch/base';
import { toJson } from '../json.ts';
import { decideEvmBlock, decideEvmBlockBack, decideEvmFinality } from './decide-block.ts';
import { decideEvmPast } from './decide-past.ts';
import { decideCounted, decideEvicted, decideSighted } from './decide-pending.ts';
import type { EvmEvent, EvmInput } from './event.ts';
import type { EvmState } from './state.ts';
import { beginEvmTurn, emitEvm, type EvmTurn } from './turn.ts';

/**
 * What one input means for the EVM accounts that are watched: facts to remember and findings, in order. It decides and
 * changes nothing: the driver makes the events durable, folds them by `applyEvmEvent`, and only then acts on them. The same
 * input told twice gives nothing the second time. `nowMs`: ms since 1970.
 */
export function evmStep(state: EvmState, input: EvmInput, nowMs: number): readonly EvmEvent[] {
  const turn = beginEvmTurn(state, nowMs);
  switch (input.kind) {
    case 'evm-started':
      emitEvm(turn, { kind: 'evm-started', atMs: nowMs });
      break;
    case 'evm-chain': {
      const known = turn.state.chains.get(String(input.chain.chainId))?.chain;
      if (!known || !same(known, input.chain)) emitEvm(turn, { kind: 'evm-chain', chain: input.chain });
      break;
    }
    case 'evm-wallet':
      decideWallet(turn, input.wallet);
      break;
    case 'evm-wallet-removed':
      if (turn.state.wallets.has(input.wallet)) emitEvm(turn, { kind: 'evm-wallet-dropped', wallet: input.wallet });
      break;
    case 'evm-connected':
      decideEvmBlock(turn, input);
      break;
    case 'evm-disconnected':
      decideEvmBlockBack(turn, input.chainId, input.block, input.seenBy);
      break;
    case 'evm-finality':
      decideEvmFinality(turn, input.chainId, input.number);
      break;
    case 'evm-sighted':
      decideSighted(turn, input);
      break;
    case 'evm-counted':
      decideCounted(turn, input);
      break;
    case 'evm-evicted':
      decideEvicted(turn, input);
      break;
    case 'evm-past':
      decideEvmPast(turn, input);
      break;
    default:
      assertNever(input);
  }
  return turn.events;
}

/** With another account it is another wallet, and begins anew. */
function decideWallet(turn: EvmTurn, wallet: Extract<EvmInput, { kind: 'evm-wallet' }>['wallet']): void {
  const known = turn.state.wallets.get(wallet.id)?.wallet;
  if (known && same(known, wallet)) return;
  if (known && (known.address !== wallet.address || known.chainId !== wallet.chainId)) {
    emitEvm(turn, { kind: 'evm-wallet-dropped', wallet: wallet.id });
  }
  emitEvm(turn, { kind: 'evm-wallet-put', wallet });
}

const same = (a: unknown, b: unknown) => canonicalJson(toJson(a)) === canonicalJson(toJson(b));
