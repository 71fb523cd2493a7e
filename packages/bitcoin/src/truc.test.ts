import { describe, expect, it } from 'vitest';
import { P2A_SCRIPT, witnessScript } from './script/kinds.ts';
import { anchorsOf, dustFault, trucFault, type TrucParent } from './truc.ts';

const parent = (change: Partial<TrucParent> = {}): TrucParent => ({
  version: 3,
  vsize: 200,
  hasParent: false,
  hasOtherChild: false,
  ...change,
});

describe('TRUC (BIP431, “Specification”)', () => {
  it.each([
    ['alone, at its limit', { version: 3, vsize: 10_000 }, [], null],
    ['alone, above it', { version: 3, vsize: 10_001 }, [], 'truc_too_large'],
    ['another version may be larger', { version: 2, vsize: 90_000 }, [], null],
    ['a child at its limit', { version: 3, vsize: 1_000 }, [parent()], null],
    ['a child above it', { version: 3, vsize: 1_001 }, [parent()], 'truc_child_too_large'],
    ['a child of another version', { version: 2, vsize: 100 }, [parent()], 'truc_mixed_versions'],
    ['a parent of another version', { version: 3, vsize: 100 }, [parent({ version: 2 })], 'truc_mixed_versions'],
    ['two parents', { version: 3, vsize: 100 }, [parent(), parent()], 'truc_too_many_ancestors'],
    ['a grandparent', { version: 3, vsize: 100 }, [parent({ hasParent: true })], 'truc_too_many_ancestors'],
    ['a sibling', { version: 3, vsize: 100 }, [parent({ hasOtherChild: true })], 'truc_too_many_descendants'],
    ['others may have many', { version: 2, vsize: 100 }, [parent({ version: 2 }), parent({ version: 1 })], null],
  ] as const)('%s', (_name, transaction, parents, fault) => {
    expect(trucFault(transaction, parents)).toBe(fault);
  });
});

describe('anchors and dust', () => {
  const paid = { script: witnessScript(0, new Uint8Array(20)), sats: 294n };
  const anchor = { script: P2A_SCRIPT, sats: 0n };

  it('an anchor is known by its script', () => {
    expect(anchorsOf([paid, anchor, paid])).toEqual([1]);
    expect(anchorsOf([paid])).toEqual([]);
  });

  it('one output of dust is relayed without a fee, and no more', () => {
    expect(dustFault([paid, anchor], 0n)).toBe(null);
    expect(dustFault([paid, anchor], 1n)).toBe('dust_with_fee');
    expect(dustFault([paid, { ...anchor, sats: 240n }], 1n)).toBe(null);
    expect(dustFault([anchor, anchor], 0n)).toBe('dust_too_many');
    expect(dustFault([{ ...paid, sats: 293n }], 10n)).toBe('dust_with_fee');
  });
});
