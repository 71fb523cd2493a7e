import { toBase64url } from '@keepwatch/base';
import type { ReceiptJson } from '@keepwatch/protocol';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { observeReceipts } from './client-observe.ts';
import { createAnsweringVault, type AnsweringVault } from './fixtures/answering-vault.ts';

const WALLET = toBase64url(new Uint8Array(16));

/** A vault whose journal has entries of the wallet at some numbers, and that looks through `scan` entries a page. */
function createJournal(scan: number) {
  const seqs: number[] = [];
  const vault: AnsweringVault = createAnsweringVault({
    'receipts.read': (params) => {
      const from = params['from'] as number;
      const last = seqs.at(-1) ?? 1;
      const next = Math.max(from, Math.min(from + scan, last + 1));
      const receipts = seqs
        .filter((seq) => seq >= from && seq < next)
        .map((seq) => vault.receipt({ seq, wallet: WALLET }, seq));
      return { receipts, next, complete: vault.receipt({}, last).head };
    },
  });
  return { vault, seqs };
}

const hint = (vault: AnsweringVault) =>
  vault.notify('receipt', { wallet: WALLET, receipt: vault.receipt({ wallet: WALLET }) });

describe('observeReceipts', () => {
  it('tells every entry once and in order, however the journal grows and whichever hints are lost', async () => {
    const turns = fc.array(
      fc.record({ steps: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 7 }), hint: fc.boolean() }),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(
        turns,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 6 }),
        async (plan, scan, from) => {
          const { vault, seqs } = createJournal(scan);
          const seen: number[] = [];
          const observation = observeReceipts(vault.connection, WALLET, {
            from,
            onReceipt: ({ seq }) => void seen.push(seq),
          });
          let last = 1; // The journal's first entry is not of the wallet.
          for (const turn of plan) {
            for (const step of turn.steps) seqs.push((last += step));
            if (turn.hint) hint(vault);
            await settle();
          }
          hint(vault);
          await settle();
          observation.stop();
          await observation.done;
          expect(seen).toEqual(seqs.filter((seq) => seq >= from));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('looks by itself when no hint comes', async () => {
    vi.useFakeTimers();
    const { vault, seqs } = createJournal(10);
    const seen: number[] = [];
    const observation = observeReceipts(vault.connection, WALLET, {
      from: 1,
      onReceipt: ({ seq }) => void seen.push(seq),
    });
    await vi.advanceTimersByTimeAsync(10);
    seqs.push(4);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(seen).toEqual([4]);
    observation.stop();
    await observation.done;
    vi.useRealTimers();
  });

  it.each<[string, (vault: AnsweringVault) => ReceiptJson, string]>([
    ['of another wallet', (vault) => vault.receipt({ wallet: 'other' }, 3), 'receipt_out_of_order'],
    ['that was told before', (vault) => vault.receipt({ wallet: WALLET }, 2), 'receipt_out_of_order'],
    [
      'that does not hold',
      (vault) => ({ ...vault.receipt({ wallet: WALLET }, 3), entry: '{}' }),
      'receipt_path_mismatch',
    ],
  ])('ends at a receipt %s', async (_, make, code) => {
    const vault: AnsweringVault = createAnsweringVault({
      'receipts.read': () => ({ receipts: [make(vault)], next: 4, complete: vault.receipt({}, 3).head }),
    });
    const observation = observeReceipts(vault.connection, WALLET, { from: 3, onReceipt: () => undefined });
    await expect(observation.done).rejects.toMatchObject({ code });
  });

  it('waits for one receipt to be dealt with before it tells the next', async () => {
    const { vault, seqs } = createJournal(10);
    seqs.push(1, 2, 3);
    let busy = false;
    const observation = observeReceipts(vault.connection, WALLET, {
      from: 1,
      async onReceipt() {
        expect(busy).toBe(false);
        busy = true;
        await settle();
        busy = false;
      },
    });
    for (let i = 0; i < 10; i++) await settle();
    observation.stop();
    await observation.done;
  });
});

const settle = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
