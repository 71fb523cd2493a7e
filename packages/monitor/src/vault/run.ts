import type { AccountStanding } from '@keepwatch/watch';
import type { MonitorState } from '../engine/state.ts';
import type { OpenMonitor } from '../open.ts';
import { comparePasts } from './pasts.ts';
import { followVault, type Follower, type FollowerDeps } from './follower.ts';

export interface RunningVaults {
  /** Rejects where the journal refused. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/** A spend waits some seconds for what the vault says of it. */
const TICK_MS = 2_000;

/** Follows every vault that is set, and those that come, until it is stopped. */
export function runVaults({ monitor, log }: { monitor: OpenMonitor; log: FollowerDeps['log'] }): RunningVaults {
  const { engine } = monitor;
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  failed.catch(() => undefined);
  const followers = new Map<string, Follower>();

  const follow = (name: string) => {
    if (!followers.has(name)) followers.set(name, followVault({ engine, name, fail, log }));
  };
  const pasts = comparePasts({ engine, journal: monitor.store.journal }, fail);
  const unhear = monitor.onDurable((events) => {
    for (const { room, event } of events) {
      if (room === 'desk' && event.kind === 'vault-put') follow(event.name);
      if (room === 'desk' && event.kind === 'vault-dropped') {
        void followers.get(event.name)?.stop();
        followers.delete(event.name);
      }
      if (room === 'vault' && event.kind === 'wallet') pasts.wake();
      if (room === 'vault' && event.kind === 'spend') for (const each of followers.values()) each.wake();
    }
  });
  for (const name of engine.state.desk.vaults.keys()) follow(name);
  pasts.wake();
  const ticking = setInterval(() => {
    engine.submit({ room: 'vault', input: { kind: 'tick' } }).catch(fail);
    if ([...engine.state.vault.waiting.keys()].length === 0) return;
    engine.submit({ room: 'vault', input: { kind: 'accounts', accounts: standingsOf(engine.state) } }).catch(fail);
  }, TICK_MS);

  return {
    failed,
    async stop() {
      clearInterval(ticking);
      unhear();
      await pasts.stop();
      await Promise.all([...followers.values()].map((each) => each.stop()));
    },
  };
}

/** The accounts of vaults' wallets as their chains were read last; those that could not be read are left out. */
function standingsOf({ evm, vault }: MonitorState): readonly AccountStanding[] {
  return [...evm.wallets.values()].flatMap(({ wallet: { chainId, address }, account }) =>
    account === null || account.unreadSince !== null || !vault.owners.has(address)
      ? []
      : [{ chainId, address, nonce: account.nonce }],
  );
}
