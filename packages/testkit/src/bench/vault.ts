import { readFileSync } from 'node:fs';
import {
  connectOperator,
  createWallets,
  setUpOperator,
  startVault,
  unseal,
  type SeatedOperator,
  type VaultProcess,
} from '../world/index.ts';
import { median, type Figure } from './figure.ts';

const WALLETS = 100_000;
const PER_COMMAND = 100;
const REPEATS = 3;

/** How a vault with many wallets starts, and what they cost it. */
export async function* measureVault(): AsyncGenerator<Figure> {
  const vault = await startVault();
  try {
    // The command line's own choice: what a start reads while the password is being hashed is ready by then.
    let owner = await setUpOperator(vault, undefined, 'moderate');
    const emptyBytes: number[] = [];
    for (let i = 0; i < REPEATS; i++) {
      owner = await startAnew(vault, owner);
      emptyBytes.push(residentBytes(vault.pids().keep));
    }
    for (let i = 0; i < WALLETS / PER_COMMAND; i++) await createWallets(owner.operator, `w${i}`, PER_COMMAND);

    const readyMs: number[] = [];
    const fullBytes: number[] = [];
    for (let i = 0; i < REPEATS; i++) {
      owner = await startAnew(vault, owner);
      readyMs.push(lastReadyMs(vault));
      fullBytes.push(residentBytes(vault.pids().keep));
    }
    yield {
      name: 'vault/ready-100k',
      value: median(readyMs),
      unit: 'ms',
      ratio: null,
      against: `from the end of the key derivation until the vault is unsealed, with ${WALLETS} wallets`,
    };
    yield {
      name: 'vault/bytes-per-wallet',
      value: (median(fullBytes) - median(emptyBytes)) / WALLETS,
      unit: 'bytes',
      ratio: null,
      against: `memory of keep (PSS) with ${WALLETS} wallets less that with none, both right after an unseal`,
    };
  } finally {
    await vault.stop();
  }
}

/** Ends keep as a stop of the vault does, so that it seals itself and saves its snapshot, and unseals the next one. */
async function startAnew(vault: VaultProcess, owner: SeatedOperator): Promise<SeatedOperator> {
  const next = vault.keepStarts() + 1;
  vault.endKeep();
  await vault.keepReady(next);
  const back = await connectOperator(vault, owner.person);
  await unseal(back.operator);
  return back;
}

/** What keep logged of its last unseal. */
function lastReadyMs(vault: VaultProcess): number {
  const line = vault.output().findLast((text) => text.includes('"openMs"'));
  const logged = /"openMs":([0-9.]+)/.exec(line ?? '');
  if (!logged) throw new Error('keep did not log how long it took to open');
  return Number(logged[1]);
}

/** Proportional set size of a process: locked and shared pages are counted, shared ones by their share. */
function residentBytes(pid: number): number {
  const pss = /^Pss:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
  if (!pss) throw new Error('the kernel does not tell the memory of keep');
  return Number(pss[1]) * 1_024;
}
