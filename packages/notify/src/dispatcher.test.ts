import { describe, expect, it, vi } from 'vitest';
import type { Channel } from './channel.ts';
import { delivered, later, notTaken } from './delivery.ts';
import { createDispatcher, type DispatcherDeps } from './dispatcher.ts';
import type { OutboxInput } from './outbox/event.ts';
import { createOutboxWorld, post, TEST_OPTIONS } from './outbox/world.fixture.ts';

const PATIENCE = { timeout: 60_000, interval: 5 };

function channel(name: string, send: Channel['send']): Channel {
  return { name, kind: 'command', send, probe: async () => delivered(), close: async () => undefined };
}

function createDesk(channels: readonly Channel[], submit?: (input: OutboxInput) => Promise<void>, timeoutMs = 60_000) {
  const world = createOutboxWorld({ ...TEST_OPTIONS, restMs: 20, maxRestMs: 40 });
  const trouble: unknown[] = [];
  const inputs: OutboxInput[] = [];
  const deps: DispatcherDeps = {
    channels: new Map(channels.map((each) => [each.name, each])),
    state: () => world.state,
    submit: async (input) => {
      await submit?.(input);
      inputs.push(input);
      world.nowMs = Date.now();
      world.input(input);
    },
    nowMs: () => Date.now(),
    entropy: () => 0,
    onTrouble: (error) => trouble.push(error),
  };
  const dispatcher = createDispatcher(deps, { timeoutMs });
  const put = (name: string, key: string) => {
    world.nowMs = Date.now();
    world.input({ kind: 'post', channel: name, post: post(key) });
    dispatcher.wake();
  };
  const outcomes = (name: string) => inputs.filter((each) => each.kind === 'outcome' && each.channel === name);
  return { world, dispatcher, put, trouble, inputs, outcomes };
}

describe('the dispatcher', () => {
  it('sends nothing before its beginning is durable', async () => {
    let open: () => void = () => undefined;
    const durable = new Promise<void>((resolve) => (open = resolve));
    const sent: string[] = [];
    const send: Channel['send'] = async ({ id }) => (sent.push(id), delivered());
    const desk = createDesk([channel('a', send)], async ({ kind }) => (kind === 'begin' ? durable : undefined));
    desk.put('a', 'one');
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toEqual([]);
    open();
    await vi.waitFor(() => expect(desk.outcomes('a')).toHaveLength(1), PATIENCE);
    expect(sent).toEqual(['test-a-1']);
    await desk.dispatcher.stop();
  });

  it('goes on after the journal refused, without having sent anything', async () => {
    let refusals = 1;
    const sent: string[] = [];
    const send: Channel['send'] = async ({ id }) => (sent.push(id), delivered());
    const desk = createDesk([channel('a', send)], async () => {
      if (refusals-- > 0) throw new Error('disk full');
    });
    desk.put('a', 'one');
    await vi.waitFor(() => expect(desk.trouble).toHaveLength(1), PATIENCE);
    expect(sent).toEqual([]);
    await vi.waitFor(() => expect(sent).toEqual(['test-a-1']), PATIENCE);
    await desk.dispatcher.stop();
  });

  it('gives up on an adapter that hangs and hears no signal, and delays no other channel', async () => {
    let calls = 0;
    const hung = channel('hung', () => (calls++ === 0 ? new Promise(() => undefined) : Promise.resolve(delivered())));
    const well = channel('well', async () => delivered());
    const desk = createDesk([hung, well], undefined, 200);
    desk.put('hung', 'one');
    desk.put('well', 'one');
    await vi.waitFor(() => expect(desk.outcomes('well')).toHaveLength(1), PATIENCE);
    await vi.waitFor(() => expect(desk.outcomes('hung').length).toBeGreaterThanOrEqual(2), PATIENCE);
    expect(desk.outcomes('hung')[0]).toMatchObject({ delivery: { kind: 'later', code: 'timeout' } });
    expect(desk.outcomes('hung').at(-1)).toMatchObject({ delivery: { kind: 'delivered' } });
    await desk.dispatcher.stop();
  });

  it('counts an adapter that throws as a failure of its channel, and tells of the bug', async () => {
    let calls = 0;
    const broken = channel('a', async () => {
      if (calls++ === 0) throw new Error('a bug with a secret in it');
      return delivered();
    });
    const desk = createDesk([broken]);
    desk.put('a', 'one');
    await vi.waitFor(() => expect(desk.outcomes('a')).toHaveLength(2), PATIENCE);
    expect(desk.outcomes('a')[0]).toMatchObject({ delivery: { code: 'channel_fault' } });
    expect(JSON.stringify(desk.inputs)).not.toContain('secret');
    expect(desk.trouble).toHaveLength(1);
    await desk.dispatcher.stop();
  });

  it('has one try of a channel under way at a time', async () => {
    let running = 0;
    let most = 0;
    const slow = channel('a', async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
      return delivered();
    });
    const desk = createDesk([slow]);
    for (let i = 0; i < 10; i++) desk.put('a', `m${i}`);
    await vi.waitFor(() => expect(desk.outcomes('a')).toHaveLength(10), PATIENCE);
    expect(most).toBe(1);
    await desk.dispatcher.stop();
  });

  it('says nothing of what a stop cut off, and the next start makes the same try again', async () => {
    const ids: string[] = [];
    const hanging = channel('a', ({ id }, signal) => {
      ids.push(id);
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(later('timeout', 'Cut off.'))));
    });
    const desk = createDesk([hanging]);
    desk.put('a', 'one');
    await vi.waitFor(() => expect(ids).toHaveLength(1), PATIENCE);
    await desk.dispatcher.stop();
    expect(desk.outcomes('a')).toEqual([]);
    expect(desk.world.state.lanes.get('a')!.trying).toEqual({ key: 'one', attempt: 1 });
    desk.world.crash();
    desk.world.run(Date.now() + 1);
    expect(desk.world.tries.map(({ id }) => id)).toEqual(ids);
  });

  it('looks for what it says by the clock, and says that the channel is dead where it is not there', async () => {
    const looked: (string | null)[] = [];
    let there = notTaken('not_there', 'No.');
    const readBack: Channel['readBack'] = async (reference) => (looked.push(reference), there);
    const desk = createDesk([{ ...channel('a', async () => delivered('r')), readBack }]);
    const died = () => desk.world.state.lanes.get('a')?.dead?.code;
    desk.put('a', 'something happened');
    await vi.waitFor(() => expect(desk.outcomes('a')).toHaveLength(1), PATIENCE);
    expect(looked).toEqual([]);
    there = later('timeout', 'Who knows.');
    desk.put('a', 'heartbeat 1000');
    await vi.waitFor(() => expect(looked).toEqual(['r']), PATIENCE);
    there = notTaken('not_there', 'No.');
    desk.put('a', 'self-test 2000');
    await vi.waitFor(() => expect(died()).toBe('not_read_back'), PATIENCE);
    there = delivered();
    desk.put('a', 'heartbeat 3000');
    await vi.waitFor(() => expect(died()).toBe(undefined), PATIENCE);
    await desk.dispatcher.stop();
  });

  it('lets what is due for a channel that it does not have wait', async () => {
    const desk = createDesk([]);
    desk.put('elsewhere', 'one');
    expect(await desk.dispatcher.probe('elsewhere')).toMatchObject({ code: 'channel_unknown' });
    await desk.dispatcher.stop();
    expect(desk.world.state.lanes.get('elsewhere')!.waiting).toHaveLength(1);
  });
});
