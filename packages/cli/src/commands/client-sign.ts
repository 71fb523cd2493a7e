import { CodedError, fromHex } from '@keepwatch/base';
import type { SignedData } from '@keepwatch/sdk';
import { command, type Answer } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { findWallet } from '../find.ts';
import { readTextFile } from '../json-file.ts';
import { needed } from '../needed.ts';
import { signedWords } from '../signed-words.ts';
import { fields } from '../table.ts';
import { parseChain, parseCount } from '../values.ts';
import { withClient } from '../vault-session.ts';

const WHERE = {
  wallet: { value: 'WALLET', words: 'with which wallet' },
  chain: { value: 'N', words: 'on which chain: that of the grant' },
} as const;

const message = command({
  name: 'client sign-message',
  summary: 'As a client: have a text signed (EIP-191)',
  positionals: ['TEXT'],
  options: WHERE,
  run: (context, options, [text = '']) =>
    withClient(context, async (client) => {
      const { wallet } = await findWallet(client, needed(options.wallet, '--wallet'));
      const chain = parseChain(needed(options.chain, '--chain'), '--chain');
      return answer(await client.signMessage({ wallet, chain, message: text }));
    }),
});

const typedData = command({
  name: 'client sign-typed-data',
  summary: 'As a client: have typed data signed (EIP-712)',
  positionals: ['FILE'],
  options: {
    ...WHERE,
    digest: { value: 'HASH', words: 'the digest by your own library: what the vault signs must be this' },
  },
  run: (context, options, [path = '']) =>
    withClient(context, async (client) => {
      const { wallet } = await findWallet(client, needed(options.wallet, '--wallet'));
      const chain = parseChain(needed(options.chain, '--chain'), '--chain');
      const digest = needed(options.digest, '--digest');
      if (!/^0x[0-9a-f]{64}$/.test(digest)) throw usageError('digest', '--digest: 0x and 64 lower-case hex digits.');
      return answer(await client.signTypedData({ wallet, chain, digest, typedData: await readTextFile(path) }));
    }),
});

const transaction = command({
  name: 'client sign-transaction',
  summary: 'As a client: have an unsigned transaction of any type signed, given as hex or in a file of hex',
  positionals: ['HEX|FILE'],
  options: WHERE,
  run: (context, options, [given = '']) =>
    withClient(context, async (client) => {
      const { wallet } = await findWallet(client, needed(options.wallet, '--wallet'));
      const chain = parseChain(needed(options.chain, '--chain'), '--chain');
      const text = given.startsWith('0x') ? given : (await readTextFile(given)).trim();
      const bytes = fromHex(text);
      if (!bytes) throw new CodedError('file_malformed', 'This is no hex.', { remedy: 'Give 0x and hex digits.' });
      const { raw, hash, decision, receipt, key } = await client.signTransaction({ wallet, chain, transaction: bytes });
      const signed = `0x${Buffer.from(raw).toString('hex')}`;
      return {
        json: { transaction: signed, hash, key, decision, receipt: receipt.json },
        text: fields([
          ['signed', signedWords(decision.asks)],
          ['under', decision.grant],
          ['hash', hash],
          ['key', key],
          ['transaction', signed],
        ]),
      };
    }),
});

const authorization = command({
  name: 'client sign-authorization',
  summary:
    'As a client: have an authorisation signed (EIP-7702), given as hex: 0x05 and rlp([chain id, delegate, nonce])',
  positionals: ['HEX'],
  options: WHERE,
  run: (context, options, [given = '']) =>
    withClient(context, async (client) => {
      const { wallet } = await findWallet(client, needed(options.wallet, '--wallet'));
      const chain = parseChain(needed(options.chain, '--chain'), '--chain');
      const bytes = fromHex(given);
      if (!bytes) throw new CodedError('file_malformed', 'This is no hex.', { remedy: 'Give 0x and hex digits.' });
      return answer(await client.signAuthorization({ wallet, chain, authorization: bytes }));
    }),
});

const nonce = command({
  name: 'client nonce',
  summary: 'As a client: a nonce that the vault has not signed, held for you for a minute',
  options: {
    ...WHERE,
    'at-least': { value: 'N', words: 'not below this one, which the chain says is next (default: 0)' },
  },
  more: 'Clients who share a wallet get different nonces. It is no promise: what is signed first has the nonce.',
  run: (context, options) =>
    withClient(context, async (client) => {
      const { wallet } = await findWallet(client, needed(options.wallet, '--wallet'));
      const chain = parseChain(needed(options.chain, '--chain'), '--chain');
      const atLeast = options['at-least'] === undefined ? 0 : parseCount(options['at-least'], '--at-least');
      const next = await client.nextNonce(wallet, chain, atLeast);
      return { json: { wallet, chain, nonce: next }, text: String(next) };
    }),
});

function answer({ signature, digest, decision, receipt, key }: SignedData): Answer {
  return {
    json: { signature, digest, key, decision, receipt: receipt.json },
    text: fields([
      ['signed', signedWords(decision.asks)],
      ['under', decision.grant],
      ['digest', digest],
      ['key', key],
      ['signature', signature],
    ]),
  };
}

export const CLIENT_SIGN_COMMANDS = [transaction, typedData, message, authorization, nonce];
