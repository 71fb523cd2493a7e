import { describe, expect, it } from 'vitest';
import { broken, delivered, later, notTaken } from '../delivery.ts';
import { decodeOutboxEvent, decodeOutboxState, encodeOutboxState } from './codec.ts';
import { composeMessage } from './compose.ts';
import { dueEffects, nextDueMs } from './due.ts';
import { deadChannels } from './state.ts';
import { createOutboxWorld, foldJournal, post, TEST_OPTIONS } from './world.fixture.ts';

const MINUTE = 60_000;

describe('what is held', () => {
  const untilMs = 10_000_000_000_000;
  it('is told at its time and not before, and critical news does not wait for it', () => {
    const world = createOutboxWorld();
    world.input({ kind: 'post', channel: 'a', post: post('one'), hold: { untilMs, summary: false } });
    expect(nextDueMs(world.state, 0)).toBe(untilMs);
    expect(dueEffects(world.state, untilMs - 1)).toEqual([]);
    expect(dueEffects(world.state, untilMs)).toMatchObject([{ kind: 'begin', key: 'one' }]);
    world.input({ kind: 'post', channel: 'a', post: post('fire', { severity: 'critical' }) });
    expect(dueEffects(world.state, untilMs - 1)).toMatchObject([{ kind: 'begin', key: 'fire' }]);
  });

  it('is one summary, whatever its kinds and severities', () => {
    const world = createOutboxWorld();
    const hold = { untilMs, summary: true };
    const posts = [post('one'), post('two', { severity: 'warning', group: 'g' }), post('three', { severity: 'info' })];
    for (const each of posts) world.input({ kind: 'post', channel: 'a', post: each, hold });
    world.input({ kind: 'post', channel: 'a', post: posts[1]!, hold });
    const { waiting } = world.state.lanes.get('a')!;
    expect(waiting).toMatchObject([{ post: { key: 'one' }, notBeforeMs: untilMs, more: { keys: ['two', 'three'] } }]);
    const sent = { id: 'x-a-1', number: 1, missing: [] };
    expect(composeMessage({ ...waiting[0]!, sent }).subject).toBe('Keepwatch: a summary of 3 findings');
    expect(composeMessage({ ...waiting[0]!, sent }).body).toContain('2 more:');
  });
});

