import type { Network } from '@keepwatch/bitcoin';
import { beginMonitor } from './open.ts';
import { draftLock, type NewLock } from './store/lock.ts';

/**
 * Makes a monitor in a data directory: its lock, and a journal in which its network is set. The lock gets its name last,
 * so that where there is one there was a whole monitor; of one whose making was interrupted or refused nothing is used. Gives
 * its id. Throws the codes of {@link draftLock} and of {@link beginMonitor}.
 */
export async function makeMonitor(dataDir: string, lock: NewLock, network: Network): Promise<string> {
  const draft = await draftLock(dataDir, lock);
  try {
    const monitor = await beginMonitor({ dataDir, rootKey: draft.rootKey, network });
    await monitor.close();
    draft.keep();
    return monitor.store.id;
  } catch (error) {
    draft.drop();
    throw error;
  }
}
