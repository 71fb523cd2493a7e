import { chmodSync, copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalApi, type MonitorApi } from './api/local.ts';
import { openMonitor, type OpenMonitor } from './open.ts';
import { makeMonitor } from './make.ts';
import { openLock } from './store/lock.ts';

/** A part of tests only: the data of a monitor in a directory of its own, and the monitor that it is opened as. */
export interface MonitorHome {
  readonly dir: string;
  /** That of the last opening. */
  readonly monitor: OpenMonitor;
  readonly api: MonitorApi;
  open(): Promise<void>;
  reopen(): Promise<void>;
  /** Ends the monitor and removes its data. */
  remove(): Promise<void>;
}

/** Not opened yet. `copyOf`: a directory with data of an older version, to begin with. */
export async function makeMonitorHome(copyOf?: URL): Promise<MonitorHome> {
  const dir = mkdtempSync(join(tmpdir(), 'keepwatch-monitor-'));
  if (copyOf === undefined) await makeMonitor(dir, { kind: 'file' }, 'main');
  else {
    for (const name of readdirSync(copyOf)) {
      copyFileSync(new URL(name, copyOf), join(dir, name));
      chmodSync(join(dir, name), 0o600);
    }
  }
  let opened: { readonly monitor: OpenMonitor; readonly api: MonitorApi };
  const open = async () => {
    const monitor = await openMonitor({ dataDir: dir, rootKey: await openLock(dir, { credentials: undefined }) });
    opened = { monitor, api: createLocalApi(monitor) };
  };
  return {
    dir,
    get monitor() {
      return opened.monitor;
    },
    get api() {
      return opened.api;
    },
    open,
    async reopen() {
      await opened.monitor.close();
      await open();
    },
    async remove() {
      await opened.monitor.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
