import type { IncomingMessage, ServerResponse } from 'node:http';
import { canonicalJson, CodedError, type Json } from '@keepwatch/base';
import type { Journal } from '@keepwatch/journal';
import {
  acknowledge,
  acknowledgeDirectly,
  dueEscalations,
  findCode,
  nextLadderMs,
  type AcknowledgeAnswer,
  type Answered,
  type Escalation,
  type GivenCode,
  type LadderOrder,
  type Post,
} from '@keepwatch/notify';
import { compareSeverity, type Finding, type Severity } from '@keepwatch/watch';
import type { z } from 'zod';
import type { Methods } from '../api/server.ts';
import { none, type acknowledgement, type ladderGiven } from '../api/shapes.ts';
import { readChannel, readsAnswers, type ChannelSettings } from '../channels/settings.ts';
import type { Engine, LadderAsk, Recorded, Routed, Routing } from '../engine/engine.ts';
import { unusable } from '../engine/escalate.ts';
import type { MonitorState } from '../engine/state.ts';
import { ownedWallet } from '../evm/owned-wallet.ts';
import { findingNamedBy } from '../findings.ts';
import type { Author, Changes } from '../orders/order-desk.ts';
import { sha256 } from '../store/store.ts';
import { servePage } from './page-server.ts';
import { factsOf } from './reliance.ts';
import { judgeLadder, mistakeInLadder, mustClimb, readLadder, type LadderSettings } from './settings.ts';
import { wordsOf } from './words.ts';

/** What must not go unanswered: who is told next, and whether anybody has answered. */
export interface LadderDesk {
  /** Whether a finding climbs, beside being told by `posts`. */
  climbOf(finding: Finding, posts: readonly Routed[], state: MonitorState): Routing['climb'];
  word(order: LadderOrder, finding: Finding | undefined, state: MonitorState): Post | null;
  /** After each append. */
  hear(events: readonly Recorded[]): void;
  /** From here on time moves it. */
  start(onTrouble: (error: unknown) => void): void;
  /** A code from elsewhere than the command: a reply on a channel. */
  answer(given: GivenCode): Promise<AcknowledgeAnswer>;
  readonly methods: Methods;
  readonly changes: Changes;
  serve(request: IncomingMessage, response: ServerResponse): boolean;
  close(): Promise<void>;
}

const LONGEST_SLEEP_MS = 3_600_000;

