import { describe, expect, it } from 'vitest';
import type { DenyReason } from '../decision.ts';
import type { PermissionRequest } from '../decision.ts';
import type { Action, ContractCall, Intent, NamedValue, TypedData } from '../intent.ts';
import { BOB, etherGrant, etherRequest, EVE, tokenGrant, tokenRequest, USDT_ASSET, volume } from '../engine.fixture.ts';
import { describeDenial } from './denial-words.ts';
import { describeConstraint, describeGrant } from './grant-words.ts';
import { describeIntent, describeTerms } from './intent-words.ts';

const ETHER = 10n ** 18n;
const tokens = { [USDT_ASSET]: { symbol: 'USDT', decimals: 6 } };

describe('describeIntent', () => {
  it('says who wants what, in units that people use', () => {
    expect(describeIntent(tokenRequest({ amount: 250_000_000n }), { tokens })).toBe(
      `Client bot wants to transfer 250 USDT to ${BOB} on Ethereum`,
    );
    expect(describeIntent(tokenRequest({ amount: 250_000_000n }))).toBe(
      `Client bot wants to transfer 250000000 units of ${USDT_ASSET} to ${BOB} on Ethereum`,
    );
    expect(
      describeIntent(etherRequest({ value: ETHER / 2n, chain: 'eip155:31337' }), { client: 'payroll', coin: 'POL' }),
    ).toBe(`Client payroll wants to transfer 0.5 POL to ${BOB} on chain 31337`);
    expect(describeIntent(tokenRequest({ route: 'erc777', holds: 'allowance', amount: 'unlimited' }), { tokens })).toBe(
      `Client bot wants to let ${BOB} take unlimited USDT on Ethereum`,
    );
    expect(describeIntent(tokenRequest({ route: 'approve', amount: 'unlimited', untilMs: 0 }), { tokens })).toBe(
      `Client bot wants to let ${BOB} take unlimited USDT until 1970-01-01T00:00:00.000Z on Ethereum`,
    );
    expect(describeTerms(etherRequest({ fee: ETHER / 2000n }).intent)).toBe('nonce 0, fee at most 0.0005 ETH');
  });

  it('lets nothing that is invisible into the sentence', () => {
    const text = `Log in\u202e to ${'x'.repeat(80)}`;
    const request = {
      client: 'bot',
      intent: { ...etherRequest().intent, actions: [{ kind: 'message', text } as const] },
    };
    const sentence = describeIntent(request);
    expect(sentence).not.toContain('\u202e');
    expect(sentence.length).toBeLessThan(140);
  });
});

