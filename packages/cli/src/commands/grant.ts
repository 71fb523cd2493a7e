import type { GrantDraft, GrantInfo, PeerInfo, WalletInfo } from '@keepwatch/protocol';
import { command } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { findGrant, findPeer, findWallet } from '../find.ts';
import { needed } from '../needed.ts';
import { fields, table } from '../table.ts';
import type { Paint } from '../terminal.ts';
import {
  parseAddress,
  parseAmount,
  parseChain,
  parseRate,
  parseVolume,
  showAddress,
  showBudget,
  showTime,
  showWindow,
  splitList,
} from '../values.ts';
import { withOperator } from '../vault-session.ts';

const create = command({
  name: 'grant create',
  summary: 'Allow a client to send ether from a wallet, within limits',
  options: {
    client: { value: 'CLIENT', words: 'who may ask' },
    wallet: { value: 'WALLET', words: 'from which wallet' },
    chain: { value: 'N', words: 'on which chain, such as 1' },
    to: { value: 'ADDRESS,…', many: true, words: 'to these addresses and no other; `any` has to be said by name' },
    volume: { value: 'AMOUNT/TIME', many: true, words: 'at most so much, fees included, in any such span: 2eth/1d' },
    count: { value: 'N/TIME', many: true, words: 'at most so many transactions in any such span: 10/1h' },
    'max-fee': { value: 'AMOUNT', words: 'at most this fee for one transaction' },
    label: { value: 'NAME', words: 'what people call the grant' },
  },
  more: 'Example\n  keepwatch grant create --client bot --wallet main --chain 1 --to 0x7099…79C8 --volume 2eth/1d --count 10/1h',
  async run(context, options) {
    const client = needed(options.client, '--client');
    const wallet = needed(options.wallet, '--wallet');
    const chain = parseChain(needed(options.chain, '--chain'), '--chain');
    const recipients = parseRecipients(options.to);
    const constraints = parseConstraints(options);
    return withOperator(context, async (operator) => {
      const draft: EtherTransferDraft = {
        client: (await findPeer(operator, client, 'client', 'registered')).peer,
        wallet: (await findWallet(operator, wallet)).wallet,
        chain,
        kind: 'ether-transfer',
        recipients,
        constraints,
        ...(options.label === undefined ? {} : { label: options.label }),
      };
      const { value } = await operator.command('grant.create', { grant: draft });
      return { json: value, text: `${context.terminal.paint.strong(value.grant)}  ${value.sentence}` };
    });
  },
});

type EtherTransferDraft = Extract<GrantDraft, { kind: 'ether-transfer' }>;

function parseRecipients(values: readonly string[]): EtherTransferDraft['recipients'] {
  const members = splitList(values, '--to');
  if (members.length === 0) throw usageError('option_missing', '--to is missing.', 'Name the addresses, or say `any`.');
  if (members.includes('any')) {
    if (members.length === 1) return 'any';
    throw usageError('recipients', '--to: `any` stands alone.', 'Name addresses, or `any`, but not both.');
  }
  return members.map((member) => parseAddress(member, '--to'));
}

interface ConstraintOptions {
  readonly volume: readonly string[];
  readonly count: readonly string[];
  readonly 'max-fee': string | undefined;
}

function parseConstraints(options: ConstraintOptions): EtherTransferDraft['constraints'] {
  if (options.volume.length === 0) {
    throw usageError('option_missing', '--volume is missing.', 'Every grant has a limit of volume, such as 2eth/1d.');
  }
  const constraints: EtherTransferDraft['constraints'] = [
    ...options.volume.map((text) => ({ type: 'volume' as const, asset: 'native', ...parseVolume(text, '--volume') })),
    ...options.count.map((text) => ({ type: 'count' as const, ...parseRate(text, '--count') })),
  ];
  const maxFee = options['max-fee'];
  if (maxFee !== undefined) {
    constraints.push({ type: 'max-fee', limit: parseAmount(maxFee, '--max-fee').toString() });
  }
  return constraints;
}

