import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeMonitorHome, type MonitorHome } from '../home.fixture.ts';

/** The ladder as the monitor runs it, on a clock of the test's own. Messages stay in the outbox: nothing is sent. */

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const MINUTE = 60_000;
const CHANNELS = [
  { name: 'phone', kind: 'ntfy', url: 'https://ntfy.example', topic: 'mine' },
  { name: 'hook', kind: 'webhook', url: 'https://hooks.example.org/a', secrets: [SECRET], privacy: 'amounts-hidden' },
  { name: 'room', kind: 'matrix', url: 'https://matrix.example', accessToken: 'x', roomId: '!a:matrix.example' },
];
const LADDER = {
  rungs: [
    { who: 'Ada', tell: ['phone', 'hook'], wait: '10m' },
    { who: 'Bo', tell: ['room'], wait: '20m' },
  ],
  rounds: 1,
  page: 'https://watch.example/',
};

let home: MonitorHome;
const trouble: unknown[] = [];

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-05-01T12:00:00Z') });
  home = await makeMonitorHome();
  await home.open();
  for (const channel of CHANNELS) await home.api.call('channel.put', { channel });
  await home.api.call('ladder.apply', { ladder: LADDER });
});
afterEach(async () => {
  await home.remove();
  vi.useRealTimers();
  expect(trouble.splice(0)).toEqual([]);
});

async function quorum(able: boolean): Promise<string> {
  const recorded = await home.monitor.engine.submit({ room: 'watch', input: { kind: 'quorum', able } });
  const [found] = recorded.flatMap(({ event }) => (event.kind === 'finding' ? [event.finding.id] : []));
  return found!;
}
/** Time passes, and whoever looks at the ladder then does so. */
async function after(minutes: number): Promise<void> {
  vi.setSystemTime(Date.now() + minutes * MINUTE);
  home.monitor.ladder.start((error) => trouble.push(error));
  await settled();
}
/** All that was asked of it is journaled. */
async function settled(): Promise<void> {
  for (let before = -1; before !== home.monitor.engine.seq();) {
    before = home.monitor.engine.seq();
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  }
}
const waiting = (name: string) =>
  (home.monitor.engine.state.outbox.lanes.get(name)?.waiting ?? []).map(({ post }) => post);
const codeOn = (name: string, at = -1) =>
  waiting(name)
    .filter((each) => each.acknowledgement)
    .at(at)!.acknowledgement!;
const escalation = (id: string) => home.monitor.engine.state.ladder.escalations.get(id)!;
const verified = async () => expect(await home.api.call('findings.verify')).toMatchObject({ sameState: true });

