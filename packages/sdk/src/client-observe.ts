import { CodedError } from '@keepwatch/base';
import type { Connection } from './connection.ts';
import { demandReceipt, type CheckedReceipt } from './receipt.ts';

export interface ObserveOptions {
  /** Sequence number in the journal from which on receipts are wanted; 1 for all. */
  readonly from: number;
  /** Called for one receipt after another, in order. The next waits until a promise is fulfilled. */
  readonly onReceipt: (receipt: CheckedReceipt) => void | Promise<void>;
}

export interface Observation {
  /** Fulfilled after `stop`; rejected with what ended the observation. */
  readonly done: Promise<void>;
  stop(): void;
}

/** However many notifications are lost, the journal is asked this often, in ms. */
const POLL_MS = 15_000;

/**
 * Reads receipts from the journal by sequence number and takes notifications for nothing but a hint to look: what was
 * lost on the way is found at the next look, and nothing comes twice.
 */
export function observeReceipts(connection: Connection, wallet: string, options: ObserveOptions): Observation {
  const bell = createBell();
  let next = options.from;
  let stopped = false;
  const unsubscribe = connection.on('receipt', (params) => {
    if (params.wallet === wallet) bell.ring();
  });

  async function readAll(): Promise<void> {
    for (let more = true; more && !stopped;) {
      const page = await connection.call('receipts.read', { wallet, from: next });
      for (const json of page.receipts) {
        if (stopped) return;
        const receipt = demandReceipt(json, connection.info);
        if (receipt.seq < next || receipt.entry['wallet'] !== wallet) {
          throw new CodedError('receipt_out_of_order', 'The vault answered with a receipt that does not belong here.');
        }
        await options.onReceipt(receipt);
        next = receipt.seq + 1;
      }
      // The vault looks through so many entries an answer: a page without receipts need not be the last one.
      const advanced = page.next > next || page.receipts.length > 0;
      next = Math.max(next, page.next);
      more = advanced && next <= page.complete.lastSeq;
    }
  }

  async function follow(): Promise<void> {
    try {
      while (!stopped) {
        await readAll();
        if (!stopped) await bell.wait(POLL_MS);
      }
    } finally {
      unsubscribe();
    }
  }

  return {
    done: follow(),
    stop() {
      stopped = true;
      bell.ring();
    },
  };
}

/** A ring that comes while nobody waits is not lost: the next wait ends at once. */
function createBell(): { ring(): void; wait(ms: number): Promise<void> } {
  let rung = false;
  let end = () => {};
  return {
    ring() {
      rung = true;
      end();
    },
    async wait(ms) {
      if (!rung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          end = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      rung = false;
    },
  };
}
