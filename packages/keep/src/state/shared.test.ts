import { describe, expect, it } from 'vitest';
import { sharedTerms, sharedText } from './shared.ts';

const FEES = { maxFeePerGas: '30', maxPriorityFeePerGas: '1', maxFeePerBlobGas: null, charged: '630000' };

describe('names', () => {
  it('stay what they are, however many there are', () => {
    for (let i = 0; i < 10_000; i++) expect(sharedText(`wallet ${i % 5_000}`)).toBe(`wallet ${i % 5_000}`);
  });
});

describe('terms', () => {
  const first = sharedTerms('w', { core: 'to:1:', fees: FEES });

  it('are those of the wallet before where they are equal', () => {
    expect(sharedTerms('w', { core: 'to:1:', fees: { ...FEES } })).toBe(first);
    expect(sharedTerms('another', { core: 'to:1:', fees: { ...FEES } })).not.toBe(first);
  });

  it.each([
    ['maxFeePerGas', '31'],
    ['maxPriorityFeePerGas', '2'],
    ['maxFeePerBlobGas', '1'],
    ['charged', '630001'],
  ])('are their own where %s differs, and share the rest', (name, value) => {
    sharedTerms('w', { core: 'to:1:', fees: FEES });
    const terms = { core: 'to:1:', fees: { ...FEES, [name]: value } };
    expect(sharedTerms('w', terms)).toEqual(terms);
  });

  it('share the fees where only the core differs', () => {
    const { fees } = sharedTerms('w', { core: 'to:1:', fees: FEES });
    const other = sharedTerms('w', { core: 'to:2:', fees: { ...FEES } });
    expect(other).toEqual({ core: 'to:2:', fees: FEES });
    expect(other.fees).toBe(fees);
  });

  it('stay what they are, however many wallets there are', () => {
    for (let i = 0; i < 10_000; i++) {
      const terms = { core: `to:${i % 7}:`, fees: { ...FEES, charged: `${i % 3}` } };
      expect(sharedTerms(`w${i % 5_000}`, terms)).toEqual(terms);
    }
  });
});
