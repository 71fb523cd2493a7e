import { CodedError } from '@keepwatch/base';
import type { CommandParams, GrantInfo } from '@keepwatch/protocol';
import type { Operator } from '@keepwatch/sdk';
import { command } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { findGrant, findPeer, findWallet } from '../find.ts';
import { clientOf, countsOf, fateOf, grantsWithoutClient, namesOf, type Standing } from '../resume-choice.ts';
import { parseChain, parseCount, splitList } from '../values.ts';
import { withOperator } from '../vault-session.ts';

/** What has to be said before a vault signs again that was restored or rolled back. */

const resume = command({
  name: 'vault resume',
  summary: 'After a restore or a rollback: say what is still in force; all else is revoked',
  options: {
    operator: { value: 'NAME,…', many: true, words: 'these operators stay, besides yourself' },
    client: { value: 'NAME,…', many: true, words: 'these clients stay' },
    grant: { value: 'GRANT,…', many: true, words: 'these grants stay, their limits counted as spent' },
    'full-grant': { value: 'GRANT,…', many: true, words: 'these grants stay, with nothing of their limits spent' },
    'all-peers': { words: 'every operator and client stays, named or not' },
    'all-grants': { words: 'every grant of who stays is kept; those not named count as spent' },
    none: { words: 'nobody stays but yourself, and no grant' },
    'nonce-floor': { value: 'WALLET=CHAIN=N', many: true, words: 'the wallet signs on this chain from nonce N on' },
  },
  more: [
    'Where nobody is named who stays, it lists what would be revoked, and revokes nothing.',
    'A wallet signs on a chain only after its nonce floor there was named: take the next nonce from the chain itself.',
  ].join('\n'),
  run: (context, options) =>
    withOperator(context, async (operator, connection) => {
      const standing = await standingOf(operator);
      const stay = (words: readonly string[], role: 'operator' | 'client') =>
        Promise.all(
          splitList(words, `--${role}`).map(
            async (word) => (await findPeer({ peers: async () => standing.peers }, word, role, 'registered')).peer,
          ),
        );
      const named = [...(await stay(options.operator, 'operator')), ...(await stay(options.client, 'client'))];
      const peers = new Set([connection.info.ready.peer, ...named]);
      const grants = [
        ...(await grantsNamed(standing, options.grant, '--grant', () => [])),
        ...(await grantsNamed(standing, options['full-grant'], '--full-grant', everythingLeft)),
      ];
      const choice = {
        ...{ peers, allPeers: options['all-peers'], allGrants: options['all-grants'] },
        grants: new Set(grants.map(({ grant }) => grant)),
      };
      demandClients(choice, standing);
      const { kept, revoked } = fateOf(choice, standing);
      const isChosen = named.length > 0 || grants.length > 0 || options['all-peers'];
      if (options.none && (isChosen || options['all-grants'])) {
        throw usageError('options_conflict', '--none has no meaning beside what stays.', 'Leave one of the two out.');
      }
      if (!isChosen && !options.none) await demandChoice(operator, revoked);
      const params: CommandParams<'vault.resume'> = {
        peers: [...peers],
        grants,
        nonceFloors: await Promise.all(
          splitList(options['nonce-floor'], '--nonce-floor').map((text) => parseFloor(operator, text)),
        ),
        others: {
          peers: options['all-peers'] ? 'kept' : 'revoked',
          grants: options['all-grants'] ? 'spent' : 'revoked',
        },
      };
      const { version } = await operator.command('vault.resume', params);
      return {
        json: { version, ...params, revoked: idsOf(revoked) },
        text: `Signing goes on. In force: ${countsOf(kept)}. Revoked: ${countsOf(revoked)}.`,
      };
    }),
});

async function standingOf(operator: Operator): Promise<Standing> {
  const [peers, grants] = await Promise.all([operator.peers(), operator.grants()]);
  return { peers, grants };
}

const idsOf = ({ peers, grants }: Standing) => ({
  peers: peers.map(({ peer }) => peer),
  grants: grants.map(({ grant }) => grant),
});

/** A grant is of a client, and ends with it. */
function demandClients(choice: Parameters<typeof grantsWithoutClient>[0], standing: Standing): void {
  const [grant] = grantsWithoutClient(choice, standing);
  if (!grant) return;
  const client = clientOf(grant) ?? '';
  const name = standing.peers.find(({ peer }) => peer === client)?.name ?? client;
  throw usageError(
    'option_missing',
    `${grant.grant} is a grant of “${name}”, who is not named among those who stay.`,
    `Name that client as well (--client ${/\s/.test(name) ? `'${name}'` : name}), or keep all with --all-peers.`,
  );
}

/** To revoke everything is never what is meant by saying nothing. Where signing is not frozen, the vault says so. */
async function demandChoice(operator: Operator, revoked: Standing): Promise<void> {
  if (revoked.peers.length === 0 && revoked.grants.length === 0) return;
  const { signingFrozen } = await operator.status();
  if (!signingFrozen) return;
  throw new CodedError('usage_option_missing', 'Nobody is named who stays, so all of this would be revoked.', {
    remedy: 'Say who and what stays: --operator, --client and --grant, or --all-peers and --all-grants, or --none.',
    details: namesOf(revoked),
  });
}

type Remaining = CommandParams<'vault.resume'>['grants'][number]['remaining'];

function grantsNamed(
  { grants }: Standing,
  words: readonly string[],
  option: string,
  remaining: (grant: GrantInfo) => Remaining,
): Promise<CommandParams<'vault.resume'>['grants']> {
  return Promise.all(
    splitList(words, option).map(async (word) => {
      const grant = await findGrant({ grants: async () => grants }, word);
      return { grant: grant.grant, remaining: remaining(grant) };
    }),
  );
}

const everythingLeft = ({ draft }: GrantInfo): Remaining =>
  draft.kind === 'deny'
    ? []
    : draft.constraints.flatMap((constraint, i) => {
        const { type } = constraint;
        const isBudget = type === 'volume' || type === 'count' || type === 'outstanding';
        return isBudget ? [{ constraint: i, left: String(constraint.limit) }] : [];
      });

async function parseFloor(operator: Operator, text: string) {
  const [word = '', chain = '', floor, ...rest] = text.split('=');
  if (floor === undefined || rest.length > 0) {
    throw usageError('nonce_floor', `--nonce-floor: “${text}” is no floor.`, 'Write one such as main=1=42.');
  }
  const { wallet } = await findWallet(operator, word);
  return { wallet, chain: parseChain(chain, '--nonce-floor'), floor: parseCount(floor, '--nonce-floor') };
}

export const VAULT_RESUME_COMMANDS = [resume];
