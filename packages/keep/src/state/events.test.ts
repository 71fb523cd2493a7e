import { canonicalBytes, type Json } from '@keepwatch/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEntry, encodeEntry, stampEntry, type VaultEvent } from './events.ts';

describe('an entry', () => {
  it('is the canonical text of the event with its time and salt, whatever members events of its type have had', () => {
    const name = fc.oneof(fc.string(), fc.constantFrom('at1', 'a', 'salted', 'z', '9', 'toString'));
    const value = fc.oneof(fc.string(), fc.maxSafeInteger(), fc.constant(null), fc.dictionary(name, fc.string()));
    const members = fc.dictionary(
      name.filter((key) => !['at', 'salt', 'type', '__proto__'].includes(key)),
      value,
      { maxKeys: 30 },
    );
    fc.assert(
      fc.property(fc.array(members, { minLength: 1, maxLength: 3 }), fc.nat(), fc.string(), (shapes, at, salt) => {
        for (const shape of [...shapes, ...shapes]) {
          const event = { type: 'request.permitted', ...shape } as unknown as VaultEvent;
          const entry = stampEntry(event, at, salt);
          expect(entry).toEqual({ ...event, at, salt });
          const bytes = encodeEntry(entry);
          expect(bytes).toEqual(Buffer.from(canonicalBytes({ ...event, at, salt } as unknown as Json)));
          expect(decodeEntry(bytes)).toEqual(entry);
        }
      }),
    );
  });
});
