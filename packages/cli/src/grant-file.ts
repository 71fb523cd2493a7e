import { CodedError, createZones } from '@keepwatch/base';
import { grantFile, type GrantDraft, type GrantInFile } from '@keepwatch/protocol';
import type { Operator } from '@keepwatch/sdk';
import { withoutChecksums } from './grant-file-addresses.ts';
import { readJsonFile } from './json-file.ts';
import { pick } from './names.ts';

/** Grants as a file that a team reviews like code: names instead of ids. */

type Vault = Pick<Operator, 'peers' | 'wallets'>;

/** The file’s grants. Error codes `file_unreadable`, `file_malformed` and `grant_invalid`. */
export async function readGrantFile(path: string): Promise<readonly GrantInFile[]> {
  const parsed = grantFile.safeParse(withoutChecksums(await readJsonFile(path)));
  if (parsed.success) return parsed.data.grants;
  const [issue] = parsed.error.issues;
  const at = issue?.path.join('.') ?? '';
  if (issue?.path[0] === 'grants' && issue.path.length > 1) {
    throw new CodedError('grant_invalid', `A grant of the file is not valid: ${at}: ${issue.message}.`);
  }
  throw new CodedError(
    'file_malformed',
    `${path} is no file of grants: ${at === '' ? '' : `${at}: `}${issue?.message}.`,
    {
      remedy: 'Write it as `keepwatch grant export` does.',
    },
  );
}

/**
 * Demands that the time zones of new grants exist, before anything is changed: of a file that the vault refuses in the middle,
 * half would be in force. Error code `grant_invalid`.
 */
export function demandZones(drafts: readonly GrantDraft[]): void {
  const zones = createZones();
  const nowMs = Date.now();
  for (const draft of drafts) {
    const zone = zonesOf(draft).find((each) => zones.wallClock(each, nowMs) === undefined);
    if (zone === undefined) continue;
    const which = 'label' in draft && draft.label !== undefined ? `“${draft.label}”` : `of kind ${draft.kind}`;
    throw new CodedError('grant_invalid', `There is no time zone ${zone}: the grant ${which} would permit nothing.`, {
      remedy: 'Name a time zone of the IANA database, such as Europe/Berlin.',
    });
  }
}

function zonesOf(draft: GrantDraft): string[] {
  if (draft.kind === 'deny') return [];
  return draft.constraints.flatMap((each) => {
    if ('zone' in each) return [each.zone];
    return 'window' in each && 'zone' in each.window ? [each.window.zone] : [];
  });
}

/** With ids instead of names, in the form that the vault takes. Throws for names that nobody has. */
export async function grantsById(grants: readonly GrantInFile[], vault: Vault): Promise<readonly GrantDraft[]> {
  const [peers, wallets] = await Promise.all([vault.peers(), vault.wallets()]);
  const clients = peers.filter(({ role, state }) => role === 'client' && state === 'registered');
  return grants.map((grant) => {
    const wallet =
      grant.wallet === 'any'
        ? grant.wallet
        : pick('wallet', grant.wallet, wallets, ({ wallet: id, name }) => ({ id, name })).wallet;
    if (grant.kind === 'cap' || typeof grant.client !== 'string' || grant.client === 'any') return { ...grant, wallet };
    const { peer } = pick('client', grant.client, clients, ({ peer: id, name }) => ({ id, name }));
    return { ...grant, wallet, client: peer };
  });
}

/** Grants of the vault with names instead of ids, as a file has them. */
export async function grantsByName(drafts: readonly GrantDraft[], vault: Vault): Promise<readonly object[]> {
  const [peers, wallets] = await Promise.all([vault.peers(), vault.wallets()]);
  const peerNames = new Map(peers.map(({ peer, name }) => [peer, name]));
  const walletNames = new Map(wallets.map(({ wallet, name }) => [wallet, name]));
  return drafts.map((draft) => {
    const record: Record<string, unknown> = { ...draft };
    const { client, wallet } = record;
    if (typeof client === 'string') record['client'] = peerNames.get(client) ?? client;
    if (typeof wallet === 'string') record['wallet'] = walletNames.get(wallet) ?? wallet;
    return record;
  });
}
