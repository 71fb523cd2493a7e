import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { makeMonitorHome, type MonitorHome } from '../home.fixture.ts';

/** Schedules on a clock of the test's own. Messages stay in the outbox: nothing is sent. */

let home: MonitorHome;
let probed: string[];
const trouble: unknown[] = [];

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-05-01T05:00:00Z') });
  probed = [];
  home = await makeMonitorHome();
  await home.open();
  for (const name of ['phone', 'mail']) {
    await home.api.call('channel.put', { channel: { name, kind: 'command', program: '/bin/true' } });
  }
});
afterEach(async () => {
  await home.remove();
  vi.useRealTimers();
  expect(trouble.splice(0)).toEqual([]);
});

/** Time passes, and the monitor is started anew: as good as any other look at the clock. */
async function at(time: string): Promise<void> {
  vi.setSystemTime(Date.parse(time));
  await home.reopen();
  const probe = (name: string) => Promise.resolve(probed.push(name));
  home.monitor.schedule.start({ probe, onTrouble: (error) => trouble.push(error) });
  for (let before = -1; before !== home.monitor.engine.seq();) {
    before = home.monitor.engine.seq();
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  }
}
const waiting = (name: string) =>
  (home.monitor.engine.state.outbox.lanes.get(name)?.waiting ?? []).map(({ post }) => post);

it('says once a day of the owner that it lives, once after however long a sleep', async () => {
  const schedule = { zone: 'Europe/Berlin', heartbeat: { at: '08:00', tell: ['mail'] } };
  await home.api.call('schedule.apply', { schedule });
  await at('2026-05-01T05:10:00Z');
  await at('2026-05-01T05:59:00Z');
  // At once, so that the owner sees it; and then at its time: 8 o'clock in summer.
  expect(waiting('mail')).toHaveLength(1);
  await at('2026-05-01T06:00:00Z');
  await at('2026-05-01T06:00:01Z');
  expect(waiting('mail')).toHaveLength(2);
  await at('2026-05-09T12:00:00Z');
  expect(waiting('mail').map(({ key }) => key)).toEqual(
    ['2026-04-30', '2026-05-01', '2026-05-09'].map((day) => `heartbeat ${Date.parse(`${day}T06:00:00Z`)}`),
  );
  expect(waiting('mail')[2]!.body).toContain('The next of these comes by 2026-05-10 06:00 UTC.');
  expect(waiting('mail')[2]!.body).toMatch(/signed by kwm_[A-Za-z0-9_-]{43}\./);
  expect(waiting('phone')).toEqual([]);
  expect(await home.api.call('findings.verify')).toMatchObject({ sameState: true });
  await expect(home.api.call('channel.remove', { name: 'mail' })).rejects.toMatchObject({
    code: 'channel_in_schedule',
  });
  await home.api.call('schedule.clear');
  expect(await home.api.call('channel.remove', { name: 'mail' })).toEqual({ removed: 'mail' });
});

it('asks each channel every six hours, or sends what the owner wants to see', async () => {
  await at('2026-05-01T05:10:00Z');
  await at('2026-05-01T05:50:00Z');
  expect(probed).toEqual(['phone', 'mail']);
  await at('2026-05-01T06:00:00Z');
  expect(probed).toHaveLength(4);
  await home.api.call('schedule.apply', { schedule: { selfTest: { every: '1d', send: true } } });
  await at('2026-05-02T00:00:00Z');
  expect(probed).toHaveLength(4);
  expect([...waiting('phone'), ...waiting('mail')].map(({ subject }) => subject)).toEqual(
    Array.from({ length: 2 }, () => 'Keepwatch: a test of this channel'),
  );
});

it('refuses what it cannot do, and keeps the schedule before', async () => {
  const refused = (schedule: object, path: string) =>
    expect(home.api.call('schedule.apply', { schedule })).rejects.toMatchObject({
      code: 'schedule_refused',
      details: { path },
    });
  await refused({ heartbeat: { at: '08:00', every: '1d', tell: ['mail'] } }, 'heartbeat');
  await refused({ heartbeat: { tell: ['mail'] } }, 'heartbeat');
  await refused({ heartbeat: { at: '08:00', tell: ['fax'] } }, 'heartbeat.tell');
  await refused({ heartbeat: { at: '8 am', tell: ['mail'] } }, 'heartbeat.at');
  await refused({ selfTest: { every: '1s' } }, 'selfTest.every');
  await refused({ zone: 'Mars/Olympus' }, 'zone');
  expect(await home.api.call('schedule.show')).toMatchObject({ schedule: null });
});

it('says where one may only look that it lives, and nothing of what is watched', async () => {
  const look = { name: 'look', kind: 'command', program: '/bin/true', privacy: 'look' };
  await home.api.call('channel.put', { channel: look });
  await home.api.call('schedule.apply', { schedule: { heartbeat: { at: '08:00', tell: ['mail', 'look'] } } });
  await at('2026-05-01T09:00:00Z');
  expect(waiting('mail')[0]!.body).toContain('It watches 0 wallets and has seen no block yet.');
  expect(waiting('look')[0]!.body).toContain('It has seen no block yet.');
});
