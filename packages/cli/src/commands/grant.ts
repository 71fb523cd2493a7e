import type { GrantInfo, PeerInfo, WalletInfo } from '@keepwatch/protocol';
import { command } from '../command.ts';
import { findGrant } from '../find.ts';
import { fields, table } from '../table.ts';
import type { Paint } from '../terminal.ts';
import { showAddress, showBudget, showTime, showWindow, type TokenUnit } from '../values.ts';
import { withOperator } from '../vault-session.ts';

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
        grant.budgets.map((budget) => shortBudget(budget, grant)).join(', '),
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
      const grant = await findGrant(operator, word, { revoked: true });
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

function shortBudget({ limit, left, asset, window, words }: Budget, { draft }: GrantInfo): string {
  if (limit === null || left === null) return words;
  const token = tokenOf(draft, asset);
  return `${showBudget(left, asset, token)} of ${showBudget(limit, asset, token)} ${window === null ? 'unsettled' : showWindow(window)}`;
}

/** How the grant itself writes amounts of an asset. */
function tokenOf(draft: GrantInfo['draft'], asset: string | null): TokenUnit | undefined {
  const assets = draft.kind === 'token-transfer' ? draft.assets : [];
  const { symbol, decimals } = assets.find((each) => each.asset === asset) ?? {};
  return symbol === undefined || decimals === undefined ? undefined : { symbol, decimals };
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
    return `  ${budget.rule}: ${shortBudget(budget, grant)}${budget.left === null ? '' : ' left'}${free}`;
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

export const GRANT_COMMANDS = [list, show, revoke, lift];