export function createLadderDesk({
  engine,
  journal,
}: {
  readonly engine: Engine;
  readonly journal: Journal;
}): LadderDesk {
  let current: { readonly document: Json; readonly settings: LadderSettings | null } = {
    document: null,
    settings: null,
  };
  let onTrouble: ((error: unknown) => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  let moving: Promise<void> | undefined;
  let again = false;

  function settingsOf({ desk }: MonitorState): LadderSettings | null {
    if (current.document !== desk.ladder) {
      const read = desk.ladder === null ? null : readLadder(desk.ladder);
      current = { document: desk.ladder, settings: read?.ok ? read.value : null };
    }
    return current.settings;
  }

  const channelsOf = ({ desk }: MonitorState): readonly ChannelSettings[] =>
    [...desk.channels.values()].flatMap((json) => {
      const read = readChannel(json);
      return read.ok ? [read.value] : [];
    });

  /** The one that opened an escalation. */
  async function findingOf(escalation: string | null | undefined): Promise<Finding | undefined> {
    const entry = escalation ? engine.state.ladder.escalations.get(escalation)?.entry : undefined;
    return entry === undefined ? undefined : (await findingNamedBy(journal, entry).catch(() => undefined))?.finding;
  }

  const ask = async (input: LadderAsk, escalation: string | undefined): Promise<readonly Recorded[]> =>
    engine.submit({ room: 'ladder', input, finding: await findingOf(escalation) });

  /** A peer answers in its own name. */
  function nameOf(author: Author, claimed: string | undefined): string {
    if (author.kind === 'owner') return claimed ?? 'the monitor’s own user';
    const name = engine.state.desk.peers.get(author.peer)?.name ?? author.peer;
    if (claimed === undefined || claimed === name) return name;
    throw new CodedError('monitor_not_allowed', `Over the network you answer as ${name}, and not as ${claimed}.`, {
      remedy: 'Leave out --by; `keepwatch monitor rename` gives a peer another name.',
    });
  }

  const isAcknowledged = (events: readonly Recorded[]) =>
    events.some(({ room, event }) => room === 'ladder' && event.kind === 'acknowledged');

  async function answer(code: GivenCode): Promise<AcknowledgeAnswer> {
    const { ladder } = engine.state;
    const known = findCode(ladder, code.code, sha256)?.escalation.id;
    // What nothing knows and nothing counts is not worth an entry.
    const { answer: before, events } = acknowledge(ladder, code, engine.nowMs(), sha256);
    if (events.length === 0) return before;
    const recorded = await ask({ kind: 'code', given: code }, known);
    return isAcknowledged(recorded) ? 'acknowledged' : acknowledge(ladder, code, engine.nowMs(), sha256).answer;
  }

  /** Moves everything that is due; one after the other, for each is an append of its own. */
  async function move(): Promise<void> {
    const { state } = engine;
    const settings = settingsOf(state);
    if (settings) {
      const wanted = canonicalJson(settings.ladder as unknown as Json);
      for (const { id, over, ladder } of [...state.ladder.escalations.values()]) {
        if (over || canonicalJson(ladder as unknown as Json) === wanted) continue;
        await ask({ kind: 'replan', escalation: id, ladder: settings.ladder }, id);
      }
    }
    for (const escalation of dueEscalations(state.ladder, unusable(state), engine.nowMs())) {
      await ask({ kind: 'tick', escalation }, escalation);
    }
  }

  function wake(): void {
    if (!onTrouble) return;
    again = true;
    moving ??= (async () => {
      while (again && onTrouble) {
        again = false;
        await move();
      }
    })()
      .catch((error: unknown) => onTrouble?.(error))
      .finally(() => {
        moving = undefined;
        sleep();
      });
  }

  function sleep(): void {
    clearTimeout(timer);
    if (!onTrouble) return;
    const next = nextLadderMs(engine.state.ladder);
    const ms = next === null ? LONGEST_SLEEP_MS : Math.min(Math.max(next - engine.nowMs(), 1_000), LONGEST_SLEEP_MS);
    timer = setTimeout(wake, ms);
    timer.unref();
  }

  function checked(document: Json): LadderSettings {
    const read = readLadder(document);
    const mistake = read.ok ? mistakeInLadder(document) : read.error;
    if (read.ok && mistake === null) return read.value;
    const { path, message } = mistake!;
    throw new CodedError('ladder_refused', `${path || 'the document'}: ${message}.`, { details: { path } });
  }

  return {
    climbOf(finding, posts, state) {
      const settings = settingsOf(state);
      const severity = posts.reduce<Severity>(
        (most, { post }) => (compareSeverity(post.severity, most) > 0 ? post.severity : most),
        finding.severity,
      );
      if (!settings || !mustClimb(settings, finding, severity)) return null;
      const { ladder } = settings;
      return { group: `${finding.wallet ?? ''} ${finding.detail.kind}`, severity, ladder };
    },
    word(order, finding, state) {
      const channel = channelsOf(state).find(({ name }) => name === order.channel);
      // A channel is not told of its own death.
      const isOwnDeath = finding?.detail.kind === 'channel-dead' && finding.detail.channel === order.channel;
      if (!channel || isOwnDeath) return null;
      const wallet = finding?.wallet ? (ownedWallet(state, finding.wallet) ?? undefined) : undefined;
      const { privacy } = channel;
      return wordsOf(order, { finding, wallet, privacy, sendBack: readsAnswers(channel), nowMs: engine.nowMs() });
    },
    hear(events) {
      const moves = events.some(
        ({ room, event }) =>
          room === 'ladder' ||
          (room === 'desk' && (event.kind === 'ladder-set' || event.kind === 'channel-dropped')) ||
          (room === 'outbox' && event.kind === 'channel-died'),
      );
      if (moves) wake();
    },
    start(how) {
      onTrouble = how;
      wake();
    },
    answer,
    methods: {
      'ladder.show': {
        params: none,
        call() {
          const settings = settingsOf(engine.state);
          const warnings = settings ? judgeLadder(settings, channelsOf(engine.state).map(factsOf)).warnings : [];
          return Promise.resolve({ ladder: engine.state.desk.ladder, warnings, version: engine.state.orders.version });
        },
      },
    },
    changes: {
      'ladder.apply': {
        plan:
          ({ ladder: document }: z.infer<typeof ladderGiven>) =>
          () => {
            const settings = checked(document);
            const { unknown, warnings } = judgeLadder(settings, channelsOf(engine.state).map(factsOf));
            if (unknown) {
              const words = `rungs[${unknown.rung}].tell: there is no channel “${unknown.channel}”.`;
              throw new CodedError('ladder_channel_unknown', words, {
                remedy: '`keepwatch channel list` shows those that there are.',
              });
            }
            const event = { kind: 'ladder-set', ladder: document } as const;
            const { rungs, pageUrl } = settings.ladder;
            return {
              inputs: [{ room: 'desk', event }],
              answer: () => ({ rungs: rungs.length, page: pageUrl, warnings }),
            };
          },
      },
      /** What climbs already goes on by the ladder that it began. */
      'ladder.clear': {
        plan: () => () => {
          const open = [...engine.state.ladder.escalations.values()].filter(({ over }) => over === null);
          return {
            inputs: [{ room: 'desk', event: { kind: 'ladder-set', ladder: null } }],
            answer: () => ({ ladder: null, open: open.map(({ id }) => id) }),
          };
        },
      },
      'findings.acknowledge': {
        async plan({ what, by: claimed }: z.infer<typeof acknowledgement>, author: Author) {
          const by = nameOf(author, claimed);
          const { ladder } = engine.state;
          const id = typeof what === 'number' ? (await findingNamedBy(journal, what))?.finding.id : what;
          const direct = [...ladder.escalations.values()].find(
            (each) => id !== undefined && each.findings.includes(id),
          );
          const code = { code: String(what), by, way: 'code', from: 'command' } as const;
          const escalation = direct?.id ?? findCode(ladder, code.code, sha256)?.escalation.id ?? null;
          const answered = () => answeredBy(ladder.escalations.get(escalation ?? ''));
          if (!direct) {
            const before = acknowledge(ladder, code, engine.nowMs(), sha256).answer;
            // A wrong code is counted, and is no order: nothing comes of it but that.
            if (before !== 'acknowledged') accepted(await answer(code), escalation, answered());
          }
          const input: LadderAsk = direct
            ? { kind: 'direct', escalation: direct.id, by }
            : { kind: 'code', given: code };
          const finding = await findingOf(escalation);
          return (atMs) => {
            const outcome = direct
              ? acknowledgeDirectly(ladder, { escalation: direct.id, by }, atMs)
              : acknowledge(ladder, code, atMs, sha256);
            const answer = accepted(outcome.answer, escalation, answered());
            return { inputs: [{ room: 'ladder', input, finding }], answer: () => answer };
          };
        },
      },
    },
    serve(request, response) {
      const { state } = engine;
      const isServed =
        settingsOf(state)?.ladder.pageUrl !== null && settingsOf(state) !== null
          ? true
          : [...state.ladder.escalations.values()].some(({ ladder }) => ladder.pageUrl !== null);
      if (!isServed) return false;
      return servePage(request, response, async ({ code, by }) => {
        const what = await answer({ code, by, way: 'code', from: 'page' });
        return { answer: what, answered: answeredBy(findCode(engine.state.ladder, code, sha256)?.escalation) };
      });
    },
    async close() {
      onTrouble = undefined;
      clearTimeout(timer);
      await moving;
    },
  };
}

function answeredBy(escalation: Escalation | undefined): Answered | null {
  return escalation?.over?.how === 'acknowledged' ? escalation.over : null;
}

/** Throws what did not count. */
function accepted(answer: AcknowledgeAnswer, finding: string | null, by: Answered | null) {
  switch (answer) {
    case 'acknowledged':
      return { answer, finding };
    case 'already':
      throw new CodedError(
        'finding_answered',
        by === null
          ? 'Somebody has answered this already.'
          : `${by.by} has answered this already, at ${new Date(by.atMs).toISOString()}.`,
        { details: { finding } },
      );
    case 'expired':
      throw new CodedError('code_expired', 'This code is no longer valid.', {
        remedy: 'Name the finding by its id or number instead.',
      });
    case 'unknown':
      throw new CodedError('code_unknown', 'Nothing waits for an answer by this code, id or number.', {
        remedy: '`keepwatch findings list` marks what waits for an answer.',
      });
    case 'busy':
      throw new CodedError('code_busy', 'Too many wrong codes were tried lately.', {
        remedy: 'Name the finding by its id or number, or wait ten minutes.',
      });
  }
}

/** Whether a ladder, or what climbs, tells by a channel. */
export function climbsBy({ desk, ladder }: MonitorState, channel: string): boolean {
  const read = desk.ladder === null ? null : readLadder(desk.ladder);
  const ladders = [...ladder.escalations.values()].flatMap((each) => (each.over ? [] : [each.ladder]));
  return [...(read?.ok ? [read.value.ladder] : []), ...ladders].some(({ rungs }) =>
    rungs.some(({ channels }) => channels.includes(channel)),
  );
}
