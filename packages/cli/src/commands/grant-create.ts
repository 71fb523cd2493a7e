import type { GrantDraft } from '@keepwatch/protocol';
import type { Operator } from '@keepwatch/sdk';
import type { OptionSpecs, OptionValues } from '../arguments.ts';
import { command, type Answer, type Context } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { findPeer, findWallet } from '../find.ts';
import { needed } from '../needed.ts';
import { parseAddress, parseAmount, parseChain, parseRate, parseVolume, splitList, type TokenUnit } from '../values.ts';
import { withOperator } from '../vault-session.ts';

/** The grants that people need most, in one line each; those of every kind are written as a file. */

type DraftOf<K extends GrantDraft['kind']> = Extract<GrantDraft, { kind: K }>;
type Constraints = DraftOf<'ether-transfer'>['constraints'];

const LIMITS = {
  volume: {
    value: 'AMOUNT/TIME',
    many: true,
    words: 'at most so much in any such span: 2eth/1d (fees count in ether)',
  },
  count: { value: 'N/TIME', many: true, words: 'at most so many signatures in any such span: 10/1h' },
  'max-fee': { value: 'AMOUNT', words: 'at most this fee for one transaction' },
} as const satisfies OptionSpecs;

const create = command({
  name: 'grant create',
  summary: 'Allow a client to send ether or a token from a wallet, or to sign texts, within limits',
  options: {
    client: { value: 'CLIENT', words: 'who may ask' },
    wallet: { value: 'WALLET', words: 'from which wallet' },
    chain: { value: 'N', words: 'on which chain, such as 1' },
    to: { value: 'ADDRESS,…', many: true, words: 'to these addresses and no other; `any` has to be said by name' },
    token: { value: 'TOKEN', words: 'of this ERC-20 token instead of ether: its symbol or address, once registered' },
    spender: { value: 'ADDRESS,…', many: true, words: 'let these addresses take tokens as well (approve)' },
    text: { value: 'TEMPLATE', many: true, words: 'sign texts like this one instead, {} for what may vary in a line' },
    ...LIMITS,
    label: { value: 'NAME', words: 'what people call the grant' },
  },
  more:
    'A registered token: see `keepwatch contract list`, `contract suggest` and `contract register`.\n' +
    'Calls of contracts, typed data, delegations and other limits: write a file (`keepwatch grant schema`) and apply it.\n' +
    'Examples\n' +
    '  keepwatch grant create --client bot --wallet main --chain 1 --to 0x7099…79C8 --volume 2eth/1d --count 10/1h\n' +
    '  keepwatch grant create --client bot --wallet main --chain 1 --token usdt --to any --volume 500usdt/1d --max-fee 0.01eth\n' +
    '  keepwatch grant create --client bot --wallet main --chain 1 --text "Log in to example.com: {}" --count 10/1h',
  async run(context, options) {
    const client = needed(options.client, '--client');
    const wallet = needed(options.wallet, '--wallet');
    const chain = parseChain(needed(options.chain, '--chain'), '--chain');
    // What is typed wrong is said before anybody is asked, but for amounts of a token, whose decimals the vault knows.
    const own = options.token === undefined ? draftOf(options) : null;
    const people = options.token === undefined ? null : peopleOf(options);
    return withOperator(context, async (operator) => {
      const draft = {
        client: (await findPeer(operator, client, 'client', 'registered')).peer,
        wallet: (await findWallet(operator, wallet)).wallet,
        chain,
        ...(own ?? tokenDraft(await findToken(operator, chain, options.token!), people!, options)),
        ...labelOf(options),
      } as GrantDraft;
      return createdBy(operator, context, draft);
    });
  },
});

interface CreateOptions extends OptionValues<typeof LIMITS> {
  readonly to: readonly string[];
  readonly text: readonly string[];
  readonly spender: readonly string[];
  readonly token: string | undefined;
}

/** A grant for ether or for texts, without its scope. */
function draftOf(options: CreateOptions) {
  if (options.spender.length > 0) {
    throw usageError('options_conflict', '--spender is about tokens: name one with --token.');
  }
  if (options.text.length > 0) {
    if (options.to.length > 0 || options.volume.length > 0 || options['max-fee'] !== undefined) {
      throw usageError('options_conflict', 'A text moves nothing: --text goes without --to, --volume and --max-fee.');
    }
    const messages = options.text.map((template) => ({ template }));
    return { kind: 'message' as const, messages, constraints: countsOf(options) };
  }
  const recipients = recipientsOf(options.to);
  return { kind: 'ether-transfer' as const, recipients, constraints: volumesOf(options, []) };
}

type People = Pick<DraftOf<'token-transfer'>, 'recipients' | 'spenders'>;

