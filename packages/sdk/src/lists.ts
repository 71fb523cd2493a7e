import type { ApprovalInfo, GrantInfo, MethodResult, PeerInfo, WalletInfo } from '@keepwatch/protocol';
import type { Connection } from './connection.ts';

/** Lists that come in pages, page after page until the last. */

type Caller = Pick<Connection, 'call'>;

/** All wallets that the caller may see. */
export async function allWallets(connection: Caller): Promise<readonly WalletInfo[]> {
  const wallets: WalletInfo[] = [];
  let after: string | undefined;
  do {
    const page = await connection.call('wallet.list', after === undefined ? {} : { after });
    wallets.push(...page.wallets);
    after = page.next ?? undefined;
  } while (after !== undefined);
  return wallets;
}

/** All grants that the caller may see. */
export async function allGrants(
  connection: Caller,
  options: { revoked?: boolean } = {},
): Promise<readonly GrantInfo[]> {
  const grants: GrantInfo[] = [];
  for (let from: number | null = 0; from !== null;) {
    const page: { grants: GrantInfo[]; next: number | null } = await connection.call('grant.list', {
      ...options,
      from,
    });
    grants.push(...page.grants);
    from = page.next;
  }
  return grants;
}

/** All peers and proposals. */
export async function allPeers(connection: Caller): Promise<readonly PeerInfo[]> {
  const peers: PeerInfo[] = [];
  for (let from: number | null = 0; from !== null;) {
    const page: { peers: PeerInfo[]; next: number | null } = await connection.call('peer.list', { from });
    peers.push(...page.peers);
    from = page.next;
  }
  return peers;
}

/** All requests that wait for operators and that the caller may see. */
export async function allApprovals(connection: Caller): Promise<readonly ApprovalInfo[]> {
  const approvals: ApprovalInfo[] = [];
  for (let from: number | null = 0; from !== null;) {
    const page: MethodResult<'approval.list'> = await connection.call('approval.list', { from });
    approvals.push(...page.approvals);
    from = page.next;
  }
  return approvals;
}

/** A contract that an operator registered, and since which version of the registry. */
export type RegisteredContract = MethodResult<'contract.list'>['contracts'][number];

export async function allContracts(connection: Caller): Promise<readonly RegisteredContract[]> {
  const contracts: RegisteredContract[] = [];
  for (let from: number | null = 0; from !== null;) {
    const page: MethodResult<'contract.list'> = await connection.call('contract.list', { from });
    contracts.push(...page.contracts);
    from = page.next;
  }
  return contracts;
}
