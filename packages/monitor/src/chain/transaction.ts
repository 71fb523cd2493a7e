import { CodedError } from '@keepwatch/base';
import type { Txid } from '@keepwatch/bitcoin';
import type { Quorum } from '@keepwatch/chain';
import { MAX_TRANSACTION_BYTES } from '../api/shapes.ts';

/**
 * The transaction of this id without its witnesses, as some source sent it; its id was checked. `fetch`: null where no chain
 * is followed. Throws `monitor_not_running`, `watched_transaction_unknown`, `watched_transaction_unread` and
 * `watched_transaction_too_large`.
 */
export async function readTransaction(
  fetch: Quorum['transaction'] | null,
  txid: Txid,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (!fetch) {
    throw new CodedError(
      'monitor_not_running',
      'No monitor runs there, so that no source can be asked for the transaction.',
      {
        remedy: 'Start it with `keepwatch monitor run`, or give the whole transaction by --transaction HEX.',
      },
    );
  }
  const fetched = await fetch(txid, signal);
  if (fetched.kind === 'found') {
    if (fetched.stripped.length <= MAX_TRANSACTION_BYTES) return fetched.stripped;
    throw new CodedError(
      'watched_transaction_too_large',
      `The transaction ${txid} has ${fetched.stripped.length} bytes, and at most ${MAX_TRANSACTION_BYTES} are watched.`,
      { remedy: 'Watch what it pays to or spends: --address, --script or --outpoint.' },
    );
  }
  const { answers } = fetched;
  const details = { txid, answers: answers.map((answer) => ({ ...answer })) };
  const said = answers.map(({ source, why }) => `${source}: ${why.replace(/\.$/, '')}`).join('; ');
  if (answers.every(({ kind }) => kind === 'unknown')) {
    const words = said === '' ? 'The monitor has no source of bitcoin' : `No source has it. ${said}`;
    throw new CodedError('watched_transaction_unknown', `The transaction ${txid} is not known. ${words}.`, {
      details,
      remedy: 'Check the id; give the whole transaction by --transaction HEX, or add a source that knows it.',
    });
  }
  throw new CodedError('watched_transaction_unread', `The transaction ${txid} was not found. ${said}.`, {
    details,
    remedy: 'Look at `keepwatch monitor status` and try again, or give the whole transaction by --transaction HEX.',
  });
}
