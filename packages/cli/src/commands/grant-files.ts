import { canonicalJson, CodedError, type Json } from '@keepwatch/base';
import { grantDraft, type GrantDraft, type GrantInfo } from '@keepwatch/protocol';
import type { Operator } from '@keepwatch/sdk';
import { command } from '../command.ts';
import { findPeer, findWallet } from '../find.ts';
import { readJsonFile } from '../json-file.ts';
import { withOperator } from '../vault-session.ts';

/** Grants as a file that a team reviews like code: names instead of ids, and a dry run that says what would change. */

interface GrantFile {
  readonly grants: readonly Record<string, unknown>[];
}

const exportGrants = command({
  name: 'grant export',
  summary: 'Print all grants in force as a file for `grant apply`, with names instead of ids',
  run: (context) =>
    withOperator(context, async (operator) => {
      const names = await namesOf(operator);
      const grants = (await operator.grants()).map(({ draft }) => named(draft, names));
      const file = { grants };
      return { json: file, text: JSON.stringify(file, null, 2) };
    }),
});

const apply = command({
  name: 'grant apply',
  summary: 'Make the grants in force those of a file: create what is missing, end what is not in it',
  positionals: ['FILE'],
  options: { 'dry-run': { words: 'say what would change, and change nothing' } },
  more: 'A grant that stands in the file as it is in force is left alone, and keeps what it has spent.',
  async run(context, options, [path = '']) {
    const wanted = readGrants(await readJsonFile(path), path);
    return withOperator(context, async (operator) => {
      const drafts = [];
      for (const each of wanted) drafts.push(await resolved(each, operator));
      const live = await operator.grants();
      const { create, end } = difference(drafts, live);
      const lines = [
        ...create.map((draft) => `+ ${draft.kind} ${draft.label ?? ''}`.trimEnd()),
        ...end.map(({ grant, sentence }) => `- ${grant}  ${sentence}`),
      ];
      const json = { create, end: end.map(({ grant }) => grant), applied: !options['dry-run'] };
      if (lines.length === 0) return { json, text: 'Nothing to change.' };
      if (options['dry-run']) return { json, text: lines.join('\n') };
      const created: string[] = [];
      // What restricts comes first and goes last, so that nothing is wider in between.
      for (const draft of restrictingFirst(create)) {
        const { value } = await operator.command('grant.create', { grant: draft });
        created.push(`+ ${value.grant}  ${value.sentence}`);
      }
      for (const { grant, draft } of permittingFirst(end)) {
        await operator.command(restricts(draft) ? 'grant.lift' : 'grant.revoke', { grant });
      }
      return { json, text: [...created, ...lines.filter((line) => line.startsWith('-'))].join('\n') };
    });
  },
});

const restricts = ({ kind }: GrantDraft) => kind === 'deny' || kind === 'cap';
const restrictingFirst = (drafts: readonly GrantDraft[]) => [
  ...drafts.filter(restricts),
  ...drafts.filter((draft) => !restricts(draft)),
];
const permittingFirst = (grants: readonly GrantInfo[]) => [
  ...grants.filter(({ draft }) => !restricts(draft)),
  ...grants.filter(({ draft }) => restricts(draft)),
];

/** Grants are compared as canonical JSON: what differs in any member is another grant. */
function difference(wanted: readonly GrantDraft[], live: readonly GrantInfo[]) {
  const left = live.map((info) => ({ info, text: canonicalJson(info.draft as unknown as Json) }));
  const create: GrantDraft[] = [];
  for (const draft of wanted) {
    const text = canonicalJson(draft as unknown as Json);
    const at = left.findIndex((each) => each.text === text);
    if (at < 0) create.push(draft);
    else left.splice(at, 1);
  }
  return { create, end: left.map(({ info }) => info) };
}

function readGrants(json: unknown, path: string): GrantFile['grants'] {
  const grants = (json as Partial<GrantFile> | null)?.grants;
  if (Array.isArray(grants)) return grants as GrantFile['grants'];
  throw new CodedError('file_malformed', `${path} has no list “grants”.`, {
    remedy: 'Write it as `keepwatch grant export` does.',
  });
}

interface VaultNames {
  readonly peers: ReadonlyMap<string, string>;
  readonly wallets: ReadonlyMap<string, string>;
}

async function namesOf(operator: Operator): Promise<VaultNames> {
  const [peers, wallets] = await Promise.all([operator.peers(), operator.wallets()]);
  return {
    peers: new Map(peers.map(({ peer, name }) => [peer, name])),
    wallets: new Map(wallets.map(({ wallet, name }) => [wallet, name])),
  };
}

function named(draft: GrantDraft, names: VaultNames): Record<string, unknown> {
  const record: Record<string, unknown> = { ...draft };
  const { client, wallet } = record;
  if (typeof client === 'string') record['client'] = names.peers.get(client) ?? client;
  if (typeof wallet === 'string') record['wallet'] = names.wallets.get(wallet) ?? wallet;
  return record;
}

/** With ids instead of names, in the form that the vault takes. */
async function resolved(record: Record<string, unknown>, operator: Operator): Promise<GrantDraft> {
  const { client, wallet } = record;
  const byId: Record<string, unknown> = { ...record };
  if (typeof client === 'string' && client !== 'any') {
    byId['client'] = (await findPeer(operator, client, 'client', 'registered')).peer;
  }
  if (typeof wallet === 'string' && wallet !== 'any') byId['wallet'] = (await findWallet(operator, wallet)).wallet;
  const parsed = grantDraft.safeParse(byId);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CodedError(
    'grant_invalid',
    `A grant of the file is not valid: ${issue?.path.join('.')}: ${issue?.message}.`,
  );
}

export const GRANT_FILE_COMMANDS = [exportGrants, apply];
