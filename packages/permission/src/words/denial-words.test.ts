import { describe, expect, it } from 'vitest';
import { EVE, USDT_ASSET } from '../engine.fixture.ts';
import type { BudgetExceeded, DenyReason, LimitExceeded, NotCoveredCode } from '../decision.ts';
import { describeDenial } from './denial-words.ts';

const ETHER = 10n ** 18n;
const tokens = { [USDT_ASSET]: { symbol: 'USDT', decimals: 6 } };
const words = (reason: DenyReason) => describeDenial(reason, 'eip155:1', { tokens });

describe('nothing is granted', () => {
  const none: DenyReason = {
    ...{ grant: null, client: 'c1', wallet: 'w1', chain: 'eip155:10', kind: 'message' },
    code: 'no_grant',
  };

  it('in the ids of the request', () => {
    expect(words(none)).toBe('no grant lets c1 do message with wallet w1 on OP Mainnet');
  });

  it('in the names that people gave', () => {
    expect(describeDenial(none, 'eip155:10', { client: 'bot', wallet: 'hot', chain: 'the test chain' })).toBe(
      'no grant lets bot do message with wallet hot on the test chain',
    );
  });
});

describe('a budget that is used up', () => {
  const exceeded = (patch: object) => ({
    ...{ code: 'volume_exceeded', grant: 'g1', rule: 'volume', asset: 'native', window: '3600s', limit: 2n * ETHER },
    ...{ asked: ETHER, remaining: 0n, freeAtMs: null },
    ...patch,
  });

  it.each<[string, object, string]>([
    [
      'of ether counts fees, and says when enough is free again',
      { freeAtMs: 0 },
      'grant g1 lets at most 2 ETH an hour leave (value and maximum fees): 1 ETH asked, 0 ETH left, enough again at 1970-01-01T00:00:00.000Z',
    ],
    [
      'for ever is not free again by itself',
      { window: 'ever' },
      'grant g1 lets at most 2 ETH ever leave (value and maximum fees): 1 ETH asked, 0 ETH left',
    ],
    [
      'that never had so much',
      { asked: 2n * ETHER + 1n, remaining: 2n * ETHER },
      'grant g1 lets at most 2 ETH an hour leave (value and maximum fees): 2.000000000000000001 ETH asked, 2 ETH left, more than the whole limit asked',
    ],
    [
      'of a token counts no fees',
      { asset: USDT_ASSET, limit: 5_000_000n, asked: 5_000_000n, remaining: 1n, window: 'day Europe/Berlin' },
      'grant g1 lets at most 5 USDT each calendar day (Europe/Berlin) leave: 5 USDT asked, 0.000001 USDT left',
    ],
    [
      'of what is not settled waits for somebody to tell',
      { code: 'outstanding_exceeded', rule: 'outstanding', window: undefined, asset: USDT_ASSET, limit: 9n, asked: 9n },
      'grant g1 lets at most 0.000009 USDT be signed and not settled: 0.000009 USDT asked, 0 USDT left, more when something is settled',
    ],
    [
      'of ether that is not settled',
      { code: 'outstanding_exceeded', rule: 'outstanding', window: undefined },
      'grant g1 lets at most 2 ETH be signed and not settled (value and maximum fees): 1 ETH asked, 0 ETH left, more when something is settled',
    ],
    [
      'that no settlement makes large enough',
      { code: 'outstanding_exceeded', rule: 'outstanding', window: undefined, asked: 'unlimited' },
      'grant g1 lets at most 2 ETH be signed and not settled (value and maximum fees): unlimited ETH asked, 0 ETH left, more than the whole limit asked',
    ],
    [
      'of signatures',
      { code: 'count_exceeded', rule: 'count', asset: undefined, limit: 3n, asked: 1n, window: '7200s' },
      'grant g1 permits 3 signatures in any 2 hours: 0 left',
    ],
  ])('%s', (_, patch, sentence) => {
    expect(words(exceeded(patch) as BudgetExceeded)).toBe(sentence);
  });
});

describe('a limit of one request', () => {
  const limit = (code: LimitExceeded['code'], rule: string, patch: Partial<LimitExceeded> = {}) =>
    words({ code, grant: 'g1', rule, limit: 5n, asked: 7n, ...patch } as LimitExceeded);

  it.each<[LimitExceeded['code'], string, Partial<LimitExceeded>, string]>([
    [
      ...(['max_value_exceeded', 'max-value', { asset: USDT_ASSET }] as const),
      'grant g1 permits at most 0.000005 USDT at once: 0.000007 USDT asked',
    ],
    [
      ...(['max_value_exceeded', 'max-value', { asset: 'native', asked: 'unlimited', limit: ETHER }] as const),
      'grant g1 permits at most 1 ETH at once: unlimited ETH asked',
    ],
    ['gas_limit_exceeded', 'gas-limit', {}, 'grant g1 permits a gas limit of at most 5: 7 asked'],
    ['max_fee_per_gas_exceeded', 'max-fee-per-gas', {}, 'grant g1 permits at most 5 wei per gas: 7 asked'],
    [
      ...(['max_priority_fee_exceeded', 'max-priority-fee', {}] as const),
      'grant g1 permits a priority fee of at most 5 wei per gas: 7 asked',
    ],
    [
      ...(['max_fee_exceeded', 'max-fee', { limit: ETHER, asked: 2n * ETHER }] as const),
      'grant g1 permits a fee of at most 1 ETH: 2 ETH asked',
    ],
    [
      ...(['too_many_outstanding', 'outstanding', {}] as const),
      'grant g1 keeps 5 signatures apart that are not settled, and there are as many',
    ],
  ])('%s', (code, rule, patch, sentence) => {
    expect(limit(code, rule, patch)).toBe(sentence);
  });
});

