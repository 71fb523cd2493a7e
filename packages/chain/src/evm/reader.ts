import type { Address } from '@keepwatch/evm';
import {
  atBlock,
  CALLS_OF_STATE,
  claimedAllowances,
  holdingQuestion,
  holdingsToRead,
  readHolding,
  readState,
  stateQuestions,
  type EvmWatched,
} from './account.ts';
import { logQuestions, readBlock, readLogs, resultOf, withReceipt } from './block.ts';
import { createPastReader, type PastReader } from './past-reader.ts';
import type { EvmAccountFacts, EvmBlockFacts, Hash32 } from './facts.ts';
import { EvmFault } from './fault.ts';
import { readHeader, type EvmHeader } from './header.ts';
import type { EvmRpc, RpcAnswer, RpcCall } from './rpc.ts';
import { hex, object, quantity, small } from './words.ts';

/** What one upstream is asked. Everything may throw `EvmFault`. */
export interface EvmReader extends PastReader {
  /** Its best block, and the number of the last that is final; null where the chain does not say. */
  head(signal: AbortSignal): Promise<EvmHead>;
  header(number: number, signal: AbortSignal): Promise<EvmHeader>;
  /** A block of its best chain, as far as it touches the accounts: two or three requests. */
  block(number: number, watched: readonly EvmWatched[], signal: AbortSignal): Promise<EvmBlockFacts>;
  /** `symbol()` and `decimals()` of a token, as its contract says; undefined where it does not. */
  token(token: Address, signal: AbortSignal): Promise<{ symbol: string; decimals: number } | undefined>;
  /** Whether there is code at an address, in its best block. */
  hasCode(address: Address, signal: AbortSignal): Promise<boolean>;
}

export interface EvmHead {
  readonly number: number;
  readonly hash: Hash32;
  readonly finalized: number | null;
}

/** Nodes that prune keep the state of the last 128 blocks: what is missing of a younger one is asked for again. */
const RECENT_BLOCKS = 120;

