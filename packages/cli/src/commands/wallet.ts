import { MAX_NEW_WALLETS, type CommandValue } from '@keepwatch/protocol';
import { command, type Answer } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { findWallet } from '../find.ts';
import { mnemonicSecret, privateKeyFromHex, privateKeyToHex, splitLines } from '../secret-forms.ts';
import { readSecret } from '../secret-input.ts';
import { withSecretSink } from '../secret-output.ts';
import { table } from '../table.ts';
import type { Paint, Terminal } from '../terminal.ts';
import { parseChain, parseCount, showAddress, showTime, splitList } from '../values.ts';
import { withOperator } from '../vault-session.ts';

/** The first account of Ethereum's usual tree (BIP-44, SLIP-44 coin type 60). */
const FIRST_ACCOUNT = "m/44'/60'/0'/0/0";

const create = command({
  name: 'wallet create',
  summary: 'Make a wallet whose key never leaves the vault',
  positionals: ['NAME'],
  options: {
    words: { value: '12|24', words: 'length of the new mnemonic (default: 24)' },
    random: { words: 'a random key without a mnemonic' },
    count: { value: 'N', words: 'with --random: so many at once, named NAME-1, NAME-2, …' },
  },
  async run(context, options, [name = '']) {
    const params = createParams(name, options);
    return withOperator(context, async (operator) => {
      const { value } = await operator.command('wallet.create', params);
      return newWallets(value, context.terminal.paint);
    });
  },
});

function createParams(
  name: string,
  options: { words: string | undefined; random: boolean; count: string | undefined },
) {
  if (options.random) {
    if (options.words) throw usageError('options_conflict', '--words has no meaning with --random.', 'Leave one out.');
    return { kind: 'random', name, count: countOf(options.count) } as const;
  }
  if (options.count) {
    throw usageError(
      'options_conflict',
      '--count needs --random.',
      'For more accounts of a mnemonic: `wallet derive`.',
    );
  }
  if (!['12', '24', undefined].includes(options.words)) {
    throw usageError('words', '--words: a new mnemonic has 12 or 24 words.');
  }
  return { kind: 'mnemonic', name, words: options.words === '12' ? 12 : 24 } as const;
}

const countOf = (text: string | undefined) => (text === undefined ? 1 : parseCount(text, '--count', MAX_NEW_WALLETS));

const derive = command({
  name: 'wallet derive',
  summary: 'Make the next account of a wallet’s mnemonic',
  positionals: ['WALLET', 'NAME'],
  options: { count: { value: 'N', words: 'so many at once, named NAME-1, NAME-2, …' } },
  async run(context, options, [from = '', name = '']) {
    const count = countOf(options.count);
    return withOperator(context, async (operator) => {
      const { wallet } = await findWallet(operator, from);
      const { value } = await operator.command('wallet.create', { kind: 'derived', name, from: wallet, count });
      return newWallets(value, context.terminal.paint);
    });
  },
});

const importWallet = command({
  name: 'wallet import',
  summary: 'Take in a private key or a mnemonic',
  positionals: ['NAME'],
  options: {
    mnemonic: { words: 'a mnemonic instead of a private key' },
    path: { value: 'PATH', words: `with --mnemonic: derivation path (default: ${FIRST_ACCOUNT})` },
    passphrase: { words: 'with --mnemonic: it has a passphrase (asked for, or the second line of the file)' },
    'secret-file': { value: 'FILE', words: 'read the key in hex, or the words, from FILE (-: standard input)' },
    'nonce-floor': { value: 'CHAIN=N', many: true, words: 'on this chain, sign from nonce N on' },
  },
  async run(context, options, [name = '']) {
    if (!options.mnemonic && (options.path !== undefined || options.passphrase)) {
      throw usageError('options_conflict', '--path and --passphrase need --mnemonic.');
    }
    const nonceFloors = splitList(options['nonce-floor'], '--nonce-floor').map(parseFloor);
    const secret = await readImported(context.terminal, options);
    return withOperator(context, async (operator) => {
      const sealed = await operator.sealSecret('wallet.import', secret);
      const { value } = await operator.command(
        'wallet.import',
        options.mnemonic
          ? { kind: 'mnemonic', name, secret: sealed, path: options.path ?? FIRST_ACCOUNT, nonceFloors }
          : { kind: 'key', name, secret: sealed, nonceFloors },
      );
      return newWallets(value, context.terminal.paint);
    });
  },
});

interface ImportOptions {
  readonly mnemonic: boolean;
  readonly passphrase: boolean;
  readonly 'secret-file': string | undefined;
}

