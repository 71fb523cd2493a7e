import { randomBytes } from 'node:crypto';
import { utf8 } from '@keepwatch/base';
import type { CommandParams, GrantDraft, Role } from '@keepwatch/protocol';
import {
  connect,
  createMemory,
  createOperator,
  signerFromSeed,
  type Connection,
  type ConnectOptions,
  type IdentitySigner,
  type Operator,
  type PeerMemory,
} from '@keepwatch/sdk';
import type { VaultProcess } from './vault-process.ts';

/** Who takes part in a test, and what they do with a vault: everything goes through the SDK, as a user's program does. */

/** Somebody with a key. The memory outlives connections, so that a vault that was put back is noticed. */
export interface Person {
  readonly name: string;
  readonly role: Role;
  readonly identity: IdentitySigner;
  readonly memory: PeerMemory;
}

export interface SeatedOperator {
  readonly person: Person;
  readonly connection: Connection;
  readonly operator: Operator;
}

export interface Wallet {
  readonly wallet: string;
  /** `0x` and 40 lower-case hex digits. */
  readonly address: string;
}

export const PASSWORD = 'correct horse battery staple';

export function createPerson(name: string, role: Role): Person {
  return { name, role, identity: signerFromSeed('EdDSA', randomBytes(32)), memory: createMemory() };
}

export function connectAs(
  vault: Pick<VaultProcess, 'connection'>,
  { identity, role, memory }: Person,
  options: Partial<ConnectOptions> = {},
): Promise<Connection> {
  return connect({ connectionString: vault.connection(), identity, role, memory, ...options });
}

export async function connectOperator(
  vault: Pick<VaultProcess, 'connection'>,
  person: Person,
): Promise<SeatedOperator> {
  const connection = await connectAs(vault, person);
  return { person, connection, operator: createOperator(connection, person.identity) };
}

/** The first operator joins by the token and creates the vault. `PASSWORD` where none is given; the cheapest KDF unless said otherwise. */
export async function setUpOperator(
  vault: Pick<VaultProcess, 'connection' | 'bootstrapConnection'>,
  password = PASSWORD,
  kdf: CommandParams<'vault.init'>['kdf'] = 'interactive',
): Promise<SeatedOperator> {
  const person = createPerson('owner', 'operator');
  const first = await connectAs(vault, person, {
    connectionString: await vault.bootstrapConnection(),
    wish: 'register',
  });
  await first.close();
  const seated = await connectOperator(vault, person);
  const sealed = await seated.operator.sealSecret('vault.init', utf8(password));
  await seated.operator.command('vault.init', { password: sealed, kdf, time: Date.now() });
  return seated;
}

export async function unseal(operator: Operator, password = PASSWORD): Promise<void> {
  const sealed = await operator.sealSecret('vault.unseal', utf8(password));
  await operator.command('vault.unseal', { password: sealed, time: Date.now() });
}

/** A client that has asked to be registered and that the operator has approved, and its id at the vault. */
export async function addClient(
  vault: Pick<VaultProcess, 'connection'>,
  operator: Operator,
  name: string,
): Promise<Person & { readonly peer: string }> {
  const person = createPerson(name, 'client');
  const connection = await connectAs(vault, person, { wish: 'register' });
  const { peer } = await connection.call('peer.register', { name, role: 'client' });
  await connection.close();
  await operator.command('peer.approve', { peer, role: 'client', name });
  return { ...person, peer };
}

export async function createWallet(operator: Operator, name: string): Promise<Wallet> {
  const [wallet] = await createWallets(operator, name, 1);
  return wallet!;
}

/** Random wallets: at most 100 at once. */
export async function createWallets(operator: Operator, name: string, count: number): Promise<readonly Wallet[]> {
  const { value } = await operator.command('wallet.create', { kind: 'random', name, count });
  return value.wallets;
}

/** Returns the grant's id. */
export async function grant(operator: Operator, draft: GrantDraft): Promise<string> {
  const { value } = await operator.command('grant.create', { grant: draft });
  return value.grant;
}
