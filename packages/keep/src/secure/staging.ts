import { err, ok, type Result } from '@keepwatch/base';
import type { KeyRecordWrite } from './key-records.ts';

/**
 * Writes to commit, and what to call then: `adopt` when they are durable, `discard` when they are not. Until one of the
 * two, or `lock`, every other change of what the password wraps is `vault_busy`.
 */
export interface Staged<T> {
  readonly writes: readonly KeyRecordWrite[];
  adopt(): T;
  discard(): void;
}

/** A change of the keys in memory that waits for its writes to become durable. */
export interface Change<K, T> {
  readonly value: T;
  readonly writes: readonly KeyRecordWrite[];
  readonly adopt: (keys: K) => void;
  readonly discard: () => void;
}

export interface Stager<K> {
  /** Rises with every `reset`: what was begun before one must not be finished after it. */
  readonly session: () => number;
  /** The keys are wiped: staged changes are in the store or nowhere, and in memory nothing is left to change. */
  reset(): void;
  stage<T>(change: Change<K, T>): Staged<T>;
  /**
   * Runs a change of what the password wraps, alone from its first step until it is adopted, discarded or has failed. A
   * second one beside it would wrap a root key under a user key that the first replaces. `begin` gives undefined where
   * the keys were wiped meanwhile.
   */
  alone<T, E>(begin: () => Promise<Result<Change<K, T>, E> | undefined>): Promise<Result<Staged<T>, E | 'vault_busy'>>;
}

export function createStager<K>(keys: () => K): Stager<K> {
  let session = 0;
  let occupied = false;

  function stage<T>(change: Change<K, T>): Staged<T> {
    const begun = session;
    return {
      writes: change.writes,
      adopt() {
        if (session === begun) change.adopt(keys());
        return change.value;
      },
      discard() {
        if (session === begun) change.discard();
      },
    };
  }

  return {
    session: () => session,
    reset() {
      session += 1;
      occupied = false;
    },
    stage,
    async alone(begin) {
      if (occupied) return err('vault_busy');
      occupied = true;
      const begun = session;
      const release = () => {
        if (session === begun) occupied = false;
      };
      try {
        const change = await begin();
        if (!change?.ok) {
          release();
          return change ?? err('vault_busy');
        }
        const { adopt, discard, ...rest } = change.value;
        if (rest.writes.length === 0) release();
        return ok(
          stage({
            ...rest,
            adopt(current) {
              release();
              adopt(current);
            },
            discard() {
              release();
              discard();
            },
          }),
        );
      } catch (error) {
        release();
        throw error;
      }
    },
  };
}
