import { CodedError } from '@keepwatch/base';
import type { FindingKind } from '@keepwatch/watch';
import type { z } from 'zod';
import type { Engine } from '../engine/engine.ts';
import { applyEvent, emptyState, encodeState, findingOf, readEntry } from '../engine/state.ts';
import { findingNamedBy, findingsAfter, newestFindings, type FindingFilter } from '../findings.ts';
import { answeringOf, historyOf } from '../ladder/history.ts';
import { ed25519Verify, journalError, type MonitorStore } from '../store/store.ts';
import type { Methods } from './server.ts';
import { findingNamed, findingsFollow, findingsList, none } from './shapes.ts';

export interface FindingMethodsDeps {
  readonly engine: Engine;
  readonly store: MonitorStore;
  /** Resolves after the next append. */
  readonly nextAppend: (signal: AbortSignal) => Promise<void>;
}

const filterOf = ({ wallet, kinds, severity, sinceMs }: z.infer<typeof findingsList>): FindingFilter => {
  return { wallet, severity, sinceMs, kinds: kinds as readonly FindingKind[] | undefined };
};

/** What can be asked of findings. */
export function findingMethods({ engine, store, nextAppend }: FindingMethodsDeps): Methods {
  const { journal } = store;
  return {
    'findings.list': {
      params: findingsList,
      async call(given: z.infer<typeof findingsList>) {
        const rows = await newestFindings(journal, filterOf(given), given.limit ?? 100, given.before);
        return rows.map((row) => ({ ...row, answer: answeringOf(engine.state, row.finding.id) }));
      },
    },
    /** One finding, who was told of it and what became of that. */
    'findings.show': {
      params: findingNamed,
      async call({ finding: named }: z.infer<typeof findingNamed>) {
        const row = await findingNamedBy(journal, named);
        if (!row) {
          throw new CodedError('finding_unknown', `There is no finding “${named}”.`, {
            remedy: '`keepwatch findings list` shows numbers, and with --json ids.',
          });
        }
        const history = await historyOf(journal, row.seq, row.finding.id);
        return { ...row, answer: answeringOf(engine.state, row.finding.id), history };
      },
    },
    /** From behind a cursor, without a gap: what is journaled while it is read is read next. */
    'findings.follow': {
      params: findingsFollow,
      call: () => Promise.resolve(null),
      async *stream(given: z.infer<typeof findingsFollow>, signal: AbortSignal) {
        for (let cursor = given.after; !signal.aborted;) {
          const end = engine.seq();
          const appended = nextAppend(signal);
          for await (const row of findingsAfter(journal, cursor, filterOf(given))) {
            cursor = row.seq;
            yield row;
          }
          cursor = Math.max(cursor, end);
          if (!given.follow) return;
          await appended;
        }
      },
    },
    'findings.verify': { params: none, call: () => verify(engine, store) },
  };
}

/**
 * Checks the whole journal and folds it anew: order, links, signatures, encryption; and that the state in memory is what
 * the entries say.
 */
async function verify(engine: Engine, { journal, id, receiptPublicKey }: MonitorStore) {
  const believed = encodeState(engine.state);
  const fresh = emptyState(id);
  let findings = 0;
  const verified = await journal.verify({
    receiptPublicKey,
    ed25519Verify,
    onEntry({ seq, bytes }) {
      const event = readEntry(seq, bytes);
      if (findingOf(event)) findings += 1;
      applyEvent(fresh, event);
    },
    onProgress: () => new Promise((resolve) => setImmediate(resolve)),
  });
  if (!verified.ok) throw journalError(verified.error);
  const { entries, batches } = verified.value;
  const sameState = Buffer.compare(encodeState(fresh), believed) === 0;
  return { monitor: id, entries, batches, findings, sameState };
}
