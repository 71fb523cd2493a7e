import type { Finding } from '../finding.ts';
import { decodeEvmEvent, decodeEvmState, encodeEvmEvent, encodeEvmState } from './codec.ts';
import type { EvmEvent, EvmInput } from './event.ts';
import type { EvmBlockFacts, EvmPendingFacts, EvmTransactionFacts } from './facts.ts';
import { applyEvmEvent } from './fold.ts';
import { CHAIN, FEE, hashOf, OTHER, TOKEN, WALLET } from './history.fixture.ts';
import type { EvmBlockRef, Hash32 } from './spend.ts';
import { createEvmState, type EvmState } from './state.ts';
import { evmStep } from './step.ts';

/** The account's own transaction for a nonce; others of the same nonce have another `name`. */
export function own(nonce: number, name = 'a', more: Partial<EvmPendingFacts> = {}): EvmPendingFacts {
  return {
    ...{ hash: hashOf(`own ${nonce} ${name}`), from: WALLET, to: OTHER, nonce: BigInt(nonce), value: 5n },
    ...{ digest: hashOf(`signed ${nonce} ${name}`), transfer: null, ...more },
  };
}

/** A payment by somebody else. */
export function payment(nonce: number, name = 'a', more: Partial<EvmPendingFacts> = {}): EvmPendingFacts {
  return own(nonce, name, { hash: hashOf(`other ${nonce} ${name}`), from: OTHER, to: WALLET, ...more });
}

/** The watch of one account, which can die and come back at any time. */
export function createAccount() {
  let state: EvmState = createEvmState();
  const journal: Uint8Array[] = [];
  const findings: Finding[] = [];
  const blocks: { readonly block: EvmBlockRef; readonly nonce: bigint; readonly balance: bigint }[] = [];
  let nowMs = 1_000_000;
  let label = 0;

  function tell(input: EvmInput): readonly EvmEvent[] {
    const events = evmStep(state, input, ++nowMs);
    for (const event of events) {
      journal.push(encodeEvmEvent(event));
      applyEvmEvent(state, event);
      if (event.kind === 'finding') findings.push(event.finding);
    }
    return events;
  }

  /** A block on top, with transactions of the account in the order of their nonces, or of others. */
  function mine(transactions: readonly EvmPendingFacts[] = [], fails: readonly Hash32[] = []): readonly Finding[] {
    const parent = blocks.at(-1);
    const number = (parent?.block.number ?? 0) + 1;
    const block = { number, hash: hashOf(`block ${number} ${label++}`), timeMs: number * 12_000 };
    const sent = transactions.filter(({ from }) => from === WALLET);
    const nonce = (parent?.nonce ?? 0n) + BigInt(sent.length);
    const balance = transactions.reduce((sum, { hash, from, to, value }) => {
      const moved = fails.includes(hash) ? 0n : value;
      return sum + (to === WALLET ? moved : 0n) - (from === WALLET ? FEE + moved : 0n);
    }, parent?.balance ?? 1_000_000n);
    const state = { balance, nonce, code: { kind: 'none' as const }, implementation: null };
    const facts: EvmBlockFacts = {
      ...{ chainId: CHAIN, block, parentHash: parent?.block.hash ?? hashOf('genesis') },
      accounts: [{ address: WALLET, state, tokens: [], allowances: [] }],
      transactions: transactions.map((each): EvmTransactionFacts => {
        const { hash, from, to, value, digest, nonce: its } = each;
        return { hash, from, to, nonce: its, value, digest, succeeded: !fails.includes(hash), fee: FEE };
      }),
      ...{ withdrawals: [], transfers: [], approvals: [] },
    };
    blocks.push({ block, nonce, balance });
    return told(tell({ kind: 'evm-connected', facts, seenBy: ['one'] }));
  }

  tell({ kind: 'evm-chain', chain: { chainId: CHAIN, symbol: 'ETH', depths: [8], keptBlocks: 16 } });
  tell({
    kind: 'evm-wallet',
    wallet: {
      ...{ id: 'hot', name: 'hot', owner: null, tags: [], chainId: CHAIN, address: WALLET, birthday: null, limits: [] },
      tokens: [{ token: TOKEN, symbol: 'COIN', decimals: 6 }],
    },
  });
  mine();
  return {
    findings,
    mine,
    events: tell,
    nonce: () => blocks.at(-1)!.nonce,
    state: () => state,
    sight: (transaction: EvmPendingFacts, seenBy: readonly string[] = ['one']) =>
      told(tell({ kind: 'evm-sighted', chainId: CHAIN, transaction, seenBy })),
    count: (nonce: bigint, pending: bigint) =>
      told(tell({ kind: 'evm-counted', chainId: CHAIN, count: { address: WALLET, nonce, pending }, seenBy: ['one'] })),
    evict: (hash: Hash32) => told(tell({ kind: 'evm-evicted', chainId: CHAIN, hash, seenBy: ['one'] })),
    /** The tip leaves. */
    back() {
      const { block } = blocks.pop()!;
      return told(tell({ kind: 'evm-disconnected', chainId: CHAIN, block, seenBy: ['one'] }));
    },
    /** Everything that is not in the journal, or in a snapshot of it, is lost. */
    die(by: 'journal' | 'snapshot' = 'journal') {
      const before = encodeEvmState(state);
      if (by === 'snapshot') {
        const read = decodeEvmState(before);
        if (!read.ok) throw new Error(read.error);
        state = read.value;
      } else {
        state = createEvmState();
        for (const bytes of journal) {
          const event = decodeEvmEvent(bytes);
          if (!event.ok) throw new Error(event.error);
          applyEvmEvent(state, event.value);
        }
      }
      return { before, after: encodeEvmState(state) };
    },
  };
}

const told = (events: readonly EvmEvent[]): readonly Finding[] =>
  events.flatMap((event) => (event.kind === 'finding' ? [event.finding] : []));
