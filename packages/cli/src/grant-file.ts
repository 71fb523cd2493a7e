import { CodedError } from '@keepwatch/base';
import { grantDraft, type GrantDraft } from '@keepwatch/protocol';
import type { Operator } from '@keepwatch/sdk';
import { readJsonFile } from './json-file.ts';
import { pick } from './names.ts';

/** Grants as a file that a team reviews like code: names instead of ids. */

interface GrantFile {
  readonly grants: readonly Record<string, unknown>[];
}

type Vault = Pick<Operator, 'peers' | 'wallets'>;

/** The file’s grants as it has them. Error codes `file_unreadable` and `file_malformed`. */
export async function readGrantFile(path: string): Promise<GrantFile['grants']> {
  const json = await readJsonFile(path);
  const grants = (json as Partial<GrantFile> | null)?.grants;
  if (Array.isArray(grants)) return grants as GrantFile['grants'];
  throw new CodedError('file_malformed', `${path} has no list “grants”.`, {
    remedy: 'Write it as `keepwatch grant export` does.',
  });
}

/** With ids instead of names, in the form that the vault takes. Error code `grant_invalid`, and those of unknown names. */
export async function grantsById(grants: GrantFile['grants'], vault: Vault): Promise<readonly GrantDraft[]> {
  const [peers, wallets] = await Promise.all([vault.peers(), vault.wallets()]);
  const clients = peers.filter(({ role, state }) => role === 'client' && state === 'registered');
  return grants.map((record, i) => {
    const { client, wallet } = record;
    const byId: Record<string, unknown> = { ...record };
    if (typeof client === 'string' && client !== 'any') {
      byId['client'] = pick('client', client, clients, ({ peer, name }) => ({ id: peer, name })).peer;
    }
    if (typeof wallet === 'string' && wallet !== 'any') {
      byId['wallet'] = pick('wallet', wallet, wallets, ({ wallet: id, name }) => ({ id, name })).wallet;
    }
    const parsed = grantDraft.safeParse(byId);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const at = [`grants[${i}]`, ...(issue?.path ?? [])].join('.');
    throw new CodedError('grant_invalid', `A grant of the file is not valid: ${at}: ${issue?.message}.`);
  });
}

/** Grants of the vault with names instead of ids, as a file has them. */
export async function grantsByName(drafts: readonly GrantDraft[], vault: Vault): Promise<GrantFile['grants']> {
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