export function createEvmReader(rpc: EvmRpc, chainId: bigint): EvmReader {
  let tip = 0;
  const tagOf = (number: number) => `0x${number.toString(16)}`;

  async function block(number: number, watched: readonly EvmWatched[], signal: AbortSignal): Promise<EvmBlockFacts> {
    const [answer] = await rpc.ask([['eth_getBlockByNumber', [tagOf(number), true]]], signal);
    const full = readBlock(resultOf(answer!, `block ${number}`));
    const { header } = full;
    const at = header.block.hash;
    if (header.block.number !== number) throw new EvmFault('upstream_lied', 'The upstream gave another block.');
    const accounts = new Set(watched.map(({ address }) => address));
    const awaited = new Set(watched.flatMap(({ pending }) => pending.flatMap((each) => [each.hash, nonceOf(each)])));
    const mine = [...full.transactions.values()].filter((each) => {
      if (accounts.has(each.from) || (each.to !== null && accounts.has(each.to))) return true;
      // What was sighted, or what took its place.
      return awaited.has(each.hash) || awaited.has(nonceOf(each));
    });
    const logCalls = logQuestions(header, [...accounts]);
    const answers = await rpc.ask(
      [
        ...mine.map(({ hash }): RpcCall => ['eth_getTransactionReceipt', [hash]]),
        ...logCalls,
        ...watched.flatMap(({ address }) => stateQuestions(address, atBlock(at))),
      ],
      signal,
    );
    const transactions = mine.map((each, i) => {
      return withReceipt(each, at, accounts.has(each.from), resultOf(answers[i]!, 'receipt'));
    });
    const logAnswers = answers.slice(mine.length, mine.length + logCalls.length);
    const logs = readLogs(
      logAnswers.map((each) => resultOf(each, 'logs')),
      full,
      accounts,
    );
    const states = answers.slice(mine.length + logCalls.length);
    const facts = await Promise.all(
      watched.map((each, i) => {
        const own = states.slice(i * CALLS_OF_STATE, (i + 1) * CALLS_OF_STATE);
        return account(each, own, number);
      }),
    );
    const wanted = watched.map((each) => holdingsToRead(each, logs));
    const questions = watched.flatMap((each, i) => wanted[i]!.map((of) => holdingQuestion(each.address, of, at)));
    const held = questions.length > 0 ? await rpc.ask(questions, signal) : [];
    let next = 0;
    const whole = watched.map((each, i): EvmAccountFacts => {
      const read = wanted[i]!.map((of) => ({ ...of, amount: readHolding(held[next++]!) }));
      return {
        ...facts[i]!,
        tokens: read.flatMap(({ token, spender, amount }) =>
          spender === null && amount !== undefined ? [{ token, balance: amount }] : [],
        ),
        allowances: [
          ...read.flatMap(({ token, spender, amount }) =>
            spender !== null && amount !== undefined ? [{ token, spender, amount }] : [],
          ),
          ...claimedAllowances(each, logs),
        ],
      };
    });
    const withdrawals = full.withdrawals.filter(({ address }) => accounts.has(address));
    const { parentHash } = header;
    return { chainId, block: header.block, parentHash, accounts: whole, transactions, withdrawals, ...logs };
  }

  const nonceOf = ({ from, nonce }: { readonly from: Address; readonly nonce: bigint }) => `${from}/${nonce}`;

  function account({ address }: EvmWatched, answers: readonly RpcAnswer[], number: number): EvmAccountFacts {
    const state = readState(answers);
    if (state === null && number > tip - RECENT_BLOCKS) {
      const words = answers.flatMap((each) => ('error' in each ? [each.error.words] : [])).join(', ');
      throw new EvmFault('upstream_lacks', `The upstream has no state of block ${number}: ${words}.`);
    }
    return { address, state, tokens: [], allowances: [] };
  }

  return {
    async head(signal) {
      const [chain, best, final] = await rpc.ask(
        [
          ['eth_chainId', []],
          ['eth_getBlockByNumber', ['latest', false]],
          ['eth_getBlockByNumber', ['finalized', false]],
        ],
        signal,
      );
      const found = quantity(resultOf(chain!, 'chain id'));
      if (found !== chainId) {
        throw new EvmFault('upstream_other_chain', `The upstream is on chain ${found}, and not on ${chainId}.`);
      }
      const { block: latest } = readHeader(resultOf(best!, 'block'));
      tip = latest.number;
      const isKnown = 'result' in final! && typeof final.result === 'object' && final.result !== null;
      const finalized = isKnown ? Math.min(tip, small(object(final.result)['number'])) : null;
      return { number: tip, hash: latest.hash, finalized };
    },
    async header(number, signal) {
      const [answer] = await rpc.ask([['eth_getBlockByNumber', [tagOf(number), false]]], signal);
      const header = readHeader(resultOf(answer!, `block ${number}`));
      if (header.block.number !== number) throw new EvmFault('upstream_lied', 'The upstream gave another block.');
      return header;
    },
    block,
    ...createPastReader(rpc),
    async token(token, signal) {
      const call = (data: string): RpcCall => ['eth_call', [{ to: token, data }, 'latest']];
      const [symbol, decimals] = await rpc.ask([call('0x95d89b41'), call('0x313ce567')], signal);
      if ('error' in symbol! || 'error' in decimals!) return undefined;
      const text = textOf(hex(symbol!.result));
      const digits = hex(decimals!.result);
      const count = digits.length === 64 ? BigInt(`0x${digits}`) : 256n;
      return text === undefined || count > 77n ? undefined : { symbol: text, decimals: Number(count) };
    },
    async hasCode(address, signal) {
      const [code] = await rpc.ask([['eth_getCode', [address, 'latest']]], signal);
      return hex(resultOf(code!, 'code')) !== '';
    },
  };
}

/** A string as ABI gives it, or the bytes32 of tokens that are older than that. Short and plain, or nothing. */
function textOf(digits: string): string | undefined {
  const bytes = Buffer.from(digits, 'hex');
  const isString = bytes.length >= 96 && bytes.readUInt32BE(28) === 32;
  const text = isString
    ? bytes.subarray(64, 64 + Math.min(bytes.readUInt32BE(60), 32)).toString()
    : bytes.subarray(0, 32).toString().replace(/\0+$/, '');
  return /^[\x21-\x7e]{1,32}$/.test(text) ? text : undefined;
}
