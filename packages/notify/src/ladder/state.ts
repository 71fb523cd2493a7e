import type { Severity } from '@keepwatch/watch';

/**
 * Who is told when something must not go unanswered, in which order, and what became of it. Plain data, changed by
 * `applyLadderEvent` alone.
 */
export interface LadderState {
  readonly options: LadderOptions;
  /** By id, the oldest first. Those that are over stay until they are forgotten by age. */
  readonly escalations: Map<string, Escalation>;
  /** When codes were tried that nothing knows. */
  readonly wrong: number[];
}

export interface LadderOptions {
  /** Where acknowledgement pages are served, such as `https://watch.example/a/`; null where there is none. */
  readonly pageUrl: string | null;
  /** How long a code can be used. */
  readonly codeMs: number;
  /** How long an escalation that is over is remembered, so that a second use of a code gets a true answer. */
  readonly keepMs: number;
  /** So many wrong short codes are looked at in a window; more are not. A link is too long to be guessed. */
  readonly wrongCodes: number;
  readonly wrongWindowMs: number;
}

export const LADDER_DEFAULTS: Omit<LadderOptions, 'pageUrl'> = {
  ...{ codeMs: 24 * 3_600_000, keepMs: 7 * 86_400_000, wrongCodes: 20, wrongWindowMs: 10 * 60_000 },
};

/** Configuration: rungs from the first that is told to the last. */
export interface Ladder {
  readonly rungs: readonly Rung[];
  /** How often the ladder is climbed from the start when nobody answered. */
  readonly rounds: number;
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
  /** What it is about: the finding that opened it and what joined it. */
  readonly findings: string[];
  /** More than are named. */
  joined: number;
  readonly group: string;
  readonly severity: Severity;
  readonly ladder: Ladder;
  /** How often a rung was reached, over all rounds, from 0. */
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
      readonly who: string;
      readonly channel: string;
      readonly atMs: number;
    }
  /** Nobody answered in all rounds. */
  | { readonly how: 'exhausted'; readonly atMs: number };

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

export function rungAt({ rungs }: Ladder, step: number): Rung {
  return rungs[step % rungs.length]!;
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
export function checkLadder({ rungs, rounds }: Ladder, channels: readonly ChannelFacts[]): LadderProblem[] {
  if (rungs.length === 0 || !Number.isSafeInteger(rounds) || rounds < 1) return [{ kind: 'no-rungs' }];
  const found: LadderProblem[] = rungs.flatMap(({ channels: names, waitMs }, rung): LadderProblem[] => [
    ...(Number.isSafeInteger(waitMs) && waitMs >= 1_000 ? [] : [{ kind: 'bad-wait' as const, rung }]),
    ...(names.length > 0 ? [] : [{ kind: 'no-channel' as const, rung }]),
    ...names
      .filter((name) => !channels.some((each) => each.name === name))
      .map((channel) => ({ kind: 'unknown-channel' as const, rung, channel })),
  ]);
  const first = channels.filter(({ name }) => rungs[0]!.channels.includes(name));
  const independent = first.some((a) =>
    first.some((b) => a.kind !== b.kind && !a.relies.some((each) => b.relies.includes(each))),
  );
  return independent ? found : [...found, { kind: 'not-independent' }];
}
