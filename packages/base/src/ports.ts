/** What time it is, as values that pure code can be given. */
export interface Instant {
  /** Wall clock: milliseconds since the Unix epoch. It can be set, and so it can lie. */
  readonly wallMs: number;
  /** Time since boot in milliseconds, sleep included (CLOCK_BOOTTIME). It cannot be set. */
  readonly bootMs: number;
  /** Time since some start in milliseconds, sleep *not* included (CLOCK_MONOTONIC). */
  readonly monotonicMs: number;
}

export interface Clock {
  now(): Instant;
}

/** Fresh random bytes from a cryptographic source. */
export type Entropy = (length: number) => Uint8Array;

/** SHA-256 (FIPS 180-4) of the bytes: 32 bytes. Injected, because the fast ones are native. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** Keccak-256 as Ethereum uses it (original padding): 32 bytes. */
export type Keccak256 = (bytes: Uint8Array) => Uint8Array;

export type MaybePromise<T> = T | Promise<T>;
