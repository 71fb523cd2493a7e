import type { CommandParams } from '@keepwatch/protocol';
import { decideAt, requireUnsealed, type CarriedOut, type Order } from './order.ts';
import { saveBoot } from './boot-state.ts';
import { catchUp, countTry, passwordError, withEntries } from './lifecycle.ts';

/** New password, new root key. Neither touches the journal's chain: that commits to plaintext, not to ciphertext. */

/** Wraps the root key alone anew; no other record changes. */
export async function changePassword(order: Order, params: CommandParams<'vault.password'>): Promise<CarriedOut> {
  const { vault, session, by } = order;
  const boxes = [
    ['vault.password.old', params.old],
    ['vault.password.next', params.next],
  ] as const;
  return withEntries(vault, session, boxes, async (old, next) => {
    await countTry(vault);
    const staged = await requireUnsealed(vault).ring.changePassword(old, next, vault.deps.store);
    if (!staged.ok) throw passwordError(vault, staged.error);
    try {
      const changed = await decideAt(order, () => ({
        kind: 'accepted',
        events: [{ type: 'vault.password-changed', ...by }],
        value: null,
        writes: staged.value.writes,
      }));
      staged.value.adopt();
      await saveBoot(vault, { failedUnseals: { count: 0, lastMs: 0 } });
      // What was overwritten leaves the write-ahead log as well.
      await vault.deps.store.checkpoint();
      return changed;
    } catch (error) {
      staged.value.discard();
      throw error;
    }
  });
}

/** A new root key, then everything under it, in chunks; a kill in between is caught up with at the next unseal. */
export async function rotateRoot(order: Order, params: CommandParams<'vault.rotate-root'>): Promise<CarriedOut> {
  const { vault, session, by } = order;
  return withEntries(vault, session, [['vault.rotate-root', params.password]], async (password) => {
    await countTry(vault);
    const { ring } = requireUnsealed(vault);
    // A full disk may have kept the last rotation from its end: that one first.
    if (ring.rootIds().length > 1) await catchUp(vault, ring);
    const staged = await ring.rotateRoot(password, vault.deps.store);
    if (!staged.ok) throw passwordError(vault, staged.error);
    let rotated: CarriedOut;
    try {
      rotated = await decideAt(order, () => ({
        kind: 'accepted',
        events: [{ type: 'vault.root-rotated', ...by }],
        value: null,
        writes: staged.value.writes,
      }));
    } catch (error) {
      staged.value.discard();
      throw error;
    }
    staged.value.adopt();
    await saveBoot(vault, { failedUnseals: { count: 0, lastMs: 0 } });
    await catchUp(vault, ring);
    return rotated;
  });
}