const list = command({
  name: 'grant list',
  summary: 'Grants and what is left of them',
  options: { revoked: { words: 'show revoked grants as well' } },
  run: (context, options) =>
    withOperator(context, async (operator) => {
      const [grants, peers, wallets] = await Promise.all([
        operator.grants({ revoked: options.revoked }),
        operator.peers(),
        operator.wallets(),
      ]);
      if (grants.length === 0) return { json: { grants }, text: 'No grant: nobody may have anything signed.' };
      const rows = grants.map((grant) => [
        grant.grant + (grant.revoked === null ? '' : ' (revoked)'),
        clientName(grant, peers),
        walletName(grant, wallets),
        grant.draft.chain,
        whatOf(grant),
        grant.budgets.map(shortBudget).join(', '),
      ]);
      const head = ['GRANT', 'CLIENT', 'WALLET', 'CHAIN', 'WHAT', 'LEFT'];
      return { json: { grants }, text: table([head, ...rows], context.terminal.paint.quiet) };
    }),
});

const show = command({
  name: 'grant show',
  summary: 'One grant in words, with its recipients and budgets',
  positionals: ['GRANT'],
  run: (context, _, [word = '']) =>
    withOperator(context, async (operator) => {
      const grant = await findGrant(operator, word);
      const [peers, wallets] = await Promise.all([operator.peers(), operator.wallets()]);
      return { json: grant, text: describe(grant, peers, wallets, context.terminal.paint) };
    }),
});

const revoke = command({
  name: 'grant revoke',
  summary: 'End a grant at once',
  positionals: ['GRANT'],
  run: (context, _, [word = '']) =>
    withOperator(context, async (operator) => {
      const { grant } = await findGrant(operator, word);
      await operator.command('grant.revoke', { grant });
      return { json: { grant, revoked: true }, text: `${grant} is revoked: nothing is signed under it any more.` };
    }),
});

type Budget = GrantInfo['budgets'][number];

function shortBudget({ limit, left, asset, window, words }: Budget): string {
  if (limit === null || left === null) return words;
  return `${showBudget(left, asset)} of ${showBudget(limit, asset)} ${window === null ? 'unsettled' : showWindow(window)}`;
}

function whatOf({ draft }: GrantInfo): string {
  const { kind } = draft;
  if (kind !== 'ether-transfer' && kind !== 'token-transfer') return kind;
  return `${kind} to ${draft.recipients === 'any' ? 'anybody' : `${draft.recipients.length} named`}`;
}

function describe(grant: GrantInfo, peers: readonly PeerInfo[], wallets: readonly WalletInfo[], paint: Paint): string {
  const budgets = grant.budgets.map((budget) => {
    const free =
      budget.allFreeAt === null || budget.spent === null || budget.spent === '0'
        ? ''
        : `  all free again at ${showTime(budget.allFreeAt)}`;
    return `  ${budget.rule}: ${shortBudget(budget)}${budget.left === null ? '' : ' left'}${free}`;
  });
  return [
    `${paint.strong(grant.grant)}  ${grant.sentence}`,
    '',
    fields([
      ['label', grant.draft.label],
      ['client', clientName(grant, peers)],
      ['wallet', walletName(grant, wallets)],
      ['chain', grant.draft.chain],
      ['created', showTime(grant.created)],
      ['revoked', grant.revoked === null ? undefined : paint.bad(showTime(grant.revoked))],
    ]),
    '',
    ...recipientsOf(grant, paint),
    paint.quiet('limits'),
    ...budgets,
  ].join('\n');
}

function recipientsOf({ draft }: GrantInfo, paint: Paint): readonly string[] {
  if (!('recipients' in draft) || draft.recipients === undefined) return [];
  const { recipients } = draft;
  const who = recipients === 'any' ? ['  anybody'] : recipients.map((address) => `  ${showAddress(address)}`);
  return [paint.quiet('recipients'), ...who];
}

function clientName({ draft }: GrantInfo, peers: readonly PeerInfo[]): string {
  if (draft.kind === 'cap') return 'all';
  const { client } = draft;
  if (typeof client !== 'string') return `group ${client.group}`;
  return peers.find(({ peer }) => peer === client)?.name ?? client;
}
const walletName = ({ draft }: GrantInfo, wallets: readonly WalletInfo[]) =>
  wallets.find(({ wallet }) => wallet === draft.wallet)?.name ?? draft.wallet;

const lift = command({
  name: 'grant lift',
  summary: 'Lift a deny rule or a cap of a wallet: this widens what is allowed',
  positionals: ['GRANT'],
  run: (context, _, [word = '']) =>
    withOperator(context, async (operator) => {
      const { grant } = await findGrant(operator, word);
      await operator.command('grant.lift', { grant });
      return { json: { grant, lifted: true }, text: `${grant} is lifted: it no longer restricts anything.` };
    }),
});

export const GRANT_COMMANDS = [create, list, show, revoke, lift];
