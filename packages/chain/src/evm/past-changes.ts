import type { EvmAccountFacts } from './facts.ts';

export type State = EvmAccountFacts['state'];
export interface Point {
  readonly number: number;
  readonly state: State;
}

/** Stretches that are halved at once, at most: what lies behind them is left to the next piece. */
const OPEN = 128;

export interface Changes {
  /** Blocks in which the account changed. */
  readonly found: readonly number[];
  /** Blocks that have to be read, for the account runs code there: what comes and goes in one block does not show. */
  readonly walked: readonly number[];
  /** So far it was looked. */
  readonly to: number;
}

/** Where an account changed between two blocks (behind the first, up to the last), found by its state in between. */
export async function changesBetween(
  first: Point,
  last: Point,
  statesAt: (numbers: readonly number[]) => Promise<ReadonlyMap<number, State>>,
): Promise<Changes> {
  const found: number[] = [];
  const walked: number[] = [];
  let to = last.number;
  let open: (readonly [Point, Point])[] = [[first, last]];
  while (open.length > 0) {
    const halved: (readonly [Point, Point])[] = [];
    for (const [a, b] of open) {
      if (a.number >= to || isQuiet(a.state, b.state)) continue;
      if (b.number - a.number === 1) found.push(b.number);
      else if (runsCode(a.state) && runsCode(b.state)) {
        for (let number = a.number + 1; number <= b.number; number++) walked.push(number);
      } else halved.push([a, b]);
    }
    if (halved.length > OPEN) to = halved[OPEN - 1]![1].number;
    const kept = halved.slice(0, OPEN);
    const middles = kept.map(([a, b]) => Math.floor((a.number + b.number) / 2));
    const states = await statesAt(middles);
    open = kept.flatMap(([a, b], i) => {
      const middle = { number: middles[i]!, state: states.get(middles[i]!) ?? null };
      return [[a, middle] as const, [middle, b] as const];
    });
  }
  const within = (numbers: readonly number[]) => numbers.filter((number) => number <= to);
  return { found: within(found), walked: within(walked), to };
}

/**
 * Whether nothing can have happened between two blocks. Without code, all that leaves an account is by its transactions, and
 * a delegation (EIP-7702) by its signature: both raise the nonce. With the nonce as it was, what comes in stays in.
 */
function isQuiet(a: State, b: State): boolean {
  if (a === null || b === null) return false;
  return a.code.kind === 'none' && isSame(a, b);
}

/** A state that is missing where it should not be is treated as code that may do anything. */
const runsCode = (state: State) => state === null || state.code.kind !== 'none';

export function isSame(a: State, b: State): boolean {
  if (a === null || b === null) return a === b;
  const codeOf = ({ code }: NonNullable<State>) =>
    code.kind === 'none' ? '' : code.kind === 'delegation' ? `to ${code.to}` : code.hash;
  return (
    a.balance === b.balance && a.nonce === b.nonce && codeOf(a) === codeOf(b) && a.implementation === b.implementation
  );
}