function peopleOf(options: CreateOptions): People {
  if (options.text.length > 0) throw usageError('options_conflict', 'Give --token or --text, not both.');
  if (options.spender.length === 0) return { recipients: recipientsOf(options.to), spenders: [] };
  // Where somebody may take tokens, nobody need be sent any.
  const recipients = options.to.length === 0 ? [] : recipientsOf(options.to);
  return { recipients, spenders: addresses(options.spender, '--spender') };
}

interface Token extends TokenUnit {
  readonly asset: string;
}

function tokenDraft({ asset, symbol, decimals }: Token, { recipients, spenders }: People, options: CreateOptions) {
  const nobody = (list: People['spenders']) => list !== 'any' && list.length === 0;
  const routes: DraftOf<'token-transfer'>['routes'] = [
    ...(nobody(recipients) ? [] : (['transfer'] as const)),
    ...(nobody(spenders) ? [] : (['approve', 'increase-allowance'] as const)),
  ];
  const constraints = volumesOf(options, [{ asset, symbol, decimals }]);
  return {
    kind: 'token-transfer' as const,
    assets: [{ asset, symbol, decimals }],
    routes,
    recipients,
    spenders,
    constraints,
  };
}

/** A registered token by its symbol or address. */
async function findToken(operator: Pick<Operator, 'contracts'>, chain: string, word: string): Promise<Token> {
  const tokens = (await operator.contracts())
    .map(({ entry }) => entry)
    .filter(({ chain: on, standards, symbol, decimals }) => {
      const isToken = Array.isArray(standards) && (standards.includes('erc20') || standards.includes('weth'));
      return on === chain && isToken && typeof symbol === 'string' && typeof decimals === 'number';
    })
    .map(({ address, symbol, decimals }) => ({ address, symbol, decimals }) as { address: string } & TokenUnit);
  const lower = word.toLowerCase();
  const found = tokens.filter(({ address, symbol }) => address === lower || symbol.toLowerCase() === lower);
  const [token] = found;
  if (token === undefined) {
    throw usageError(
      'unknown_name',
      `--token: no ERC-20 token “${word}” is registered on ${chain}.`,
      'Register it with its symbol and decimals: `keepwatch contract suggest` or `keepwatch contract register`.',
    );
  }
  if (found.length > 1) {
    throw usageError(
      'ambiguous_name',
      `--token: ${found.length} tokens are called “${word}”.`,
      'Write its address instead.',
    );
  }
  return { asset: `erc20:${token.address}`, symbol: token.symbol, decimals: token.decimals };
}

function recipientsOf(values: readonly string[]): DraftOf<'ether-transfer'>['recipients'] {
  if (values.length === 0) {
    throw usageError('option_missing', '--to is missing.', 'Name the addresses, or say `any`.');
  }
  return addresses(values, '--to');
}

function addresses(values: readonly string[], option: string): string[] | 'any' {
  const members = splitList(values, option);
  if (members.includes('any')) {
    if (members.length === 1) return 'any';
    throw usageError('recipients', `${option}: \`any\` stands alone.`, 'Name addresses, or `any`, but not both.');
  }
  return members.map((member) => parseAddress(member, option));
}

const countsOf = ({ count }: Pick<CreateOptions, 'count'>): Constraints =>
  count.map((text) => ({ type: 'count' as const, ...parseRate(text, '--count') }));

/** The limits, of which one is a volume of the token, or of ether where there is none. */
function volumesOf(options: CreateOptions, [token]: readonly Token[]): Constraints {
  const example = token === undefined ? '2eth/1d' : `250${token.symbol.toLowerCase()}/1d`;
  const volumes = options.volume.map((text) =>
    token === undefined || (isEther(text) && !isOf(token, text))
      ? { asset: 'native', ...parseVolume(text, '--volume') }
      : { asset: token.asset, ...parseVolume(text, '--volume', token) },
  );
  if (!volumes.some(({ asset }) => asset === (token?.asset ?? 'native'))) {
    throw usageError(
      'option_missing',
      '--volume is missing.',
      `Every grant has a limit of volume, such as ${example}.`,
    );
  }
  const constraints: Constraints = [
    ...volumes.map((volume) => ({ type: 'volume' as const, ...volume })),
    ...countsOf(options),
  ];
  const maxFee = options['max-fee'];
  if (maxFee !== undefined) constraints.push({ type: 'max-fee', limit: parseAmount(maxFee, '--max-fee').toString() });
  else if (!volumes.some(({ asset }) => asset === 'native')) {
    throw usageError('option_missing', '--max-fee is missing.', 'Say what one transaction may cost, such as 0.01eth.');
  }
  return constraints;
}

