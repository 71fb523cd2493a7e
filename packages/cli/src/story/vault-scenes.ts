import { createEvmNode } from '@keepwatch/sdk';
import { showAddress } from '../values.ts';
import type { Anvil } from './anvil.ts';
import type { Step } from './play.ts';
import type { Screen } from './screen.ts';
import type { Stage } from './stage.ts';
import { createTeller, demand, pay } from './teller.ts';

/** What a vault, its owner and a client do with each other. */

/** Three of anvil's well-known accounts. No grant names Mallory. */
export const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const CAROL = '0x90F79bf6EB2c4f870365E785982E1f101E93b906';
const MALLORY = '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC';
const NAMES = new Map([
  [ALICE, 'Alice'],
  [CAROL, 'Carol'],
  [MALLORY, 'Mallory'],
]);
const CHAIN = '31337';
const ONE_ETHER = 10n ** 18n;

export interface VaultEnding {
  readonly anvil: Anvil;
  readonly connection: string;
  readonly receiptFile: string;
}

export async function vaultScenes(stage: Stage, screen: Screen, step: Step): Promise<VaultEnding> {
  const teller = createTeller(screen, (address) => NAMES.get(address) ?? address);

  step('A chain and a vault are started');
  const anvil = await stage.startChain();
  screen.say('chain', `anvil, chain ${CHAIN}, at ${anvil.url}`);
  const { connection } = await stage.startVault();
  screen.say('vault', connection);

  step('The owner joins it and sets a password');
  const { peer: owner } = await stage.owner('operator', 'join', '--data', stage.dataDirectory);
  screen.say('owner', `joins by the one-time token that the vault left on this machine, as ${String(owner)}`);
  await stage.owner('vault', 'init', '--password-file', stage.passwordFile);
  screen.verdict('vault', true, 'is made, and unsealed: its keys lie in locked memory');

  step('The owner makes a wallet');
  const made = (await stage.owner('wallet', 'create', 'treasury')) as { wallets: { address: string }[] };
  const { address } = made.wallets[0]!;
  screen.verdict('vault', true, `“treasury” ${showAddress(address)}, whose key never leaves the vault`);
  screen.say('chain', `5 ETH arrive at it in block ${await fund(anvil, address)}`);

  step('A program asks to become a client');
  const bot = await stage.startClient(connection, anvil.url);
  const { peer } = demand(await bot({ type: 'register', name: 'bot' }), 'registered');
  screen.say('bot', `asks to be registered; its key has the id ${peer}`);
  await stage.owner('client', 'approve', peer);
  screen.verdict('owner', true, 'compares the id, and approves');

  step('The owner grants it something');
  screen.say('owner', 'allows 2 ETH a day, to Alice and Carol and nobody else');
  const granted = await stage.owner(
    ...['grant', 'create', '--client', 'bot', '--wallet', 'treasury', '--chain', CHAIN],
    ...['--to', `${ALICE},${CAROL}`, '--volume', '2eth/1d', '--label', 'payouts'],
  );
  screen.verdict('vault', true, `grant ${String(granted['grant'])}: ${String(granted['sentence'])}`);
  demand(await bot({ type: 'connect' }), 'connected');

  step('The bot pays 0.5 ETH to Alice');
  const first = await teller.paid(bot, ALICE, '0.5');
  step('The bot pays 1.4 ETH to Carol');
  await teller.paid(bot, CAROL, '1.4');

  step('The bot wants 0.5 ETH more');
  await teller.refused(bot, pay(ALICE, '0.5'), 'denied', /2 ETH a day/);
  step('The bot wants to pay somebody else');
  await teller.refused(bot, pay(MALLORY, '0.01'), 'denied', /is not among them/);
  step('The bot tries another chain');
  await teller.refused(bot, { ...pay(ALICE, '0.01'), chainId: 1 }, 'denied', /grant/, 'on chain 1');
  const disguised = { ...pay(ALICE, '0.01'), chainId: 1, chain: `eip155:${CHAIN}` };
  await teller.refused(bot, disguised, 'wrong_chain', /eip155:31337/, `on chain 1, saying it were ${CHAIN}`);

  step('The bot repeats its first request, as if the answer had been lost');
  await teller.again(bot, first, pay(ALICE, '0.5'), () => leftToday(stage));

  step('The owner seals the vault');
  await stage.owner('vault', 'seal');
  screen.verdict('vault', true, 'is sealed: every key is wiped from memory');
  await teller.refused(bot, pay(ALICE, '0.01'), 'vault_sealed', /sealed/);
  step('The owner unseals it, and the budget is where it was');
  await stage.owner('vault', 'unseal', '--password-file', stage.passwordFile);
  await teller.paid(bot, ALICE, '0.01');

  step('The owner has the journal verified');
  const report = await stage.owner('journal', 'verify');
  const words = 'every hash, link and signature holds, and the vault’s state is what follows';
  screen.verdict(
    'vault',
    true,
    `${String(report['entries'])} entries in ${String(report['batches'])} signed batches: ${words}`,
  );

  step('Anybody checks a receipt, without asking the vault');
  return { anvil, connection, receiptFile: await teller.receipt(stage, first) };
}

/** What the owner sees of the grant's budget, in wei. */
async function leftToday(stage: Stage): Promise<string> {
  const grant = (await stage.owner('grant', 'show', 'payouts')) as { budgets: { left: string }[] };
  return grant.budgets[0]!.left;
}

/** Anvil's first account is unlocked, and rich. Returns the block. */
async function fund(anvil: Anvil, address: string): Promise<number> {
  const [rich] = (await anvil.call('eth_accounts', [])) as string[];
  const value = `0x${(5n * ONE_ETHER).toString(16)}`;
  const hash = await anvil.call('eth_sendTransaction', [{ from: rich, to: address, value }]);
  // Anvil answers before the block is made.
  const { block } = await createEvmNode(anvil.url).mined(String(hash));
  return block;
}
