import { describe, expect, it } from 'vitest';
import type { DenyReason } from './decision.ts';
import type { Grant } from './grant.ts';
import { describeDenial, describeGrant, describeIntent } from './sentences.ts';

const BOB = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const EVE = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
const ETHER = 10n ** 18n;

it('describes an intent', () => {
  const request = {
    client: 'key-1',
    wallet: 'hot',
    intent: {
      kind: 'ether-transfer',
      chain: 'eip155:31337',
      nonce: 7,
      recipient: BOB,
      valueWei: ETHER / 2n,
      maxFeeWei: ETHER / 2000n,
    },
  } as const;
  expect(describeIntent(request, { client: 'bot' })).toBe(
    `bot wants to send 0.5 ETH to ${BOB} on chain 31337, nonce 7, fee at most 0.0005 ETH`,
  );
  expect(describeIntent(request, { symbol: 'POL' })).toBe(
    `key-1 wants to send 0.5 POL to ${BOB} on chain 31337, nonce 7, fee at most 0.0005 POL`,
  );
});

describe('describeDenial', () => {
  it.each<[DenyReason, string]>([
    [
      { code: 'no_grant', grant: null, client: 'bot', wallet: 'hot', chain: 'eip155:1', kind: 'ether-transfer' },
      'no grant lets bot do ether-transfer with wallet hot on chain 1',
    ],
    [
      { code: 'recipient_not_permitted', grant: 'g1', rule: 'recipients', asked: EVE, permitted: 1 },
      `grant g1 permits 1 recipient, and ${EVE} is not among them`,
    ],
    [
      { code: 'recipient_not_permitted', grant: 'g1', rule: 'recipients', asked: EVE, permitted: 0 },
      `grant g1 permits no recipient, and ${EVE} was asked for`,
    ],
    [
      {
        code: 'volume_exceeded',
        grant: 'g1',
        rule: 'volume',
        windowSeconds: 86_400,
        limit: 2n * ETHER,
        asked: ETHER,
        remaining: ETHER / 4n,
        freeAtMs: Date.UTC(2026, 10, 22, 8, 30),
      },
      'grant g1 lets at most 2 ETH a day leave (value and maximum fees): 1 ETH asked, 0.25 ETH left, enough again at 2026-11-22T08:30:00.000Z',
    ],
    [
      {
        code: 'volume_exceeded',
        grant: 'g1',
        rule: 'volume',
        windowSeconds: 5400,
        limit: ETHER,
        asked: 2n * ETHER,
        remaining: ETHER,
        freeAtMs: null,
      },
      'grant g1 lets at most 1 ETH in 90 minutes leave (value and maximum fees): 2 ETH asked, 1 ETH left, more than its whole limit asked',
    ],
    [
      {
        code: 'count_exceeded',
        grant: 'g1',
        rule: 'count',
        windowSeconds: 3600,
        limit: 1n,
        asked: 1n,
        remaining: 0n,
        freeAtMs: Date.UTC(2026, 10, 22),
      },
      'grant g1 permits 1 transaction an hour: 0 left, enough again at 2026-11-22T00:00:00.000Z',
    ],
    [
      { code: 'max_fee_exceeded', grant: 'g1', rule: 'max-fee', limit: ETHER / 1000n, asked: ETHER / 500n },
      'grant g1 permits a fee of at most 0.001 ETH: 0.002 ETH asked',
    ],
    [
      { code: 'unknown_constraint', grant: 'g1', rule: 'quorum' },
      'grant g1 has a constraint that this version does not know: quorum',
    ],
    [
      { code: 'no_volume_limit', grant: 'g1' },
      'grant g1 does not limit what may leave the wallet, so it permits nothing',
    ],
  ])('%#', (reason, sentence) => {
    expect(describeDenial(reason)).toBe(sentence);
  });
});

describe('describeGrant', () => {
  const grant: Grant = {
    id: 'g1',
    createdSeq: 1,
    client: 'bot',
    wallet: 'hot',
    chain: 'eip155:1',
    kind: 'ether-transfer',
    recipients: [BOB, EVE],
    constraints: [
      { type: 'count', limit: 5, windowSeconds: 3600 },
      { type: 'volume', limit: 2n * ETHER, windowSeconds: 86_400 },
      { type: 'max-fee', limit: ETHER / 100n },
    ],
  };

  it('says first how much may leave, and to whom', () => {
    expect(describeGrant(grant)).toBe(
      `at most 2 ETH a day (value and maximum fees) to ${BOB}, ${EVE} on chain 1, at most 5 transactions an hour, a fee of at most 0.01 ETH each`,
    );
  });

  it('tells nobody from anybody', () => {
    const volume = { type: 'volume', limit: 1n, windowSeconds: 604_800 } as const;
    const short = { ...grant, constraints: [volume] };
    expect(describeGrant({ ...short, recipients: [] })).toBe(
      'at most 0.000000000000000001 ETH in 7 days (value and maximum fees) to nobody on chain 1',
    );
    expect(describeGrant({ ...short, recipients: 'any' })).toBe(
      'at most 0.000000000000000001 ETH in 7 days (value and maximum fees) to any address on chain 1',
    );
  });
});