const unitOf = (volume: string) => /^[0-9.]+\s*([^/]*?)\s*\//.exec(volume.trim())?.[1]?.toLowerCase() ?? '';
const isEther = (volume: string) => ['eth', 'gwei', 'wei'].includes(unitOf(volume));
const isOf = ({ symbol }: Token, volume: string) => unitOf(volume) === symbol.toLowerCase();

const cap = command({
  name: 'grant cap',
  summary: 'Limit a wallet on a chain as a whole, whatever clients may do under their grants',
  options: {
    wallet: { value: 'WALLET', words: 'which wallet' },
    chain: { value: 'N', words: 'on which chain, such as 1' },
    ...LIMITS,
    label: { value: 'NAME', words: 'what people call the cap' },
  },
  more: 'Example\n  keepwatch grant cap --wallet main --chain 1 --volume 10eth/1d --count 100/1d',
  async run(context, options) {
    const wallet = needed(options.wallet, '--wallet');
    const chain = parseChain(needed(options.chain, '--chain'), '--chain');
    const maxFee = options['max-fee'];
    const constraints: Constraints = [
      ...options.volume.map((text) => ({ type: 'volume' as const, asset: 'native', ...parseVolume(text, '--volume') })),
      ...countsOf(options),
      ...(maxFee === undefined
        ? []
        : [{ type: 'max-fee' as const, limit: parseAmount(maxFee, '--max-fee').toString() }]),
    ];
    if (constraints.length === 0) {
      throw usageError('option_missing', 'Give --volume, --count or --max-fee: a cap limits something.');
    }
    return withOperator(context, async (operator) => {
      const { wallet: id } = await findWallet(operator, wallet);
      return createdBy(operator, context, { kind: 'cap', wallet: id, chain, constraints, ...labelOf(options) });
    });
  },
});

const deny = command({
  name: 'grant deny',
  summary: 'Forbid something whatever grants say, until the rule is lifted',
  options: {
    client: { value: 'CLIENT', words: 'to this client (default: to everybody)' },
    wallet: { value: 'WALLET', words: 'with this wallet (default: with all)' },
    chain: { value: 'N', words: 'on this chain (default: on all)' },
    address: { value: 'ADDRESS,…', many: true, words: 'what involves one of these addresses' },
    action: { value: 'KIND,…', many: true, words: 'these kinds of action: message, typed-data, delegation, …' },
    label: { value: 'NAME', words: 'what people call the rule' },
  },
  more:
    'What is named has to fit at once; without --address and --action everything is forbidden.\n' +
    'Kinds: ether-transfer, token-transfer, contract-call, opaque-call, contract-creation, typed-data, message, delegation.\n' +
    'Examples\n  keepwatch grant deny --address 0x7099…79C8\n  keepwatch grant deny --wallet main --action delegation,typed-data',
  async run(context, options) {
    const chain = options.chain === undefined ? 'any' : parseChain(options.chain, '--chain');
    const members = options.address.length === 0 ? [] : splitList(options.address, '--address');
    const named = members.map((member) => parseAddress(member, '--address'));
    const actions = options.action.length === 0 ? [] : splitList(options.action, '--action').map(kindOf);
    return withOperator(context, async (operator) => {
      const { client, wallet } = options;
      return createdBy(operator, context, {
        kind: 'deny',
        client: client === undefined ? 'any' : (await findPeer(operator, client, 'client', 'registered')).peer,
        wallet: wallet === undefined ? 'any' : (await findWallet(operator, wallet)).wallet,
        chain,
        ...(named.length === 0 ? {} : { addresses: named }),
        ...(actions.length === 0 ? {} : { actions }),
        ...labelOf(options),
      });
    });
  },
});

type ActionKind = NonNullable<DraftOf<'deny'>['actions']>[number];
const KINDS: readonly ActionKind[] = [
  ...(['ether-transfer', 'token-transfer', 'contract-call', 'opaque-call', 'contract-creation'] as const),
  ...(['typed-data', 'message', 'delegation'] as const),
];

function kindOf(word: string): ActionKind {
  const kind = KINDS.find((each) => each === word);
  if (kind !== undefined) return kind;
  throw usageError(
    'unknown_name',
    `--action: there is no kind of action “${word}”.`,
    `There are: ${KINDS.join(', ')}.`,
  );
}

const labelOf = ({ label }: { readonly label: string | undefined }) => (label === undefined ? {} : { label });

async function createdBy(operator: Operator, { terminal }: Context, draft: GrantDraft): Promise<Answer> {
  const { value } = await operator.command('grant.create', { grant: draft });
  return { json: value, text: `${terminal.paint.strong(value.grant)}  ${value.sentence}` };
}

export const GRANT_CREATE_COMMANDS = [create, cap, deny];
