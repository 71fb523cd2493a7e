import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '@keepwatch/base';
import { privateKeyToAccount } from 'viem/accounts';
import type { Anvil } from './anvil.ts';
import type { Step } from './play.ts';
import type { Screen } from './screen.ts';
import type { Stage } from './stage.ts';
import { ALICE } from './vault-scenes.ts';
import type { News } from './watch-scenes.ts';

/** Keep and watch together: what the keep did not sign is an alarm. The key has been somewhere else before. */

export interface AlarmDeps {
  readonly stage: Stage;
  readonly screen: Screen;
  readonly step: Step;
  readonly news: News;
  readonly anvil: Anvil;
  readonly connection: string;
}

const CHAIN = '31337';
const TEN_ETHER = `0x${(10n ** 19n).toString(16)}`;

export async function alarmScenes({ stage, screen, step, news, anvil, connection }: AlarmDeps): Promise<void> {
  step('A key comes into the vault that was in other hands before');
  const key = `0x${randomBytes(32).toString('hex')}` as const;
  const account = privateKeyToAccount(key);
  const file = join(stage.directory, 'old-key');
  await writeFile(file, key, { mode: 0o600 });
  await anvil.call('anvil_setBalance', [account.address, TEN_ETHER]);
  await stage.owner('wallet', 'import', 'old', '--secret-file', file, '--nonce-floor', `${CHAIN}=0`);
  screen.verdict('vault', true, `“old” ${account.address}`);

  step('The monitor becomes an observer of the vault');
  const { peer } = await stage.owner('monitor', 'vault', 'add', 'keep', connection);
  screen.say('monitor', `asks to be registered, with a key of its own: ${String(peer)}`);
  await stage.owner('client', 'approve', String(peer));
  await stage.owner('client', 'observe', String(peer), '--wallet', 'old');
  screen.verdict('owner', true, 'approves it: it may read what “old” has signed, and nothing else');
  await stage.owner('watch', 'add', 'old-account', '--evm', account.address, '--chain', CHAIN);
  // An account is read at the next block, and this chain makes one only when it is asked to.
  await anvil.call('evm_mine', []);
  await ready(stage);

  step('A thief who kept a copy of the key pays himself');
  const raw = await account.signTransaction({
    ...{ type: 'eip1559', chainId: Number(CHAIN), nonce: 0, gas: 21_000n, to: ALICE, value: 10n ** 18n },
    ...{ maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 1n },
  });
  screen.say('thief', `takes 1 ETH, past the vault: ${String(await anvil.call('eth_sendRawTransaction', [raw]))}`);
  await news.told('unsigned-spend', (detail) => 'how' in detail && detail.how === 'transaction');
}

const READY_MS = 60_000;

/** Until the account has been read once, and the vault has said which wallets there are. */
async function ready(stage: Stage): Promise<void> {
  for (const deadline = Date.now() + READY_MS; Date.now() < deadline;) {
    const { vaults } = (await stage.owner('monitor', 'vault', 'list')) as { vaults: { wallets: object[] }[] };
    const { evm } = (await stage.owner('watch', 'list')) as { evm: { block: number | null }[] };
    if (vaults[0]?.wallets.length === 1 && evm[0]?.block !== null) return;
  }
  throw new CodedError('story_differs', 'the monitor does not follow the vault');
}
