import { describe, expect, it } from 'vitest';
import { createUsage } from '../budget/usage.ts';
import {
  BOB,
  EVE,
  outflow,
  PLAIN_ZONES,
  tokenGrant,
  tokenRequest,
  USDT,
  USDT_ASSET,
  WALLET,
} from '../engine.fixture.ts';
import { evaluate } from '../evaluate.ts';
import type { TokenTransferGrant } from '../grant.ts';
import { createGrantIndex } from '../grant-index.ts';
import type { Intent, TokenTransfer } from '../intent.ts';

const NFT = `erc721:${USDT}`;
const ITEM = `erc1155:${USDT}/7`;

/** All that is asked for may leave without a limit: what is left to judge is coverage. */
function codeOf(
  grant: Partial<TokenTransferGrant>,
  action: Partial<TokenTransfer>,
  intent: Partial<Intent> = {},
): unknown {
  const assets = [{ asset: USDT_ASSET }, { asset: NFT }, { asset: ITEM }];
  const granted = tokenGrant({ assets, unlimited: [USDT_ASSET, NFT, ITEM, 'native'], constraints: [], ...grant });
  const request = tokenRequest(action, {}, intent);
  const decision = evaluate(request, createGrantIndex([granted]), createUsage(), 0, PLAIN_ZONES);
  return decision.verdict === 'deny' ? decision.reasons[0] : decision.verdict;
}

describe('token-transfer', () => {
  it('is of a listed asset, by which one item of a contract is not another', () => {
    expect(codeOf({}, { asset: NFT, standard: 'erc721', tokenId: 7n, amount: 1n })).toBe('permit');
    expect(codeOf({}, { asset: ITEM, standard: 'erc1155', tokenId: 7n })).toBe('permit');
    for (const asset of [`erc1155:${USDT}/8`, `erc1155:${USDT}`, `erc20:${EVE}`]) {
      expect(codeOf({}, { asset })).toEqual({ code: 'asset_not_granted', grant: 't1', asked: asset, permitted: 3 });
    }
  });

  it('is by a listed route', () => {
    expect(codeOf({ routes: ['transfer'] }, {})).toBe('permit');
    expect(codeOf({ routes: ['transfer-from', 'permit'] }, {})).toEqual({
      ...{ code: 'route_not_granted', grant: 't1', asked: 'transfer', permitted: 2 },
    });
    expect(codeOf({ routes: [] }, {})).toMatchObject({ code: 'route_not_granted' });
  });

  it('gives tokens to recipients, and allowances to spenders', () => {
    const toRecipient = { recipients: [BOB], spenders: [EVE] };
    const toSpender = { recipients: [EVE], spenders: [BOB] };
    expect(codeOf(toRecipient, {})).toBe('permit');
    expect(codeOf(toSpender, {})).toEqual({
      ...{ code: 'recipient_not_permitted', grant: 't1', asked: BOB, permitted: 1 },
    });
    expect(codeOf(toSpender, { route: 'approve' })).toBe('permit');
    expect(codeOf(toRecipient, { route: 'approve' })).toEqual({
      ...{ code: 'spender_not_permitted', grant: 't1', asked: BOB, permitted: 1 },
    });
  });

  it('looks at what a route does where it can do both: an ERC-777 operator is a spender, not a recipient', () => {
    const authorize = { route: 'erc777', holds: 'allowance', amount: 'unlimited' } as const;
    const send = { route: 'erc777', holds: 'spent' } as const;
    expect(codeOf({ recipients: [], spenders: [BOB] }, authorize)).toBe('permit');
    expect(codeOf({ recipients: [BOB], spenders: [] }, authorize)).toMatchObject({ code: 'spender_not_permitted' });
    expect(codeOf({ recipients: 'any', spenders: [] }, authorize)).toMatchObject({ code: 'spender_not_permitted' });
    expect(codeOf({ recipients: [BOB], spenders: [] }, send)).toBe('permit');
    expect(codeOf({ recipients: [], spenders: 'any' }, send)).toMatchObject({ code: 'recipient_not_permitted' });
  });

  it('covers what leaves besides as it covers the action', () => {
    const leaving = (to: string, holds: 'spent' | 'allowance', asset = USDT_ASSET) => ({
      outflows: [outflow(asset, 1n, to, 'router', { holds })],
    });
    const grant = { recipients: [BOB], spenders: [EVE] };
    expect(codeOf(grant, {}, leaving(BOB, 'spent'))).toBe('permit');
    expect(codeOf(grant, {}, leaving(EVE, 'allowance'))).toBe('permit');
    expect(codeOf(grant, {}, leaving(EVE, 'spent'))).toMatchObject({ code: 'recipient_not_permitted' });
    expect(codeOf(grant, {}, leaving(BOB, 'allowance'))).toMatchObject({ code: 'spender_not_permitted' });
    expect(codeOf(grant, {}, leaving(BOB, 'spent', 'native'))).toMatchObject({ code: 'asset_not_granted' });
  });

  it('takes from the wallet, under its role or its address, and from listed accounts alone', () => {
    expect(codeOf({}, { from: WALLET, sender: WALLET })).toBe('permit');
    expect(codeOf({ accounts: [EVE] }, { from: EVE })).toBe('permit');
    expect(codeOf({ accounts: [BOB] }, { from: EVE })).toMatchObject({ code: 'account_not_granted', asked: EVE });
    const own = { outflows: [outflow(USDT_ASSET, 1n, BOB)] };
    expect(codeOf({}, { from: EVE }, own)).toEqual({
      ...{ code: 'account_not_granted', grant: 't1', asked: EVE, permitted: 0 },
    });
  });

  it('is found by whom it names, and by its assets where it names anybody', () => {
    for (const lists of [
      { recipients: [BOB], spenders: [] },
      { recipients: 'any', spenders: [] },
      { recipients: [BOB], spenders: 'any' },
      { recipients: 'any', spenders: 'any' },
    ] as const) {
      expect(codeOf(lists, {})).toBe('permit');
    }
  });
});
