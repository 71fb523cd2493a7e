import { command } from '../command.ts';
import { MONITOR_OPTIONS, ORDER_OPTIONS } from '../monitor/options.ts';

const ABOUT = {
  birthday: {
    value: 'HEIGHT|DATE|new',
    words: 'the first block or day that may hold a payment; left out: it is new',
  },
  'gap-limit': { value: 'N', words: 'unused addresses in a row that were handed out (default: 20)' },
  tag: { value: 'T', many: true, words: 'a word by which rules know it' },
  owner: { value: 'O', words: 'whose it is' },
} as const;

const add = command({
  name: 'watch add',
  summary: 'Watch a wallet, an address, a script, a coin, or an account of an EVM chain',
  positionals: ['NAME'],
  options: {
    descriptor: {
      value: 'D',
      many: true,
      words: 'public output descriptor (BIP380 to BIP389), miniscript and taproot too',
    },
    unvault: {
      value: 'D',
      many: true,
      words: 'descriptor where coins wait for a time lock on their way out of a vault: whatever goes there is critical',
    },
    xpub: { value: 'KEY', many: true, words: 'extended public key; of an xpub all usual kinds of script are watched' },
    address: { value: 'A', many: true, words: 'one address' },
    script: { value: 'HEX', many: true, words: 'one scriptPubKey' },
    outpoint: { value: 'TXID:N', many: true, words: 'one coin' },
    transaction: { value: 'HEX', many: true, words: 'one transaction, whole, to be told what becomes of it' },
    txid: {
      value: 'TXID',
      many: true,
      words: 'the same by its id alone; a running monitor asks its sources for the rest',
    },
    evm: { value: 'ADDRESS', words: 'an account of an EVM chain, in place of all these' },
    chain: { value: 'CHAIN_ID', words: 'with --evm: its chain, such as 1 for Ethereum' },
    token: {
      value: 'ADDRESS[:SYMBOL:DECIMALS]',
      many: true,
      words: 'with --evm: a token of it (ERC-20); a running monitor asks the contract for the rest',
    },
    ...ABOUT,
    large: {
      value: 'AMOUNT',
      words: 'tell of transactions that move at least so much (BTC; with --evm the chain’s coin)',
    },
    above: { value: 'AMOUNT', words: 'tell when the balance rises above' },
    below: { value: 'AMOUNT', words: 'tell when the balance falls below' },
    limit: {
      value: 'SYMBOL:KIND:AMOUNT',
      many: true,
      words: 'with --evm: such a limit of a token, as USDC:large:5000; its address does too',
    },
    ...ORDER_OPTIONS,
  },
  more: [
    "keepwatch watch add savings --descriptor 'wpkh([d34db33f/84h/0h/0h]xpub…/<0;1>/*)' --birthday 2023-06-01",
    "keepwatch watch add vault --descriptor 'wsh(multi(2,…))' --unvault 'wsh(andor(multi(2,…),older(144),pk(…)))'",
    'keepwatch watch add donations --address bc1… --tag public',
    'keepwatch watch add treasury --evm 0x… --chain 1 --token 0xA0b8…:USDC:6 --limit USDC:large:5000',
    '',
    'With a birthday the past is read while the chain goes on to be watched; `keepwatch watch list` shows how far it is.',
  ].join('\n'),
  run: async (context, options, [name]) => (await import('../monitor/wallets.ts')).watchAdd(context, name!, options),
});

const list = command({
  name: 'watch list',
  summary: 'What is watched, with balances, and how far each past is read',
  options: MONITOR_OPTIONS,
  run: async (context, options) => (await import('../monitor/wallets.ts')).watchList(context, options),
});

const show = command({
  name: 'watch show',
  summary: 'One wallet: its descriptors, its coins, its settings',
  positionals: ['NAME'],
  options: MONITOR_OPTIONS,
  run: async (context, options, [name]) => (await import('../monitor/wallets.ts')).watchShow(context, name!, options),
});

