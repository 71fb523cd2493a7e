import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withWritable } from './access.ts';
import { createSecureMemory } from './memory.ts';
import { reveal } from './secrets.fixture.ts';
import type { Slot } from './memory.ts';

const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('alloc' as const), size: fc.integer({ min: 1, max: 9000 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('free' as const), at: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), at: fc.nat(), byte: fc.nat(255) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wipe' as const) }) },
);

describe('secure memory against a plain model', () => {
  it('keeps what each slot holds, and shows no slot the bytes of another', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const memory = createSecureMemory({ allowUnlockedMemory: true });
        const model = new Map<Slot, Uint8Array>();
        const pick = (at: number) => [...model.keys()][at % model.size];
        for (const step of actions) {
          if (step.do === 'alloc') {
            model.set(memory.alloc(step.size), new Uint8Array(step.size));
          } else if (step.do === 'wipe') {
            memory.wipeAll();
            model.clear();
          } else if (model.size > 0) {
            const slot = pick(step.at)!;
            if (step.do === 'free') {
              memory.free(slot);
              model.delete(slot);
            } else {
              withWritable(slot, (view) => view.fill(step.byte));
              model.get(slot)!.fill(step.byte);
            }
          }
        }
        expect(memory.stats()).toMatchObject({ liveSlots: model.size, openSlabs: 0 });
        for (const [slot, bytes] of model) expect(reveal(slot)).toEqual(bytes);
      }),
      { numRuns: 60 },
    );
  });
});
