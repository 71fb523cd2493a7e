import { assertNever } from '@keepwatch/base';
import type { BlockRef, ChainInput } from './chain-input.ts';
import type { FindingDetail } from './finding.ts';
import type { MachineInput } from './input.ts';
import { decideDoubts } from './decide-tx.ts';
import { blockSpacing, paceOf } from './pace.ts';
import { emit, tell, type Turn } from './turn.ts';

type ConditionInput =
  MachineInput | Extract<ChainInput, { readonly kind: 'source' | 'disagreement' | 'quorum' | 'tick' }>;

/** How often the journal is told that the monitor lives, where nothing else is written. */
const SIGN_OF_LIFE_MS = 60_000;
/** How long no block has to come until the tip counts as reached, where its time does not show it. */
const QUIET_MS = 15_000;

/** What went beyond a limit has to come back by so much before it is over. */
const ENDS_BELOW = 0.8;
const ENDS_ABOVE = 1.1;

/** How the watch itself fares: sources, the machine, the channels, the time. What is wrong is told once, and its end. */
export function decideCondition(turn: Turn, input: ConditionInput): void {
  const { state, nowMs } = turn;
  switch (input.kind) {
    case 'source': {
      const { source, problem } = input;
      const known = state.sources.get(source);
      if (known?.state === input.state) return;
      const { mempool } = input;
      const record = { state: input.state, words: problem?.words ?? '', sinceMs: nowMs, mempool };
      emit(turn, { kind: 'source', source, record });
      if (input.state !== 'down') end(turn, `source-down/${source}`, sourceDetail('source-down', source, '', true));
      if (input.state !== 'behind')
        end(turn, `source-behind/${source}`, sourceDetail('source-behind', source, '', true));
      return;
    }
    case 'source-gone': {
      const words = 'It is no longer among the sources.';
      for (const kind of ['source-down', 'source-behind'] as const) {
        end(turn, `${kind}/${input.source}`, sourceDetail(kind, input.source, words, true));
      }
      return;
    }
    case 'disagreement': {
      const { about, over, others, seenBy } = input;
      const detail = { kind: 'sources-disagree', about, others, over } as const;
      return over
        ? end(turn, `sources-disagree/${about}`, detail, seenBy)
        : begin(turn, `sources-disagree/${about}`, detail, seenBy);
    }
    case 'quorum':
      return follow(turn, 'quorum-lost', !input.able, (over) => ({ kind: 'quorum-lost', over }));
    case 'tick':
      return decideTick(turn);
    case 'started': {
      const downSeconds = state.aliveMs === 0 ? 0 : Math.max(0, Math.round((nowMs - state.aliveMs) / 1_000));
      const isFirst = state.aliveMs === 0;
      emit(turn, { kind: 'started', atMs: nowMs });
      // Sources that still differ say so again, and those that no longer do would never say that it is over.
      for (const key of [...state.conditions.keys()]) {
        if (key.startsWith('sources-disagree/')) closeCondition(turn, key, () => undefined);
      }
      if (isFirst) return;
      const detail = { kind: 'restarted', downSeconds, fromHeight: state.tip?.height ?? -1 } as const;
      return tell(turn, `restarted:${state.counter}`, null, { seenBy: [] }, detail);
    }
    case 'feerate': {
      const limit = state.settings.feerateLimit;
      const satPerVbyte = Math.ceil(input.satPerVbyte);
      if (limit !== null && satPerVbyte >= limit) {
        return begin(turn, 'feerate-spike', { kind: 'feerate-spike', satPerVbyte, limit });
      }
      // Around the limit it would begin and end with every look.
      if (limit !== null && satPerVbyte > limit * ENDS_BELOW && state.conditions.has('feerate-spike')) return;
      return closeCondition(turn, 'feerate-spike', () => undefined);
    }
    case 'disk': {
      const freeBytes = Math.floor(input.freeBytes);
      const limit = state.settings.diskLowBytes;
      const isLow = freeBytes < (state.conditions.has('disk-low') ? limit * ENDS_ABOVE : limit);
      return follow(turn, 'disk-low', isLow, (over) => ({ kind: 'disk-low', freeBytes, over }));
    }
    case 'clock': {
      const skewSeconds = Math.round(input.skewSeconds);
      const isSkewed = Math.abs(skewSeconds) > state.settings.clockSkewSeconds;
      return follow(turn, 'clock-skew', isSkewed, (over) => ({ kind: 'clock-skew', skewSeconds, over }));
    }
    case 'channel': {
      const { channel, words } = input;
      const key = `channel-dead/${channel}`;
      return follow(turn, key, !input.alive, (over) => ({ kind: 'channel-dead', channel, words, over }));
    }
    default:
      assertNever(input);
  }
}

