import { readFileSync } from 'node:fs';
import { CodedError } from '@keepwatch/base';

/**
 * Bytes that the kernel keeps out of swap for this process (VmLck of /proc/self/status, proc(5)), or `undefined` where
 * the system does not tell. libsodium locks its memory with mlock(2) and says nothing when that fails.
 */
export function lockedBytes(): number | undefined {
  let status: string;
  try {
    status = readFileSync('/proc/self/status', 'latin1');
  } catch {
    return undefined;
  }
  const kilobytes = /^VmLck:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** @throws CodedError `memory_not_locked` where fewer bytes are locked than `expected`, or nobody can tell. */
export function requireLocked(expected: number): void {
  const locked = lockedBytes();
  if (locked !== undefined && locked >= expected) return;
  throw new CodedError(
    'memory_not_locked',
    locked === undefined
      ? 'this system does not tell whether key memory is locked, so it may be written to swap'
      : `only ${locked} of ${expected} bytes of key memory are locked, so keys may be written to swap`,
    {
      remedy:
        'Raise the limit: `ulimit -l unlimited` in the shell that starts the keep, `LimitMEMLOCK=infinity` in its ' +
        'systemd unit, or give it CAP_IPC_LOCK. On a machine without swap the option allowUnlockedMemory is sound.',
      details: { lockedBytes: locked ?? null, expectedBytes: expected },
    },
  );
}
