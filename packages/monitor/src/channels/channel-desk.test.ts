import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeMonitorHome, type MonitorHome } from '../home.fixture.ts';

let home: MonitorHome;
beforeEach(async () => {
  home = await makeMonitorHome();
  await home.open();
});
afterEach(() => home.remove());

it('asks a channel whether it can be reached as soon as it has started: a test that is due then is no empty one', async () => {
  await home.api.call('channel.put', { channel: { name: 'phone', kind: 'command', program: '/bin/true' } });
  await home.reopen();
  home.monitor.channels.start();
  expect(await home.monitor.channels.probe('phone')).not.toMatchObject({ code: 'channel_unknown' });
  expect(await home.monitor.channels.probe('mail')).toMatchObject({ code: 'channel_unknown' });
});

const hook = (host: string, fill: number) => ({
  ...{ name: 'phone', kind: 'webhook', url: `https://${host}/a` },
  secrets: [`whsec_${Buffer.alloc(32, fill).toString('base64')}`],
});
const put = (channel: object, more: object = {}) => home.api.call('channel.put', { channel, ...more });

it('sets a channel anew only where that is asked for, and says what it took the place of', async () => {
  const first = hook('first.example', 1);
  expect(await put(first)).toMatchObject({ target: 'first.example', replaced: null });
  const kept = () => home.monitor.engine.state.desk.channels.get('phone');
  const refused = { code: 'channel_exists', message: expect.stringContaining('webhook to first.example') as string };
  await expect(put(hook('second.example', 2))).rejects.toMatchObject(refused);
  await expect(put(first, { replace: false })).rejects.toMatchObject(refused);
  expect(kept()).toEqual(first);

  const program = { name: 'phone', kind: 'command', program: '/bin/true' };
  const answer = await put(program, { replace: true });
  expect(answer).toMatchObject({ kind: 'command', replaced: { kind: 'webhook', target: 'first.example' } });
  expect(JSON.stringify(answer)).not.toContain('whsec_');
  expect(kept()).toEqual(program);
  expect(await put({ ...program, name: 'other' }, { replace: true })).toMatchObject({ replaced: null });
});

it('takes a name for one of two that are added at one time', async () => {
  const both = await Promise.allSettled([put(hook('first.example', 1)), put(hook('second.example', 2))]);
  expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  await home.api.call('channel.remove', { name: 'phone' });
  expect(await put(hook('second.example', 2))).toMatchObject({ target: 'second.example', replaced: null });
});
