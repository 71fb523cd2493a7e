import { parseArgs } from 'node:util';
import { CodedError } from '@keepwatch/base';
import { DEFAULT_LIMITS, isLimitName, type GateLimits } from './limits.ts';
import type { GateOptions, ListenAddress } from './server.ts';

/**
 * Where the connected socket to keep comes from: handed over by the supervisor after each restart of keep, a Unix socket
 * that systemd listens on, or one inherited descriptor.
 */
export type KeepSource =
  | { readonly from: 'supervisor' }
  | { readonly from: 'socket'; readonly path: string }
  | { readonly from: 'descriptor'; readonly fd: number };

export interface GateConfig {
  readonly gate: GateOptions;
  readonly keep: KeepSource;
  readonly logLevel: string;
}

/** The command line of gate's process. Nothing in it is secret: everyone on the machine can read a command line. */
export const GATE_USAGE = `usage: gate --data DIR --listen HOST:PORT (--keep-ipc | --keep-socket PATH | --keep-fd N)
            [--metrics HOST:PORT] [--log LEVEL] [--limit NAME=NUMBER]...`;

const LOG_LEVELS = ['error', 'warn', 'info', 'debug', 'silent'];

/** Throws `gate_usage`. */
export function parseGateArguments(args: readonly string[]): GateConfig {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        data: { type: 'string' },
        listen: { type: 'string' },
        metrics: { type: 'string' },
        log: { type: 'string', default: 'info' },
        limit: { type: 'string', multiple: true, default: [] },
        'keep-ipc': { type: 'boolean', default: false },
        'keep-socket': { type: 'string' },
        'keep-fd': { type: 'string' },
      },
    }));
  } catch (cause) {
    throw usage((cause as Error).message, cause);
  }
  if (!values.data) throw usage('--data is missing');
  if (!values.listen) throw usage('--listen is missing');
  if (!LOG_LEVELS.includes(values.log)) throw usage(`--log is one of ${LOG_LEVELS.join(', ')}`);
  return {
    gate: {
      dataDir: values.data,
      listen: parseListenAddress(values.listen),
      limits: parseLimits(values.limit),
      ...(values.metrics === undefined ? {} : { metrics: parseListenAddress(values.metrics) }),
    },
    keep: keepSource(values['keep-ipc'], values['keep-socket'], values['keep-fd']),
    logLevel: values.log,
  };
}

/** The same configuration as a command line, for the supervisor. */
export function formatGateArguments({ gate, keep, logLevel }: GateConfig): string[] {
  const args = ['--data', gate.dataDir, '--listen', formatListenAddress(gate.listen), '--log', logLevel];
  if (gate.metrics) args.push('--metrics', formatListenAddress(gate.metrics));
  for (const [name, value] of Object.entries(gate.limits ?? {})) args.push('--limit', `${name}=${value}`);
  switch (keep.from) {
    case 'supervisor':
      return [...args, '--keep-ipc'];
    case 'socket':
      return [...args, '--keep-socket', keep.path];
    case 'descriptor':
      return [...args, '--keep-fd', String(keep.fd)];
  }
}

function keepSource(ipc: boolean, path: string | undefined, fd: string | undefined): KeepSource {
  const sources: KeepSource[] = [];
  if (ipc) sources.push({ from: 'supervisor' });
  if (path !== undefined) sources.push({ from: 'socket', path });
  if (fd !== undefined) {
    if (!/^[3-9]$/.test(fd)) throw usage('--keep-fd is a descriptor from 3 to 9');
    sources.push({ from: 'descriptor', fd: Number(fd) });
  }
  if (sources.length !== 1) throw usage('exactly one of --keep-ipc, --keep-socket and --keep-fd is needed');
  return sources[0]!;
}

/** `127.0.0.1:7420`, `[::1]:7420`, `localhost:0`. */
function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) throw usage(`${text} is not HOST:PORT`);
  return { host: (match[1] ?? match[2])!, port };
}

function formatListenAddress({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function parseLimits(texts: readonly string[]): Partial<GateLimits> {
  const limits: Partial<Record<keyof GateLimits, number>> = {};
  for (const text of texts) {
    const [name = '', value = ''] = text.split('=', 2);
    if (!isLimitName(name)) throw usage(`no limit ${name}; there are ${Object.keys(DEFAULT_LIMITS).join(', ')}`);
    if (!/^[1-9]\d{0,14}$/.test(value)) throw usage(`the limit ${name} is a positive whole number`);
    limits[name] = Number(value);
  }
  return limits;
}

function usage(problem: string, cause?: unknown): CodedError {
  return new CodedError('gate_usage', problem, { cause, remedy: GATE_USAGE });
}
