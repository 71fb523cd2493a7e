import { assertNever, formatUnits } from '@keepwatch/base';
import type { EvmAsset, EvmCode, EvmEvidence, EvmFindingDetail, FindingDetail } from '@keepwatch/watch';
import { cleanLabel } from './clean.ts';
import { counted, retracted } from './measure.ts';

/** Findings about accounts of EVM chains, in words. */
export function isEvm(detail: FindingDetail): detail is EvmFindingDetail {
  return detail.kind.startsWith('evm-');
}

export function evmHeadline(detail: EvmFindingDetail, hidden: boolean): string {
  switch (detail.kind) {
    case 'evm-sighted': {
      const what =
        detail.direction === 'received' ? `is to receive ${amountOf(detail, hidden)}` : sending(detail, hidden);
      return `${what}, ${SIGHTED[detail.grade]}`;
    }
    case 'evm-counted':
      return detail.over
        ? 'nothing more is counted that is neither shown nor in a block'
        : 'one upstream counts a transaction of the account that it does not show: claimed, and not checked';
    case 'evm-replaced':
      return 'a transaction that was seen outside blocks was replaced by another';
    case 'evm-evicted':
      return 'what was seen outside blocks did not come: it is gone, or did nothing for the account';
    case 'evm-received':
      return `received ${amountOf(detail, hidden)}`;
    case 'evm-spent': {
      if (detail.failed) return 'a transaction of the account failed and paid its fee';
      const moved = amountOf(detail, hidden);
      if (detail.how === 'transaction' && detail.amount === 0n)
        return 'sent a transaction that moves no coin by itself';
      if (detail.how === 'transaction') return `sent ${moved}`;
      return `${moved} taken by ${hidden ? 'another account' : short(detail.caller)}, ${WAYS[detail.how]}`;
    }
    case 'evm-internal':
      return detail.direction === 'received'
        ? `received ${amountOf(detail, hidden)} from a contract`
        : `${amountOf(detail, hidden)} left, and no transaction says why`;
    case 'evm-allowance': {
      const who = hidden ? 'another account' : short(detail.spender);
      if (detail.amount === 0n) return `${who} may take nothing more of ${hidden ? 'a token' : nameOf(detail.asset)}`;
      return `${who} may take ${amountOf(detail, hidden)}`;
    }
    case 'evm-nonce':
      return detail.nonce > detail.expected
        ? 'the account was used in a way that no transaction explains'
        : 'the nonce of the account went back';
    case 'evm-code':
      return 'the code of the account changed';
    case 'evm-upgraded':
      return 'the contract was upgraded: it runs other code';
    case 'evm-delegation':
      return detail.after === null
        ? 'the account runs no other code as its own any more'
        : `the account is delegated${hidden ? '' : ` to ${short(detail.after)}`}: that code may move all it has`;
    case 'evm-confirmed':
      return detail.finalized ? 'what happened is final' : `what happened is ${counted(detail.depth, 'block')} deep`;
    case 'evm-disconnected':
      return 'what happened no longer holds: the chain was reorganised';
    case 'evm-large-amount':
      return hidden
        ? 'an amount above the limit moved'
        : `${amountOf(detail, false)} moved, the limit is ${unitsOf(detail.asset, detail.limit)}`;
    case 'evm-balance-above':
    case 'evm-balance-below': {
      const side = detail.kind === 'evm-balance-above' ? 'above' : 'below';
      const limit = unitsOf(detail.asset, detail.limit);
      return `the balance is ${hidden ? '' : `${amountOf(detail, false)}, `}${side} the limit${hidden ? '' : ` of ${limit}`}`;
    }
    case 'evm-backfilled': {
      const { fromBlock, toBlock, entries } = detail;
      return `its past was read, from block ${fromBlock} to ${toBlock}: ${counted(entries, 'happening')}`;
    }
    default:
      return assertNever(detail);
  }
}

