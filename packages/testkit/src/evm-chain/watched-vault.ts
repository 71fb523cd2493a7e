import { fromHex } from '@keepwatch/base';
import { createClient, type Client } from '@keepwatch/sdk';
import type { Hex } from 'viem';
import type { CommandLine } from '../../../cli/src/fixtures/command-line.ts';
import { addClient, connectAs, setUpOperator, type SeatedOperator, type VaultProcess } from '../world/index.ts';

/** Chain id 31337, as a vault writes it. */
export const CHAIN = 'eip155:31337';

/** A vault that has the key of an account, with its owner and a client. */
export interface SeatedVault {
  readonly vault: VaultProcess;
  readonly owner: SeatedOperator;
  readonly client: Client;
  /** The client's id, for grants. */
  readonly bot: string;
  readonly wallet: string;
}

/** Sets a new vault up and gives it the key. `floor`: the first nonce that it may sign. */
export async function seatVault(vault: VaultProcess, key: Hex, floor: number): Promise<SeatedVault> {
  const owner = await setUpOperator(vault);
  const { operator } = owner;
  const imported = await operator.command('wallet.import', {
    ...{ kind: 'key', name: 'hot', secret: await operator.sealSecret('wallet.import', fromHex(key)!) },
    nonceFloors: [{ chain: CHAIN, floor }],
  });
  const person = await addClient(vault, operator, 'bot');
  const client = createClient(await connectAs(vault, person));
  return { vault, owner, client, bot: person.peer, wallet: imported.value.wallets[0]!.wallet };
}

/** The monitor with its data in the folder `name` asks to follow the vault, and its owner lets it. */
export async function followVault(
  cli: CommandLine,
  { vault, owner, wallet }: SeatedVault,
  name: string,
): Promise<void> {
  const named = ['keep', vault.connection(), '--data', `${cli.directory}/${name}`];
  const { peer } = await cli.ask<{ peer: string }>('monitor', 'vault', 'add', ...named);
  await owner.operator.command('peer.approve', { peer, role: 'client', name });
  await owner.operator.command('peer.observe', { peer, wallets: [wallet] });
}
