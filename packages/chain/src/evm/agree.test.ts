import { describe, expect, it } from 'vitest';
import { agree, agreeOnBlock } from './agree.ts';
import type { EvmBlockFacts, Hash32 } from './facts.ts';

const hash = (digit: string): Hash32 => `0x${digit.repeat(64)}`;
const account = `0x${'a'.repeat(40)}` as const;

function facts(balance: bigint | null, of: Partial<EvmBlockFacts> = {}): EvmBlockFacts {
  const state = balance === null ? null : { balance, nonce: 1n, code: { kind: 'none' } as const, implementation: null };
  return {
    ...{ chainId: 1n, block: { number: 5, hash: hash('1'), timeMs: 0 }, parentHash: hash('0') },
    accounts: [{ address: account, state, tokens: [], allowances: [] }],
    ...{ transactions: [], withdrawals: [], transfers: [], approvals: [] },
    ...of,
  };
}
const said = (...values: readonly EvmBlockFacts[]) => values.map((value, i) => ({ name: `up${i + 1}`, value }));

it('what most say counts, where they are enough', () => {
  const of = (...values: readonly number[]) => values.map((value, i) => ({ name: String(i), value }));
  expect(agree(of(1, 2, 2), 2, String)).toEqual({ value: 2, seenBy: ['1', '2'], others: ['0'] });
  expect(agree(of(1, 2, 3), 2, String)).toBeUndefined();
  expect(agree([], 1, String)).toBeUndefined();
});

describe('a block that several have read', () => {
  it('is taken part by part, and names who says something else', () => {
    const verdict = agreeOnBlock(said(facts(7n), facts(8n), facts(7n)), 2);
    expect(verdict).toMatchObject({ kind: 'agreed', differing: [{ part: 'balances', others: ['up2'] }] });
    expect(verdict.kind === 'agreed' && verdict.facts.accounts[0]!.state?.balance).toBe(7n);
  });

  it('is open where too few say the same of a part, whichever comes first', () => {
    expect(agreeOnBlock(said(facts(7n), facts(8n)), 2)).toMatchObject({ kind: 'open', about: 'balances' });
    const withdrawals = [{ address: account, amount: 1n }];
    expect(agreeOnBlock(said(facts(7n), facts(7n, { withdrawals })), 2)).toMatchObject({ about: 'transactions' });
  });

  it('of another hash is somewhere else, and no part of it is compared', () => {
    const other = facts(9n, { block: { number: 5, hash: hash('2'), timeMs: 0 } });
    expect(agreeOnBlock(said(other, facts(7n), facts(7n)), 2)).toMatchObject({ elsewhere: ['up1'], differing: [] });
    expect(agreeOnBlock(said(other, facts(7n)), 2)).toMatchObject({ kind: 'open', about: 'hash' });
  });

  it('leaves a state unknown where too few still have it, and never takes that of one alone', () => {
    const verdict = agreeOnBlock(said(facts(7n), facts(null), facts(null)), 2);
    expect(verdict.kind === 'agreed' && verdict.facts.accounts[0]!.state).toBeNull();
    const known = agreeOnBlock(said(facts(null), facts(7n), facts(7n)), 2);
    expect(known.kind === 'agreed' && known.facts.accounts[0]!.state?.balance).toBe(7n);
  });
});
