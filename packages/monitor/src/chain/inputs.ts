import { assertNever } from '@keepwatch/base';
import type { ChainSource, Health, QuorumEvent } from '@keepwatch/chain';
import type { ChainInput } from '@keepwatch/watch';

interface Condition {
  health: Health | null;
  /** How many blocks it is behind the others, as the quorum sees it. */
  lag: number | null;
}

/**
 * What the sources say together, in the words of the watch. A source's own word and what the others show of it are one
 * condition: a node that finds itself well and is behind the others is behind until both say otherwise, and one that is down
 * stays down however far the others get.
 */
export function createChainInputs(sources: readonly Pick<ChainSource, 'name' | 'mempool'>[]) {
  const conditions = new Map(sources.map(({ name }): [string, Condition] => [name, { health: null, lag: null }]));
  const mempools = new Map(sources.map(({ name, mempool }) => [name, mempool]));

  function conditionOf(source: string): ChainInput {
    const { health, lag } = conditions.get(source) ?? { health: null, lag: null };
    const mempool = mempools.get(source) ?? 'relayed';
    const facts = { kind: 'source', source, peers: health?.peers ?? 0, mempool } as const;
    if (lag !== null && health?.state !== 'down') {
      const problem = { code: 'source_behind', words: `It is ${lag} blocks behind the others.` };
      return { ...facts, state: 'behind', problem };
    }
    return { ...facts, state: health?.state ?? 'starting', problem: health?.problem ?? null };
  }

  function note(source: string, more: Partial<Condition>): ChainInput {
    conditions.set(source, { ...(conditions.get(source) ?? { health: null, lag: null }), ...more });
    return conditionOf(source);
  }

  return (event: QuorumEvent): ChainInput => {
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
      case 'lag':
        return note(event.source, { lag: event.over ? null : event.blocks });
      case 'source-health':
        return note(event.source, { health: event.health });
      case 'quorum':
        return { kind: 'quorum', able: event.able };
      default:
        return assertNever(event);
    }
  };
}
