import { randomBytes } from 'node:crypto';
import { startHttpService, type ChannelFault, type FaultyService, type HttpService } from '@keepwatch/devnet';
import {
  applyOutboxEvent,
  createDispatcher,
  createOutboxState,
  createWebhook,
  encodeOutboxEvent,
  OUTBOX_DEFAULTS,
  outboxStep,
  type Channel,
  type Delivery,
  type Message,
  type OutboxEvent,
  type OutboxInput,
  type Post,
} from '@keepwatch/notify';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

export interface ChannelWorld {
  readonly channel: Channel;
  readonly service: FaultyService;
  /** What the service took, as its reader finds it: each text once for each time that it was taken, in order. */
  taken(): readonly string[] | Promise<readonly string[]>;
  /** Passwords, tokens and the like: none may ever stand in what a channel says of its failures. */
  readonly secrets: readonly string[];
  /** Faults that such a service can have; all where left out. */
  readonly faults?: readonly ChannelFault[];
  /** It says by itself how long to wait when it is busy. */
  readonly asksToWait?: boolean;
  /** It shows the words; `false` for one that says only that there is something to look at. */
  readonly showsWords?: boolean;
  stop?(): Promise<void>;
}

const ALL_FAULTS: readonly ChannelFault[] = ['refused', 'hung', 'error', 'busy', 'tls', 'slow'];
const PATIENCE = { timeout: 60_000, interval: 20 };

/** What every adapter must do, driven by the real outbox and dispatcher beside a second channel that is well. */
export function channelContract(
  name: string,
  makeWorld: () => Promise<ChannelWorld>,
  faults: readonly ChannelFault[] = ALL_FAULTS,
): void {
  describe(`${name} as a channel`, () => {
    let world: ChannelWorld;
    let neighbour: Channel;
    let neighbourService: HttpService;

    beforeEach(async () => {
      world = await makeWorld();
      neighbourService = await startHttpService(() => ({ status: 200 }));
      const route = { proxy: null, ca: neighbourService.ca };
      neighbour = createWebhook({ name: 'neighbour', url: neighbourService.url, secrets: [SECRET], route });
    });

    afterEach(async () => {
      await world.channel.close();
      await neighbour.close();
      await world.service.stop();
      await neighbourService.stop();
      await world.stop?.();
    });

    /** How often the service took the message with this number. */
    const timesTaken = async (post: Post, number: number) => {
      const texts = await world.taken();
      const words = new RegExp(String.raw`Message ${number}\b`);
      return texts.filter((text) => words.test(text) && (world.showsWords === false || text.includes(post.body)))
        .length;
    };

    it('delivers each message once, in order, with its words and its number', async () => {
      const office = createOffice([world.channel], 60_000);
      const posts = [office.post(world.channel), office.post(world.channel), office.post(world.channel)];
      await vi.waitFor(() => expect(office.outcomes(world.channel, 'delivered')).toHaveLength(3), PATIENCE);
      await office.stop();
      for (const [i, post] of posts.entries()) expect(await timesTaken(post, i + 1)).toBe(1);
      const places = (await world.taken()).map((text) => Number(/Message (\d+)/.exec(text)?.[1]));
      expect(places).toEqual([1, 2, 3]);
    });

    it('says by a probe whether it can be reached, and sends nothing for it', async () => {
      expect(await world.channel.probe(within(60_000))).toMatchObject({ kind: 'delivered' });
      expect(await world.taken()).toEqual([]);
      if (!faults.includes('refused')) return;
      await world.service.fail('refused');
      expect(await world.channel.probe(within(60_000))).toMatchObject({ kind: 'later' });
    });

    it('ends at once when it is told to, without throwing', async () => {
      if (faults.includes('hung')) await world.service.fail('hung');
      const stop = new AbortController();
      const sending = world.channel.send(sample(), stop.signal);
      const delivery: Promise<Delivery> = sending;
      stop.abort();
      expect(['later', 'delivered']).toContain((await delivery).kind);
    });

    it.each(faults)('%s: it delivers once the service is back, and delays nothing else', async (fault) => {
      await world.service.fail(fault);
      const office = createOffice([world.channel, neighbour], fault === 'hung' ? 3_000 : 60_000);
      const post = office.post(world.channel);
      office.post(neighbour);
      await vi.waitFor(() => expect(neighbourService.calls).toHaveLength(1), PATIENCE);
      if (fault === 'slow') {
        await vi.waitFor(() => expect(office.outcomes(world.channel, 'delivered')).toHaveLength(1), PATIENCE);
      } else {
        expect(office.outcomes(world.channel, 'delivered')).toEqual([]);
        await vi.waitFor(() => expect(office.outcomes(world.channel, 'later').length).toBeGreaterThan(0), PATIENCE);
        if (fault === 'busy' && world.asksToWait !== false) {
          const [first] = office.outcomes(world.channel, 'later');
          expect(first!.heldUntilMs - first!.atMs).toBeGreaterThanOrEqual(900);
        }
        await world.service.fail(null);
        await vi.waitFor(() => expect(office.outcomes(world.channel, 'delivered')).toHaveLength(1), PATIENCE);
      }
      await office.stop();
      // Only where we gave up waiting for an answer may the service have taken it before.
      const doubts = office.outcomes(world.channel, 'later').filter(({ delivery }) => codeOf(delivery) === 'timeout');
      const times = await timesTaken(post, 1);
      expect(times).toBeGreaterThanOrEqual(1);
      expect(times).toBeLessThanOrEqual(1 + doubts.length);
      expect(neighbourService.calls).toHaveLength(1);
      for (const event of office.events) {
        const text = Buffer.from(encodeOutboxEvent(event)).toString();
        for (const secret of world.secrets) expect(text).not.toContain(secret);
        if (event.kind === 'tried') expect(codeOf(event.delivery)).toMatch(/^[a-z]+(_[a-z]+)*$/);
      }
    });
  });
}

