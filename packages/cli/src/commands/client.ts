import { toHex } from '@keepwatch/base';
import { createEvmNode, type SignedTransaction } from '@keepwatch/sdk';
import { command, type Answer } from '../command.ts';
import { readConnection } from '../connection-argument.ts';
import { usageError } from '../exit-codes.ts';
import { findPeer, findWallet } from '../find.ts';
import { describeEntry } from '../journal-words.ts';
import { demandNotRevoked, peerCommands } from '../peers.ts';
import { withReceiptFile } from '../receipt-file.ts';
import { signedWords } from '../signed-words.ts';
import { fields, table } from '../table.ts';
import type { Paint } from '../terminal.ts';
import { completeTransfer, readTransferRequest, TRANSFER_OPTIONS } from '../transfer-request.ts';
import { parseCount, showBudget, showWindow, splitList } from '../values.ts';
import { ownIdentity, profileOf, withClient, withConnection, withOperator } from '../vault-session.ts';

const register = command({
  name: 'client register',
  summary: 'Ask to become a client: an operator approves',
  positionals: ['CONNECTION'],
  options: { name: { value: 'NAME', words: 'what the vault shall call this client' } },
  async run(context, options, [given = '']) {
    const connectionString = readConnection(given);
    const { name } = options;
    if (name === undefined) throw usageError('option_missing', '--name is missing.', 'Name the program that will ask.');
    const profile = profileOf(context, 'client');
    const identity = await ownIdentity(profile);
    return withConnection(profile, connectionString, identity, 'register', async (connection) => {
      const { vault, ready } = connection.info;
      const { state } = await connection.call('peer.register', { name, role: 'client' });
      demandNotRevoked(state, ready.peer);
      if (state === 'registered') {
        return {
          json: { peer: ready.peer, vault, state },
          text: `This profile is a client of the vault already. Its id: ${ready.peer}\nNext: keepwatch client grants`,
        };
      }
      return {
        json: { peer: ready.peer, vault, state, name },
        text: [
          `“${name}” asked to become a client. Its id: ${ready.peer}`,
          'An operator compares this id and runs:',
          `  keepwatch client approve ${ready.peer}`,
        ].join('\n'),
      };
    });
  },
});

const observe = command({
  name: 'client observe',
  summary: 'Say of which wallets a client may follow the receipts: the whole list, none without --wallet',
  positionals: ['CLIENT'],
  options: { wallet: { value: 'WALLET,…', many: true, words: 'these wallets' } },
  run: (context, options, [word = '']) =>
    withOperator(context, async (operator) => {
      const { peer, name } = await findPeer(operator, word, 'client', 'registered');
      const found = await Promise.all(splitList(options.wallet, '--wallet').map((each) => findWallet(operator, each)));
      const wallets = found.map(({ wallet }) => wallet);
      await operator.command('peer.observe', { peer, wallets });
      const names = found.map((wallet) => `“${wallet.name}”`).join(', ');
      return { json: { peer, wallets }, text: `“${name}” may follow ${names || 'no wallet'}.` };
    }),
});

const groups = command({
  name: 'client groups',
  summary: 'Say to which groups a client belongs: the whole list, none without --group',
  positionals: ['CLIENT'],
  options: { group: { value: 'NAME,…', many: true, words: 'these groups' } },
  run: (context, options, [word = '']) =>
    withOperator(context, async (operator) => {
      const { peer, name } = await findPeer(operator, word, 'client', 'registered');
      const members = splitList(options.group, '--group');
      await operator.command('peer.groups', { peer, groups: members });
      return { json: { peer, groups: members }, text: `“${name}” belongs to ${members.join(', ') || 'no group'}.` };
    }),
});

