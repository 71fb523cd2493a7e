import { describe, expect, it } from 'vitest';
import { hashOf, OTHER, STRANGE, TOKEN, WALLET } from './history.fixture.ts';
import { createAccount, own, payment } from './pending.fixture.ts';

const kinds = (findings: readonly { readonly detail: { readonly kind: string } }[]) =>
  findings.map(({ detail }) => detail.kind);

describe('a transaction outside blocks', () => {
  it('is told once, with its grade, and not again by its block', () => {
    const account = createAccount();
    const spend = own(0);
    const [sighted] = account.sight(spend);
    expect(sighted).toMatchObject({
      ...{ severity: 'warning', wallet: 'hot' },
      evidence: { grade: 'valid', evm: { txHash: spend.hash }, seenBy: ['one'] },
      detail: {
        kind: 'evm-sighted',
        direction: 'spent',
        grade: 'valid',
        amount: 5n,
        to: OTHER,
        nonce: 0n,
        amends: null,
      },
    });
    expect(sighted!.evidence.evm).not.toHaveProperty('block');
    expect(account.sight(spend, ['two'])).toEqual([]);
    account.die();
    expect(account.sight(spend)).toEqual([]);
    expect(kinds(account.mine([spend]))).toEqual(['evm-spent']);
    expect(account.sight(spend)).toEqual([]);
    expect(account.evict(spend.hash)).toEqual([]);
  });

  it('that is only claimed says so, and is amended when its bytes are checked', () => {
    const account = createAccount();
    const claimed = own(0, 'a', { digest: null });
    const [first] = account.sight(claimed);
    expect(first).toMatchObject({ evidence: { grade: 'claimed' }, detail: { grade: 'claimed' } });
    expect(account.sight(claimed)).toEqual([]);
    const [second] = account.sight(own(0));
    expect(second!.detail).toMatchObject({ grade: 'valid', amends: first!.id });
    expect(account.sight(claimed)).toEqual([]);
    expect(account.sight(own(0))).toEqual([]);
  });

  it('is the account’s own spend for a comparison only where its signature was checked', () => {
    const account = createAccount();
    const spends = (digest: `0x${string}` | null) =>
      account
        .events({ kind: 'evm-sighted', chainId: 31_337n, transaction: own(0, 'a', { digest }), seenBy: [] })
        .flatMap((event) => (event.kind === 'evm-pending' ? [event.spend] : []));
    expect(spends(null)).toEqual([null]);
    expect(spends(hashOf('signed'))).toMatchObject([
      { how: 'transaction', txHash: own(0).hash, digest: hashOf('signed'), nonce: 0n, caller: WALLET, block: null },
    ]);
    const of = account.events({ kind: 'evm-sighted', chainId: 31_337n, transaction: payment(0), seenBy: [] });
    expect(of.find(({ kind }) => kind === 'evm-pending')).toMatchObject({ spend: null });
  });

  it('is replaced by another one with its nonce, and either may come', () => {
    const account = createAccount();
    const [first] = account.sight(own(0));
    const told = account.sight(own(0, 'b'));
    expect(kinds(told)).toEqual(['evm-sighted', 'evm-replaced']);
    expect(told[1]).toMatchObject({
      evidence: { evm: { txHash: own(0).hash } },
      detail: { by: own(0, 'b').hash, sighted: first!.id },
    });
    // One that was replaced and is shown again, or dropped, is no news.
    expect(account.sight(own(0))).toEqual([]);
    account.die();
    const mined = account.mine([own(0)]);
    expect(kinds(mined)).toEqual(['evm-spent', 'evm-replaced']);
    expect(mined[1]).toMatchObject({
      detail: { by: own(0).hash, sighted: told[0]!.id },
      evidence: { evm: { block: {} } },
    });
  });

  it('that is claimed replaces none that is proven', () => {
    const account = createAccount();
    account.sight(own(0));
    expect(kinds(account.sight(own(0, 'b', { digest: null })))).toEqual(['evm-sighted']);
    expect(kinds(account.mine([own(0)]))).toEqual(['evm-spent', 'evm-replaced']);
  });

  it('is evicted, once, and told anew when it comes back', () => {
    const account = createAccount();
    const [first] = account.sight(own(0));
    const [gone] = account.evict(own(0).hash);
    expect(gone!.detail).toEqual({ kind: 'evm-evicted', chainId: 31_337n, sighted: first!.id });
    expect(account.evict(own(0).hash)).toEqual([]);
    account.die();
    const [again] = account.sight(own(0));
    expect(again!.id).not.toBe(first!.id);
  });

  it('waits again when its block leaves, and what its block said is taken back', () => {
    const account = createAccount();
    const [sighted] = account.sight(own(0));
    const other = own(0, 'thief');
    const [spent, replaced] = account.mine([other]);
    expect(replaced!.detail).toEqual({
      ...{ kind: 'evm-replaced', chainId: 31_337n, by: other.hash, sighted: sighted!.id },
    });
    account.die('snapshot');
    expect(account.back()).toMatchObject([{ detail: { retracts: [spent!.id, replaced!.id] } }]);
    account.die('snapshot');
    expect(kinds(account.mine([own(0)]))).toEqual(['evm-spent']);
    expect(account.sight(own(0))).toEqual([]);
  });

  it('is replaced by what is not known where the nonce alone says so', () => {
    const account = createAccount();
    account.sight(own(0));
    // An authorisation that somebody else brought (EIP-7702): no transaction of the account has the nonce.
    const told = account.mine([{ ...own(7), nonce: 7n }]);
    expect(told.find(({ detail }) => detail.kind === 'evm-replaced')?.detail).toMatchObject({ by: null });
  });

  it('whose nonce is used up already is no news', () => {
    const account = createAccount();
    account.mine([own(0)]);
    expect(account.sight(own(0, 'old'))).toEqual([]);
    expect(account.sight(own(0))).toEqual([]);
  });
});

