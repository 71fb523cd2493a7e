import type { GrantInfo, PeerInfo, Role, WalletInfo } from '@keepwatch/protocol';
import { pick } from './names.ts';

/** The things of a vault by what people call them: a name or an id. */

interface HasWallets {
  wallets(): Promise<readonly WalletInfo[]>;
}

interface HasPeers {
  peers(): Promise<readonly PeerInfo[]>;
}

interface HasGrants {
  grants(options?: { readonly revoked?: boolean }): Promise<readonly GrantInfo[]>;
}

export async function findWallet(vault: HasWallets, word: string): Promise<WalletInfo> {
  return pick('wallet', word, await vault.wallets(), ({ wallet, name }) => ({ id: wallet, name }));
}

export async function findPeer(vault: HasPeers, word: string, role: Role, state: PeerInfo['state']): Promise<PeerInfo> {
  const peers = (await vault.peers()).filter((peer) => peer.role === role && peer.state === state);
  const what = state === 'proposed' ? `proposal of a ${role}` : role;
  return pick(what, word, peers, ({ peer, name }) => ({ id: peer, name }));
}

/** Grants have an id, and a label if somebody gave one. Of those in force; `revoked`: one that was revoked is found too. */
export async function findGrant(
  vault: HasGrants,
  word: string,
  { revoked = false }: { readonly revoked?: boolean } = {},
): Promise<GrantInfo> {
  const grants = await vault.grants({ revoked });
  const inForce = grants.filter((grant) => grant.revoked === null);
  return pick('grant', word, grants, ({ grant, draft }) => ({ id: grant, name: draft.label ?? grant }), inForce);
}