describe('what must not go unanswered', () => {
  it('is told once by each channel of the first rung, with a code, and not besides', async () => {
    const id = await quorum(false);
    expect(waiting('phone')).toMatchObject([{ key: `${id} step 0`, severity: 'critical' }]);
    expect(codeOn('phone').code).toMatch(/^[0-9A-Z]{8}$/);
    expect(codeOn('phone').url).toMatch(/^https:\/\/watch\.example\/a\/[A-Za-z0-9_-]{32}$/);
    // A channel that is on no rung yet is told as ever.
    expect(waiting('room')).toMatchObject([{ key: id, acknowledgement: null }]);
    expect(await home.api.call('findings.list')).toMatchObject([{ answer: { state: 'awaited', who: 'Ada' } }]);
    await verified();
  });

  it('climbs when nobody answers, over a start of the home.monitor, with the words of the finding', async () => {
    const id = await quorum(false);
    await home.reopen();
    await after(9);
    expect(escalation(id).step).toBe(0);
    await after(1);
    expect(escalation(id).step).toBe(1);
    const [, alert] = waiting('room');
    expect(alert).toMatchObject({ key: `${id} step 1`, subject: 'Keepwatch: something happened' });
    expect(alert!.body).toContain('Nobody has answered this yet.');
    await home.reopen();
    await after(20);
    expect(escalation(id).over).toMatchObject({ how: 'exhausted' });
    const last = waiting('phone').at(-1)!;
    expect(last).toMatchObject({ severity: 'critical', acknowledgement: null });
    expect(last.body).toContain('too few sources speak');
    expect(await home.api.call('findings.list')).toMatchObject([{ answer: { state: 'nobody' } }]);
    await verified();
  });

  it('is answered by a code, once, and the others hear who it was', async () => {
    const id = await quorum(false);
    await after(10);
    const answer = (what: string | number) => home.api.call('findings.acknowledge', { what, by: 'Ada' });
    await expect(answer('ABCD1234')).rejects.toMatchObject({ code: 'code_unknown' });
    const { code } = codeOn('hook');
    expect(await answer(code.toLowerCase())).toEqual({ answer: 'acknowledged', finding: id });
    expect(escalation(id).over).toMatchObject({ how: 'acknowledged', by: 'Ada', way: 'code', channel: 'hook' });
    expect(waiting('phone').at(-1)!.subject).toBe(
      'Answered by Ada: Monitor: too few sources speak: nothing can be confirmed',
    );
    expect(waiting('room').at(-1)!.subject).toBe('Answered: Keepwatch: something happened');
    expect(waiting('room').at(-1)!.body).not.toContain('Ada');
    expect(waiting('hook').at(-1)!.acknowledgement).not.toBe(null);
    await expect(answer(code)).rejects.toMatchObject({ code: 'finding_answered' });
    await after(60);
    expect(waiting('room').filter((each) => each.acknowledgement)).toHaveLength(1);
    const shown = (await home.api.call('findings.show', { finding: id })) as { history: object[] };
    expect(shown.history).toMatchObject([
      { what: 'asked', who: ['Ada'], why: 'opened' },
      { what: 'asked', who: ['Bo'], why: 'no-answer' },
      { what: 'answered', by: 'Ada', way: 'code', who: 'Ada', channel: 'hook' },
    ]);
    await verified();
  });

  it('is answered by two at once, and counts once', async () => {
    const id = await quorum(false);
    const by = async (what: string | number) => {
      const answer = home.api.call('findings.acknowledge', { what, by: 'x' });
      return answer.then(
        () => 'acknowledged',
        (error: { code: string }) => error.code,
      );
    };
    const [{ seq }] = (await home.api.call('findings.list')) as [{ seq: number }];
    const answers = await Promise.all([by(codeOn('phone').code), by(codeOn('hook').code), by(id), by(seq)]);
    expect(answers.sort()).toEqual(['acknowledged', 'finding_answered', 'finding_answered', 'finding_answered']);
    await verified();
  });

  it('begins another ladder from its first rung, over a kill between the two, and knows the codes of before', async () => {
    const id = await quorum(false);
    const before = codeOn('hook').code;
    const rungs = [{ who: 'Cy', tell: ['room'], wait: '5m' }];
    // Applied while nothing runs that would act on it: as if it was killed in between.
    expect(await home.api.call('ladder.apply', { ladder: { rungs } })).toMatchObject({ rungs: 1, page: null });
    await expect(home.api.call('channel.remove', { name: 'phone' })).rejects.toMatchObject({
      code: 'channel_in_ladder',
    });
    await home.reopen();
    await after(0);
    expect(escalation(id)).toMatchObject({ step: 1, first: 1, over: null });
    expect(waiting('room').at(-1)).toMatchObject({ key: `${id} step 1` });
    expect(codeOn('room').url).toBe(null);
    expect(await home.api.call('channel.remove', { name: 'phone' })).toEqual({ removed: 'phone' });
    expect(await home.api.call('findings.acknowledge', { what: before, by: 'Ada' })).toMatchObject({ finding: id });
    await verified();
  });

  it('goes on where the ladder is cleared, and opens no other', async () => {
    const id = await quorum(false);
    expect(await home.api.call('ladder.clear')).toEqual({ ladder: null, open: [id] });
    await after(10);
    expect(escalation(id).step).toBe(1);
    await quorum(true);
    const other = await quorum(false);
    expect(home.monitor.engine.state.ladder.escalations.has(other)).toBe(false);
  });

  it('waits no longer where no channel of the rung lives, nor for ever where the clock was wrong', async () => {
    const id = await quorum(false);
    const dead = { kind: 'broken', code: 'denied', words: 'No.' } as const;
    for (const channel of ['phone', 'hook']) {
      await home.monitor.engine.submit({ room: 'outbox', input: { kind: 'probed', channel, delivery: dead } });
    }
    await after(0);
    expect(escalation(id)).toMatchObject({ step: 1, over: null });
    // A year ahead, and back again: one rung at most is climbed for it, and the wait that follows does not stand still.
    const now = Date.now();
    vi.setSystemTime(now + 365 * 24 * 60 * MINUTE);
    await quorum(true);
    vi.setSystemTime(now);
    const at = home.monitor.engine.nowMs();
    await vi.waitFor(() => expect(home.monitor.engine.nowMs()).toBeGreaterThan(at), { timeout: 60_000 });
  });

  it('is what the owner says: kinds more or less, and what a rule makes critical', async () => {
    const climbs = { kinds: ['restarted'], except: ['quorum-lost'] };
    await home.api.call('ladder.apply', { ladder: { ...LADDER, climbs } });
    await quorum(false);
    expect(home.monitor.engine.state.ladder.escalations.size).toBe(0);
    await home.api.call('ladder.apply', { ladder: { ...LADDER, climbs: { from: 'critical' } } });
    const rule = { name: 'a', when: 'finding.kind == "feerate-spike"', severity: 'critical', tell: ['room'] };
    await home.api.call('rules.apply', { rules: { rules: [rule] } });
    await home.monitor.engine.submit({
      room: 'watch',
      input: { kind: 'settings', settings: { ...home.monitor.engine.state.watch.settings, feerateLimit: 10 } },
    });
    await home.monitor.engine.submit({ room: 'watch', input: { kind: 'feerate', satPerVbyte: 99 } });
    expect([...home.monitor.engine.state.ladder.escalations.values()]).toMatchObject([
      { severity: 'critical', group: ' feerate-spike' },
    ]);
  });
});

