import type { MaybePromise } from '@keepwatch/base';

/** Goes on with the value at once if it is there, later if it is promised: a synchronous store stays synchronous. */
export function whenReady<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
