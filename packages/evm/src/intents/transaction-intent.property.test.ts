import fc from 'fast-check';
import { expect, it } from 'vitest';
import { calldata, COIN, contractOf, keccak, registry, STRANGER, WALLET } from '../routes/world.fixture.ts';
import { routeExamples } from '../routes/route-examples.fixture.ts';
import { decodeUnsigned, encodeUnsigned, type Transaction } from '../transaction.ts';
import { transactions } from '../transaction.arbitrary.fixture.ts';
import { intentOfTransaction, type IntentContext } from './transaction-intent.ts';
import type { Intent } from './intent.ts';

// What is judged is what is signed: whoever changes a byte of a transaction changes what its intent says, or is refused.

const context: IntentContext = { wallet: WALLET, registry, keccak, delegated: false };
const intentOf = (transaction: Transaction): Intent => intentOfTransaction(transaction, context);

type Content = Pick<Transaction, 'to' | 'data'>;
const send = (line: string, ...args: readonly unknown[]): Content => ({ to: COIN, data: calldata(line, args) });

const blank = {
  type: 'legacy',
  ...{ chainId: 1, nonce: 0, gasPrice: 1n, gasLimit: 1n, value: 0n },
} as unknown as Omit<Extract<Transaction, { type: 'legacy' }>, 'to' | 'data'>;

/** Calls of which the intent tells every argument: token moves that have no others, and calls that keep them all. */
const known: readonly Content[] = [
  send('transfer(address to, uint256 amount)', STRANGER, 5n),
  send('transferFrom(address from, address to, uint256 amount)', WALLET, STRANGER, 5n),
  send('approve(address spender, uint256 amount)', STRANGER, 5n),
  ...routeExamples
    .map(({ standard, line, args }) => ({ to: contractOf(standard), data: calldata(line, args) }))
    .filter(({ to, data }) => {
      const { actions, opaque } = intentOf({ ...blank, to, data });
      return opaque === null && actions.length === 1 && actions[0]!.kind === 'contract-call';
    }),
];

const contents: fc.Arbitrary<Content> = fc.oneof(
  fc.constantFrom(...known),
  fc.constant({ to: STRANGER, data: new Uint8Array() }),
  fc.uint8Array({ minLength: 1, maxLength: 40 }).map((data) => ({ to: STRANGER, data })),
  fc.uint8Array({ maxLength: 40 }).map((data) => ({ to: null, data })),
);

/** Transactions of every type with calls that mean something on chain 1. */
const meaningful: fc.Arbitrary<Transaction> = fc
  .tuple(transactions, contents)
  .filter(([{ type }, { to }]) => to !== null || (type !== 'eip4844' && type !== 'eip7702'))
  .map(([transaction, content]) => {
    const { type } = transaction;
    const chained = { ...transaction, chainId: 1, ...content };
    if (type !== 'eip7702') return chained as Transaction;
    const authorizationList = transaction.authorizationList.map((each) => ({ ...each, chainId: 1 }));
    return { ...chained, authorizationList } as Transaction;
  });

/** What an intent does not tell, because nothing leaves by it: hints for the node, others' signatures, data nobody understands. */
function apart(transaction: Transaction, intent: Intent): unknown {
  const { data, ...rest } = transaction;
  const isOpaque = intent.actions.some(({ kind }) => kind === 'opaque-call');
  return {
    ...rest,
    data: isOpaque ? [...data.subarray(0, data.length >= 4 ? 4 : 0)] : [...data],
    ...('accessList' in rest ? { accessList: null } : {}),
    ...('blobVersionedHashes' in rest ? { blobVersionedHashes: rest.blobVersionedHashes.length } : {}),
    ...('authorizationList' in rest
      ? { authorizationList: rest.authorizationList.map(({ yParity: _, r: __, s: ___, ...own }) => own) }
      : {}),
  };
}

const text = (intent: Intent) =>
  JSON.stringify(intent, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));

it('every changed byte is refused or changes the intent, but for what moves nothing', () => {
  const seen = { refused: 0, changed: 0, apart: 0 };
  fc.assert(
    fc.property(meaningful, fc.integer({ min: 1, max: 255 }), (transaction, mask) => {
      const bytes = encodeUnsigned(transaction);
      const intent = intentOf(transaction);
      const same = text(intent);
      const told = apart(transaction, intent);
      for (let at = 0; at < bytes.length; at++) {
        const mutated = Uint8Array.from(bytes);
        mutated[at]! ^= mask;
        const decoded = decodeUnsigned(mutated);
        if (!decoded.ok) {
          seen.refused++;
          continue;
        }
        const other = intentOf(decoded.value);
        if (text(other) !== same) {
          seen.changed++;
          continue;
        }
        // The same intent: then the difference is one of those that an intent leaves out.
        seen.apart++;
        expect(apart(decoded.value, other)).toEqual(told);
      }
    }),
    { numRuns: 120 },
  );
  expect(known.length).toBeGreaterThan(20);
  expect(seen.refused).toBeGreaterThan(1_000);
  expect(seen.changed).toBeGreaterThan(1_000);
  expect(seen.apart).toBeGreaterThan(100);
}, 120_000);
