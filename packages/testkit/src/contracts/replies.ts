import { randomBytes } from 'node:crypto';
import type { ChannelFault, FaultyService } from '@keepwatch/devnet';
import {
  acknowledge,
  applyLadderEvent,
  createLadderState,
  createReplyReader,
  LADDER_DEFAULTS,
  ladderStep,
  type Channel,
  type LadderEvent,
  type LadderState,
  type ReplyReader,
} from '@keepwatch/notify';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sha256 } from '../journal-keys.ts';

export interface ReplyWorld {
  /** The channel as after a start of the process: it remembers nothing. */
  open(): Channel;
  readonly service: FaultyService;
  /** Somebody writes to the monitor: who may answer, or who may not. */
  say(who: 'owner' | 'stranger', text: string): void | Promise<void>;
  /** Whether the service says who wrote; where it does not, whoever may write may answer. */
  readonly knowsPeople: boolean;
  stop?(): Promise<void>;
}

const FAULTS: readonly ChannelFault[] = ['refused', 'hung', 'error', 'busy', 'tls', 'slow'];
const PATIENCE = { timeout: 60_000, interval: 20 };
const HOUR = 3_600_000;

/** What must hold of every channel by which people can answer, driven by the real ladder and reader of replies. */
export function replyContract(name: string, makeWorld: () => Promise<ReplyWorld>): void {
  describe(`${name}, answered by`, () => {
    let world: ReplyWorld;
    let desk: Desk;

    beforeEach(async () => {
      world = await makeWorld();
      desk = createDesk(world);
    });
    afterEach(async () => {
      await desk.stop();
      await world.service.stop();
      await world.stop?.();
    });

    /** Whatever was said before is read once this is answered. */
    async function settled(): Promise<void> {
      const { id, code } = desk.ask();
      await world.say('owner', code);
      await vi.waitFor(() => expect(desk.isAnswered(id)).toBe(true), PATIENCE);
    }

    it('takes a code as a person types it, once', async () => {
      const { id, code } = desk.ask();
      await world.say('owner', 'who is awake?');
      await world.say('owner', ` ${code.slice(0, 4).toLowerCase()}-${code.slice(4).toLowerCase()} `);
      await vi.waitFor(() => expect(desk.isAnswered(id)).toBe(true), PATIENCE);
      await world.say('owner', code);
      await settled();
      expect(desk.events.filter((each) => each.kind === 'acknowledged' && each.escalation === id)).toMatchObject([
        { way: 'reply', channel: 'chat' },
      ]);
      expect(desk.wrong()).toBe(0);
    });

    it('does not take one from anybody else, nor count it', async () => {
      if (!world.knowsPeople) return;
      const { id, code } = desk.ask();
      await world.say('stranger', code);
      for (let i = 0; i < 30; i++) await world.say('stranger', `WRNG00${10 + i}`);
      await settled();
      expect(desk.isAnswered(id)).toBe(false);
      expect(desk.wrong()).toBe(0);
    });

    it('does not take its own words for an answer', async () => {
      const { id, code } = desk.ask();
      const sent = await desk.channel.send(
        {
          ...{
            id: 'own-1',
            subject: 'Something happened',
            body: `To say that you have seen this, send back the code ${code}`,
          },
          ...{ severity: 'critical', number: 1, atMs: Date.now(), acknowledgement: { code, url: null }, data: null },
        },
        AbortSignal.timeout(60_000),
      );
      expect(sent.kind).toBe('delivered');
      await settled();
      expect(desk.isAnswered(id)).toBe(false);
    });

    it('takes no code that is mistyped, of another monitor, or too old', async () => {
      const old = desk.ask(HOUR);
      desk.later(2 * HOUR);
      const { id, code } = desk.ask();
      const mistyped = `${code.slice(0, 7)}${code.endsWith('7') ? '8' : '7'}`;
      for (const each of [old.code, mistyped, ofAnother()]) await world.say('owner', each);
      await settled();
      expect([desk.isAnswered(old.id), desk.isAnswered(id)]).toEqual([false, false]);
      expect(desk.wrong()).toBe(2);
    });

    it('lets nobody guess: after twenty that are wrong, the right one is not looked at for ten minutes', async () => {
      const { id, code } = desk.ask();
      for (let i = 0; i < 20; i++) await world.say('owner', `WRNG00${10 + i}`);
      await vi.waitFor(() => expect(desk.wrong()).toBe(20), PATIENCE);
      await world.say('owner', code);
      await vi.waitFor(() => expect(desk.answers.at(-1)).toBe('busy'), PATIENCE);
      desk.later(HOUR / 5);
      await settled();
      expect(desk.isAnswered(id)).toBe(false);
    });

    it('goes on behind what counted over a kill, and misses nothing that came meanwhile', async () => {
      const { id, code } = desk.ask();
      await world.say('owner', 'WRNG0001');
      await vi.waitFor(() => expect(desk.wrong()).toBe(1), PATIENCE);
      await desk.kill();
      await world.say('owner', code);
      desk.start();
      await vi.waitFor(() => expect(desk.isAnswered(id)).toBe(true), PATIENCE);
      await settled();
      expect(desk.wrong()).toBe(1);
    });

    it.each(FAULTS)('%s: it is heard once the service is back', async (fault) => {
      const { id, code } = desk.ask();
      await settled();
      await world.service.fail(fault);
      await world.say('owner', code);
      if (fault === 'slow') {
        // Some give each reply once: whoever does not wait for the answer has lost it.
        await desk.kill();
        desk.start(10_000);
        await vi.waitFor(() => expect(desk.isAnswered(id)).toBe(true), PATIENCE);
        return;
      }
      const tries = desk.tries();
      await vi.waitFor(() => expect(desk.tries()).toBeGreaterThan(tries + 1), PATIENCE);
      expect(desk.isAnswered(id)).toBe(false);
      await world.service.fail(null);
      await vi.waitFor(() => expect(desk.isAnswered(id)).toBe(true), PATIENCE);
    });
  });
}

