import type { Health, QuorumEvent } from '@keepwatch/chain';
import { describe, expect, it } from 'vitest';
import { createChainInputs } from './inputs.ts';

const health = (state: Health['state'], peers = 1): QuorumEvent => ({
  ...{ kind: 'source-health', source: 'own', health: { state, tip: null, peers, problem: null } },
});
const lag = (over: boolean): QuorumEvent => ({ kind: 'lag', source: 'own', blocks: over ? 0 : 3, over });

describe('the condition of a source', () => {
  const told = (...events: readonly QuorumEvent[]) => {
    const input = createChainInputs([{ name: 'own', mempool: 'whole' }]);
    return events.map((event) => {
      const { state, peers } = input(event) as { readonly state: string; readonly peers: number };
      return `${state} ${peers}`;
    });
  };

  it('is behind for as long as the others are ahead, whatever it says of itself', () => {
    const story = told(health('live', 8), lag(false), health('live', 0), health('live', 1), lag(true));
    expect(story).toEqual(['live 8', 'behind 8', 'behind 0', 'behind 1', 'live 1']);
  });

  it('is down while nobody answers, however far the others get, and behind when it is back', () => {
    const story = told(health('live'), health('down', 0), lag(false), health('live', 2), lag(true));
    expect(story).toEqual(['live 1', 'down 0', 'down 0', 'behind 2', 'live 2']);
  });

  it('says which mempool is whole', () => {
    const input = createChainInputs([
      { name: 'own', mempool: 'whole' },
      { name: 'light', mempool: 'relayed' },
    ]);
    expect(input(health('live'))).toMatchObject({ mempool: 'whole' });
    expect(input({ kind: 'lag', source: 'light', blocks: 2, over: false })).toMatchObject({
      ...{ mempool: 'relayed', state: 'behind', problem: { code: 'source_behind' } },
    });
  });
});