describe('the outbox', () => {
  it('sends the same bytes in each try, though the journal has members in another order', () => {
    const world = createOutboxWorld();
    world.input({
      kind: 'post',
      channel: 'a',
      post: post('1', { data: { kind: 'received', at: { to: 2, from: 1 } } }),
    });
    world.input({ kind: 'begin', channel: 'a', key: '1' });
    const first = JSON.stringify(dueEffects(world.state, world.nowMs));
    expect(first).toContain('received');
    world.crash();
    expect(JSON.stringify(dueEffects(world.state, world.nowMs))).toBe(first);
  });

  it('sends a message once, and knows it when it is posted again', () => {
    const world = createOutboxWorld();
    world.input({ kind: 'post', channel: 'a', post: post('one') });
    world.run(MINUTE);
    world.input({ kind: 'post', channel: 'a', post: post('one') });
    world.run(2 * MINUTE);
    expect(world.tries.map(({ id }) => id)).toEqual(['test-a-1']);
  });

  it('numbers what it begins, without gaps, and says which number came before', () => {
    const world = createOutboxWorld();
    for (const key of ['one', 'two', 'three']) world.input({ kind: 'post', channel: 'a', post: post(key) });
    world.input({ kind: 'post', channel: 'b', post: post('one') });
    world.run(MINUTE);
    const words = (channel: string) =>
      world.tries.filter((each) => each.channel === channel).map(({ body }) => body.split('\n\n').at(-1));
    expect(words('a')).toEqual([
      'Message 1; the first on this channel.',
      'Message 2; the one before was 1.',
      'Message 3; the one before was 2.',
    ]);
    expect(words('b')).toEqual(['Message 1; the first on this channel.']);
  });

  it('keeps id, number and words from try to try, and rests longer each time', () => {
    const world = createOutboxWorld();
    world.answer = (_channel, _key, attempt) => (attempt < 5 ? later('down', 'It is down.') : delivered());
    world.input({ kind: 'post', channel: 'a', post: post('one') });
    world.run(60 * MINUTE);
    expect(new Set(world.tries.map(({ id, number, body }) => `${id} ${number} ${body}`)).size).toBe(1);
    const rests = world.tries.slice(1).map(({ atMs }, i) => atMs - world.tries[i]!.atMs);
    expect(rests).toHaveLength(4);
    rests.forEach((rest, i) => {
      expect(rest).toBeGreaterThanOrEqual(2_500 * 2 ** i);
      expect(rest).toBeLessThanOrEqual(5_000 * 2 ** i);
    });
  });

  it('waits as long as the service asks, even with something critical, but no longer than the bound', () => {
    const world = createOutboxWorld();
    world.answer = (_channel, _key, attempt) => (attempt === 1 ? later('busy', 'Busy.', 600_000) : delivered());
    world.input({ kind: 'post', channel: 'a', post: post('one') });
    world.run(5 * MINUTE);
    world.input({ kind: 'post', channel: 'a', post: post('fire', { severity: 'critical' }) });
    world.run(9 * MINUTE);
    expect(world.tries).toHaveLength(1);
    world.run(20 * MINUTE);
    expect(world.tries[1]).toMatchObject({ key: 'fire', atMs: 601_000 });

    const year = createOutboxWorld();
    year.answer = (_channel, _key, attempt) => (attempt === 1 ? later('busy', 'Busy.', 365 * 86_400_000) : delivered());
    year.input({ kind: 'post', channel: 'a', post: post('one') });
    year.run(61 * MINUTE);
    expect(year.tries).toHaveLength(2);
  });

  it('lets a critical message go before all others, and does not make it wait for their back-off', () => {
    const world = createOutboxWorld();
    world.answer = (_channel, key) => (key === 'dull' ? later('down', 'Down.') : delivered());
    world.input({ kind: 'post', channel: 'a', post: post('dull', { severity: 'warning' }) });
    world.run(30 * MINUTE);
    const before = world.nowMs;
    world.input({ kind: 'post', channel: 'a', post: post('dull too') });
    world.input({ kind: 'post', channel: 'a', post: post('fire', { severity: 'critical' }) });
    world.run(before + 1);
    expect(world.tries.filter(({ atMs }) => atMs >= before)[0]).toMatchObject({ key: 'fire', atMs: before });
  });

  it('gathers a storm of one wallet and kind, and lets others through', () => {
    const world = createOutboxWorld();
    const dust = (i: number) => post(`dust ${i}`, { group: 'savings dust', subject: `Dust ${i}` });
    for (let i = 0; i < 500; i++) {
      world.input({ kind: 'post', channel: 'a', post: dust(i) });
      world.run(world.nowMs + 10);
      if (i === 250) {
        const at = world.nowMs;
        world.input({
          kind: 'post',
          channel: 'a',
          post: post('spent', { group: 'savings spent', severity: 'critical' }),
        });
        world.run(world.nowMs + 1);
        expect(world.tries.at(-1)).toMatchObject({ key: 'spent', atMs: at });
      }
    }
    expect(world.tries).toHaveLength(4);
    world.run(world.nowMs + 30 * MINUTE);
    const last = world.tries.at(-1)!;
    expect(world.tries).toHaveLength(5);
    expect(last.subject).toBe('497 of this kind: Dust 3');
    expect(last.body).toContain('496 more of this kind:\n- Dust 4\n');
    expect(last.body).toContain('and 476 more');
  });

  it('gathers during an outage too, however long it takes', () => {
    const world = createOutboxWorld();
    world.answer = () => later('down', 'Down.');
    for (let i = 0; i < 400; i++) {
      world.input({ kind: 'post', channel: 'a', post: post(`dust ${i}`, { group: 'savings dust' }) });
      world.run(world.nowMs + 20 * MINUTE);
    }
    // What was tried keeps its number and gathers no more: while nothing gets through, that is one in 45 minutes at most.
    expect(world.state.lanes.get('a')!.waiting.length).toBeLessThan((400 * 20) / 45 / 2);
    world.answer = () => delivered();
    world.run(world.nowMs + 60 * MINUTE);
    expect(world.state.lanes.get('a')!.waiting).toEqual([]);
  });

  it('never gathers what waits for an answer', () => {
    const world = createOutboxWorld();
    for (let i = 0; i < 10; i++) {
      const acknowledgement = { code: `CODE${i}`, url: `https://watch.example/a/${i}` };
      world.input({ kind: 'post', channel: 'a', post: post(`${i}`, { group: 'savings spent', acknowledgement }) });
    }
    world.run(MINUTE);
    expect(world.tries).toHaveLength(10);
    expect(world.tries[7]!.body).toContain(
      'send back the code CODE7 and nothing else, or open https://watch.example/a/7',
    );
  });

  it('asks for a code to be sent back only where somebody reads it', () => {
    const world = createOutboxWorld();
    const said = (url: string | null, sendBack: boolean) => {
      const key = `${String(url)} ${sendBack}`;
      const acknowledgement = { code: 'ABCD1234', url, sendBack };
      world.input({ kind: 'post', channel: 'a', post: post(key, { group: null, acknowledgement }) });
      world.run(world.nowMs + MINUTE);
      return world.tries.at(-1)!.body;
    };
    expect(said(null, true)).toContain('you have seen this, send back the code ABCD1234 and nothing else\n');
    expect(said('https://x.test/a/b', false)).toContain(
      'you have seen this, open https://x.test/a/b, or run: keepwatch findings acknowledge ABCD1234\n',
    );
    expect(said(null, false)).not.toContain('send back');
  });

  it('tries the bare minimum where the words are not taken, and then gives up and says so', () => {
    const world = createOutboxWorld();
    world.answer = (_channel, key) => (key === 'long' ? notTaken('too_long', 'Too long.') : delivered());
    world.input({ kind: 'post', channel: 'a', post: post('long', { body: 'secret '.repeat(99) }) });
    world.input({ kind: 'post', channel: 'a', post: post('next') });
    world.run(MINUTE);
    expect(world.tries.map(({ id }) => id)).toEqual(['test-a-1', 'test-a-1-bare', 'test-a-2']);
    expect(world.tries[1]!.body).not.toContain('secret');
    expect(world.tries[2]!.body).toContain('Message 2; the one before was 1. Not delivered here: message 1.');
  });

  it('lets one message that always fails not hold up those behind it for ever', () => {
    const world = createOutboxWorld();
    world.answer = (_channel, key) => (key === 'poison' ? later('error', 'Error.') : delivered());
    world.input({ kind: 'post', channel: 'a', post: post('poison') });
    for (let i = 0; i < 20; i++) world.input({ kind: 'post', channel: 'a', post: post(`good ${i}`) });
    world.run(60 * MINUTE);
    expect(world.tries.filter(({ key }) => key.startsWith('good'))).toHaveLength(20);
    expect(world.tries.filter(({ key }) => key === 'poison').length).toBeLessThan(20);
    world.answer = () => delivered();
    world.run(120 * MINUTE);
    expect(world.state.lanes.get('a')!.waiting).toEqual([]);
  });

  it('says once that a channel died, by word of the service or by silence, and once that it lives again', () => {
    const world = createOutboxWorld();
    world.answer = (channel) => (channel === 'a' ? broken('denied', 'Denied.') : later('down', 'Down.'));
    const told: string[] = [];
    const tell = (events: readonly { kind: string; channel: string }[]) =>
      told.push(
        ...events.filter(({ kind }) => kind.startsWith('channel-')).map((each) => `${each.kind} ${each.channel}`),
      );
    const { input } = world;
    world.input = (given) => {
      const events = input(given);
      tell(events);
      return events;
    };
    world.input({ kind: 'post', channel: 'a', post: post('one') });
    world.input({ kind: 'post', channel: 'b', post: post('one') });
    world.run(5 * MINUTE);
    expect(told).toEqual(['channel-died a']);
    world.run(45 * MINUTE);
    expect(told).toEqual(['channel-died a', 'channel-died b']);
    expect(deadChannels(world.state)).toMatchObject([
      { channel: 'a', code: 'denied' },
      { channel: 'b', code: 'down' },
    ]);
    world.answer = () => delivered();
    world.run(90 * MINUTE);
    expect(told.slice(2).sort()).toEqual(['channel-revived a', 'channel-revived b']);
    expect(deadChannels(world.state)).toEqual([]);
  });

  it('hears of a dead channel from a self-test, and tries what waits as soon as one succeeds', () => {
    const world = createOutboxWorld();
    world.answer = () => later('down', 'Down.');
    world.input({ kind: 'post', channel: 'a', post: post('one') });
    world.run(120 * MINUTE);
    world.answer = () => delivered();
    const at = world.nowMs;
    expect(world.input({ kind: 'probed', channel: 'a', delivery: delivered() })).toHaveLength(1);
    world.run(at + 1);
    expect(world.tries.at(-1)).toMatchObject({ atMs: at, delivery: { kind: 'delivered' } });
  });

  it('counts as delivered what its service took, however often and however much was tried', () => {
    const world = createOutboxWorld();
    const count = () => world.state.lanes.get('a')!.delivered;
    world.answer = () => later('down', 'Down.');
    world.input({ kind: 'post', channel: 'a', post: post('gone') });
    world.run(MINUTE);
    expect([world.tries.length > 1, count()]).toEqual([true, 0]);
    world.input({ kind: 'remove', channel: 'a' });
    world.answer = (_channel, key) => (key === 'long' ? notTaken('too_long', 'Too long.') : delivered());
    for (const key of ['one', 'long', 'two']) world.input({ kind: 'post', channel: 'a', post: post(key) });
    world.run(2 * MINUTE);
    expect([world.state.lanes.get('a')!.nextNumber, count()]).toEqual([5, 2]);
    world.crash();
    expect(count()).toBe(2);
  });

  it('gives up what waits for a channel that was removed, and goes on counting where it comes back', () => {
    const world = createOutboxWorld();
    world.answer = () => later('down', 'Down.');
    world.input({ kind: 'post', channel: 'a', post: post('one') });
    world.input({ kind: 'post', channel: 'a', post: post('two') });
    world.run(MINUTE);
    expect(world.input({ kind: 'remove', channel: 'a' })).toMatchObject([{ undelivered: ['one', 'two'] }]);
    world.answer = () => delivered();
    world.input({ kind: 'post', channel: 'a', post: post('three') });
    world.run(2 * MINUTE);
    expect(world.tries.at(-1)!.body).toContain('Message 2; the one before was 1. Not delivered here: message 1.');
  });
});