const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;

const codeOf = (delivery: Delivery) => (delivery.kind === 'delivered' ? 'delivered' : delivery.code);

function within(ms: number): AbortSignal {
  return AbortSignal.timeout(ms);
}

function sample(): Message {
  return {
    ...{
      id: 'aborted-1',
      subject: 'A subject',
      body: 'Aborted.',
      severity: 'info',
      number: 1,
      atMs: 1_790_000_000_000,
    },
    ...{ acknowledgement: null, data: null },
  };
}

interface Office {
  readonly events: readonly OutboxEvent[];
  post(channel: Channel): Post;
  outcomes(channel: Channel, kind: Delivery['kind']): Extract<OutboxEvent, { kind: 'tried' }>[];
  stop(): Promise<void>;
}

/** Outbox and dispatcher as the daemon joins them, over a journal in memory, with short rests. */
function createOffice(channels: readonly Channel[], timeoutMs: number): Office {
  const options = { ...OUTBOX_DEFAULTS, instance: 'contract', restMs: 50, maxRestMs: 200 };
  const state = createOutboxState(options);
  const events: OutboxEvent[] = [];
  const trouble: unknown[] = [];
  const submit = async (input: OutboxInput) => {
    for (const event of outboxStep(state, input, Date.now())) {
      events.push(event);
      applyOutboxEvent(state, event);
    }
  };
  const dispatcher = createDispatcher(
    {
      channels: new Map(channels.map((each) => [each.name, each])),
      ...{ state: () => state, submit, nowMs: () => Date.now(), entropy: () => randomBytes(4).readUInt32BE() },
      onTrouble: (error) => trouble.push(error),
    },
    { timeoutMs },
  );
  let posted = 0;
  return {
    events,
    post(channel) {
      const key = `key ${posted++}`;
      const post: Post = {
        ...{
          key,
          group: null,
          severity: 'critical',
          subject: `Subject ${key}`,
          body: `Body of ${key}: 0.00012345 BTC €`,
        },
        ...{ data: { key }, acknowledgement: null, atMs: Date.now() },
      };
      void submit({ kind: 'post', channel: channel.name, post });
      dispatcher.wake();
      return post;
    },
    outcomes: (channel, kind) =>
      events.filter((each): each is Extract<OutboxEvent, { kind: 'tried' }> => {
        return each.kind === 'tried' && each.channel === channel.name && each.delivery.kind === kind;
      }),
    async stop() {
      await dispatcher.stop();
      expect(trouble).toEqual([]);
    },
  };
}
