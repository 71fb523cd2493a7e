/**
 * Snapshots of earlier versions, brought up to the present one, so that a start after an update stays as short as any. What
 * comes in is JSON that nobody has looked at: what is not as expected is left as it is, and the shapes refuse it afterwards.
 */
export function migrated(value: unknown): unknown {
  let present = value;
  for (let step = STEPS.get(versionOf(present)); step; step = STEPS.get(versionOf(present))) {
    if (!isObject(present) || !isObject(present['state'])) return present;
    present = { ...present, v: versionOf(present) + 1, state: step(present['state']) };
  }
  return present;
}

type Members = Readonly<Record<string, unknown>>;

/** By the version that they start from. */
const STEPS: ReadonlyMap<number, (state: Members) => Members> = new Map([[1, fromFirst]]);

/** So wrong may a miner's clock be, in seconds. */
const CLOCK_SECONDS = 7_200;

/**
 * 1 → 2: what is unconfirmed is in doubt since the monitor was last known to live; blocks of transactions get the earliest
 * time from which their time locks may count; nothing waited for a time.
 */
function fromFirst(state: Members): Members {
  const { unconfirmed, txs, aliveMs } = state;
  return {
    ...state,
    unconfirmed: listOf(unconfirmed).map((txid) => [txid, aliveMs]),
    txs: listOf(txs).map((record) => {
      if (!isObject(record) || !isObject(record['status']) || record['status']['kind'] !== 'confirmed') return record;
      const { block } = record['status'];
      const timeSeconds = isObject(block) ? Number(block['timeSeconds']) : 0;
      return { ...record, status: { ...record['status'], medianSeconds: Math.max(0, timeSeconds - CLOCK_SECONDS) } };
    }),
    timeTimers: [],
  };
}

function versionOf(value: unknown): number {
  return isObject(value) && typeof value['v'] === 'number' ? value['v'] : Number.NaN;
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
