import { fromHex } from '@keepwatch/base';
import type { Address } from '@keepwatch/evm';
import type { EvmApprovalFacts, EvmTransactionFacts, EvmTransferFacts, Hash32 } from './facts.ts';
import { signedDigest } from './digest.ts';
import { EvmFault, lied } from './fault.ts';
import { mayHold, readHeader, type EvmHeader } from './header.ts';
import type { RpcAnswer, RpcCall } from './rpc.ts';
import { address, addressOfWord, hash, list, object, quantity, small, word, wordOfAddress } from './words.ts';

/** `Transfer(address,address,uint256)` and `Approval(address,address,uint256)` (EIP-20). */
export const TRANSFER: Hash32 = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';
export const APPROVAL: Hash32 = '0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925';

/** A transaction of a block, as far as the block says it. */
export interface BlockTransaction {
  readonly hash: Hash32;
  readonly from: Address;
  readonly to: Address | null;
  readonly nonce: bigint;
  readonly value: bigint;
}

/** What the upstream said of it, for those of which more is read. */
type Said = BlockTransaction & { readonly said: unknown };

export interface FullBlock {
  readonly header: EvmHeader;
  readonly transactions: ReadonlyMap<Hash32, Said>;
  readonly withdrawals: readonly { readonly address: Address; readonly amount: bigint }[];
}

const GWEI = 1_000_000_000n;

export function readBlock(value: unknown): FullBlock {
  const header = readHeader(value);
  const given = object(value);
  const transactions = new Map<Hash32, Said>();
  for (const each of list(given['transactions'])) {
    const transaction = object(each);
    const { to } = transaction;
    const read = {
      ...{ hash: hash(transaction['hash']), from: address(transaction['from']) },
      ...{ to: to === null || to === undefined ? null : address(to) },
      ...{ nonce: quantity(transaction['nonce']), value: quantity(transaction['value']), said: each },
    };
    transactions.set(read.hash, read);
  }
  const withdrawals = list(given['withdrawals'] ?? []).map((each) => {
    const withdrawal = object(each);
    return { address: address(withdrawal['address']), amount: quantity(withdrawal['amount']) * GWEI };
  });
  return { header, transactions, withdrawals };
}

/** What an answer has to hold. An error of the upstream is thrown: it does not have it now. */
export function resultOf(answer: RpcAnswer, what: string): unknown {
  if ('error' in answer) throw new EvmFault('upstream_lacks', `The upstream has no ${what}: ${answer.error.words}.`);
  if (answer.result === null) throw new EvmFault('upstream_lacks', `The upstream has no ${what}.`);
  return answer.result;
}

/** What a transaction did and cost: gas, blobs (EIP-4844), and what rollups of the OP stack take for data (`l1Fee`). */
export function withReceipt(
  { said, ...transaction }: Said,
  block: Hash32,
  isOwn: boolean,
  value: unknown,
): EvmTransactionFacts {
  const receipt = object(value);
  const isSame = hash(receipt['transactionHash']) === transaction.hash && hash(receipt['blockHash']) === block;
  if (!isSame) lied('The receipt is of another transaction.');
  const gas = quantity(receipt['gasUsed']) * quantity(receipt['effectiveGasPrice']);
  const blobGas = receipt['blobGasUsed'];
  const blobs = typeof blobGas === 'string' ? quantity(blobGas) * quantity(receipt['blobGasPrice'] ?? '0x0') : 0n;
  const data = typeof receipt['l1Fee'] === 'string' ? quantity(receipt['l1Fee']) : 0n;
  const digest = isOwn ? signedDigest(said) : null;
  return { ...transaction, digest, succeeded: quantity(receipt['status']) === 1n, fee: gas + blobs + data };
}

/** Questions for the logs that name one of the accounts; none where the header's filter excludes them. */
export function logQuestions(header: EvmHeader, accounts: readonly Address[]): readonly RpcCall[] {
  const named = accounts.map(wordOfAddress);
  const holds = (value: string) => mayHold(header.logsBloom, fromHex(value.slice(2))!);
  // A filter counts where its header is known to be whole; some chains leave it empty.
  const possible = header.verified ? named.filter(holds) : named;
  if (possible.length === 0 || (header.verified && !holds(TRANSFER) && !holds(APPROVAL))) return [];
  const blockHash = header.block.hash;
  return [
    ['eth_getLogs', [{ blockHash, topics: [[TRANSFER, APPROVAL], possible] }]],
    ['eth_getLogs', [{ blockHash, topics: [TRANSFER, null, possible] }]],
  ];
}

export interface ReadLogs {
  readonly transfers: readonly EvmTransferFacts[];
  readonly approvals: readonly EvmApprovalFacts[];
}

/** Logs of ERC-20: three topics and one word. Those of NFTs look alike and have four topics; they are passed over. */
export function readLogs(values: readonly unknown[], full: FullBlock, accounts: ReadonlySet<Address>): ReadLogs {
  const transfers = new Map<number, EvmTransferFacts>();
  const approvals = new Map<number, EvmApprovalFacts>();
  for (const each of values.flatMap(list)) {
    const log = object(each);
    const txHash = hash(log['transactionHash']);
    const transaction = full.transactions.get(txHash);
    if (hash(log['blockHash']) !== full.header.block.hash || !transaction) lied('A log is of another block.');
    const topics = list(log['topics']).map(hash);
    const amount = word(log['data']);
    const [event, first, second] = topics;
    if (topics.length !== 3 || amount === undefined) continue;
    const [from, to] = [addressOfWord(first!), addressOfWord(second!)];
    if (from === undefined || to === undefined) continue;
    const logIndex = small(log['logIndex']);
    const { from: caller, to: callee } = transaction!;
    const by = { caller, ...(callee === null ? {} : { callee }) };
    const about = { token: address(log['address']), amount, txHash, logIndex, ...by };
    if (event === TRANSFER && (accounts.has(from) || accounts.has(to))) transfers.set(logIndex, { ...about, from, to });
    if (event === APPROVAL && accounts.has(from)) approvals.set(logIndex, { ...about, owner: from, spender: to });
  }
  const inOrder = <T extends { readonly logIndex: number }>(logs: Map<number, T>) =>
    [...logs.values()].sort((a, b) => a.logIndex - b.logIndex);
  return { transfers: inOrder(transfers), approvals: inOrder(approvals) };
}
