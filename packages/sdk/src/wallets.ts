import type { WalletInfo } from '@keepwatch/protocol';
import type { Connection } from './connection.ts';

/** All wallets that the caller may see, page after page. */
export async function allWallets(connection: Pick<Connection, 'call'>): Promise<readonly WalletInfo[]> {
  const wallets: WalletInfo[] = [];
  let after: string | undefined;
  do {
    const page = await connection.call('wallet.list', after === undefined ? {} : { after });
    wallets.push(...page.wallets);
    after = page.next ?? undefined;
  } while (after !== undefined);
  return wallets;
}