function decideTick(turn: Turn): void {
  const { state, nowMs } = turn;
  const { tip, catchingUp, settings } = state;
  if (nowMs - state.aliveMs >= SIGN_OF_LIFE_MS) emit(turn, { kind: 'alive', atMs: nowMs });
  for (const [source, { state: condition, words, sinceMs }] of state.sources.entries()) {
    if (nowMs - sinceMs < settings.sourceGraceSeconds * 1_000) continue;
    if (condition !== 'down' && condition !== 'behind') continue;
    const kind = condition === 'down' ? 'source-down' : 'source-behind';
    begin(turn, `${kind}/${source}`, sourceDetail(kind, source, words, false));
  }
  // Sources of other chains (CAIP-2: `eip155:1/…`) say nothing of this one.
  const isLive = [...state.sources.entries()].some(
    ([name, record]) => record.state === 'live' && !name.startsWith('eip155:'),
  );
  if (catchingUp && isLive && nowMs - Math.max(state.tipAtMs, state.startedMs) >= QUIET_MS) endCatchUp(turn);
  decideDoubts(turn);
  const waitingMs = nowMs - Math.max(state.tipAtMs, state.startedMs);
  if (tip !== null && waitingMs >= settings.stalledAfterSeconds * 1_000) {
    const forSeconds = Math.round(waitingMs / 1_000);
    begin(turn, 'tip-stalled', { kind: 'tip-stalled', lastBlock: tip, forSeconds, over: false });
  }
  decidePace(turn);
}

/**
 * Whether blocks come far too slowly. It begins with a tick and not with a block, once none came for as long as one may be
 * expected to take: blocks that are read one after the other, after an outage, are old by their times and come fast. It ends
 * with a block. A tip that does not move at all is told by itself, and a blind watch as well.
 */
export function decidePace(turn: Turn, by?: { readonly block: BlockRef; readonly seenBy: readonly string[] }): void {
  const { state, nowMs } = turn;
  const { tip, conditions, settings } = state;
  const spacing = blockSpacing(settings);
  // Nobody says that it is over where nobody looks any more.
  if (spacing === null) return closeCondition(turn, 'tip-slow', () => undefined);
  const isOpen = conditions.has('tip-slow');
  const waitingMs = nowMs - Math.max(state.tipAtMs, state.startedMs);
  const isSettled = state.catchingUp === null && waitingMs >= spacing * 1_000;
  const isBlind = conditions.has('tip-stalled') || conditions.has('quorum-lost');
  const mayBegin = !isOpen && !by && isSettled && !isBlind;
  const pace = tip !== null && (mayBegin || (isOpen && by)) ? paceOf(state, nowMs) : undefined;
  if (tip === null || !pace) return;
  const { blocks, dueBlocks, inSeconds } = pace;
  const detail = { kind: 'tip-slow', lastBlock: tip, blocks, dueBlocks, inSeconds, over: isOpen } as const;
  if (mayBegin && pace.isSlow) begin(turn, 'tip-slow', detail);
  if (isOpen && by && pace.isEnough) closeCondition(turn, 'tip-slow', (id) => tell(turn, id, null, by, detail));
}

/** The chain is followed again after a start: which blocks came meanwhile. */
export function endCatchUp(turn: Turn): void {
  const { state } = turn;
  const fromHeight = state.catchingUp!.fromHeight;
  const toHeight = state.tip?.height ?? null;
  const number = state.counter;
  emit(turn, { kind: 'caught-up' });
  if (fromHeight === null || toHeight === null || toHeight <= fromHeight) return;
  const detail = { kind: 'gap-filled', fromHeight: fromHeight + 1, toHeight } as const;
  tell(turn, `gap-filled:${number}:${toHeight}`, null, { seenBy: [] }, detail, true);
}

function sourceDetail(kind: 'source-down' | 'source-behind', source: string, words: string, over: boolean) {
  return { kind, source, words, over } as const;
}

function follow(turn: Turn, key: string, isWrong: boolean, detail: (over: boolean) => FindingDetail): void {
  if (isWrong) begin(turn, key, detail(false));
  else if (turn.state.conditions.has(key)) end(turn, key, detail(true));
}

function begin(turn: Turn, key: string, detail: FindingDetail, seenBy: readonly string[] = []): void {
  if (turn.state.conditions.has(key)) return;
  emit(turn, { kind: 'condition', key, open: true });
  tell(turn, `${key}:${turn.state.conditions.get(key)!}`, null, { seenBy }, detail);
}

function end(turn: Turn, key: string, detail: FindingDetail, seenBy: readonly string[] = []): void {
  closeCondition(turn, key, (id) => tell(turn, id, null, { seenBy }, detail));
}

/** Ends what is wrong, if it is; `say` is given the id for the finding that says so. */
export function closeCondition(turn: Turn, key: string, say: (id: string) => void): void {
  const number = turn.state.conditions.get(key);
  if (number === undefined) return;
  emit(turn, { kind: 'condition', key, open: false });
  say(`${key}:${number}:over`);
}
