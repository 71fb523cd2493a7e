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