describe('describeIntent, of what others wrote', () => {
  const describeAction = (action: Action) =>
    describeIntent({ client: 'bot', intent: { ...etherRequest().intent, actions: [action], outflows: [] } });
  const call = (args: readonly NamedValue[]): Action => ({
    ...{ kind: 'contract-call', sender: 'wallet', contract: EVE, function: 'note(string)', args },
    ...{ value: 0n, callType: 'call' },
  });
  const typed = (name: string | null): Action => ({
    ...{ kind: 'typed-data', primaryType: 'Note', typeHash: '0x', fields: [], registered: true },
    domain: { name, version: null, chainId: 1n, verifyingContract: EVE, salt: null },
  });

  it('puts it in quotes, so that it passes for nothing else', () => {
    expect(describeAction(call([{ name: 'text', type: 'string', value: `a, to: ${BOB}` }]))).toBe(
      `Client bot wants to call note(text: "a, to: ${BOB}") of ${EVE} on Ethereum`,
    );
    expect(describeAction(call([{ name: 'text', type: 'string[]', value: ['"', BOB] }]))).toBe(
      `Client bot wants to call note(text: ["\\"", "${BOB}"]) of ${EVE} on Ethereum`,
    );
    expect(describeAction(call([{ name: '', type: 'address', value: BOB }]))).toContain(`note(${BOB}) of`);
    expect(describeAction(typed(`Permit (${BOB}) on Base`))).toBe(
      `Client bot wants to sign Note for "Permit (${BOB}) on Base" (${EVE}) on Ethereum`,
    );
    expect(describeAction(typed(null))).toContain('sign Note for an application (');
  });

  const permit = (outflows: Intent['outflows']): PermissionRequest['intent'] => ({
    ...etherRequest().intent,
    actions: [
      {
        ...(typed('Test dollar') as TypedData),
        primaryType: 'Permit',
        fields: [
          { name: 'spender', type: 'address', value: EVE },
          { name: 'value', type: 'uint256', value: 5_000_000n },
        ],
      },
    ],
    outflows,
  });
  const allowance = {
    account: 'wallet',
    asset: USDT_ASSET,
    amount: 5_000_000n,
    to: EVE,
    route: 'permit',
    holds: 'allowance',
    untilMs: null,
  } as const;

  it('says what may leave by what is signed or called, and to whom', () => {
    expect(describeIntent({ client: 'bot', intent: permit([allowance]) }, { tokens })).toBe(
      `Client bot wants to sign Permit(spender: ${EVE}, value: 5000000) for "Test dollar" (${EVE}) on Ethereum; by it may leave 5 USDT to ${EVE}`,
    );
    const safe = { ...allowance, account: BOB, amount: 'unlimited', untilMs: 0 } as const;
    expect(describeIntent({ client: 'bot', intent: permit([allowance, safe]) }, { tokens })).toContain(
      `; by it may leave 5 USDT to ${EVE} and unlimited USDT of ${BOB} to ${EVE} until 1970-01-01T00:00:00.000Z`,
    );
    const router = { ...etherRequest().intent, actions: [{ ...(call([]) as ContractCall), value: 7n }] };
    const paid = { ...allowance, asset: 'native', amount: 7n, route: 'value', holds: 'spent' } as const;
    expect(describeIntent({ client: 'bot', intent: { ...router, outflows: [paid] } })).not.toContain('may leave');
    expect(describeIntent({ client: 'bot', intent: { ...router, outflows: [{ ...paid, to: BOB }] } })).toContain(
      `; by it may leave 0.000000000000000007 ETH to ${BOB}`,
    );
  });

  it('hides nothing in the rest of a long list', () => {
    const sum = permit(Array.from({ length: 30 }, (_, i) => ({ ...allowance, amount: BigInt(i + 1) * 1_000_000n })));
    expect(describeIntent({ client: 'bot', intent: sum }, { tokens })).toMatch(/, and 22 more; in all 465 USDT$/);
    const transfer = { kind: 'ether-transfer', sender: 'wallet', recipient: BOB, amount: 1n } as const;
    const spent = { ...allowance, asset: 'native', amount: 1n, to: BOB, route: 'value', holds: 'spent' } as const;
    const batch = {
      ...etherRequest().intent,
      actions: [...Array.from({ length: 9 }, () => transfer), { ...transfer, recipient: EVE, amount: ETHER }],
      outflows: [...Array.from({ length: 9 }, () => spent), { ...spent, to: EVE, amount: ETHER }],
    };
    expect(describeIntent({ client: 'bot', intent: batch })).toContain(
      `2 more on Ethereum; by it may leave 1 ETH to ${EVE}`,
    );
    const assets = permit(Array.from({ length: 40 }, (_, i) => ({ ...allowance, asset: `erc20:0x${i}` })));
    expect(describeIntent({ client: 'bot', intent: assets })).toMatch(/ and 32 other assets$/);
  });

  it('shows neither what nobody sees nor half a letter', () => {
    for (let before = 0; before < 80; before++) {
      const text = `${'x'.repeat(before)}😀\u001b[2J\u202e\u3164 and a rest of some letters more, so that it is cut`;
      for (const action of [call([{ name: 'text', type: 'string', value: text }]), typed(text)]) {
        const sentence = describeAction(action);
        expect(sentence.isWellFormed()).toBe(true);
        expect(sentence).not.toMatch(/[\p{C}\u3164]/u);
      }
    }
  });
});

