import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { faultsOf, runMemoryTest } from './memory-test.ts';
import { needlesOf } from './needles.ts';
import { scanProcess } from './process-memory.ts';

// The short form of `npm run test:memory`. Only root reads the memory of a process that forbids dumps.
const possible = process.platform === 'linux' && process.getuid?.() === 0;
const LEAKER = fileURLToPath(new URL('./fixtures/leaker/main.ts', import.meta.url));

it.skipIf(!possible)(
  'the scanner finds what leaks, and tells it from what is guarded (needs root on Linux)',
  async () => {
    const secrets = ['kept', 'dropped', 'guarded'].map((name) => ({ name, bytes: new Uint8Array(randomBytes(32)) }));
    const hex = secrets.map(({ bytes }) => Buffer.from(bytes).toString('hex'));
    const child = spawn(process.execPath, ['--no-warnings', LEAKER, ...hex], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(child.stdout, 'data');
      // The command line itself holds all three in hex.
      const needles = needlesOf(secrets).filter(({ form }) => !/hex/i.test(form));
      const scan = scanProcess(child.pid!, needles);
      const names = (findings: readonly { secret: string }[]) =>
        [...new Set(findings.map(({ secret }) => secret))].sort();
      expect(names(scan.exposed)).toEqual(['dropped', 'kept']);
      expect(names(scan.guarded)).toEqual(['guarded']);
      expect(scan.exposed.some(({ form }) => form.startsWith('base64'))).toBe(true);
      expect(scan.scannedBytes).toBeGreaterThan(20 * 1024 * 1024);
    } finally {
      child.kill('SIGKILL');
    }
  },
);

it.skipIf(!possible)(
  'no secret lies outside guarded memory, at any moment of a vault’s day (needs root on Linux)',
  async () => {
    const report = await runMemoryTest({
      signatures: 100,
      moments: ['after unseal', 'after a new root key', 'after seal'],
    });
    expect(report.moments).toHaveLength(3 * 3);
    expect(faultsOf(report)).toEqual([]);
  },
  // Half a gigabyte is searched for two hundred forms, nine times.
  600_000,
);
