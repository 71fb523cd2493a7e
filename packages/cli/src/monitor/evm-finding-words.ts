import { formatUnits } from '@keepwatch/base';
import { showCount } from '../values.ts';
import { laterKind, type EvmDetailJson, type FindingJson } from './finding-json.ts';

/** What happened to an account of an EVM chain, in one line of a table. */
export function evmFindingWords(detail: EvmDetailJson, { evm }: FindingJson['evidence']): string {
  const at = evm?.block ? ` in block ${evm.block.number}` : '';
  switch (detail.kind) {
    case 'evm-sighted': {
      const grade = detail.grade === 'valid' ? 'signed by its sender' : 'claimed, and not checked';
      const way = detail.direction === 'received' ? `from ${detail.from}` : `to ${detail.to ?? 'a new contract'}`;
      return `${amountOf(detail)} ${way} is seen outside blocks (${grade})`;
    }
    case 'evm-counted':
      return detail.over
        ? 'nothing more is counted that is neither shown nor in a block'
        : `an upstream counts transactions up to nonce ${detail.pending}, blocks have them up to ${detail.nonce} (claimed)`;
    case 'evm-replaced':
      return `${short(evm?.txHash)} is replaced by ${detail.by === null ? 'something that is not known' : short(detail.by)}${at}`;
    case 'evm-evicted':
      return evm?.block
        ? `${short(evm.txHash)} did nothing for the account${at}`
        : `${short(evm?.txHash)} is not to be seen any more, and in no block`;
    case 'evm-received':
      return `${amountOf(detail)} from ${detail.from ?? 'the beacon chain'}${at}`;
    case 'evm-spent': {
      const to = `to ${detail.to ?? 'a new contract'}`;
      const by = detail.how === 'transaction' ? '' : `, by ${detail.caller} (${detail.how})`;
      return `${detail.failed ? 'a failed transaction' : amountOf(detail)} ${to}${by}${at}`;
    }
    case 'evm-internal':
      return `${amountOf(detail)} ${detail.direction === 'received' ? 'from a contract' : 'left unexplained'}${at}`;
    case 'evm-allowance':
      return `${detail.spender} may take ${amountOf(detail)}${at}`;
    case 'evm-nonce':
      return BigInt(detail.nonce) > BigInt(detail.expected)
        ? `the nonce is ${detail.nonce} and not ${detail.expected}: the account was used in a way that no transaction explains${at}`
        : `the nonce went back, from ${detail.expected} to ${detail.nonce}${at}`;
    case 'evm-code':
      return `the code of the account changed: ${codeWords(detail.before)} → ${codeWords(detail.after)}${at}`;
    case 'evm-delegation':
    case 'evm-upgraded': {
      const what = detail.kind === 'evm-delegation' ? 'delegated' : 'upgraded';
      return `${what}: ${detail.before ?? 'none'} → ${detail.after ?? 'none'}${at}`;
    }
    case 'evm-confirmed': {
      const depth = `${showCount(detail.depth, 'block')} deep${detail.buried ? ', buried' : ''}`;
      return `what happened${at} is ${detail.finalized ? 'final' : depth}`;
    }
    case 'evm-disconnected':
      return `the chain was reorganised: ${showCount(detail.retracts.length, 'finding no longer holds', 'findings no longer hold')}`;
    case 'evm-large-amount':
      return `${amountOf(detail)} moved, the limit is ${limitOf(detail)}`;
    case 'evm-balance-above':
    case 'evm-balance-below':
      return `${amountOf(detail)} is the balance, ${detail.kind.slice(12)} ${limitOf(detail)}`;
    case 'evm-backfilled': {
      const { fromBlock, toBlock, entries, stateMissingBefore: missing } = detail;
      const lack = missing === null ? '' : `; archive state is missing before block ${missing}`;
      return `the past is read from block ${fromBlock} to ${toBlock}: ${showCount(entries, 'entry', 'entries')}${lack}`;
    }
    default:
      return laterKind(detail);
  }
}

type Moved = Extract<EvmDetailJson, { readonly asset: unknown }>;

function amountOf({ asset, amount }: Pick<Moved, 'asset' | 'amount'>): string {
  const name = asset.known ? asset.symbol : `of ${asset.token}, which you did not name`;
  return `${formatUnits(BigInt(amount), asset.decimals)} ${name}`;
}

const limitOf = ({ asset, limit }: Extract<Moved, { readonly limit: unknown }>) => amountOf({ asset, amount: limit });

const short = (hash: string | undefined) => (hash === undefined ? 'a transaction' : `${hash.slice(0, 12)}…`);

type Code = Extract<EvmDetailJson, { readonly kind: 'evm-code' }>['before'];
const codeWords = (code: Code): string =>
  code.kind === 'none' ? 'none' : code.kind === 'delegation' ? `a delegation to ${code.to}` : code.hash;
