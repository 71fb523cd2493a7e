import type { Journal } from '@keepwatch/journal';
import { readAlertKey, type AcknowledgeWay, type LadderEvent, type OutboxEvent } from '@keepwatch/notify';
import type { MonitorState } from '../engine/state.ts';
import { readEntry } from '../engine/state.ts';
import { journalError } from '../store/store.ts';

/** How it stands with the answer to a finding; null where none was asked for, or it is long over. */
export type Answering =
  | { readonly state: 'awaited'; readonly who: string; readonly sinceMs: number }
  | { readonly state: 'nobody'; readonly atMs: number }
  | { readonly state: 'answered'; readonly by: string; readonly way: AcknowledgeWay; readonly atMs: number };

export function answeringOf({ ladder }: MonitorState, finding: string): Answering | null {
  for (const { findings, over, ladder: of, step, first, sinceMs } of ladder.escalations.values()) {
    if (!findings.includes(finding)) continue;
    switch (over?.how) {
      case undefined:
        return { state: 'awaited', who: of.rungs[(step - first) % of.rungs.length]!.who, sinceMs };
      case 'exhausted':
        return { state: 'nobody', atMs: over!.atMs };
      case 'acknowledged': {
        const { by, way, atMs } = over as Extract<typeof over, { how: 'acknowledged' }>;
        return { state: 'answered', by, way, atMs };
      }
    }
  }
  return null;
}

/** What became of a finding: who was told by what, whether it arrived, and who answered. */
export type Happening = { readonly atMs: number } & (
  | { readonly what: 'told'; readonly channel: string; readonly number: number }
  | { readonly what: 'not-told-yet'; readonly channel: string; readonly code: string; readonly words: string }
  | { readonly what: 'gathered'; readonly channel: string }
  | { readonly what: 'asked'; readonly who: readonly string[]; readonly step: number; readonly why: string }
  | { readonly what: 'nobody-answered' }
  | {
      readonly what: 'answered';
      readonly by: string;
      readonly way: AcknowledgeWay;
      readonly who: string | null;
      readonly channel: string | null;
    }
);

const PAGE = 512;

/** Reads the journal from the entry of the finding to its end. */
export async function historyOf(journal: Journal, entry: number, finding: string): Promise<readonly Happening[]> {
  const found: Happening[] = [];
  const numbers = new Map<string, number>();
  let escalation = finding;
  const isAbout = (key: string) =>
    key === finding || key === `${escalation} joined ${finding}` || readAlertKey(key)?.escalation === escalation;

  function hearOutbox(event: OutboxEvent): void {
    switch (event.kind) {
      case 'queued':
        if (event.place === 'gathered' && isAbout(event.post.key)) {
          found.push({ what: 'gathered', channel: event.channel, atMs: event.atMs });
        }
        return;
      case 'began':
        if (isAbout(event.key)) numbers.set(`${event.channel} ${event.key}`, event.number);
        return;
      case 'tried': {
        if (!isAbout(event.key)) return;
        const { channel, atMs, delivery } = event;
        if (delivery.kind === 'delivered') {
          found.push({ what: 'told', channel, number: numbers.get(`${channel} ${event.key}`) ?? 0, atMs });
        } else {
          found.push({ what: 'not-told-yet', channel, code: delivery.code, words: delivery.words, atMs });
        }
        return;
      }
      default:
    }
  }

  function hearLadder(event: LadderEvent): void {
    if (event.kind === 'joined' && event.finding === finding) escalation = event.escalation;
    if (!('escalation' in event) || event.escalation !== escalation) return;
    switch (event.kind) {
      case 'opened':
      case 'climbed':
      case 'replanned': {
        const who = [...new Set(event.codes.map((code) => code.who))];
        const why = event.kind === 'climbed' ? event.why : event.kind;
        found.push({ what: 'asked', who, step: event.kind === 'opened' ? 0 : event.step, why, atMs: event.atMs });
        return;
      }
      case 'exhausted':
        found.push({ what: 'nobody-answered', atMs: event.atMs });
        return;
      case 'acknowledged': {
        const { by, way, who, channel, atMs } = event;
        found.push({ what: 'answered', by, way, who, channel, atMs });
        return;
      }
      default:
    }
  }

  for (let next = entry; ;) {
    const read = await journal.read(next, PAGE);
    if (!read.ok) throw journalError(read.error);
    if (read.value.length === 0) return found;
    for (const { seq, bytes } of read.value) {
      const { room, event } = readEntry(seq, bytes);
      if (room === 'outbox') hearOutbox(event);
      if (room === 'ladder') hearLadder(event);
    }
    next = read.value.at(-1)!.seq + 1;
  }
}
