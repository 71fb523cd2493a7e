import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { CodedError, utf8 } from '@keepwatch/base';
import { createClient } from '@keepwatch/sdk';
import {
  addClient,
  connectAs,
  grant,
  setUpOperator,
  startVault,
  unseal,
  type Person,
  type SeatedOperator,
  type VaultProcess,
  type Wallet,
} from '../world/index.ts';
import { needlesOf, type Secret } from './needles.ts';
import { scanProcess, type Scan } from './process-memory.ts';
import { makeSecrets, recoverSecrets, type KnownSecrets } from './vault-secrets.ts';

/** A vault lives through a day of work, and its processes' memory is read at several moments of it. */

export type When =
  | 'after initialisation and imports'
  | 'after refused secrets'
  | 'after unseal'
  | 'after signatures'
  | 'after backups and a new password'
  | 'after a new root key'
  | 'after seal';

export interface Moment {
  readonly when: When;
  readonly process: 'keep' | 'gate' | 'supervisor';
  readonly needles: number;
  readonly scan: Scan;
}

export interface MemoryTestOptions {
  readonly signatures: number;
  /** Look at these moments alone; everything happens all the same. Left out: at all of them. */
  readonly moments?: readonly When[];
  readonly onMoment?: (moment: Moment) => void;
}

export interface MemoryTestReport {
  readonly moments: readonly Moment[];
  /** Names of all the secrets that were looked for. */
  readonly secrets: readonly string[];
}

const AT_ONCE = 64;

/** Needs root on Linux: nobody else may read another process's memory, and of a process without dumps not even its user. */
export async function runMemoryTest(options: MemoryTestOptions): Promise<MemoryTestReport> {
  const vault = await startVault();
  const known = makeSecrets();
  const secrets = new Map<string, Secret>();
  const moments: Moment[] = [];
  const learn = (list: readonly Secret[]) => {
    for (const secret of list) secrets.set(`${secret.name}/${Buffer.from(secret.bytes).toString('hex')}`, secret);
  };
  learn(known.list);

  async function look(when: When, password = known.password): Promise<void> {
    if (options.moments?.includes(when) === false) return;
    learn(await recoverSecrets(join(vault.dataDir, 'keep'), password));
    const needles = needlesOf([...secrets.values()]);
    const pids = vault.pids();
    for (const process of ['keep', 'gate', 'supervisor'] as const) {
      const moment = { when, process, needles: needles.length, scan: scanProcess(pids[process], needles) };
      moments.push(moment);
      options.onMoment?.(moment);
    }
  }

  try {
    const owner = await setUpOperator(vault, known.password);
    const client = await addClient(vault, owner.operator, 'shop');
    const wallets = await takeInWallets(owner, client, known);
    await look('after initialisation and imports');

    await refuse(owner, known);
    await look('after refused secrets');

    await unseal(owner.operator, known.password);
    await look('after unseal');

    await signMany(vault, client, wallets, options.signatures);
    await look('after signatures');

    await handOut(owner, wallets[0]!, known.password);
    const next = randomBytes(24).toString('base64url');
    learn([{ name: 'next password', bytes: utf8(next) }]);
    await changePassword(owner, known.password, next);
    await look('after backups and a new password', next);

    await owner.operator.command('vault.rotate-root', {
      password: await owner.operator.sealSecret('vault.rotate-root', utf8(next)),
    });
    await look('after a new root key', next);

    await owner.operator.command('vault.seal', {});
    await look('after seal', next);
  } finally {
    await vault.stop();
  }
  return { moments, secrets: [...secrets.values()].map(({ name }) => name) };
}

async function takeInWallets(
  { operator }: SeatedOperator,
  client: { readonly peer: string },
  known: KnownSecrets,
): Promise<readonly Wallet[]> {
  const mnemonic = await operator.command('wallet.import', {
    kind: 'mnemonic',
    name: 'from words',
    secret: await operator.sealSecret('wallet.import', utf8(known.mnemonic)),
    path: known.path,
    nonceFloors: [],
  });
  const key = await operator.command('wallet.import', {
    kind: 'key',
    name: 'from a key',
    secret: await operator.sealSecret('wallet.import', Uint8Array.from(known.importedKey)),
    nonceFloors: [],
  });
  const made = await operator.command('wallet.create', { kind: 'mnemonic', name: 'made here', words: 24 });
  const derived = await operator.command('wallet.create', {
    kind: 'derived',
    name: 'derived',
    from: mnemonic.value.wallets[0]!.wallet,
    count: 2,
  });
  const wallets = [mnemonic, key, made, derived].flatMap(({ value }) => value.wallets);
  for (const { wallet } of wallets) {
    await grant(operator, {
      client: client.peer,
      wallet,
      chain: 'eip155:1',
      kind: 'ether-transfer',
      recipients: 'any',
      constraints: [{ type: 'volume', asset: 'native', limit: String(10n ** 24n), window: { seconds: 3_600 } }],
    });
  }
  return wallets;
}

