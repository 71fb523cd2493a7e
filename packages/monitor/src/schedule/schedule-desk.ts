import { CodedError, err, ok, type Json, type Result, type Zones } from '@keepwatch/base';
import { heartbeatPost, lastMoment, nextMoment, selfTestPost, type Schedule } from '@keepwatch/notify';
import { z } from 'zod';
import type { Methods } from '../api/server.ts';
import { none, type scheduleGiven } from '../api/shapes.ts';
import { readChannel } from '../channels/settings.ts';
import type { Engine, Recorded } from '../engine/engine.ts';
import type { Changes } from '../orders/order-desk.ts';

/** What the monitor does again and again without being asked: it says that it lives, and tests its channels. */
export interface ScheduleDesk {
  /** After each append. */
  hear(events: readonly Recorded[]): void;
  start(deps: {
    readonly probe: (channel: string) => Promise<unknown>;
    readonly onTrouble: (error: unknown) => void;
  }): void;
  /** Whether a channel is one that the heartbeat goes to. */
  tells(channel: string): boolean;
  readonly methods: Methods;
  readonly changes: Changes;
  close(): Promise<void>;
}

export interface ScheduleDeskDeps {
  readonly engine: Engine;
  readonly zones: Zones;
  /** The key by which readers check the signatures of messages. */
  readonly messageKey: string;
}

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const every = z
  .string()
  .regex(/^[1-9]\d{0,5}[smhd]$/, 'a time such as 10m or 6h is expected')
  .transform((text) => Number(text.slice(0, -1)) * UNITS[text.at(-1) as keyof typeof UNITS])
  .refine((ms) => ms >= 5_000, 'at least 5s are expected');
const at = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day as 08:00 is expected');
const when = { every: every.optional(), at: at.optional() };
const schema = z.strictObject({
  zone: z.string().max(64).default('UTC'),
  heartbeat: z.strictObject({ ...when, tell: z.array(z.string().min(1).max(64)).min(1).max(16) }).optional(),
  /** `send`: with a message that somebody should see; without, it is only asked whether the channel can be reached. */
  selfTest: z.strictObject({ ...when, send: z.boolean().default(false) }).optional(),
});

interface Schedules {
  readonly heartbeat: { readonly schedule: Schedule; readonly tell: readonly string[] } | null;
  readonly selfTest: { readonly schedule: Schedule; readonly send: boolean };
}

/** Without a word of the owner, channels are asked so often whether they can be reached. */
const DEFAULT: Schedules = {
  heartbeat: null,
  selfTest: { schedule: { kind: 'every', ms: 6 * 3_600_000 }, send: false },
};
const LONGEST_SLEEP_MS = 60_000;

function readSchedules(
  value: Json,
  zones: Zones,
): Result<Schedules, { readonly path: string; readonly message: string }> {
  const read = schema.safeParse(value);
  if (!read.success) {
    const { path, message } = read.error.issues[0]!;
    return err({ path: path.join('.'), message });
  }
  const { zone, heartbeat, selfTest } = read.data;
  if (!zones.wallClock(zone, 0)) return err({ path: 'zone', message: 'there is no time zone of this name' });
  const scheduleOf = (each: { every?: number | undefined; at?: string | undefined }): Schedule | null => {
    if ((each.every === undefined) === (each.at === undefined)) return null;
    return each.every === undefined ? { kind: 'daily', at: each.at!, zone } : { kind: 'every', ms: each.every };
  };
  const [beats, tests] = [heartbeat && scheduleOf(heartbeat), selfTest && scheduleOf(selfTest)];
  if (beats === null) return err({ path: 'heartbeat', message: 'either `every` or `at` is expected' });
  if (tests === null) return err({ path: 'selfTest', message: 'either `every` or `at` is expected' });
  return ok({
    heartbeat: beats && heartbeat ? { schedule: beats, tell: heartbeat.tell } : null,
    selfTest: tests && selfTest ? { schedule: tests, send: selfTest.send } : DEFAULT.selfTest,
  });
}