describe('a ladder', () => {
  const apply = (change: object) => home.api.call('ladder.apply', { ladder: { ...LADDER, ...change } });

  it('is told where its first rung hangs on one thing alone', async () => {
    const warned = async (tell: readonly string[]) =>
      ((await apply({ rungs: [{ who: 'Ada', tell, wait: '5m' }] })) as { warnings: string[] }).warnings.length;
    const put = (name: string, more: object) => home.api.call('channel.put', { channel: { name, ...more } });
    expect(await warned(['phone', 'hook'])).toBe(0);
    expect(await warned(['phone'])).toBe(1);
    await put('mail', { kind: 'email', server: 'smtp.example.org:465', sender: 'a@x.test', to: 'b@y.test' });
    expect(await warned(['mail', 'hook'])).toBe(1);
    expect(await warned(['mail', 'phone'])).toBe(0);
    const proxied = { ...CHANNELS[0], proxy: '127.0.0.1:9050' };
    const again = (name: string, more: object) =>
      home.api.call('channel.put', { channel: { name, ...more }, replace: true });
    await again('phone', proxied);
    await again('hook', { ...CHANNELS[1], proxy: '127.0.0.1:9050' });
    expect(await warned(['phone', 'hook'])).toBe(1);
    const command = { kind: 'command', program: '/bin/true', relies: ['the phone of Ada'] };
    await put('call', command);
    await again('phone', { ...CHANNELS[0], relies: ['the phone of Ada'] });
    expect(await warned(['phone', 'call'])).toBe(1);
  });

  it('is refused as a whole, and says where it is wrong', async () => {
    const refused = (change: object, path: string) =>
      expect(apply(change)).rejects.toMatchObject({ code: 'ladder_refused', details: { path } });
    await refused({ rungs: [] }, 'rungs');
    await refused({ rungs: [LADDER.rungs[0], { ...LADDER.rungs[1], who: ' ' }] }, 'rungs.1.who');
    await refused({ rungs: [{ who: 'Ada', tell: ['phone'], wait: '10' }] }, 'rungs.0.wait');
    await refused({ page: 'http://watch.example/' }, 'page');
    await refused({ page: 'javascript:alert(1)' }, 'page');
    await refused({ pages: 'x' }, '');
    await refused({ climbs: { kinds: ['spent', 'spnt'] } }, 'climbs.kinds.1');
    await refused({ climbs: { except: ['Dust'] } }, 'climbs.except.0');
    await refused({ climbs: { except: ['dusty'] } }, 'climbs.except.0');
    await refused({ climbs: { kinds: ['spent', 'dust', 'spent'] } }, 'climbs.kinds.2');
    await refused({ rungs: [...LADDER.rungs, { who: 'Cy', tell: ['hook', 'hook'], wait: '10m' }] }, 'rungs.2.tell.1');
    await expect(apply({ climbs: { kinds: ['spnt'] } })).rejects.toThrow(
      /^climbs\.kinds\.0: “spnt” is no kind of finding: there are sighted, .*[a-z]\.$/,
    );
    await expect(apply({ rungs: [{ who: 'Ada', tell: ['fax'], wait: '10m' }] })).rejects.toMatchObject({
      code: 'ladder_channel_unknown',
    });
    expect(await home.api.call('ladder.show')).toMatchObject({ ladder: LADDER, warnings: [] });
    await expect(home.api.call('channel.remove', { name: 'room' })).rejects.toMatchObject({
      code: 'channel_in_ladder',
    });
  });
});

