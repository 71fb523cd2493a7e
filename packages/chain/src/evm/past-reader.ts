import type { Address } from '@keepwatch/evm';
import { CALLS_OF_STATE, readState, stateQuestions } from './account.ts';
import { APPROVAL, readBlock, resultOf, TRANSFER } from './block.ts';
import type { EvmAccountFacts } from './facts.ts';
import { EvmFault, lied } from './fault.ts';
import type { EvmRpc, RpcCall } from './rpc.ts';
import { list, object, small, word, wordOfAddress } from './words.ts';

/** What one upstream is asked of the past. Blocks are named by their numbers: they are settled. */
export interface PastReader {
  /** Null where it no longer has the state. */
  states(
    address: Address,
    numbers: readonly number[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<number, EvmAccountFacts['state']>>;
  /** Those of the blocks with a transaction or a withdrawal that names the account, in order. */
  touching(address: Address, numbers: readonly number[], signal: AbortSignal): Promise<readonly number[]>;
  /** Blocks with a transfer or an approval of ERC-20 that names the account, in order. */
  logBlocks(address: Address, from: number, to: number, signal: AbortSignal): Promise<readonly number[]>;
  /** Over so many blocks it was last asked for logs. */
  logSpan(): number;
}

/** Full blocks in one request: a busy one takes some hundred kilobytes. */
const BLOCKS = 8;
/** Blocks whose logs are asked for at first, and at most. */
const FIRST_SPAN = 2_000;
const MAX_SPAN = 50_000;

const tagOf = (number: number) => `0x${number.toString(16)}`;

export function createPastReader(rpc: EvmRpc): PastReader {
  let span = FIRST_SPAN;
  let wasRefused = false;

  /** Undefined: it gives no logs of so many blocks at once. */
  async function logsOf(calls: readonly RpcCall[], signal: AbortSignal): Promise<readonly unknown[] | undefined> {
    try {
      const answers = await rpc.ask(calls, signal);
      if (answers.some((answer) => 'error' in answer)) return undefined;
      return answers.flatMap((answer) => list(resultOf(answer, 'logs')));
    } catch (error) {
      // Each provider says in words of its own that there is too much: an error, a limit, an answer without end, a time-out.
      const isTooMuch = error instanceof EvmFault && TOO_MUCH.has(error.code) && !signal.aborted;
      if (isTooMuch) return undefined;
      throw error;
    }
  }

  return {
    async states(address, numbers, signal) {
      const calls = numbers.flatMap((number) => stateQuestions(address, tagOf(number)));
      const answers = await rpc.ask(calls, signal);
      return new Map(
        numbers.map((number, i) => {
          return [number, readState(answers.slice(i * CALLS_OF_STATE, (i + 1) * CALLS_OF_STATE))];
        }),
      );
    },
    async touching(address, numbers, signal) {
      const found: number[] = [];
      const look = async (some: readonly number[]): Promise<void> => {
        try {
          const calls = some.map((number): RpcCall => ['eth_getBlockByNumber', [tagOf(number), true]]);
          const answers = await rpc.ask(calls, signal);
          for (const [i, number] of some.entries()) {
            const full = readBlock(resultOf(answers[i]!, `block ${number}`));
            if (full.header.block.number !== number) lied('The upstream gave another block.');
            const isNamed =
              [...full.transactions.values()].some(({ from, to }) => from === address || to === address) ||
              full.withdrawals.some((each) => each.address === address);
            if (isNamed) found.push(number);
          }
        } catch (error) {
          const isLarge = error instanceof EvmFault && error.code === 'upstream_answer_too_large' && some.length > 1;
          if (!isLarge) throw error;
          const half = Math.ceil(some.length / 2);
          await look(some.slice(0, half));
          await look(some.slice(half));
        }
      };
      for (let i = 0; i < numbers.length; i += BLOCKS) await look(numbers.slice(i, i + BLOCKS));
      return [...new Set(found)].sort((a, b) => a - b);
    },
    async logBlocks(address, from, to, signal) {
      const found = new Set<number>();
      const named = wordOfAddress(address);
      for (let at = from; at <= to;) {
        const end = Math.min(to, at + span - 1);
        const range = { fromBlock: tagOf(at), toBlock: tagOf(end) };
        const logs = await logsOf(
          [
            ['eth_getLogs', [{ ...range, topics: [[TRANSFER, APPROVAL], named] }]],
            ['eth_getLogs', [{ ...range, topics: [TRANSFER, null, named] }]],
          ],
          signal,
        );
        if (!logs) {
          if (end === at) {
            throw new EvmFault('upstream_lacks', `The upstream gives no logs, not even of block ${at} alone.`);
          }
          wasRefused = true;
          span = Math.ceil((end - at + 1) / 2);
          continue;
        }
        for (const each of logs) {
          const log = object(each);
          const number = small(log['blockNumber']);
          if (number < at || number > end) lied('A log is of a block that was not asked for.');
          // Those of NFTs have four topics; transfers of nothing are made by anybody.
          const amount = word(log['data']);
          const isToken = list(log['topics']).length === 3 && amount !== undefined;
          if (isToken && (amount > 0n || list(log['topics'])[0] === APPROVAL)) found.add(number);
        }
        at = end + 1;
        // What was refused may have been a crowded stretch: more is tried again, little by little.
        span = Math.min(MAX_SPAN, wasRefused ? span + Math.ceil(span / 8) : span * 2);
      }
      return [...found].sort((a, b) => a - b);
    },
    logSpan: () => span,
  };
}

const TOO_MUCH: ReadonlySet<string> = new Set(['upstream_busy', 'upstream_answer_too_large', 'upstream_silent']);
