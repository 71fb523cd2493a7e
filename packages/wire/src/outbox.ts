import { CodedError } from '@keepwatch/base';
import { joinRpc, MAX_BATCH } from './rpc.ts';
import type { Session } from './session.ts';

/**
 * What one end of a session has to say, gathered over one turn of its event loop: messages that are ready together
 * leave in one frame, because opening and sealing a frame costs more than most messages do.
 */
export interface Outbox {
  /**
   * Queues a message, given as JSON. Order is kept. Throws `frame_too_large` for one that no frame holds; then nothing
   * of it is sent.
   */
  push(text: string): void;
  /** Seals and sends what is queued now. */
  flush(): void;
}

export interface OutboxDeps {
  readonly session: Pick<Session, 'seal'>;
  readonly send: (frame: Uint8Array) => void;
  /** Calls its argument when the present turn has said what it has to say. */
  readonly soon: (flush: () => void) => void;
  /** The session sends no more: `session_closed`, `session_exhausted`. What was queued is lost. */
  readonly failed: (error: CodedError) => void;
}

/**
 * In UTF-16 units. UTF-8 takes at most three bytes for each, so what is gathered up to this length fits the smallest
 * payload that is in use.
 */
const GATHERED_CHARS = 48_000;

export function createOutbox(deps: OutboxDeps): Outbox {
  let texts: string[] = [];
  let chars = 0;
  let scheduled = false;

  function flush(): void {
    if (texts.length === 0) return;
    const gathered = texts;
    texts = [];
    chars = 0;
    try {
      deps.send(deps.session.seal(joinRpc(gathered)));
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      deps.failed(error);
    }
  }

  function pushLarge(text: string): void {
    flush();
    try {
      deps.send(deps.session.seal(joinRpc([text])));
    } catch (error) {
      if (!(error instanceof CodedError) || error.code === 'frame_too_large') throw error;
      deps.failed(error);
    }
  }

  return {
    flush,
    push(text) {
      if (text.length > GATHERED_CHARS) return pushLarge(text);
      if (chars + text.length > GATHERED_CHARS || texts.length === MAX_BATCH) flush();
      texts.push(text);
      chars += text.length + 1;
      if (scheduled) return;
      scheduled = true;
      deps.soon(() => {
        scheduled = false;
        flush();
      });
    },
  };
}