async function readImported(terminal: Terminal, options: ImportOptions): Promise<Uint8Array> {
  const source = { option: '--secret-file', file: options['secret-file'] };
  const typed = await readSecret(terminal, {
    ...source,
    prompt: options.mnemonic ? 'Words of the mnemonic' : 'Private key in hex',
  });
  try {
    if (!options.mnemonic) {
      const key = privateKeyFromHex(typed);
      if (key) return key;
      throw usageError('private_key', 'That is no private key.', 'A private key has 64 hex digits.');
    }
    const [words, second] = splitLines(typed);
    if (!options.passphrase) return mnemonicSecret(words, undefined);
    const passphrase =
      source.file === undefined ? await readSecret(terminal, { ...source, prompt: 'Passphrase' }) : second;
    if (!passphrase) {
      throw usageError('passphrase_missing', 'The file has no second line with the passphrase.');
    }
    const secret = mnemonicSecret(words, passphrase);
    passphrase.fill(0);
    return secret;
  } finally {
    typed.fill(0);
  }
}

function parseFloor(text: string): { chain: string; floor: number } {
  const [chain = '', floor, ...rest] = text.split('=');
  if (floor === undefined || rest.length > 0) {
    throw usageError('nonce_floor', `--nonce-floor: “${text}” is no floor.`, 'Write one such as 1=42.');
  }
  return { chain: parseChain(chain, '--nonce-floor'), floor: parseCount(floor, '--nonce-floor') };
}

const list = command({
  name: 'wallet list',
  summary: 'Wallets and their addresses',
  run: (context) =>
    withOperator(context, async (operator) => {
      const wallets = await operator.wallets();
      if (wallets.length === 0)
        return { json: { wallets }, text: 'No wallet yet. `keepwatch wallet create NAME` makes one.' };
      const rows = wallets.map(({ wallet, name, address, origin, path, created }) => [
        name,
        showAddress(address),
        path ? `${origin} ${path}` : origin,
        showTime(created),
        wallet,
      ]);
      const head = ['NAME', 'ADDRESS', 'ORIGIN', 'SINCE', 'ID'];
      return { json: { wallets }, text: table([head, ...rows], context.terminal.paint.quiet) };
    }),
});

const rename = command({
  name: 'wallet rename',
  summary: 'Give a wallet another name',
  positionals: ['WALLET', 'NAME'],
  run: (context, _, [word = '', name = '']) =>
    withOperator(context, async (operator) => {
      const { wallet, name: before } = await findWallet(operator, word);
      await operator.command('wallet.rename', { wallet, name });
      return { json: { wallet, name }, text: `“${before}” is now called “${name}”.` };
    }),
});

const backup = command({
  name: 'wallet backup',
  summary: 'Hand out a wallet’s mnemonic or private key',
  positionals: ['WALLET'],
  options: {
    out: { value: 'FILE', words: 'write it to a new file, readable by you alone, instead of showing it (-: stdout)' },
    'password-file': { value: 'FILE', words: 'read the vault’s password from FILE (-: standard input)' },
  },
  async run(context, options, [word = '']) {
    return withSecretSink(context, options.out, async (sink) => {
      const password = await readSecret(context.terminal, {
        prompt: 'Password of the vault',
        option: '--password-file',
        file: options['password-file'],
      });
      return withOperator(context, async (operator) => {
        const { wallet, name } = await findWallet(operator, word);
        const { kind, secret } = await operator.backupWallet(wallet, password);
        const readable = kind === 'key' ? privateKeyToHex(secret) : secret;
        await sink.write(readable);
        readable.fill(0);
        secret.fill(0);
        const what = kind === 'key' ? 'private key' : 'mnemonic';
        const json = { wallet, kind, file: sink.file };
        if (sink.file !== null) return { json, text: `The ${what} of “${name}” is in ${sink.file}.` };
        context.note(`That is the ${what} of “${name}”: whoever has it has the wallet.`);
        return undefined;
      });
    });
  },
});

const floor = command({
  name: 'wallet floor',
  summary: 'Say from which nonce on a wallet signs on a chain',
  positionals: ['WALLET', 'CHAIN', 'NONCE'],
  more: [
    'Lower nonces are spent on the chain: none of them is signed again, not even at higher fees. A floor never falls. A',
    'transaction that is stuck needs none: it is asked for again at higher fees, or cancelled.',
  ].join('\n'),
  run: (context, _, [word = '', chainText = '', nonce = '']) => {
    const chain = parseChain(chainText, 'CHAIN');
    const lowest = parseCount(nonce, 'NONCE');
    return withOperator(context, async (operator) => {
      const { wallet, name } = await findWallet(operator, word);
      await operator.command('wallet.floor', { wallet, chain, floor: lowest });
      return {
        json: { wallet, chain, floor: lowest },
        text: `“${name}” signs on ${chain} from nonce ${lowest} on, and never again below.`,
      };
    });
  },
});

function newWallets({ wallets }: CommandValue<'wallet.create'>, paint: Paint): Answer {
  const rows = wallets.map(({ wallet, name, address, path }) => [name, showAddress(address), path ?? '', wallet]);
  const text = table([['NAME', 'ADDRESS', 'PATH', 'ID'], ...rows], paint.quiet);
  return { json: { wallets }, text };
}

export const WALLET_COMMANDS = [create, derive, importWallet, list, rename, backup, floor];
