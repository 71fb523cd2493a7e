import { ok, type CalendarUnit } from '@keepwatch/base';
import {
  constraintKey,
  MAX_WINDOW_SECONDS,
  type Constraint,
  type ConstraintType,
  type Weekday,
  type WeeklySpan,
  type Window,
} from '../constraint.ts';
import { asset, zone } from './names.ts';
import {
  amount,
  integer,
  isObject,
  list,
  matching,
  nullable,
  record,
  refuse,
  word,
  type Parsed,
  type Reader,
} from './reader.ts';

const MAX_CONSTRAINTS = 16;
/** More transactions than any chain takes from one wallet in a year. */
const MAX_COUNT = 1_000_000_000;
const MAX_UINT256 = (1n << 256n) - 1n;
const MAX_UINT64 = (1n << 64n) - 1n;
/** The last time that a date can show. */
const MAX_TIME_MS = 8_640_000_000_000_000;

/** A limit of nothing is no limit to set: revoke the grant instead. */
const limit = amount(1n, MAX_UINT256, 'invalid_limit');
const seconds = integer(1, MAX_WINDOW_SECONDS, 'invalid_window');
const time = nullable(integer(0, MAX_TIME_MS, 'invalid_time'));

const everWindow = record({
  ever: (json, path) => (json === true ? ok(true) : refuse('invalid_window', path, 'true')),
});
const rollingWindow = record({ seconds });
const calendarWindow = record({ calendar: word<CalendarUnit>(['day', 'week', 'month'], 'invalid_window'), zone });

const window: Reader<Window> = (json, path) => {
  if (isObject(json)) {
    if (Object.hasOwn(json, 'ever')) return everWindow(json, path) as Parsed<Window>;
    if (Object.hasOwn(json, 'seconds')) return rollingWindow(json, path);
    if (Object.hasOwn(json, 'calendar')) return calendarWindow(json, path);
  }
  return refuse('invalid_window', path, '{"ever": true}, {"seconds": …} or {"calendar": …, "zone": …}');
};

const weekday = word<Weekday>(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], 'invalid_time');
const HOURS = '(?:[01][0-9]|2[0-3]):[0-5][0-9]';
const span = record({
  days: list(weekday, 1, 7),
  from: matching(new RegExp(`^${HOURS}$`), 5, 'invalid_time', 'a time from 00:00 to 23:59'),
  to: matching(new RegExp(`^(?:${HOURS}|24:00)$`), 5, 'invalid_time', 'a time from 00:00 to 24:00'),
});

const weeklySpan: Reader<WeeklySpan> = (json, path) => {
  const parsed = span(json, path);
  if (!parsed.ok || parsed.value.from !== parsed.value.to) return parsed;
  return refuse('invalid_time', `${path}/to`, 'another time than from');
};

type Readers = { readonly [T in ConstraintType]: Reader<Omit<Extract<Constraint, { type: T }>, 'type'>> };

const typeOf = (type: ConstraintType) => word([type], 'unknown_constraint');

const READERS: Readers = {
  volume: record({ type: typeOf('volume'), asset, limit, window }),
  count: record({ type: typeOf('count'), limit: integer(1, MAX_COUNT, 'invalid_limit'), window }),
  'max-value': record({ type: typeOf('max-value'), asset, limit }),
  'gas-limit': record({ type: typeOf('gas-limit'), limit: amount(1n, MAX_UINT64, 'invalid_limit') }),
  'max-fee-per-gas': record({ type: typeOf('max-fee-per-gas'), limit }),
  'max-priority-fee': record({ type: typeOf('max-priority-fee'), limit: amount(0n, MAX_UINT256, 'invalid_limit') }),
  'max-fee': record({ type: typeOf('max-fee'), limit }),
  validity: (json, path) => {
    const parsed = record({ type: typeOf('validity'), fromMs: time, untilMs: time })(json, path);
    if (!parsed.ok) return parsed;
    const { fromMs, untilMs } = parsed.value;
    const holds = fromMs === null ? untilMs !== null : untilMs === null || fromMs < untilMs;
    return holds ? parsed : refuse('invalid_time', `${path}/untilMs`, 'a time after fromMs; not both may be null');
  },
  weekly: record({ type: typeOf('weekly'), zone, spans: list(weeklySpan, 1, 21) }),
  'min-interval': record({ type: typeOf('min-interval'), seconds }),
  outstanding: record({ type: typeOf('outstanding'), asset, limit }),
  quorum: record({
    type: typeOf('quorum'),
    above: record({ asset, amount: amount(0n, MAX_UINT256, 'invalid_limit') }),
    approvals: integer(1, 16, 'invalid_limit'),
  }),
};

const isConstraintType = (type: unknown): type is ConstraintType =>
  typeof type === 'string' && Object.hasOwn(READERS, type);

const constraint: Reader<Constraint> = (json, path) => {
  if (!isObject(json)) return refuse('not_an_object', path, 'an object');
  const { type } = json;
  if (isConstraintType(type)) return READERS[type](json, path) as Parsed<Constraint>;
  return refuse('unknown_constraint', `${path}/type`, `one of ${Object.keys(READERS).join(', ')}`);
};

/** Which of two of the same kind would hold? */
export const constraints: Reader<readonly Constraint[]> = (json, path) => {
  const parsed = list(constraint, 0, MAX_CONSTRAINTS)(json, path);
  if (!parsed.ok) return parsed;
  const seen = new Set<string>();
  for (const [i, each] of parsed.value.entries()) {
    const key = constraintKey(each);
    if (seen.has(key)) {
      return refuse('duplicate_constraint', `${path}/${i}`, 'one constraint of each type, asset and window');
    }
    seen.add(key);
  }
  return parsed;
};
