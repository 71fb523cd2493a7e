import { readAbi } from '../abi-file.ts';
import { command } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { pick } from '../names.ts';
import { needed } from '../needed.ts';
import { table } from '../table.ts';
import { parseAddress, parseChain, showAddress, splitList } from '../values.ts';
import { withOperator } from '../vault-session.ts';

const register = command({
  name: 'contract register',
  summary: 'Say what a contract is, so that calls of it are understood',
  positionals: ['ADDRESS'],
  options: {
    chain: { value: 'N', words: 'on which chain' },
    name: { value: 'NAME', words: 'what people call it' },
    standard: { value: 'NAME,…', many: true, words: 'the standards that it follows: erc20, eip2612, erc721, weth, …' },
    symbol: { value: 'SYMBOL', words: 'of a token, such as USDT' },
    decimals: { value: 'N', words: 'of a token' },
    underlying: { value: 'ADDRESS', words: 'the token that a vault or wrapper stands for' },
    issuer: { value: 'ADDRESS', words: 'of a lending token: the pool that it belongs to' },
    'code-hash': { value: 'HEX', words: 'Keccak-256 of its code when you looked at it, for the record' },
    implementation: { value: 'ADDRESS', words: 'of a proxy: where its code was when you looked at it, for the record' },
    abi: { value: 'FILE', words: 'its further functions: ABI JSON, or an artefact of solc, Foundry or Hardhat' },
    contract: { value: 'NAME', words: 'which contract of an artefact that has several' },
  },
  more:
    'An entry is your word: the vault cannot check it. Where it is wrong, a limit may count what the contract does not do.\n' +
    'Example\n  keepwatch contract register 0xdAC1…1ec7 --chain 1 --name Tether --standard erc20 --symbol USDT --decimals 6',
  async run(context, options, [word = '']) {
    const chain = parseChain(needed(options.chain, '--chain'), '--chain');
    const entry = {
      chain,
      address: parseAddress(word, 'ADDRESS'),
      name: needed(options.name, '--name'),
      standards: splitList(options.standard, '--standard'),
      functions: [],
      ...(options.symbol === undefined ? {} : { symbol: options.symbol }),
      ...(options.decimals === undefined ? {} : { decimals: decimalsOf(options.decimals) }),
      ...address('underlying', options.underlying),
      ...address('issuer', options.issuer),
      ...address('implementation', options.implementation),
      ...(options['code-hash'] === undefined ? {} : { codeHash: hashOf(options['code-hash']) }),
    };
    const abi = options.abi === undefined ? {} : { abi: await readAbi(options.abi, options.contract) };
    return withOperator(context, async (operator) => {
      const { value } = await operator.command('contract.register', { entry, ...abi });
      const { functions } = value;
      return {
        json: { entry, functions },
        text: `${entry.name} (${showAddress(entry.address)}) is registered on ${chain}: ${functions} functions are known.`,
      };
    });
  },
});

const list = command({
  name: 'contract list',
  summary: 'Contracts that were registered',
  run: (context) =>
    withOperator(context, async (operator) => {
      const contracts = await operator.contracts();
      if (contracts.length === 0) return { json: { contracts }, text: 'No contract is registered: calls are opaque.' };
      const rows = contracts.map(({ entry }) => [
        String(entry['chain']),
        showAddress(String(entry['address'])),
        String(entry['name']),
        entry['symbol'] === undefined ? '' : `${String(entry['symbol'])} (${String(entry['decimals'])} decimals)`,
        Array.isArray(entry['standards']) ? entry['standards'].join(', ') : '',
      ]);
      const head = ['CHAIN', 'ADDRESS', 'NAME', 'TOKEN', 'STANDARDS'];
      return { json: { contracts }, text: table([head, ...rows], context.terminal.paint.quiet) };
    }),
});

const suggest = command({
  name: 'contract suggest',
  summary: 'Well-known contracts of a chain; with --register, register those that you name',
  options: {
    chain: { value: 'N', words: 'on which chain' },
    register: {
      value: 'NAME,…',
      many: true,
      words: 'register these, by name or address, once you compared the addresses',
    },
  },
  more: 'Compare each address with a source that you trust before you register it: the list comes with the program.',
  async run(context, options) {
    const chain = parseChain(needed(options.chain, '--chain'), '--chain');
    const wanted = splitList(options.register, '--register');
    return withOperator(context, async (operator) => {
      const contracts: Record<string, unknown>[] = [];
      for (let from: number | null = 0; from !== null;) {
        const page: { contracts: Record<string, unknown>[]; next: number | null } = await operator.query(
          'contract.suggestions',
          { chain, from },
        );
        contracts.push(...page.contracts);
        from = page.next;
      }
      const registered: string[] = [];
      for (const word of wanted) {
        const entry = pick('contract', word, contracts, ({ address, name }) => ({
          id: String(address),
          name: String(name),
        }));
        await operator.command('contract.register', { entry });
        registered.push(
          `${String(entry['name'])} (${showAddress(String(entry['address']))}) is registered on ${chain}.`,
        );
      }
      if (registered.length > 0) return { json: { registered: wanted }, text: registered.join('\n') };
      if (contracts.length === 0) return { json: { contracts }, text: `Nothing is known of ${chain}.` };
      const rows = contracts.map(({ address, name, symbol, standards }) => [
        String(name),
        showAddress(String(address)),
        symbol === undefined ? '' : String(symbol),
        Array.isArray(standards) ? standards.join(', ') : '',
      ]);
      return {
        json: { contracts },
        text: table([['NAME', 'ADDRESS', 'TOKEN', 'STANDARDS'], ...rows], context.terminal.paint.quiet),
      };
    });
  },
});

const remove = command({
  name: 'contract remove',
  summary: 'Forget what a contract is: calls of it are opaque again',
  positionals: ['ADDRESS'],
  options: { chain: { value: 'N', words: 'on which chain' } },
  async run(context, options, [word = '']) {
    const chain = parseChain(needed(options.chain, '--chain'), '--chain');
    const address = parseAddress(word, 'ADDRESS');
    return withOperator(context, async (operator) => {
      await operator.command('contract.remove', { chain, address });
      return { json: { chain, address, removed: true }, text: `${showAddress(address)} is forgotten on ${chain}.` };
    });
  },
});

function address(name: 'underlying' | 'issuer' | 'implementation', text: string | undefined) {
  return text === undefined ? {} : { [name]: parseAddress(text, `--${name}`) };
}

function hashOf(text: string): string {
  if (/^0x[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  throw usageError('digest', `--code-hash: “${text}” is no digest: 0x and 64 hex digits.`);
}

function decimalsOf(text: string): number {
  if (/^(0|[1-9][0-9]?)$/.test(text)) return Number(text);
  throw usageError('number', `--decimals: “${text}” is no number from 0 to 77.`);
}

export const CONTRACT_COMMANDS = [register, suggest, list, remove];
