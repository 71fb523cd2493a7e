import { assertNever } from '@keepwatch/base';
import type { QuorumEvent } from '@keepwatch/chain';
import type { ChainInput } from '@keepwatch/watch';

/** What is to be known of a source besides what it says of itself. */
export interface SourceFacts {
  /** How many peers it had when last heard of. */
  readonly peers: number;
  /** A light client hears of transactions and cannot say what is in a mempool; all others can. */
  readonly mempool: 'whole' | 'relayed';
}

/** What the sources say together, in the words of the watch. */
export function chainInput(event: QuorumEvent, factsOf: (source: string) => SourceFacts): ChainInput {
  switch (event.kind) {
    case 'connected':
    case 'supplement': {
      const { kind, block, matches, seenBy } = event;
      return { kind, block, matches, seenBy };
    }
    case 'disconnected':
    case 'sighted':
    case 'replaced':
    case 'evicted':
      return event;
    case 'disagreement': {
      const { about, seenBy, others } = event;
      return { kind: 'disagreement', about, over: false, seenBy, others };
    }
    case 'agreement':
      return { kind: 'disagreement', about: event.about, over: true, seenBy: [], others: [] };
    case 'lag': {
      const { source, blocks, over } = event;
      const problem = over ? null : { code: 'source_behind', words: `It is ${blocks} blocks behind the others.` };
      return { kind: 'source', source, state: over ? 'live' : 'behind', ...factsOf(source), problem };
    }
    case 'source-health': {
      const { state, peers, problem } = event.health;
      return { kind: 'source', source: event.source, state, ...factsOf(event.source), peers, problem };
    }
    case 'quorum':
      return { kind: 'quorum', able: event.able };
    default:
      return assertNever(event);
  }
}