export function createScheduleDesk({ engine, zones, messageKey }: ScheduleDeskDeps): ScheduleDesk {
  let current: { readonly document: Json; readonly schedules: Schedules } = { document: null, schedules: DEFAULT };
  let acting: Parameters<ScheduleDesk['start']>[0] | undefined;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  function schedules(): Schedules {
    const { schedule } = engine.state.desk;
    if (current.document !== schedule) {
      const read = schedule === null ? null : readSchedules(schedule, zones);
      current = { document: schedule, schedules: read?.ok ? read.value : DEFAULT };
    }
    return current.schedules;
  }

  /** The moment that has come and was not done yet. After a long sleep it is done once. */
  function dueMoment(name: string, schedule: Schedule): number | undefined {
    const moment = lastMoment(schedule, engine.nowMs(), 0, zones);
    const done = engine.state.desk.done.get(name);
    return done === undefined || moment > done ? moment : undefined;
  }

  /** What is posted has the moment in its key: a kill before it counts as done repeats nothing. */
  async function run(): Promise<void> {
    const { heartbeat, selfTest } = schedules();
    const { desk, watch, evm } = engine.state;
    const beat = heartbeat && dueMoment('heartbeat', heartbeat.schedule);
    if (heartbeat && beat !== null && beat !== undefined) {
      const nextMs = nextMoment(heartbeat.schedule, engine.nowMs(), 0, zones);
      const wallets = [...watch.wallets.keys(), ...evm.wallets.keys()].length;
      for (const channel of heartbeat.tell.filter((name) => desk.channels.has(name))) {
        // Whoever may only look learns nothing of what is watched.
        const what = isLookOnly(desk.channels.get(channel) ?? null)
          ? []
          : [`watches ${wallets === 1 ? '1 wallet' : `${wallets} wallets`}`];
        const tip = watch.tip ? `has seen block ${watch.tip.height}` : 'has seen no block yet';
        const words = [`It ${[...what, tip].join(' and ')}.`, `Its messages are signed by ${messageKey}.`].join('\n');
        const post = heartbeatPost({ momentMs: beat, nextMs, words, nowMs: engine.nowMs() });
        await engine.submit({ room: 'outbox', input: { kind: 'post', channel, post } });
      }
      await done('heartbeat', beat);
    }
    const test = dueMoment('self-test', selfTest.schedule);
    if (test !== undefined) {
      const names = [...desk.channels.keys()];
      if (selfTest.send) {
        for (const channel of names) {
          const post = selfTestPost({ momentMs: test, channel, nowMs: engine.nowMs() });
          await engine.submit({ room: 'outbox', input: { kind: 'post', channel, post } });
        }
      } else {
        await Promise.all(names.map((name) => acting?.probe(name)));
      }
      await done('self-test', test);
    }
  }

  const done = (name: string, momentMs: number) =>
    engine.submit({ room: 'desk', event: { kind: 'schedule-done', name, momentMs } });

  function wake(): void {
    if (!acting) return;
    running ??= run()
      .catch((error: unknown) => acting?.onTrouble(error))
      .finally(() => {
        running = undefined;
        sleep();
      });
  }

  function sleep(): void {
    clearTimeout(timer);
    if (!acting) return;
    const { heartbeat, selfTest } = schedules();
    const nowMs = engine.nowMs();
    const next = Math.min(
      nextMoment(selfTest.schedule, nowMs, 0, zones),
      heartbeat ? nextMoment(heartbeat.schedule, nowMs, 0, zones) : Infinity,
    );
    timer = setTimeout(wake, Math.min(Math.max(next - nowMs, 1_000), LONGEST_SLEEP_MS));
    timer.unref();
  }

  return {
    hear(events) {
      if (events.some(({ room, event }) => room === 'desk' && event.kind === 'schedule-set')) wake();
    },
    start(deps) {
      acting = deps;
      wake();
    },
    tells: (channel) => schedules().heartbeat?.tell.includes(channel) ?? false,
    methods: {
      'schedule.show': {
        params: none,
        call: () => Promise.resolve({ schedule: engine.state.desk.schedule, version: engine.state.orders.version }),
      },
    },
    changes: {
      'schedule.apply': {
        plan:
          ({ schedule }: z.infer<typeof scheduleGiven>) =>
          () => {
            const read = readSchedules(schedule, zones);
            if (!read.ok) throw refused(read.error.path, read.error.message);
            const stranger = read.value.heartbeat?.tell.find((name) => !engine.state.desk.channels.has(name));
            if (stranger !== undefined) throw refused('heartbeat.tell', `there is no channel “${stranger}”`);
            const event = { kind: 'schedule-set', schedule } as const;
            return { inputs: [{ room: 'desk', event }], answer: () => ({ schedule }) };
          },
      },
      'schedule.clear': {
        plan: () => () => ({
          inputs: [{ room: 'desk', event: { kind: 'schedule-set', schedule: null } }],
          answer: () => ({ schedule: null }),
        }),
      },
    },
    async close() {
      acting = undefined;
      clearTimeout(timer);
      await running;
    },
  };
}

function isLookOnly(channel: Json): boolean {
  const read = readChannel(channel);
  return !read.ok || read.value.privacy === 'look';
}

const refused = (path: string, message: string) =>
  new CodedError('schedule_refused', `${path || 'the document'}: ${message}.`, { details: { path } });
