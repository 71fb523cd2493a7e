import type { Journal } from '@keepwatch/journal';
import type { EvmEvent, EvmPastSpend, VaultWallet } from '@keepwatch/watch';
import type { Engine } from '../engine/engine.ts';
import { decodeEntry } from '../engine/entry.ts';
import { readEntry } from '../engine/state.ts';
import { journalError } from '../store/store.ts';

export interface VaultPasts {
  /** There may be a wallet of a vault whose account the monitor had watched before. */
  wake(): void;
  /** Waits for what is under way to stop. */
  stop(): Promise<void>;
}

/** Entries that are read at once. */
const PAGE = 512;

/**
 * An account may have been watched, and its past read, before the monitor knew that a vault has its key. What left it stands
 * in the journal, and is handed in once the vault is known: as of the past, for it is no news. That all of it was handed in is
 * journaled behind it, so that a monitor that ends in between begins anew; what was handed in already is known then.
 */
export function comparePasts(
  { engine, journal }: { readonly engine: Engine; readonly journal: Journal },
  fail: (error: unknown) => void,
): VaultPasts {
  let stopped = false;
  let running: Promise<void> | undefined;
  const next = () => [...engine.state.vault.wallets.values()].find(({ isPastRead }) => !isPastRead);

  async function run(): Promise<void> {
    for (let wallet = next(); wallet && !stopped; wallet = next()) await handIn(wallet);
  }

  async function handIn({ vault, wallet, address }: VaultWallet): Promise<void> {
    const end = engine.seq();
    const withdrawn = new Set<string>();
    /** By watched wallet: the entry that took it out last. What it said before is another wallet's. */
    const dropped = new Map<string, number>();
    for await (const { seq, event } of evmEvents(journal, end)) {
      if (stopped) return;
      if (event.kind === 'evm-block-back') for (const id of event.withdrawn) withdrawn.add(id);
      if (event.kind === 'evm-wallet-dropped') dropped.set(event.wallet, seq);
    }
    for await (const { seq, event } of evmEvents(journal, end)) {
      if (stopped) return;
      for (const { id, spend } of spendsOf(event)) {
        if (spend.address !== address || withdrawn.has(id) || seq < (dropped.get(spend.wallet) ?? 0)) continue;
        await engine.room();
        await engine.submit({ room: 'vault', input: { kind: 'spend', id, spend, past: true } });
      }
    }
    await engine.submit({ room: 'vault', input: { kind: 'vault-past-read', vault, wallet } });
  }

  return {
    wake() {
      if (stopped) return;
      running ??= run()
        .catch((error: unknown) => {
          if (!stopped) fail(error);
          stopped = true;
        })
        .finally(() => {
          running = undefined;
          // Whoever came in its last moment is not left.
          if (next() && !stopped) this.wake();
        });
    },
    async stop() {
      stopped = true;
      await running;
    },
  };
}

function spendsOf(event: EvmEvent): readonly EvmPastSpend[] {
  if (event.kind === 'evm-past-block') return event.spends;
  return event.kind === 'evm-spend' ? [event] : [];
}

async function* evmEvents(
  journal: Journal,
  end: number,
): AsyncGenerator<{ readonly seq: number; readonly event: EvmEvent }, void, undefined> {
  for (let from = 1; from <= end; from += PAGE) {
    const read = await journal.read(from, Math.min(PAGE, end - from + 1));
    if (!read.ok) throw journalError(read.error);
    for (const { seq, bytes } of read.value) {
      if (decodeEntry(bytes)?.room !== 'evm') continue;
      const entry = readEntry(seq, bytes);
      if (entry.room === 'evm') yield { seq, event: entry.event };
    }
  }
}
