import { CodedError } from '@keepwatch/base';

/**
 * Why a process could not start, in its own words. Before the vault was ever ready somebody is there to read it, so what
 * trying again cannot mend ends the supervisor. Later it goes on trying: a vault that ran shall come back by itself.
 */
export function startFailure(message: Readonly<Record<string, unknown>>): CodedError | undefined {
  const { code, message: words, remedy } = message;
  if (typeof code !== 'string' || typeof words !== 'string') return undefined;
  return new CodedError(code, words, typeof remedy === 'string' ? { remedy } : {});
}

/** What passes by itself where processes of a supervisor that was killed still hold the port or the journal. */
const PASSING = ['gate_listen_failed', 'storage_busy'];
/** So often is such a thing tried: with the pauses between, some seconds. */
const TRIES = 4;

export interface FirstStart {
  /** The vault was ready: from now on nothing ends the supervisor but its owner. */
  succeeded(): void;
  /** What ends it, for a process that ended. `failure`: what it said of itself, if it could. */
  verdict(failure: CodedError | undefined): CodedError | undefined;
}

export function createFirstStart(): FirstStart {
  let ready = false;
  let passing = 0;
  return {
    succeeded() {
      ready = true;
    },
    verdict(failure) {
      if (ready || !failure) return undefined;
      if (PASSING.includes(failure.code) && ++passing < TRIES) return undefined;
      return failure;
    },
  };
}
