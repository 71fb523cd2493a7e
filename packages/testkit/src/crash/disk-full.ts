import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CodedError } from '@keepwatch/base';
import type { Connection } from '@keepwatch/sdk';
import { addClient, connectAs, createWallet, grant, setUpOperator, startVault, unseal } from '../world/index.ts';
import { createEvidence } from './evidence.ts';
import { CHAIN, createRequest, type SignRequest } from './request.ts';

export interface DiskFullResult {
  /** No file system of its own could be mounted: that needs root, and a kernel that lets it. */
  readonly skipped: boolean;
  readonly violations: readonly string[];
}

const DISK_BYTES = 64 << 20;
/** Requests on their way while the disk fills up: some of them meet the failing commit itself. */
const LANES = 16;
const AFTER_MS = 600;

/**
 * Fills the disk under a vault that signs. Whoever asks then gets `storage_full` and no signature; what was answered is
 * in the journal; revoking and sealing still work, and once there is space again, so does signing.
 */
export async function runDiskFullTest(say: (line: string) => void): Promise<DiskFullResult> {
  const directory = mkdtempSync(join(tmpdir(), 'keepwatch-disk-'));
  if (!mountTmpfs(directory)) {
    rmSync(directory, { recursive: true });
    say('full disk: SKIPPED, because no tmpfs can be mounted here (it needs root)');
    return { skipped: true, violations: [] };
  }
  try {
    const violations = await fillAndCheck(directory);
    say(`full disk: ${violations.length} violations`);
    for (const violation of violations) say(`  VIOLATION: ${violation}`);
    return { skipped: false, violations };
  } finally {
    execFileSync('umount', [directory]);
    rmSync(directory, { recursive: true });
  }
}

async function fillAndCheck(directory: string): Promise<readonly string[]> {
  const found: string[] = [];
  const evidence = createEvidence();
  const vault = await startVault({ dataDir: join(directory, 'vault') });
  try {
    const owner = await setUpOperator(vault);
    const { operator } = owner;
    const person = await addClient(vault, operator, 'shop');
    const draft = { client: person.peer, chain: CHAIN, kind: 'ether-transfer' as const, recipients: 'any' as const };
    const constraints = [
      {
        type: 'volume' as const,
        asset: 'native',
        limit: (10n ** 20n).toString(),
        window: { seconds: 3_600 },
      },
    ];
    const [kept, revoked] = [await createWallet(operator, 'kept'), await createWallet(operator, 'revoked')];
    await grant(operator, { ...draft, wallet: kept.wallet, constraints });
    const doomed = await grant(operator, { ...draft, wallet: revoked.wallet, constraints });
    const client = await connectAs(vault, person);
    let nonce = 0;
    const next = (wallet = kept) => createRequest(person.peer, wallet, nonce++, 1n);

    /** The error code, or `signed`. */
    const ask = async (connection: Connection, request: SignRequest): Promise<string> => {
      try {
        found.push(...evidence.signed(request, await connection.call('transaction.sign', request.params)));
        return 'signed';
      } catch (error) {
        return error instanceof CodedError ? error.code : String(error);
      }
    };
    const expectCode = (what: string, code: string, wanted: string) => {
      if (code !== wanted) found.push(`${what}: ${code} instead of ${wanted}`);
    };
    expectCode('signing with space', await ask(client, next()), 'signed');

    let running = true;
    const outcomes = new Set<string>();
    const lanes = Array.from({ length: LANES }, async () => {
      while (running) {
        const outcome = await ask(client, next());
        outcomes.add(outcome);
        if (outcome !== 'signed') await pause(5);
      }
    });
    await pause(AFTER_MS);
    const filler = fillDisk(directory);
    await pause(AFTER_MS);
    running = false;
    await Promise.all(lanes);
    for (const outcome of outcomes) {
      if (outcome !== 'signed' && outcome !== 'storage_full')
        found.push(`on the filling disk a request got ${outcome}`);
    }
    if (!outcomes.has('storage_full')) found.push('nothing was refused on the full disk');

    const refused = next();
    expectCode('signing on the full disk', await ask(client, refused), 'storage_full');
    await operator.command('grant.revoke', { grant: doomed });
    await operator.command('vault.seal', {});
    expectCode('signing while sealed', await ask(client, next()), 'vault_sealed');

    unlinkSync(filler);
    await pause(AFTER_MS);
    await unseal(operator);
    expectCode('what was refused, asked again', await ask(client, refused), 'signed');
    expectCode('signing under the revoked grant', await ask(client, next(revoked)), 'denied');
    for (let from = 1; ;) {
      const { entries, head } = await operator.query('journal.read', { from, limit: 100 });
      found.push(...evidence.journal(entries));
      from += entries.length;
      if (from > head.lastSeq) break;
    }
    found.push(...evidence.compare());
    const { signatures, permits } = evidence.counts();
    // Every permit was answered here: nothing was journaled behind a refusal.
    if (permits !== signatures) found.push(`${permits} permits in the journal, ${signatures} signatures in hands`);
    const { foldMatches } = await operator.query('journal.verify', {});
    if (!foldMatches) found.push('folding the journal anew gives another state than the one in force');
    await client.close();
    await owner.connection.close();
  } finally {
    await vault.stop();
  }
  return found;
}

function mountTmpfs(directory: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'keepwatch-test', directory], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

/** Takes all the space there is. Returns the file that has it. */
function fillDisk(directory: string): string {
  const path = join(directory, 'filler');
  const file = openSync(path, 'w');
  try {
    for (let block = 1 << 20; block >= 4_096;) {
      const { bavail, bsize } = statfsSync(directory);
      if (bavail * bsize < block) block /= 16;
      else writeSync(file, new Uint8Array(block));
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
  return path;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
