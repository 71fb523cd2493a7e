import type { Delivery } from './channel.ts';

// The ways in which a try can end. Words are fixed sentences: what a service or a library says may hold an address, a
// token or a password, and these words are journaled and sent on.

export function delivered(reference: string | null = null): Delivery {
  return { kind: 'delivered', reference };
}

export function later(code: string, words: string, retryAfterMs: number | null = null): Delivery {
  return { kind: 'later', code, words, retryAfterMs };
}

export function notTaken(code: string, words: string): Delivery {
  return { kind: 'refused', code, words };
}

export function broken(code: string, words: string): Delivery {
  return { kind: 'broken', code, words };
}
