import type { Channel, Delivery, Message } from './channel.ts';
import { broken, later, notTaken } from './delivery.ts';
import { dueEffects, nextDueMs, type OutboxEffect } from './outbox/due.ts';
import type { OutboxInput } from './outbox/event.ts';
import type { OutboxState } from './outbox/state.ts';
import { isRegular } from './schedule/regular.ts';
import { withSignature, type SignMessage } from './words/signature.ts';

export interface DispatcherDeps {
  /** By name. What is due for a channel that is not among them waits. */
  readonly channels: ReadonlyMap<string, Channel>;
  /** The state as it stands now. */
  state(): OutboxState;
  /**
   * Puts an input to `outboxStep`, appends the events and folds them; resolves once they are durable. Where it rejects,
   * nothing is acted upon.
   */
  submit(input: OutboxInput): Promise<void>;
  /** Wall clock, ms. */
  nowMs(): number;
  /** 32 random bits as a number. */
  entropy(): number;
  /** Signs messages; left out: they go out unsigned. */
  readonly sign?: SignMessage;
  /** The journal refused, or an adapter broke its promise never to throw. The dispatcher goes on. */
  onTrouble?(error: unknown): void;
}

export interface DispatcherOptions {
  /** How long one try may take. A try that is not over then counts as failed and is aborted. */
  readonly timeoutMs: number;
}

/**
 * Carries out what the outbox has due: one lane for each channel, so at most one try a channel at a time, and none waits
 * for another. Call `wake` whenever the state changed; the passing of time it watches by itself.
 */
export interface Dispatcher {
  wake(): void;
  /** Asks a channel whether it can be reached, without sending anything, and tells the outbox. */
  probe(channel: string): Promise<Delivery>;
  /** Aborts what is under way and waits for it. Whatever was aborted is tried again after the next start. */
  stop(): Promise<void>;
}

/** After the journal refused: a pause instead of a storm. */
const PAUSE_MS = 1_000;
/** How often a message is looked for: a service may need a moment to show it. */
const READS = 5;
/** Timers of Node hold 24 days; waking once an hour for nothing costs nothing. */
const LONGEST_SLEEP_MS = 3_600_000;

export function createDispatcher(deps: DispatcherDeps, options: DispatcherOptions): Dispatcher {
  const busy = new Map<string, Promise<void>>();
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;

  function wake(): void {
    if (stopping.signal.aborted) return;
    const nowMs = deps.nowMs();
    for (const effect of dueEffects(deps.state(), nowMs)) {
      const channel = deps.channels.get(effect.channel);
      if (!channel || busy.has(effect.channel)) continue;
      const work = act(channel, effect).catch(async (error: unknown) => {
        deps.onTrouble?.(error);
        await pause(PAUSE_MS, stopping.signal);
      });
      busy.set(
        effect.channel,
        work.finally(() => {
          busy.delete(effect.channel);
          wake();
        }),
      );
    }
    sleep(nowMs);
  }

  function sleep(nowMs: number): void {
    clearTimeout(timer);
    const next = nextDueMs(deps.state(), nowMs);
    // What is due already is under way, or waits for a lane that calls again when it is free.
    const ms = next === null || next <= nowMs ? LONGEST_SLEEP_MS : Math.min(next - nowMs, LONGEST_SLEEP_MS);
    timer = setTimeout(wake, ms);
    timer.unref();
  }

  async function act(channel: Channel, effect: OutboxEffect): Promise<void> {
    const { key } = effect;
    if (effect.kind === 'begin') {
      await deps.submit({ kind: 'begin', channel: channel.name, key });
      // The caller's clock may be a little behind ours: no reason to spin.
      if (!deps.state().lanes.get(channel.name)?.trying) await pause(PAUSE_MS, stopping.signal);
      return;
    }
    const message = deps.sign ? signed(effect.message, channel.name, deps.sign) : effect.message;
    const delivery = await within((signal) => channel.send(message, signal));
    // Stopped in between: nobody knows what became of it, so nothing is said and the next start tries again.
    if (stopping.signal.aborted && delivery.kind !== 'delivered') return;
    const outcome = { kind: 'outcome', channel: channel.name, key, attempt: effect.attempt, delivery } as const;
    await deps.submit({ ...outcome, entropy: deps.entropy() });
    if (delivery.kind === 'delivered' && channel.readBack && isRegular(key))
      await readBack(channel, delivery.reference);
  }

  /** A service can take a message and show it to nobody: what the monitor says regularly is looked for. */
  async function readBack(channel: Channel, reference: string | null): Promise<void> {
    let found: Delivery = notTaken('', '');
    for (let tries = 0; tries < READS && found.kind === 'refused'; tries++) {
      await pause(tries === 0 ? 0 : PAUSE_MS, stopping.signal);
      found = await within((signal) => channel.readBack!(reference, signal));
      if (stopping.signal.aborted) return;
    }
    // What cannot be reached now says nothing of what became of the message.
    if (found.kind !== 'refused') return;
    const words = 'The service took a message, and does not show it.';
    await deps.submit({ kind: 'probed', channel: channel.name, delivery: broken('not_read_back', words) });
  }

  /** An adapter that ignores its signal holds its own connection and nothing else. */
  async function within(work: (signal: AbortSignal) => Promise<Delivery>): Promise<Delivery> {
    const limit = new AbortController();
    const signal = AbortSignal.any([limit.signal, stopping.signal]);
    const ended = new Promise<Delivery>((resolve) =>
      signal.addEventListener('abort', () => resolve(later('timeout', 'There was no answer within the time.')), {
        once: true,
      }),
    );
    const clock = setTimeout(() => limit.abort(), options.timeoutMs);
    try {
      const trial = work(signal).catch((error: unknown) => {
        if (!signal.aborted) deps.onTrouble?.(error);
        return later('channel_fault', 'The adapter of this channel failed.');
      });
      return await Promise.race([trial, ended]);
    } finally {
      clearTimeout(clock);
      limit.abort();
    }
  }

  return {
    wake,
    async probe(name) {
      const channel = deps.channels.get(name);
      if (!channel) return later('channel_unknown', 'There is no channel of this name.');
      const delivery = await within((signal) => channel.probe(signal));
      if (!stopping.signal.aborted) await deps.submit({ kind: 'probed', channel: name, delivery });
      return delivery;
    },
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      await Promise.all(busy.values());
    },
  };
}

/** The same in every try, as the message is. */
function signed(message: Message, channel: string, sign: SignMessage): Message {
  return { ...message, body: withSignature(message.body, channel, message.number, sign) };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