it('that was taken with a kind that there is not goes on to hold, and says so', async () => {
  const rungs = [{ ...LADDER.rungs[0]!, tell: ['phone', 'hook', 'phone'] }];
  const ladder = { ...LADDER, rungs, climbs: { kinds: ['spnt'], except: [] } };
  await home.monitor.engine.submit({ room: 'desk', event: { kind: 'ladder-set', ladder } });
  await home.reopen();
  const id = await quorum(false);
  expect(escalation(id)).toMatchObject({ severity: 'critical', ladder: { rungs: [{ channels: ['phone', 'hook'] }] } });
  expect(await home.api.call('ladder.show')).toMatchObject({
    ...{ ladder, warnings: ['There is no kind of finding “spnt”: nothing climbs by it, or is excepted.'] },
  });
});

describe('the page of a link', () => {
  let server: Server;
  let base: string;
  beforeEach(async () => {
    server = createServer((request, response) => {
      if (!home.monitor.ladder.serve(request, response)) response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });
  const token = (name: string) => codeOn(name).url!.split('/').at(-1)!;
  const ask = async (path: string, init: RequestInit = {}) => (await fetch(`${base}${path}`, init)).status;
  const press = (name: string | null, body = 'confirm=yes&by=Ada') =>
    ask(`/a/${name ?? 'A'.repeat(32)}`, {
      ...{ method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    });

  it('answers by its button alone, once, whatever scanners do before', async () => {
    const id = await quorum(false);
    const seq = home.monitor.engine.seq();
    const link = token('phone');
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) await ask(`/a/${link}`, { method });
    expect(await ask(`/a/${link}?confirm=yes&by=Mallory`)).toBe(200);
    expect(await press(link, '')).toBe(400);
    expect(await press(link, 'x'.repeat(100_000))).toBe(413);
    expect(home.monitor.engine.seq()).toBe(seq);
    expect(escalation(id).over).toBe(null);
    expect(await Promise.all([press(link), press(link), press(token('hook'))])).toEqual(
      expect.arrayContaining([200, 409, 409]),
    );
    expect(escalation(id).over).toMatchObject({ way: 'link', by: 'Ada' });
    expect(await press(link)).toBe(409);
    await verified();
  });

  it('gives strangers nothing to write and nothing to learn', async () => {
    await quorum(false);
    const seq = home.monitor.engine.seq();
    expect(await ask(`/a/${'A'.repeat(32)}`)).toBe(200);
    for (let i = 0; i < 50; i++) expect(await press(null)).toBe(404);
    // A short code is not taken for the token of a link.
    expect(await press(codeOn('phone').code)).toBe(404);
    expect(await ask('/a/../../home.monitor.key')).toBe(404);
    expect(home.monitor.engine.seq()).toBe(seq);
    // Wrong codes typed into the command close no link.
    for (let i = 0; i < 25; i++)
      await home.api.call('findings.acknowledge', { what: `WRONG${i}XX`, by: 'x' }).catch(() => 0);
    expect(home.monitor.engine.seq()).toBe(seq + 20);
    expect(await press(token('phone'))).toBe(200);
  });

  it('is there only where the owner said under which address', async () => {
    await home.api.call('ladder.apply', { ladder: { rungs: LADDER.rungs } });
    expect(await ask(`/a/${'A'.repeat(32)}`)).toBe(404);
  });
});
