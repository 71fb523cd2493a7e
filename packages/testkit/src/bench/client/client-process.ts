import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ClientOrder, ClientReport } from './protocol.ts';

export interface ClientProcess {
  readonly pid: number;
  /** One order at a time. Throws what went wrong in the client. */
  order(order: ClientOrder): Promise<ClientReport>;
  end(): Promise<void>;
}

/** `nodeFlags`: such as `--cpu-prof`. */
export function startClientProcess(nodeFlags: readonly string[] = []): ClientProcess {
  const child = fork(fileURLToPath(new URL('./main.ts', import.meta.url)), {
    execArgv: ['--no-warnings', ...nodeFlags],
  });
  const exited = once(child, 'exit');
  return {
    pid: child.pid!,
    async order(order) {
      const answered = once(child, 'message') as Promise<[ClientReport]>;
      child.send(order);
      const report = await Promise.race([
        answered.then(([message]) => message),
        exited.then(() => {
          throw new Error('the client process ended');
        }),
      ]);
      if (report.error !== undefined) throw new Error(`the client failed: ${report.error}`);
      return report;
    },
    async end() {
      if (child.connected) child.send({ do: 'end' } satisfies ClientOrder);
      await exited;
    },
  };
}