function opened(state: LadderState, id: string, codeMs: number, nowMs: number) {
  const ladder = { rungs: [{ who: 'Ada', channels: ['chat'], waitMs: HOUR }], rounds: 1, pageUrl: null, codeMs };
  const entropy = randomBytes(32);
  const about = { finding: id, entry: 1, group: id, severity: 'critical' } as const;
  const { events, orders } = ladderStep(state, { kind: 'open', ...about, ladder, entropy }, nowMs, sha256);
  const [order] = orders;
  if (order?.kind !== 'alert') throw new TypeError('a ladder asks at once');
  return { id, code: order.acknowledgement.code, events };
}

/** A code that is good elsewhere. */
const ofAnother = () => opened(createLadderState(LADDER_DEFAULTS), 'finding 0', HOUR, Date.now()).code;

type Desk = ReturnType<typeof createDesk>;

/** Ladder and reader as the daemon joins them, over a journal in memory that outlives a kill. */
function createDesk(world: ReplyWorld) {
  const state = createLadderState(LADDER_DEFAULTS);
  const events: LadderEvent[] = [];
  const answers: string[] = [];
  const cursors = new Map<string, string | null>();
  const trouble: unknown[] = [];
  let aheadMs = 0;
  let asked = 0;
  let tried = 0;
  let channel: Channel;
  let reader: ReplyReader;
  const nowMs = () => Date.now() + aheadMs;
  const apply = (made: readonly LadderEvent[]) => {
    events.push(...made);
    for (const each of made) applyLadderEvent(state, each);
  };

  function start(timeoutMs = 1_500): void {
    channel = world.open();
    const counted: Channel = {
      ...channel,
      replies: (cursor, signal) => channel.replies!(cursor, signal).finally(() => tried++),
    };
    reader = createReplyReader(
      {
        ...{ channels: new Map([['chat', counted]]), ladder: () => state, onTrouble: (error) => trouble.push(error) },
        async answer(given) {
          const { answer, events: made } = acknowledge(state, given, nowMs(), sha256);
          apply(made);
          answers.push(answer);
          return answer;
        },
        kept: (name) => cursors.get(name) ?? null,
        keep: async (name, cursor) => void cursors.set(name, cursor),
      },
      { everyMs: 50, timeoutMs },
    );
    reader.start();
  }
  async function kill(): Promise<void> {
    await reader.stop();
    await channel.close();
  }
  start();

  return {
    ...{ events, answers, start, kill },
    get channel() {
      return channel;
    },
    tries: () => tried,
    /** Something that waits for an answer, with the code that stands in its message. */
    ask(codeMs = 24 * HOUR) {
      const { id, code, events: made } = opened(state, `finding ${asked++}`, codeMs, nowMs());
      apply(made);
      return { id, code };
    },
    later: (ms: number) => void (aheadMs += ms),
    isAnswered: (id: string) => state.escalations.get(id)?.over?.how === 'acknowledged',
    wrong: () => events.filter(({ kind }) => kind === 'wrong-code').length,
    async stop() {
      await kill();
      expect(trouble).toEqual([]);
    },
  };
}
