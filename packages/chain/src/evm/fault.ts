/** What went wrong with an upstream. Its address is never in the words: it may hold a key. */
export type EvmFaultCode =
  | 'upstream_unreachable'
  /** No authority vouches for it, or it is not the one that is pinned. */
  | 'upstream_certificate_refused'
  | 'upstream_silent'
  /** Too many questions (429), or it is overloaded. */
  | 'upstream_busy'
  | 'upstream_refused'
  | 'upstream_malformed'
  | 'upstream_answer_too_large'
  | 'upstream_other_chain'
  /** What it says contradicts itself: a hash that is not that of its header, a log of another block. */
  | 'upstream_lied'
  /** It does not have (any more) what was asked for. */
  | 'upstream_lacks';

export class EvmFault extends Error {
  readonly code: EvmFaultCode;
  /** When it may be asked again, where it says so. */
  readonly retryAfterMs: number | null;

  constructor(code: EvmFaultCode, message: string, retryAfterMs: number | null = null) {
    super(message);
    this.name = 'EvmFault';
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

export function malformed(what: string): never {
  throw new EvmFault('upstream_malformed', `The upstream's answer is no ${what}.`);
}

export function lied(words: string): never {
  throw new EvmFault('upstream_lied', words);
}
