import { assertNever } from '@keepwatch/base';
import { decideBlock, decideBlockBack, decideHistory, decideSupplement } from './decide-chain.ts';
import { decideCondition } from './decide-condition.ts';
import { decideRescan, decideScripts, decideSettings, decideWallet, decideWalletRemoved } from './decide-owner.ts';
import { decideLoss, decideSighting } from './decide-tx.ts';
import type { WatchEvent } from './event.ts';
import type { WatchInput } from './input.ts';
import type { WatchState } from './state.ts';
import { beginTurn } from './turn.ts';

/**
 * What one input means: facts to remember and findings, in order. It decides and changes nothing: the driver makes the
 * events durable, folds them by `applyWatchEvent`, and only then acts on them. The same input told twice gives nothing the
 * second time. `nowMs`: ms since 1970.
 */
export function watchStep(state: WatchState, input: WatchInput, nowMs: number): readonly WatchEvent[] {
  const turn = beginTurn(state, nowMs);
  switch (input.kind) {
    case 'connected':
      decideBlock(turn, input);
      break;
    case 'disconnected':
      decideBlockBack(turn, input);
      break;
    case 'supplement':
      decideSupplement(turn, input);
      break;
    case 'history':
      decideHistory(turn, input);
      break;
    case 'sighted':
      decideSighting(turn, input);
      break;
    case 'replaced':
    case 'evicted':
      decideLoss(turn, input);
      break;
    case 'settings':
      decideSettings(turn, input.settings);
      break;
    case 'wallet':
      decideWallet(turn, input.wallet);
      break;
    case 'wallet-removed':
      decideWalletRemoved(turn, input.wallet);
      break;
    case 'rescan':
      decideRescan(turn, input.wallet);
      break;
    case 'scripts':
      decideScripts(turn, input);
      break;
    case 'source':
    case 'source-gone':
    case 'disagreement':
    case 'quorum':
    case 'tick':
    case 'started':
    case 'feerate':
    case 'disk':
    case 'clock':
    case 'channel':
      decideCondition(turn, input);
      break;
    default:
      assertNever(input);
  }
  return turn.events;
}
