import type { CodedError } from '@keepwatch/base';
import {
  addClient,
  connectOperator,
  createWallets,
  grant,
  setUpOperator,
  startVault,
  unseal,
  type SeatedOperator,
  type VaultProcess,
} from '../world/index.ts';
import { createEvidence, type Evidence } from './evidence.ts';
import { createLoad, type Load, type Stage } from './load.ts';
import { CHAIN } from './request.ts';

export interface CrashTestOptions {
  readonly rounds: number;
  readonly say: (line: string) => void;
  /** A keep to test instead of the product's own: a sabotaged one has to be found out. */
  readonly keepMain?: string;
}

export interface CrashTestResult {
  readonly rounds: number;
  readonly kills: number;
  readonly signatures: number;
  readonly retried: number;
  readonly violations: readonly string[];
}

const CONNECTIONS = 8;
const IN_FLIGHT = 64;
/** A round's limits: they are reached within the first moments of a round. */
const VOLUME = 30_000_000n;
const COUNT = 15;
const WIDE = 10n ** 24n;
const LONGEST_LIFE_MS = 700;
const VERIFY_EVERY = 25;
const REPEATED = 16;
/** Restart at once: hundreds of kills in a row are what this test is about, and no crash loop. */
const RESTART = { firstMs: 10, mostMs: 10, steadyMs: 60_000 };

/**
 * Kills keep with SIGKILL again and again, in the middle of whatever it does, under clients that compete for budgets and
 * nonces and ask again with the same keys. After each kill the operator unseals, every request is settled, and what
 * clients hold is compared with what the journal says.
 */
export async function runCrashTest(options: CrashTestOptions): Promise<CrashTestResult> {
  const { rounds, say, keepMain } = options;
  const vault = await startVault({ restart: RESTART, ...(keepMain === undefined ? {} : { keepMain }) });
  try {
    let owner = await setUpOperator(vault);
    const people = [await addClient(vault, owner.operator, 'shop'), await addClient(vault, owner.operator, 'bank')];
    const evidence = createEvidence();
    const load = createLoad(vault, people, evidence, { connections: CONNECTIONS, inFlight: IN_FLIGHT });
    const violations: string[] = [];
    let read = 0;
    for (let round = 1; round <= rounds; round++) {
      const started = performance.now();
      const stage = await setStage(owner, people, evidence, `r${round}`);
      load.run(stage);
      await pause(Math.random() * LONGEST_LIFE_MS);
      owner = await killAndReopen(vault, owner, round % 3 === 0);
      await load.settle();
      await repeatSome(load, evidence);
      const found = [...load.violations().slice(violations.length)];
      const status = await owner.operator.status();
      if (status.signingFrozen) found.push(`signing was frozen: ${status.signingFrozen.reason}`);
      read = await readJournal(owner, evidence, read, found);
      found.push(...evidence.compare());
      if (round % VERIFY_EVERY === 0 || round === rounds) await verifyJournal(owner, found);
      violations.push(...found);
      const { signatures, permits } = evidence.counts();
      const { retried } = load.counts();
      const seconds = ((performance.now() - started) / 1_000).toFixed(1);
      say(
        `round ${round}/${rounds}: ${signatures} signatures held, ${permits} permits journaled, ` +
          `${retried} answers lost and asked again, ${found.length} violations, ${seconds} s`,
      );
      for (const violation of found) say(`  VIOLATION: ${violation}`);
    }
    await load.close();
    const { signatures } = evidence.counts();
    return { rounds, kills: vault.keepStarts() - 1, signatures, retried: load.counts().retried, violations };
  } finally {
    await vault.stop();
  }
}

async function setStage(
  { operator }: SeatedOperator,
  people: readonly { readonly peer: string }[],
  evidence: Evidence,
  name: string,
): Promise<Stage> {
  const [volume, count, contested] = await createWallets(operator, name, 3);
  const limits = [
    { wallet: volume!.wallet, volume: VOLUME, count: 1_000_000 },
    { wallet: count!.wallet, volume: WIDE, count: COUNT },
    { wallet: contested!.wallet, volume: WIDE, count: 1_000_000 },
  ];
  for (const { peer } of people) {
    for (const limit of limits) {
      const id = await grant(operator, {
        ...{ client: peer, wallet: limit.wallet, chain: CHAIN, kind: 'ether-transfer', recipients: 'any' },
        constraints: [
          { type: 'volume', asset: 'native', limit: limit.volume.toString(), window: { seconds: 86_400 } },
          { type: 'count', limit: limit.count, window: { seconds: 86_400 } },
        ],
      });
      evidence.limit({ ...limit, grant: id, client: peer });
    }
  }
  return { volume: volume!, count: count!, contested: contested! };
}

/** Kills keep; where `twice`, the next one as well, somewhere in its unsealing. Returns with an unsealed vault. */
async function killAndReopen(vault: VaultProcess, owner: SeatedOperator, twice: boolean): Promise<SeatedOperator> {
  const reopen = async () => {
    const seated = await connectOperator(vault, owner.person);
    // The attempt before may have outlived the kill, and reached this keep first.
    await unseal(seated.operator).catch((error: unknown) => {
      if ((error as Partial<CodedError>).code !== 'vault_unsealed') throw error;
    });
    return seated;
  };
  const killed = async () => {
    const next = vault.keepStarts() + 1;
    vault.killKeep();
    await vault.keepReady(next);
  };
  await killed();
  if (twice) {
    const reopening = reopen().catch(() => undefined);
    await pause(Math.random() * 250);
    await killed();
    await reopening;
  }
  return reopen();
}

/** The same key gives the same signature, however much happened in between. */
async function repeatSome(load: Load, evidence: Evidence): Promise<void> {
  for (const [request] of evidence.sample(REPEATED)) await load.repeat(request);
}

async function readJournal(
  { operator }: SeatedOperator,
  evidence: Evidence,
  readBefore: number,
  found: string[],
): Promise<number> {
  for (let from = readBefore + 1; ;) {
    const { entries, head } = await operator.query('journal.read', { from, limit: 200 });
    found.push(...evidence.journal(entries));
    from += entries.length;
    if (from > head.lastSeq || entries.length === 0) return from - 1;
  }
}

async function verifyJournal({ operator }: SeatedOperator, found: string[]): Promise<void> {
  try {
    const { foldMatches } = await operator.query('journal.verify', {});
    if (!foldMatches) found.push('folding the journal anew gives another state than the one in force');
  } catch (error) {
    found.push(`the journal does not verify: ${(error as Error).message}`);
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
