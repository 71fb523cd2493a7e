import type { Settlement } from '@keepwatch/protocol';
import { command } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { findWallet } from '../find.ts';
import { needed } from '../needed.ts';
import { parseChain, parseCount } from '../values.ts';
import { withClient, withOperator } from '../vault-session.ts';

/** What people who look at the chain tell the vault, which does not: how requests ended, and whose code a wallet runs. */

const OUTCOMES: readonly Settlement['outcome'][] = ['executed', 'never', 'allowance-ended'];

const OUTCOME = {
  outcome: { value: 'HOW', words: '`executed` for good, `never` to be, or `allowance-ended`: proven to be zero' },
} as const;

/** Which entry, and how what it permitted ended. */
function readEnd(option: string | undefined, entry: string): Pick<Settlement, 'seq' | 'outcome'> {
  const text = needed(option, '--outcome');
  const outcome = OUTCOMES.find((each) => each === text);
  if (outcome) return { seq: parseCount(entry, 'ENTRY'), outcome };
  throw usageError('outcome', `--outcome: “${text}” is no outcome.`, `Write one of ${OUTCOMES.join(', ')}.`);
}

const asOperator = command({
  name: 'wallet settle',
  summary: 'Say how what a journal entry permitted ended: what was outstanding of it is free again',
  positionals: ['WALLET', 'ENTRY'],
  options: OUTCOME,
  run(context, options, [word = '', entry = '']) {
    const told = readEnd(options.outcome, entry);
    return withOperator(context, async (operator) => {
      const settlement = { wallet: (await findWallet(operator, word)).wallet, ...told };
      await operator.command('wallet.settle', settlement);
      return settled(settlement);
    });
  },
});

const asObserver = command({
  name: 'client settle',
  summary: 'As a client with the observer’s right: say how what an entry permitted to another client ended',
  positionals: ['WALLET', 'ENTRY'],
  options: OUTCOME,
  run(context, options, [word = '', entry = '']) {
    const told = readEnd(options.outcome, entry);
    return withClient(context, async (client) => {
      const settlement = { wallet: (await findWallet(client, word)).wallet, ...told };
      await client.settle(settlement);
      return settled(settlement);
    });
  },
});

const settled = (settlement: Settlement) => ({
  json: settlement,
  text: `Entry ${settlement.seq} is settled: ${settlement.outcome}.`,
});

const delegated = command({
  name: 'wallet delegated',
  summary: 'Say whether code may stand at a wallet’s address on a chain (EIP-7702)',
  positionals: ['WALLET', 'CHAIN'],
  options: { ended: { words: 'no code stands there any more: this widens what counts as a cancellation' } },
  run(context, options, [word = '', chainText = '']) {
    const chain = parseChain(chainText, 'CHAIN');
    return withOperator(context, async (operator) => {
      const { wallet, name } = await findWallet(operator, word);
      await operator.command('wallet.delegated', { wallet, chain, delegated: !options.ended });
      const words = options.ended ? 'runs no code' : 'may run code';
      return { json: { wallet, chain, delegated: !options.ended }, text: `“${name}” ${words} on ${chain}.` };
    });
  },
});

export const SETTLEMENT_COMMANDS = [asOperator, asObserver, delegated];
