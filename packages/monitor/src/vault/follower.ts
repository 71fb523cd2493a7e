import { canonicalJson, CodedError, type Json } from '@keepwatch/base';
import type { Address, ContractEntry } from '@keepwatch/evm';
import { connect, createClient, lookAtVault, type Connection, type ObserverPlace } from '@keepwatch/sdk';
import { createPermitReader, type VaultInput } from '@keepwatch/watch';
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { Engine } from '../engine/engine.ts';
import { memoryOf, readVault, signerOf, type VaultSettings } from './settings.ts';

/** A vault that is followed, as long as the process lives or until it is stopped. */
export interface Follower {
  /** There is a spend to ask about: now, and not at the next turn. */
  wake(): void;
  stop(): Promise<void>;
}

export interface FollowerDeps {
  readonly engine: Engine;
  readonly name: string;
  /** The journal refused: the process has to end. */
  readonly fail: (error: unknown) => void;
  readonly log: (level: 'info' | 'warn' | 'error', words: string, details?: object) => void;
}

/** Whatever notifications are lost, the vault is asked this often, ms. */
const LOOK_MS = 15_000;
const SOON_MS = 2_000;
const CALL_MS = 10_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** Wallets in one question. */
const MANY = 200;
/** New wallets are looked for so often, ms. */
const WALLETS_MS = 1_500;

const reader = createPermitReader(keccak_256);

/**
 * Follows a vault as its client: asks, journals what it says, and asks again. What the vault says is believed only in the
 * order in which it was asked: see `vaultStep`.
 */
export function followVault({ engine, name, fail, log }: FollowerDeps): Follower {
  const stop = new AbortController();
  let ring = () => {};
  let rung = false;
  let listedMs = -Infinity;
  /** Those that were removed as well, as long as nothing else stands at their addresses. */
  let contracts: readonly ContractEntry[] = [];

  const wake = () => {
    rung = true;
    ring();
  };

  /** A ring that comes while nobody waits is not lost. */
  async function pause(ms: number): Promise<void> {
    if (!rung && !stop.signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        ring = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    rung = false;
  }

  const tell = (input: VaultInput) => engine.submit({ room: 'vault', input });
  const settings = () => readVault(engine.state.desk.vaults.get(name));
  const placeOf = () =>
    (engine.state.vault.vaults.get(name)?.place ?? { head: null, wallets: {} }) as unknown as ObserverPlace;

  const memory = memoryOf(
    settings,
    () => placeOf().head,
    async (vault: VaultSettings) => {
      if (engine.state.desk.vaults.has(name)) {
        await engine.submit({ room: 'desk', event: { kind: 'vault-put', name, vault: vault as unknown as Json } });
      }
    },
  );

  const observes = () => [...engine.state.vault.wallets.values()].some(({ vault }) => vault === name);

  /** As they are when permits have come: what was signed was read by these or by earlier ones. */
  async function readContracts(connection: Connection): Promise<readonly ContractEntry[]> {
    try {
      const found = (await createClient(connection).contracts()).map(({ entry }) => entry as unknown as ContractEntry);
      const named = new Map([...contracts, ...found].map((each) => [`${each.chain}/${each.address}`, each]));
      const all = [...named.values()];
      if (canonicalJson(all as never) !== canonicalJson(contracts as never)) contracts = all;
    } catch (error) {
      // Vaults of earlier versions show them to operators alone: what can be read without them is.
      if (!(error instanceof CodedError && error.code === 'not_allowed')) throw error;
    }
    return contracts;
  }

  async function look(connection: Connection): Promise<void> {
    await listWallets(connection);
    const wallets = [...engine.state.vault.wallets.values()].filter(({ vault }) => vault === name);
    const addresses = new Map(wallets.map(({ wallet, address }): [string, Address] => [wallet, address]));
    const ids = [...addresses.keys()];
    for (let from = 0; from === 0 || from < ids.length; from += MANY) {
      // What is told after this is not answered by what comes now.
      const asked = engine.state.vault.order;
      const { phase, head, complete, place, lost } = await lookAtVault(connection, {
        place: placeOf(),
        wallets: ids.slice(from, from + MANY),
        async onPermits(wallet, receipts, at) {
          const address = addresses.get(wallet)!;
          const known = receipts.length === 0 ? [] : await readContracts(connection);
          const permits = receipts.flatMap(({ seq, entry }) => reader.read(seq, entry, address, known) ?? []);
          await tell({ kind: 'vault-permits', vault: name, wallet, permits, place: at as unknown as Json });
        },
      });
      await tell({
        ...{ kind: 'vault-looked', vault: name, asked, phase, lastSeq: head?.lastSeq ?? 0 },
        ...{ complete: [...complete], lost, place: place as unknown as Json },
      });
    }
  }

  /** A sealed vault does not say what it has; what it had is known. */
  async function listWallets(connection: Connection): Promise<void> {
    if (performance.now() - listedMs < WALLETS_MS) return;
    const status = await connection.call('vault.status', {});
    if (status.phase !== 'unsealed') return;
    const found = await createClient(connection).wallets();
    listedMs = performance.now();
    const wallets = found.map(({ wallet, address, created }) => ({
      wallet,
      address: address as Address,
      createdMs: created,
    }));
    await tell({ kind: 'vault-wallets', vault: name, wallets });
  }

  async function session(): Promise<void> {
    const known = settings();
    if (!known) return;
    const connection = await connect({
      ...{
        connectionString: known.connection,
        identity: signerOf(known),
        role: 'client',
        memory,
        callTimeoutMs: CALL_MS,
      },
    });
    let ended: CodedError | undefined;
    void connection.closed.then((error) => {
      ended = error ?? new CodedError('connection_lost', 'The connection ended.');
      wake();
    });
    for (const event of ['receipt', 'vault.phase'] as const) connection.on(event, wake);
    try {
      while (!stop.signal.aborted && !ended) {
        await look(connection);
        pauseMs = FIRST_PAUSE_MS;
        // Until it may observe something, it looks again soon: an operator is about to say what.
        await pause(observes() ? LOOK_MS : SOON_MS);
      }
    } finally {
      await connection.close();
    }
    if (ended && !stop.signal.aborted) throw ended;
  }

  let pauseMs = FIRST_PAUSE_MS;

  async function run(): Promise<void> {
    await tell({ kind: 'vault-put', vault: name });
    while (!stop.signal.aborted && settings()) {
      try {
        await session();
      } catch (error) {
        if (stop.signal.aborted) return;
        const code = error instanceof CodedError ? error.code : 'unforeseen';
        const words = error instanceof Error ? error.message : 'Something unforeseen failed.';
        if (code === 'unforeseen') log('warn', 'following a vault failed; it is tried again', { words });
        await tell({ kind: 'vault-trouble', vault: name, trouble: troubleOf(code), words });
      }
      await pause(pauseMs);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }

  const running = run().catch((error: unknown) => {
    if (!stop.signal.aborted) fail(error);
  });

  return {
    wake,
    async stop() {
      stop.abort();
      wake();
      await running;
    },
  };
}

function troubleOf(code: string): Extract<VaultInput, { readonly kind: 'vault-trouble' }>['trouble'] {
  switch (code) {
    case 'vault_rolled_back':
      return 'rolled-back';
    case 'vault_forked':
      return 'forked';
    case 'head_forged':
    case 'message_malformed':
      return 'withholds';
    default:
      return code.startsWith('receipt_') ? 'withholds' : 'down';
  }
}
