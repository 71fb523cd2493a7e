import { CodedError } from '@keepwatch/base';
import type { z } from 'zod';
import type { Engine } from '../engine/engine.ts';
import { applyEvent, emptyState, encodeState, findingOf, readEntry, type MonitorState } from '../engine/state.ts';
import type { Ordered } from '../orders/order-log.ts';
import { findingNamedBy, findingsAfter, newestFindings, type FindingFilter } from '../findings.ts';
import { answeringOf, historyOf } from '../ladder/history.ts';
import { ed25519Verify, journalError, type MonitorStore } from '../store/store.ts';
import { isSigned } from '../orders/check.ts';
import { walletIdOf } from '../evm/owned-wallet.ts';
import { may } from '../access/rights.ts';
import type { Methods } from './server.ts';
import { findingNamed, findingsFollow, findingsList, none } from './shapes.ts';

export interface FindingMethodsDeps {
  readonly engine: Engine;
  readonly store: MonitorStore;
  /** Resolves after the next append. */
  readonly nextAppend: (signal: AbortSignal) => Promise<void>;
}

/** What can be asked of findings. */
export function findingMethods({ engine, store, nextAppend }: FindingMethodsDeps): Methods {
  const { journal } = store;

  /** Findings know wallets by their ids: a name is looked up. What is no longer watched has its id alone. */
  function filterOf({ wallet: named, kinds, severity, sinceMs }: z.infer<typeof findingsList>): FindingFilter {
    const wallet = named === undefined ? undefined : (walletIdOf(engine.state, named) ?? named);
    return { wallet, kinds, severity, sinceMs };
  }

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
 * Checks the whole journal and folds it anew: order, links, signatures, encryption; that each order was signed by a peer
 * who might give it at the time; and that the state in memory is what the entries say.
 */
async function verify(engine: Engine, { journal, id, identity, receiptPublicKey }: MonitorStore) {
  const believed = encodeState(engine.state);
  const fresh = emptyState(id);
  let findings = 0;
  const orders = { signed: 0, unsigned: 0 };
  const verified = await journal.verify({
    receiptPublicKey,
    ed25519Verify,
    onEntry({ seq, bytes }) {
      const event = readEntry(seq, bytes);
      if (findingOf(event)) findings += 1;
      if (event.room === 'order' && event.event.kind === 'ordered') {
        checkOrder(seq, event.event, fresh, identity);
        orders[event.event.by.kind === 'peer' ? 'signed' : 'unsigned'] += 1;
      }
      applyEvent(fresh, event);
    },
    onProgress: () => new Promise((resolve) => setImmediate(resolve)),
  });
  if (!verified.ok) throw journalError(verified.error);
  const { entries, batches } = verified.value;
  const sameState = Buffer.compare(encodeState(fresh), believed) === 0;
  return { monitor: id, entries, batches, findings, orders, sameState };
}

/** Throws `order_forged`. `before`: what the entries before it came to. */
function checkOrder(seq: number, { id, method, by }: Ordered, before: MonitorState, identity: string): void {
  if (by.kind !== 'peer') return;
  const known = before.desk.peers.get(by.peer);
  const isHis = known?.publicKey === by.publicKey && known.alg === by.alg && may(known.right, method);
  if (isHis && isSigned({ id, method, by }, identity)) return;
  throw new CodedError('order_forged', `Entry ${seq} says that ${by.name} ordered ${method}, and that does not hold.`, {
    remedy: 'Somebody wrote to the journal who had its keys. Keep a copy of the data, and make the monitor anew.',
    details: { seq },
  });
}