describe('what is stored of the outbox', () => {
  it('is the same after a snapshot as after a fold', () => {
    const world = createOutboxWorld();
    world.answer = (_channel, key) => (key === 'one' ? later('down', 'Down.') : delivered());
    for (const key of ['one', 'two', 'three', 'four', 'five', 'six']) {
      world.input({ kind: 'post', channel: 'a', post: post(key, { group: 'g' }) });
    }
    world.run(MINUTE);
    const bytes = encodeOutboxState(world.state);
    expect(decodeOutboxState(bytes, TEST_OPTIONS)).toEqual({ ok: true, value: world.state });
    expect(foldJournal(world.journal)).toEqual(world.state);
  });

  it.each([
    ['no JSON', '{'],
    ['another version', '{"version":2,"event":{"kind":"channel-revived","channel":"a","atMs":1}}'],
    ['a member too many', '{"version":1,"event":{"kind":"channel-revived","channel":"a","atMs":1,"x":1}}'],
    ['an unknown kind', '{"version":1,"event":{"kind":"exploded","channel":"a","atMs":1}}'],
    ['a time with a fraction', '{"version":1,"event":{"kind":"channel-revived","channel":"a","atMs":1.5}}'],
  ])('is refused with %s', (_name, text) => {
    expect(decodeOutboxEvent(Buffer.from(text))).toEqual({ ok: false, error: 'outbox_malformed' });
  });
});