describe('a rule of its own', () => {
  it.each<[DenyReason, string]>([
    [{ code: 'forbidden', grant: 'd1', asked: 'a delegation' }, 'rule d1 forbids a delegation'],
    [
      { code: 'outside_validity', grant: 'g1', rule: 'validity', atMs: 0, freeAtMs: null },
      'grant g1 does not hold at 1970-01-01T00:00:00.000Z',
    ],
    [
      { code: 'outside_validity', grant: 'g1', rule: 'validity', atMs: 0, freeAtMs: 1_000 },
      'grant g1 does not hold at 1970-01-01T00:00:00.000Z, but from 1970-01-01T00:00:01.000Z on',
    ],
    [
      { code: 'outside_hours', grant: 'g1', rule: 'weekly', atMs: 0 },
      'grant g1 does not hold at this hour (1970-01-01T00:00:00.000Z)',
    ],
    [
      { code: 'too_soon', grant: 'g1', rule: 'min-interval', freeAtMs: 60_000 },
      'grant g1 asks for a pause after each request, until 1970-01-01T00:01:00.000Z',
    ],
    [
      { code: 'unknown_constraint', grant: 'g1', rule: 'lunar' },
      'grant g1 has a constraint that this version does not know: lunar',
    ],
    [
      { code: 'unknown_zone', grant: 'g1', rule: 'weekly', asked: 'Mars/Base' },
      'grant g1 names a time zone that is not known here: Mars/Base',
    ],
    [
      { code: 'no_volume_limit', grant: 'g1', asset: USDT_ASSET },
      'grant g1 does not limit how much USDT may leave the wallet, so it permits none',
    ],
    [{ code: 'no_fee_limit', grant: 'g1' }, 'grant g1 does not limit what fees may cost, so it permits no transaction'],
    [
      { code: 'replacement_of_other_grant', grant: 'g1' },
      'the nonce was paid for by another grant than g1, and that one alone can pay for its replacement',
    ],
  ] as [DenyReason, string][])('$0.code', (reason, sentence) => {
    expect(words(reason)).toBe(sentence);
  });
});

describe('what a grant does not cover', () => {
  const notCovered = (code: NotCoveredCode, asked = EVE, permitted?: number) =>
    words({ code, grant: 'g1', asked, ...(permitted === undefined ? {} : { permitted }) });

  it.each<[NotCoveredCode, string]>([
    ['recipient_not_permitted', 'recipient'],
    ['spender_not_permitted', 'spender'],
    ['route_not_granted', 'route'],
    ['contract_not_granted', 'contract'],
    ['function_not_granted', 'function'],
    ['selector_not_granted', 'selector'],
    ['init_code_not_granted', 'init code'],
    ['type_not_granted', 'type'],
    ['delegate_not_granted', 'delegate'],
  ])('%s says how many it names', (code, noun) => {
    expect(notCovered(code, 'X', 2)).toBe(`grant g1 permits 2 ${noun}s, and X is not among them`);
    expect(notCovered(code, 'X', 1)).toBe(`grant g1 permits 1 ${noun}, and X is not among them`);
    expect(notCovered(code, 'X', 0)).toBe(`grant g1 permits no ${noun}, and X was asked for`);
    expect(notCovered(code, 'X')).toBe(`grant g1 permits no ${noun}, and X was asked for`);
  });

  it.each<[NotCoveredCode, string, string]>([
    ['account_not_granted', EVE, `grant g1 does not speak of the account ${EVE}`],
    ['asset_not_granted', USDT_ASSET, 'grant g1 does not speak of USDT'],
    ['asset_not_granted', 'erc20:0x00', 'grant g1 does not speak of erc20:0x00'],
    ['unlimited_not_granted', USDT_ASSET, 'grant g1 permits no unlimited allowance of USDT'],
    ['unlimited_not_granted', 'native', 'grant g1 permits no unlimited allowance of native'],
    ['condition_not_met', 'f() /to', 'grant g1 has a condition that f() /to does not meet'],
    ['delegatecall_not_granted', EVE, `grant g1 does not let code of ${EVE} act with the rights of the caller`],
    ['domain_not_granted', 'Other', 'grant g1 is for another domain than Other'],
    ['type_not_registered', 'Order', 'grant g1 permits registered types alone, and Order is none'],
    ['message_not_granted', 'a "b"', 'grant g1 permits other messages than "a \\"b\\""'],
    ['opaque_not_granted', 'unknown', 'grant g1 permits nothing that is not understood (unknown)'],
    ['kind_not_granted', 'message', 'grant g1 does not speak of message'],
  ])('%s of %s', (code, asked, sentence) => {
    expect(notCovered(code, asked)).toBe(sentence);
  });
});