const grants = command({
  name: 'client grants',
  summary: 'As a client: what it may do, and what is left of it',
  run: (context) =>
    withClient(context, async (client) => {
      const [held, wallets] = await Promise.all([client.grants(), client.wallets()]);
      if (held.length === 0) return { json: { grants: held, wallets }, text: 'This client has no grant.' };
      const rows = held.map((grant) => [
        grant.grant,
        wallets.find(({ wallet }) => wallet === grant.draft.wallet)?.name ?? grant.draft.wallet,
        grant.sentence,
      ]);
      const text = table([['GRANT', 'WALLET', 'ALLOWS'], ...rows], context.terminal.paint.quiet);
      return { json: { grants: held, wallets }, text };
    }),
});

const sign = command({
  name: 'client sign',
  summary: 'As a client: have a transfer of ether signed; with --broadcast, send it',
  options: {
    ...TRANSFER_OPTIONS,
    'receipt-out': { value: 'FILE', words: 'write the vault’s receipt to FILE, to be checked by anybody' },
  },
  async run(context, options) {
    const request = readTransferRequest(options);
    const url = options.broadcast ?? options.rpc;
    const node = url === undefined ? undefined : createEvmNode(url);
    return withReceiptFile(context, options['receipt-out'], (save) =>
      withClient(context, async (client) => {
        const { wallet, address } = await findWallet(client, request.wallet);
        const transaction = await completeTransfer(request, address, node);
        const key = request.key === undefined ? {} : { key: request.key };
        const signed = await client.signTransaction({ wallet, transaction, ...key });
        await save(signed.receipt);
        if (!node || options.broadcast === undefined) return signedAnswer(signed, context.terminal.paint);
        try {
          await node.broadcast(signed.raw, signed.hash);
          return signedAnswer(signed, context.terminal.paint, await node.mined(signed.hash));
        } catch (error) {
          // It is signed and counted whatever the node says: whoever asked needs the bytes, the hash and the key.
          context.emit(signedAnswer(signed, context.terminal.paint));
          throw error;
        }
      }),
    );
  },
});

/** A limit of one transaction has no window, and so nothing is left of it. */
const hasWindow = ({ window }: SignedTransaction['decision']['budgets'][number]) => window !== undefined;

function signedAnswer(
  { raw, hash, decision, receipt, key }: SignedTransaction,
  paint: Paint,
  mined?: { readonly block: number; readonly succeeded: boolean },
): Answer {
  const { grant, asks, nonce, budgets } = decision;
  const left = budgets.filter(hasWindow).map(({ asset, limit, spentAfter, window = '' }) => {
    const rest = (BigInt(limit) - BigInt(spentAfter)).toString();
    return `${showBudget(rest, asset)} of ${showBudget(limit, asset)} ${showWindow(window)}`;
  });
  const state = mined && (mined.succeeded ? paint.good(`in block ${mined.block}`) : paint.bad('failed on the chain'));
  const transaction = `0x${toHex(raw)}`;
  return {
    json: { transaction, hash, key, decision, receipt: receipt.json, mined: mined ?? null },
    text: fields([
      ['signed', `${signedWords(asks)}, nonce ${nonce}`],
      ['under', grant],
      ['left', left.join(', ')],
      ['hash', hash],
      ['key', key],
      ['mined', state],
      ['transaction', mined ? undefined : transaction],
    ]),
  };
}

const follow = command({
  name: 'client follow',
  summary: 'As a client with the observer’s right: the receipts of a wallet, as they come',
  positionals: ['WALLET'],
  options: { from: { value: 'SEQ', words: 'from this journal entry on (default: 1)' } },
  run: (context, options, [word = '']) =>
    withClient(context, async (client) => {
      const from = options.from === undefined ? 1 : parseCount(options.from, '--from');
      const { wallet } = await findWallet(client, word);
      const observation = client.observe(wallet, {
        from,
        onReceipt: ({ seq, entry, json }) => context.emit({ json, text: describeEntry(seq, entry) }),
      });
      const stop = () => observation.stop();
      process.once('SIGINT', stop).once('SIGTERM', stop);
      await observation.done;
    }),
});

export const CLIENT_COMMANDS = [register, sign, grants, groups, follow, observe, ...peerCommands('client')];