/** Secrets with a slip in them are as good as the secrets: what is refused must be forgotten as well. Seals the vault. */
async function refuse({ operator }: SeatedOperator, known: KnownSecrets): Promise<void> {
  const oneWordMore = await operator.sealSecret('wallet.import', utf8(`${known.mnemonic} zoo`));
  const text = { kind: 'mnemonic' as const, name: 'refused', path: known.path, nonceFloors: [] };
  await expectCode('secret_malformed', operator.command('wallet.import', { ...text, secret: oneWordMore }));
  const oneByteMore = await operator.sealSecret('wallet.import', Uint8Array.of(...known.importedKey, 0));
  const key = { kind: 'key' as const, name: 'refused', nonceFloors: [] };
  await expectCode('secret_malformed', operator.command('wallet.import', { ...key, secret: oneByteMore }));
  await operator.command('vault.seal', {});
  await expectCode('wrong_password', unseal(operator, `${known.password}!`));
}

async function expectCode(code: string, attempt: Promise<unknown>): Promise<void> {
  const outcome = await attempt.then(
    () => 'fulfilled',
    (error: unknown) => (error instanceof CodedError ? error.code : String(error)),
  );
  if (outcome !== code) throw new Error(`${outcome} instead of ${code}`);
}

async function signMany(
  vault: VaultProcess,
  person: Person,
  wallets: readonly Wallet[],
  signatures: number,
): Promise<void> {
  const connection = await connectAs(vault, person);
  const client = createClient(connection);
  for (let done = 0; done < signatures; done += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, signatures - done) }, (_, i) => done + i);
    await Promise.all(
      numbers.map((number) => {
        const { wallet, address } = wallets[number % wallets.length]!;
        const nonce = Math.floor(number / wallets.length);
        const fees = { maxFeePerGas: 1n, maxPriorityFeePerGas: 0n };
        return client.signTransaction({ wallet, transaction: { chainId: 1, nonce, to: address, value: 1n, ...fees } });
      }),
    );
  }
  await connection.close();
}

/** Everything that takes a secret out of the vault, in the forms that are allowed. */
async function handOut({ operator }: SeatedOperator, { wallet }: Wallet, password: string): Promise<void> {
  const { secret } = await operator.backupWallet(wallet, utf8(password));
  secret.fill(0);
  for await (const piece of operator.backup(utf8(password), {})) void piece;
}

async function changePassword({ operator }: SeatedOperator, old: string, next: string): Promise<void> {
  await operator.command('vault.password', {
    old: await operator.sealSecret('vault.password.old', utf8(old)),
    next: await operator.sealSecret('vault.password.next', utf8(next)),
  });
}

/** What is wrong with a report, in words; empty where all is well. */
export function faultsOf({ moments }: MemoryTestReport): readonly string[] {
  const faults = moments.flatMap(({ when, process, scan }) =>
    [...scan.exposed, ...(process === 'keep' ? [] : scan.guarded)].map(
      ({ secret, form, place }) => `${when}, ${process}: ${secret} (${form}) at ${place}`,
    ),
  );
  // That the keys are found where they belong shows that the scan reads what it says it reads.
  const working = moments.find(({ when, process }) => process === 'keep' && when === 'after unseal');
  for (const name of ['leaf key', 'imported key', 'root key 1']) {
    if (!working?.scan.guarded.some(({ secret }) => secret === name)) {
      faults.push(`${name} was not found in guarded memory, where it must be`);
    }
  }
  const sealed = moments.find(({ when, process }) => process === 'keep' && when === 'after seal');
  for (const { secret, form } of sealed?.scan.guarded ?? []) {
    if (secret !== 'boot key') faults.push(`after seal, keep: ${secret} (${form}) still in guarded memory`);
  }
  return faults;
}
