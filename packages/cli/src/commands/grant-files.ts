import { canonicalJson, type Json } from '@keepwatch/base';
import { grantFileSchema, type GrantDraft, type GrantInfo } from '@keepwatch/protocol';
import { command } from '../command.ts';
import { demandZones, grantsById, grantsByName, readGrantFile } from '../grant-file.ts';
import { withOperator } from '../vault-session.ts';

/** Grants as a file that a team reviews like code, with a dry run that says what would change. */

const exportGrants = command({
  name: 'grant export',
  summary: 'Print all grants in force as a file for `grant apply`, with names instead of ids',
  options: { schema: { value: 'WHERE', words: 'have the file name this JSON Schema, for editors' } },
  more: 'Example\n  keepwatch grant schema > grants.schema.json\n  keepwatch grant export --schema ./grants.schema.json > grants.json',
  run: (context, options) =>
    withOperator(context, async (operator) => {
      const drafts = (await operator.grants()).map(({ draft }) => draft);
      const reference = options.schema === undefined ? {} : { $schema: options.schema };
      const file = { ...reference, grants: await grantsByName(drafts, operator) };
      return { json: file, text: JSON.stringify(file, null, 2) };
    }),
});

const schema = command({
  name: 'grant schema',
  summary: 'Print the JSON Schema of such files, by which an editor checks and completes them',
  run() {
    const json = grantFileSchema();
    return Promise.resolve({ json, text: JSON.stringify(json, null, 2) });
  },
});

const apply = command({
  name: 'grant apply',
  summary: 'Make the grants in force those of a file: create what is missing, end what is not in it',
  positionals: ['FILE'],
  options: { 'dry-run': { words: 'say what would change, and change nothing' } },
  more: 'A grant that stands in the file as it is in force is left alone, and keeps what it has spent.',
  async run(context, options, [path = '']) {
    const wanted = await readGrantFile(path);
    return withOperator(context, async (operator) => {
      const drafts = await grantsById(wanted, operator);
      const live = await operator.grants();
      const { create, end } = difference(drafts, live);
      demandZones(create);
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

export const GRANT_FILE_COMMANDS = [exportGrants, apply, schema];
