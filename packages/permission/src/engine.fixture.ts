import type { PermissionRequest } from './decision.ts';
import type { EtherTransferGrant, TokenTransferGrant } from './grant.ts';
import type { Action, Intent, Outflow, TokenTransfer } from './intent.ts';
import type { Constraint } from './constraint.ts';
import type { Zones } from './zones.ts';

/** Grants and requests for tests, each member to be changed. */

export const BOB = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
export const EVE = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
export const WALLET = '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc';
export const USDT = '0xdac17f958d2ee523a2206206994597c13d831ec7';
export const USDT_ASSET = `erc20:${USDT}`;

export const volume = (limit: bigint, seconds = 3600, asset = 'native'): Constraint => ({
  type: 'volume',
  asset,
  limit,
  window: { seconds },
});

export function etherGrant(patch: Partial<EtherTransferGrant> = {}): EtherTransferGrant {
  return {
    id: 'g1',
    createdSeq: 1,
    client: 'bot',
    wallet: 'hot',
    chain: 'eip155:1',
    kind: 'ether-transfer',
    recipients: [BOB],
    constraints: [volume(100n)],
    ...patch,
  };
}

export function tokenGrant(patch: Partial<TokenTransferGrant> = {}): TokenTransferGrant {
  return {
    id: 't1',
    createdSeq: 1,
    client: 'bot',
    wallet: 'hot',
    chain: 'eip155:1',
    kind: 'token-transfer',
    assets: [{ asset: USDT_ASSET, symbol: 'USDT', decimals: 6 }],
    routes: 'any',
    recipients: [BOB],
    spenders: [],
    constraints: [volume(1000n, 3600, USDT_ASSET), { type: 'max-fee', limit: 100n }],
    ...patch,
  };
}

export function requestOf(intent: Partial<Intent>, patch: Partial<PermissionRequest> = {}): PermissionRequest {
  return {
    client: 'bot',
    groups: [],
    wallet: 'hot',
    address: WALLET,
    approvals: 0,
    replaces: null,
    ...patch,
    intent: {
      form: 'transaction',
      chain: 'eip155:1',
      nonce: 0,
      fee: feeOf(10n),
      actions: [],
      outflows: [],
      opaque: null,
      notes: [],
      ...intent,
    },
  };
}

export const feeOf = (maxFeeWei: bigint) => ({
  maxFeeWei,
  gasLimit: 21_000n,
  maxFeePerGas: 30n,
  maxPriorityFeePerGas: 2n,
});

export interface TransferOptions {
  readonly to?: string;
  readonly value?: bigint;
  readonly fee?: bigint;
  readonly chain?: string;
}

/** A transfer of ether: of 60 wei to Bob for a fee of 10 by default. */
export function etherRequest(
  { to = BOB, value = 60n, fee = 10n, chain = 'eip155:1' }: TransferOptions = {},
  patch: Partial<PermissionRequest> = {},
): PermissionRequest {
  const actions: Action[] = [{ kind: 'ether-transfer', sender: 'wallet', recipient: to, amount: value }];
  return requestOf({ chain, fee: feeOf(fee), actions, outflows: [outflow('native', value, to, 'value')] }, patch);
}

export function outflow(
  asset: string,
  amount: Outflow['amount'],
  to: string,
  route: Outflow['route'] = 'transfer',
  patch: Partial<Outflow> = {},
): Outflow {
  return { account: 'wallet', asset, amount, to, route, holds: 'spent', untilMs: null, ...patch };
}

const ALLOWING: readonly string[] = ['approve', 'increase-allowance', 'permit', 'dai-permit', 'permit2', 'order'];

/** A transfer of 100 units of USDT to Bob, or an allowance by another route. */
export function tokenRequest(
  patch: Partial<TokenTransfer> = {},
  more: Partial<PermissionRequest> = {},
  intent: Partial<Intent> = {},
): PermissionRequest {
  const { route: way = 'transfer' } = patch;
  const action: TokenTransfer = {
    kind: 'token-transfer',
    sender: 'wallet',
    asset: USDT_ASSET,
    standard: 'erc20',
    token: USDT,
    amount: 100n,
    to: BOB,
    from: 'wallet',
    route: 'transfer',
    holds: ALLOWING.includes(way) ? 'allowance' : 'spent',
    untilMs: null,
    ...patch,
  };
  const { asset, amount, to, from, route, holds, untilMs } = action;
  const outflows = [outflow(asset, amount, to, route, { account: from, holds, untilMs })];
  return requestOf({ actions: [action], outflows, ...intent }, more);
}

const HOUR = 3_600_000;

/** A calendar without daylight saving, weeks and months: `UTC`, and `Fixed/East` an hour ahead. */
export const PLAIN_ZONES: Zones = {
  version: 'plain',
  period(zone, unit, atMs) {
    const ahead = aheadOf(zone);
    if (ahead === undefined) return undefined;
    const length = { day: 24, week: 7 * 24, month: 30 * 24 }[unit] * HOUR;
    const fromMs = Math.floor((atMs + ahead) / length) * length - ahead;
    return { fromMs, untilMs: fromMs + length };
  },
  wallClock(zone, atMs) {
    const ahead = aheadOf(zone);
    if (ahead === undefined) return undefined;
    const minutes = Math.floor((atMs + ahead) / 60_000);
    return { weekday: (Math.floor(minutes / 1_440) + 3) % 7, minute: minutes % 1_440 };
  },
};

function aheadOf(zone: string): number | undefined {
  if (zone === 'UTC') return 0;
  return zone === 'Fixed/East' ? HOUR : undefined;
}