describe('describeGrant', () => {
  it('says to whom, and how much at most', () => {
    const count = { type: 'count', limit: 5, window: { seconds: 3600 } } as const;
    expect(
      describeGrant(etherGrant({ recipients: [BOB, EVE], constraints: [volume(2n * ETHER, 86_400), count] })),
    ).toBe(
      `transfer ETH to ${BOB}, ${EVE} on Ethereum: at most 2 ETH a day (value and maximum fees), at most 5 signatures an hour`,
    );
    expect(describeGrant(etherGrant({ recipients: [], constraints: [volume(1n, 5400)] }))).toBe(
      'transfer ETH to nobody on Ethereum: at most 0.000000000000000001 ETH in any 90 minutes (value and maximum fees)',
    );
    expect(describeGrant(etherGrant({ recipients: 'any', constraints: [], unlimited: ['native'] }))).toBe(
      'transfer ETH to any address on Ethereum: no limit on ETH',
    );
  });

  it('writes tokens as the grant itself says', () => {
    expect(describeGrant(tokenGrant({ constraints: [volume(1_500_000n, 60, USDT_ASSET)], spenders: [EVE] }))).toBe(
      `transfer USDT to ${BOB}, letting ${EVE} take them (by any route) on Ethereum: at most 1.5 USDT a minute`,
    );
  });

  it('says what forbids, and what caps', () => {
    const rule = {
      id: 'd',
      createdSeq: 1,
      kind: 'deny',
      client: 'any',
      wallet: 'any',
      chain: 'any',
      addresses: [EVE],
    } as const;
    expect(describeGrant(rule)).toBe(`never what involves ${EVE} with any wallet, whoever asks on any chain`);
    const cap = {
      id: 'c',
      createdSeq: 1,
      kind: 'cap',
      wallet: 'hot',
      chain: 'eip155:8453',
      constraints: [volume(ETHER, 60)],
    } as const;
    expect(describeGrant(cap)).toBe(
      'whatever is granted, wallet hot as a whole on Base: at most 1 ETH a minute (value and maximum fees)',
    );
  });

  it('has words for each constraint', () => {
    const words = (constraint: Parameters<typeof describeConstraint>[0]) =>
      describeConstraint(constraint, 'eip155:1', { tokens });
    expect(words({ type: 'count', limit: 1, window: { calendar: 'day', zone: 'Europe/Berlin' } })).toBe(
      'at most 1 signature each calendar day (Europe/Berlin)',
    );
    expect(words({ type: 'volume', asset: USDT_ASSET, limit: 5n, window: { ever: true } })).toBe(
      'at most 0.000005 USDT ever',
    );
    expect(
      words({ type: 'weekly', zone: 'Europe/Berlin', spans: [{ days: ['mon', 'thu'], from: '08:00', to: '20:00' }] }),
    ).toBe('only 08:00–20:00 on Monday and Thursday (Europe/Berlin)');
    expect(words({ type: 'quorum', above: { asset: 'native', amount: ETHER }, approvals: 2 })).toBe(
      'above 1 ETH with the approval of 2 operators',
    );
    expect(words({ type: 'validity', fromMs: 0, untilMs: null })).toBe('from 1970-01-01T00:00:00.000Z');
    expect(words({ type: 'min-interval', seconds: 90 })).toBe('90 seconds apart');
    expect(words({ type: 'outstanding', asset: 'native', limit: ETHER })).toBe('at most 1 ETH signed and not settled');
  });
});

describe('describeDenial', () => {
  const exceeded = {
    code: 'volume_exceeded',
    grant: 'g1',
    rule: 'volume',
    asset: 'native',
    window: '86400s',
    limit: 2n * ETHER,
  } as const;
  it.each<[DenyReason, string]>([
    [
      { code: 'no_grant', grant: null, client: 'bot', wallet: 'hot', chain: 'eip155:1', kind: 'ether-transfer' },
      'no grant lets bot do ether-transfer with wallet hot on Ethereum',
    ],
    [
      { code: 'recipient_not_permitted', grant: 'g1', asked: EVE, permitted: 1 },
      `grant g1 permits 1 recipient, and ${EVE} is not among them`,
    ],
    [
      { code: 'recipient_not_permitted', grant: 'g1', asked: EVE, permitted: 0 },
      `grant g1 permits no recipient, and ${EVE} was asked for`,
    ],
    [
      { ...exceeded, asked: ETHER, remaining: ETHER / 4n, freeAtMs: Date.UTC(2026, 10, 22, 8, 30) },
      'grant g1 lets at most 2 ETH a day leave (value and maximum fees): 1 ETH asked, 0.25 ETH left, enough again at 2026-11-22T08:30:00.000Z',
    ],
    [
      { ...exceeded, asked: 'unlimited', remaining: ETHER, freeAtMs: null },
      'grant g1 lets at most 2 ETH a day leave (value and maximum fees): unlimited ETH asked, 1 ETH left, more than the whole limit asked',
    ],
    [
      {
        code: 'count_exceeded',
        grant: 'g1',
        rule: 'count',
        window: '3600s',
        limit: 1n,
        asked: 1n,
        remaining: 0n,
        freeAtMs: 0,
      },
      'grant g1 permits 1 signature an hour: 0 left, enough again at 1970-01-01T00:00:00.000Z',
    ],
    [{ code: 'forbidden', grant: 'd1', asked: 'a message' }, 'rule d1 forbids a message'],
    [
      { code: 'max_fee_exceeded', grant: 'g1', rule: 'max-fee', limit: ETHER / 1000n, asked: ETHER / 500n },
      'grant g1 permits a fee of at most 0.001 ETH: 0.002 ETH asked',
    ],
    [
      { code: 'no_volume_limit', grant: 'g1', asset: 'native' },
      'grant g1 does not limit how much ETH may leave the wallet, so it permits none',
    ],
  ])('%#', (reason, sentence) => {
    expect(describeDenial(reason, 'eip155:1')).toBe(sentence);
  });
});
