import { connect, Socket } from 'node:net';
import type { KeepSource } from './config.ts';
import type { GateLog } from './log.ts';
import { createBackOff } from './supervisor/back-off.ts';

export interface KeepSupply {
  /** The link that was given last is gone. */
  lost(): void;
  stop(): void;
}

/**
 * Brings gate its connected socket to keep, again after each loss. `gone` is called when there is no way to get another
 * one: the supervisor went away, or the inherited descriptor ended.
 */
export function supplyKeep(
  source: KeepSource,
  deps: { log: GateLog; attach: (socket: Socket) => void; gone: (why: string) => void },
): KeepSupply {
  switch (source.from) {
    case 'supervisor':
      return fromSupervisor(deps);
    case 'socket':
      return fromUnixSocket(source.path, deps);
    case 'descriptor':
      deps.attach(new Socket({ fd: source.fd, readable: true, writable: true }));
      return { lost: () => deps.gone('the inherited socket to keep ended'), stop: () => undefined };
  }
}

/**
 * The supervisor sends the socket, and after it `link_open`. Between the two its own copy still reads, so nothing may be
 * written before: keep's answer could be read by the wrong process.
 */
function fromSupervisor(deps: { attach: (socket: Socket) => void; gone: (why: string) => void }): KeepSupply {
  let waiting: Socket | undefined;
  process.on('message', (message: { type?: unknown }, handle: unknown) => {
    if (message.type === 'link' && handle instanceof Socket) {
      waiting?.destroy();
      waiting = handle;
      // Until it is attached nobody else listens, and an unheard error would end the process.
      handle.on('error', () => undefined);
    } else if (message.type === 'link_open' && waiting) {
      const socket = waiting;
      waiting = undefined;
      deps.attach(socket);
    }
  });
  process.on('disconnect', () => deps.gone('the supervisor ended'));
  return { lost: () => undefined, stop: () => process.disconnect?.() };
}

function fromUnixSocket(path: string, deps: { log: GateLog; attach: (socket: Socket) => void }): KeepSupply {
  const backOff = createBackOff({ firstMs: 100, mostMs: 5_000, steadyMs: 10_000 }, () => performance.now());
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  function open(): void {
    const socket = connect({ path });
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      backOff.started();
      deps.attach(socket);
    });
  }
  function failed(error: Error): void {
    deps.log.warn({ error: error.message }, 'cannot reach keep; trying again');
    again();
  }
  function again(): void {
    if (!stopped) timer = setTimeout(open, backOff.nextMs());
  }
  open();
  return {
    lost: again,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
