import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { joinBus, startBus } from '../../../gate/src/fixtures/fake-logind.ts';
import { connectOperator, setUpOperator, startVault, unseal } from '../world/index.ts';

/** The real signal of a system bus reaches the real keep; only logind itself is played. */
const BUS = ['/usr/bin/dbus-daemon', '/usr/bin/gdbus'];

it.runIf(BUS.every((path) => existsSync(path)))(
  'is sealed before the machine sleeps, and stays sealed after it (needs dbus-daemon and gdbus)',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'keepwatch-bus-'));
    const bus = await startBus(dir);
    const before = process.env['DBUS_SYSTEM_BUS_ADDRESS'];
    process.env['DBUS_SYSTEM_BUS_ADDRESS'] = bus.address;
    const logind = await joinBus(bus.path, true);
    const vault = await startVault({ sleep: { inhibitCommand: ['cat'] } });
    try {
      const owner = await setUpOperator(vault);
      await until(() => vault.events.some((event) => event.type === 'sleep_watch' && event.state === 'watching'));
      expect((await owner.operator.status()).phase).toBe('unsealed');
      logind.prepareForSleep(true);
      await until(() => vault.events.some((event) => event.type === 'sleep_watch' && event.state === 'sleeping'));
      expect(vault.events).toContainEqual(expect.objectContaining({ state: 'sleeping', sealed: true }));
      expect((await owner.operator.status()).phase).toBe('sealed');
      logind.prepareForSleep(false);
      await until(() => vault.events.some((event) => event.type === 'sleep_watch' && event.state === 'resumed'));
      const again = await connectOperator(vault, owner.person);
      expect((await again.operator.status()).phase).toBe('sealed');
      await unseal(again.operator);
      const { entries } = await again.operator.query('journal.read', { from: 1 });
      expect(entries.map(({ entry }) => JSON.parse(entry).reason)).toContain('sleep');
    } finally {
      await vault.stop();
      logind.leave();
      bus.child.kill();
      if (before === undefined) delete process.env['DBUS_SYSTEM_BUS_ADDRESS'];
      else process.env['DBUS_SYSTEM_BUS_ADDRESS'] = before;
      rmSync(dir, { recursive: true, force: true });
    }
  },
);

async function until(met: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !met(); i++) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(met()).toBe(true);
}
