import type { Severity } from '@keepwatch/watch';

/**
 * Who is told when something must not go unanswered, in which order, and what became of it. Plain data, changed by
 * `applyLadderEvent` alone.
 */
export interface LadderState {
  readonly options: LadderOptions;
  /** By id, the oldest first. Those that are over stay until they are forgotten by age. */
  readonly escalations: Map<string, Escalation>;
  /** Codes that nothing knows, and where they came from. */
  readonly wrong: WrongCode[];
}

export interface LadderOptions {
  /** How long an escalation that is over is remembered, so that a second use of a code gets a true answer. */
  readonly keepMs: number;
  /** So many wrong short codes from one place are looked at in a window; more are not. A link is too long to be guessed. */
  readonly wrongCodes: number;
  readonly wrongWindowMs: number;
}

export const LADDER_DEFAULTS: LadderOptions = { keepMs: 7 * 86_400_000, wrongCodes: 20, wrongWindowMs: 10 * 60_000 };

export interface WrongCode {
  readonly from: string;
  readonly atMs: number;
}

/** Configuration: rungs from the first that is told to the last. */
export interface Ladder {
  readonly rungs: readonly Rung[];
  /** How often the ladder is climbed from the start when nobody answered. */
  readonly rounds: number;
  /** Where acknowledgement pages are served, such as `https://watch.example/a/`; null where there is none. */
  readonly pageUrl: string | null;
  /** How long a code can be used. */
  readonly codeMs: number;
}

export interface Rung {
  readonly who: string;
  /** Names of channels; all of them are used. */
  readonly channels: readonly string[];
  /** How long to wait for an acknowledgement before the next rung. */
  readonly waitMs: number;
}

export interface Escalation {
  readonly id: string;
  /** Where the caller finds the words again of the finding that opened it. */
  readonly entry: number;
  /** What it is about: the finding that opened it and what joined it. */
  readonly findings: string[];
  /** More than are named. */
  joined: number;
  readonly group: string;
  readonly severity: Severity;
  ladder: Ladder;
  /** The step that is the first rung of this ladder: another one may have been climbed before it. */
  first: number;
  /** How often a rung was reached, over all rounds and ladders, from 0. */
  step: number;
  sinceMs: number;
  readonly codes: Code[];
  /** The latest deliveries, with who was reached by them. */
  readonly deliveries: Reached[];
  over: Over | null;
}

export type Over =
  | {
      readonly how: 'acknowledged';
      readonly by: string;
      readonly way: AcknowledgeWay;
      /** Whom the code was sent to, and by what; null where it was answered without one. */
      readonly who: string | null;
      readonly channel: string | null;
      readonly atMs: number;
    }
  /** Nobody answered in all rounds. */
  | { readonly how: 'exhausted'; readonly atMs: number };

/** By the page of a link, a code that was typed into the command, a code sent back on a channel, or the command alone. */
export type AcknowledgeWay = 'link' | 'code' | 'reply' | 'command';

/** A code as it is kept: what was sent cannot be made of it. */
export interface Code {
  readonly hash: string;
  readonly step: number;
  readonly who: string;
  readonly channel: string;
  readonly untilMs: number;
}

export interface Reached {
  readonly who: string;
  readonly channel: string;
  readonly step: number;
  readonly atMs: number;
}

export function createLadderState(options: LadderOptions): LadderState {
  return { options, escalations: new Map(), wrong: [] };
}

/** The rung on which an escalation stands. */
export function rungOf({ ladder: { rungs }, first, step }: Escalation): Rung {
  return rungs[(step - first) % rungs.length]!;
}

/** Channels that were told of it so far. */
export function channelsOf({ codes }: Escalation): string[] {
  return [...new Set(codes.map(({ channel }) => channel))];
}

/** What a channel is, for the question whether two of them can fail together. */
export interface ChannelFacts {
  readonly name: string;
  readonly kind: string;
  /** What it needs: names of hosts, providers, devices. `command` and the like name what they lead to. */
  readonly relies: readonly string[];
}

export type LadderProblem =
  | { readonly kind: 'no-rungs' }
  | { readonly kind: 'bad-wait'; readonly rung: number }
  | { readonly kind: 'no-channel'; readonly rung: number }
  | { readonly kind: 'unknown-channel'; readonly rung: number; readonly channel: string }
  /** All channels of the first rung can fail together: something critical needs two that cannot. */
  | { readonly kind: 'not-independent' };

/** What is wrong with a ladder for critical findings. Two channels are independent when kind and everything they need differ. */
export function checkLadder(
  { rungs, rounds }: Pick<Ladder, 'rungs' | 'rounds'>,
  channels: readonly ChannelFacts[],
): LadderProblem[] {
  if (rungs.length === 0 || !Number.isSafeInteger(rounds) || rounds < 1) return [{ kind: 'no-rungs' }];
  const found: LadderProblem[] = rungs.flatMap(({ channels: names, waitMs }, rung): LadderProblem[] => [
    ...(Number.isSafeInteger(waitMs) && waitMs >= 1_000 ? [] : [{ kind: 'bad-wait' as const, rung }]),
    ...(names.length > 0 ? [] : [{ kind: 'no-channel' as const, rung }]),
    ...names
      .filter((name) => !channels.some((each) => each.name === name))
      .map((channel) => ({ kind: 'unknown-channel' as const, rung, channel })),
  ]);
  const first = channels.filter(({ name }) => rungs[0]!.channels.includes(name));
  return hasIndependent(first) ? found : [...found, { kind: 'not-independent' }];
}

/** Whether there are two among them that do not fail together. */
function hasIndependent(channels: readonly ChannelFacts[]): boolean {
  return channels.some((a) =>
    channels.some((b) => a.kind !== b.kind && !a.relies.some((each) => b.relies.includes(each))),
  );
}