export function evmParticulars(detail: EvmFindingDetail): string[] {
  switch (detail.kind) {
    case 'evm-sighted':
      return [
        detail.to === null ? 'To: a new contract' : `To: ${detail.to}`,
        `Sent by: ${detail.from}`,
        `Nonce: ${detail.nonce}`,
        ...(detail.amends === null ? [] : ['It was claimed before, and is checked now.']),
      ];
    case 'evm-counted':
      return detail.over ? [] : [`Nonce in blocks: ${detail.nonce}`, `Counted up to: ${detail.pending}`];
    case 'evm-replaced':
      return [detail.by === null ? 'Replaced by: not known' : `Replaced by: ${detail.by}`];
    case 'evm-evicted':
      return [];
    case 'evm-received':
      return [detail.from === null ? 'From: the beacon chain' : `From: ${detail.from}`, ...claim(detail.asset)];
    case 'evm-spent':
      return [
        detail.to === null ? 'To: a new contract' : `To: ${detail.to}`,
        `Sent by: ${detail.caller}`,
        ...(detail.nonce === null ? [] : [`Nonce: ${detail.nonce}`]),
        ...(detail.fee === null ? [] : [`Fee: ${formatUnits(detail.fee, 18)}`]),
        ...claim(detail.asset),
      ];
    case 'evm-internal':
      return [`Since block: ${detail.sinceBlock}`];
    case 'evm-allowance':
      return [
        `May take it: ${detail.spender}`,
        ...(detail.before === null ? [] : [`Before: ${unitsOf(detail.asset, detail.before)}`]),
        `Sent by: ${detail.caller}`,
        ...claim(detail.asset),
      ];
    case 'evm-nonce':
      return [`Nonce: ${detail.nonce}`, `Expected: ${detail.expected}`];
    case 'evm-code':
      return [`Before: ${codeWords(detail.before)}`, `Now: ${codeWords(detail.after)}`];
    case 'evm-upgraded':
    case 'evm-delegation':
      return [`Before: ${detail.before ?? 'none'}`, `Now: ${detail.after ?? 'none'}`];
    case 'evm-disconnected':
      return [retracted(detail.retracts)];
    case 'evm-confirmed':
    case 'evm-large-amount':
    case 'evm-balance-above':
    case 'evm-balance-below':
      return [];
    case 'evm-backfilled':
      return detail.stateMissingBefore === null ? [] : [missingState(detail.stateMissingBefore)];
    default:
      return assertNever(detail);
  }
}

export function evmEvidence({ chainId, txHash, block }: EvmEvidence): string[] {
  return [
    `Chain: ${chainId}`,
    ...(txHash === undefined ? [] : [`Transaction: ${txHash}`]),
    ...(block !== undefined ? [`Block: ${block.number} (${block.hash})`] : txHash === undefined ? [] : ['Block: none']),
  ];
}

const SIGHTED = {
  claimed: 'claimed by one upstream and not checked',
  valid: 'signed by its sender, in no block yet',
} as const;

function sending(detail: { readonly asset: EvmAsset; readonly amount: bigint }, hidden: boolean): string {
  return detail.amount === 0n
    ? 'sends a transaction that moves no coin by itself'
    : `sends ${amountOf(detail, hidden)}`;
}

const missingState = (block: number) =>
  `Archive state is missing before block ${block}: what contracts moved there without a transaction that names it is not known.`;

/** How something left an account. */
export const WAYS = {
  transaction: 'by a transaction of the account',
  allowance: 'by an allowance or a signed permit',
  delegation: 'by the code to which the account is delegated',
  unexplained: 'and nothing that is known allows it',
} as const;

const UNLIMITED = (1n << 255n) - 1n;

function amountOf({ asset, amount }: { readonly asset: EvmAsset; readonly amount: bigint }, hidden: boolean): string {
  return hidden ? 'an amount' : unitsOf(asset, amount);
}

function unitsOf(asset: EvmAsset, amount: bigint): string {
  return `${amount > UNLIMITED ? 'any amount' : formatUnits(amount, asset.decimals)} ${nameOf(asset)}`;
}

/** In a headline; the whole address stands below it, for others can make one that looks alike at both ends. */
const short = (address: string) => `${address.slice(0, 8)}…${address.slice(-6)}`;

/** A token that the owner did not name has no name here: it would choose one that deceives. */
const nameOf = ({ symbol, token, known }: EvmAsset) =>
  known ? cleanLabel(symbol) : `of the token ${short(token ?? '')}`;
const claim = ({ known, token }: EvmAsset) =>
  known ? [] : [`Token: ${token}`, 'The token is none that you named: what it reports may be made up.'];
const codeWords = (code: EvmCode) =>
  code.kind === 'none' ? 'none' : code.kind === 'delegation' ? `a delegation to ${code.to}` : code.hash;
