import { describe, expect, it } from 'vitest';
import { formatGateArguments, parseGateArguments, type GateConfig } from './config.ts';

const BASE = ['--data', '/d', '--listen', '127.0.0.1:7420'];

describe('gate’s command line', () => {
  const configs: GateConfig[] = [
    {
      gate: { dataDir: '/d', listen: { host: '::1', port: 0 }, limits: {} },
      keep: { from: 'socket', path: '/run/k.sock' },
      logLevel: 'warn',
    },
    {
      gate: {
        dataDir: '/d',
        listen: { host: '0.0.0.0', port: 7420 },
        metrics: { host: '127.0.0.1', port: 9 },
        limits: { connections: 10, messageBytes: 4096 },
      },
      keep: { from: 'supervisor' },
      logLevel: 'info',
    },
    {
      gate: { dataDir: '/d', listen: { host: 'localhost', port: 1 }, limits: {} },
      keep: { from: 'descriptor', fd: 3 },
      logLevel: 'info',
    },
  ];
  it.each(configs)('reads back what the supervisor writes ($keep.from)', (config) =>
    expect(parseGateArguments(formatGateArguments(config))).toEqual(config),
  );

  it.each([
    [[]],
    [['--listen', '127.0.0.1:1', '--keep-ipc']],
    [['--data', '/d', '--keep-ipc']],
    [BASE],
    [[...BASE, '--keep-ipc', '--keep-fd', '3']],
    [[...BASE, '--keep-fd', '2']],
    [[...BASE, '--keep-fd', '33']],
    [[...BASE, '--keep-ipc', '--limit', 'connections=0']],
    [[...BASE, '--keep-ipc', '--limit', 'connections']],
    [[...BASE, '--keep-ipc', '--limit', 'toString=1']],
    [[...BASE, '--keep-ipc', '--log', 'loud']],
    [[...BASE, '--keep-ipc', '--unknown']],
    [[...BASE, '--keep-ipc', 'more']],
    [['--data', '/d', '--listen', '127.0.0.1', '--keep-ipc']],
    [['--data', '/d', '--listen', '127.0.0.1:65536', '--keep-ipc']],
    [['--data', '/d', '--listen', '::1:5', '--keep-ipc']],
  ])('refuses %j', (args) => {
    expect(() => parseGateArguments(args)).toThrow(expect.objectContaining({ code: 'gate_usage' }));
  });
});