const set = command({
  name: 'watch set',
  summary: 'Change the name, the owner, the tags or the limits of what is watched',
  positionals: ['NAME'],
  options: {
    name: { value: 'NEW', words: 'call it so' },
    owner: { value: 'O', words: 'whose it is' },
    tag: { value: 'T', many: true, words: 'all words by which rules know it, in place of those that it has' },
    large: { value: 'AMOUNT', words: 'tell of transactions that move at least so much (BTC; or the chain’s coin)' },
    above: { value: 'AMOUNT', words: 'tell when the balance rises above' },
    below: { value: 'AMOUNT', words: 'tell when the balance falls below' },
    dust: { value: 'AMOUNT', words: 'what strangers send below this is dust (BTC)' },
    'lock-warning': { value: 'BLOCKS', words: 'tell so many blocks before a time lock ends' },
    limit: {
      value: 'SYMBOL:KIND:AMOUNT',
      many: true,
      words: 'such a limit of a token, as USDC:large:5000; its address does too',
    },
    ...ORDER_OPTIONS,
  },
  more: [
    'keepwatch watch set savings --large 0.5 --below none --tag cold',
    'keepwatch watch set treasury --limit USDC:large:none',
    '',
    'What is left out stays as it is; “none” clears it. `keepwatch watch show` says what is set.',
  ].join('\n'),
  run: async (context, options, [name]) =>
    (await import('../monitor/wallet-settings.ts')).watchSet(context, name!, options),
});

const rescan = command({
  name: 'watch rescan',
  summary: 'Look through the past of a wallet again, further on where that is asked',
  positionals: ['NAME'],
  options: { 'gap-limit': ABOUT['gap-limit'], ...MONITOR_OPTIONS },
  more: [
    'With a larger --gap-limit more addresses are watched from now on, and looked for since the birthday of the wallet; where',
    'it has none, since it was added. What is found is told, marked as late.',
  ].join('\n'),
  run: async (context, options, [name]) => (await import('../monitor/wallets.ts')).watchRescan(context, name!, options),
});

const past = command({
  name: 'watch past',
  summary: 'What happened to an account of an EVM chain before it was watched, from its birthday on',
  positionals: ['NAME'],
  options: {
    limit: { value: 'N', words: 'so many (default: 50)' },
    before: { value: 'NO', words: 'older than the one of this number' },
    ...MONITOR_OPTIONS,
  },
  run: async (context, options, [name]) =>
    (await import('../monitor/evm-accounts.ts')).watchPast(context, name!, options),
});

const remove = command({
  name: 'watch remove',
  summary: 'Watch a wallet no longer; what was found stays',
  positionals: ['NAME'],
  options: ORDER_OPTIONS,
  run: async (context, options, [name]) => (await import('../monitor/wallets.ts')).watchRemove(context, name!, options),
});

const importFile = command({
  name: 'watch import',
  summary: 'Watch what another wallet exported: Bitcoin Core, Sparrow, Electrum, Specter, Liana, BIP388, BIP329',
  positionals: ['FILE'],
  options: {
    name: { value: 'NAME', words: 'what it is called here (default: as in the file)' },
    ...ABOUT,
    birthday: {
      value: 'HEIGHT|DATE|new',
      words: 'the first block or day that may hold a payment; left out: as in the file, else all blocks',
    },
    wallet: { value: 'NAME', words: 'of a file that holds labels alone: whose they are' },
    ...ORDER_OPTIONS,
  },
  more: [
    'What the file is, is found out by looking at it. Public parts alone are taken: a file with a private key is refused.',
    'docs/watch.md says which menu of each program makes such a file.',
  ].join('\n'),
  run: async (context, options, [file]) =>
    (await import('../monitor/wallet-import.ts')).watchImport(context, file!, options),
});

export const WATCH_COMMANDS = [add, list, show, set, past, rescan, remove, importFile];