describe('a payment outside blocks', () => {
  it('is told where it is of the coin, or of a token that the owner named', () => {
    const account = createAccount();
    const [coin] = account.sight(payment(3));
    expect(coin).toMatchObject({ severity: 'info', detail: { direction: 'received', amount: 5n, from: OTHER } });
    const transfer = { to: WALLET, amount: 70n };
    const [token] = account.sight(payment(4, 'a', { to: TOKEN, value: 0n, transfer }));
    expect(token!.detail).toMatchObject({ direction: 'received', amount: 70n, asset: { symbol: 'COIN', known: true } });
    expect(account.sight(payment(5, 'a', { to: STRANGE, value: 0n, transfer }))).toEqual([]);
    expect(account.sight(payment(6, 'a', { value: 0n }))).toEqual([]);
    const [sent] = account.sight(own(0, 'a', { to: TOKEN, value: 0n, transfer: { to: OTHER, amount: 9n } }));
    expect(sent!.detail).toMatchObject({ direction: 'spent', amount: 9n, to: OTHER, asset: { symbol: 'COIN' } });
  });

  it('is over with its block, and it is said where that brought nothing', () => {
    const account = createAccount();
    account.sight(payment(3));
    expect(kinds(account.mine([payment(3)]))).toEqual(['evm-received']);
    const [sighted] = account.sight(payment(4));
    expect(account.mine([payment(4)], [payment(4).hash])).toMatchObject([
      { detail: { kind: 'evm-evicted', sighted: sighted!.id }, evidence: { evm: { block: { number: 3 } } } },
    ]);
    account.sight(payment(5));
    expect(account.mine([payment(5, 'b', { to: OTHER })])).toMatchObject([{ detail: { kind: 'evm-replaced' } }]);
    expect(account.sight(payment(3))).toEqual([]);
  });
});

describe('what an upstream counts and does not show', () => {
  it('is told as a claim, once, and is over when it is shown, mined or gone', () => {
    const account = createAccount();
    expect(account.count(0n, 1n)).toMatchObject([
      { severity: 'warning', evidence: { grade: 'claimed' }, detail: { kind: 'evm-counted', nonce: 0n, pending: 1n } },
    ]);
    account.die();
    expect(account.count(0n, 1n)).toEqual([]);
    expect(account.sight(own(0)).map(({ detail }) => 'over' in detail && detail.over)).toEqual([false, true]);
    expect(account.count(0n, 1n)).toEqual([]);
    expect(kinds(account.count(0n, 2n))).toEqual(['evm-counted']);
    expect(kinds(account.mine([own(0), own(1)]))).toEqual(['evm-spent', 'evm-spent', 'evm-counted']);
    expect(kinds(account.count(2n, 3n))).toEqual(['evm-counted']);
    expect(account.count(2n, 2n)).toMatchObject([{ severity: 'notice', detail: { over: true } }]);
    // One that is not in step with the blocks that were read says nothing.
    expect(account.count(1n, 9n)).toEqual([]);
    expect(account.count(3n, 4n)).toEqual([]);
  });
});

describe('bounds', () => {
  it('what is claimed fills no memory, and keeps nothing out that is proven', () => {
    const account = createAccount();
    for (let i = 0; i < 200; i++) account.sight(own(i, 'claimed', { digest: null }));
    for (let i = 0; i < 200; i++) account.sight(payment(i, 'claimed', { digest: null }));
    expect(account.findings.filter(({ detail }) => detail.kind === 'evm-sighted')).toHaveLength(32);
    for (let i = 0; i < 200; i++) account.sight(own(0, `${i}`));
    expect([...account.state().pending.keys()].length).toBeLessThanOrEqual(128);
    expect(kinds(account.sight(own(0, 'last')))).toContain('evm-sighted');
  });

  it('what is in blocks is forgotten with them', () => {
    const account = createAccount();
    for (let i = 0; i < 60; i++) {
      account.sight(own(i));
      account.mine([own(i)]);
    }
    expect([...account.state().pending.keys()].length).toBeLessThanOrEqual(16);
  });

  it('a wallet that is taken out and added anew has ids of its own', () => {
    const account = createAccount();
    const wallet = account.state().wallets.get('hot')!.wallet;
    account.sight(own(0));
    account.events({ kind: 'evm-wallet-removed', wallet: 'hot' });
    expect([...account.state().pending.keys()]).toEqual([]);
    account.events({ kind: 'evm-wallet', wallet });
    // Nothing of it is told before it was looked at.
    expect(account.sight(own(0))).toEqual([]);
    account.mine();
    account.sight(own(0));
    expect(new Set(account.findings.map(({ id }) => id)).size).toBe(account.findings.length);
  });
});
