import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { JailReport } from './jail.ts';

// What the jail says of a process that nobody put belts on. That they hold where the supervisor starts keep is tested
// beside the supervisor (gate, seat-belts.e2e.test.ts).
const inmate = fileURLToPath(new URL('./fixtures/inmate/main.ts', import.meta.url));

function run(args: string[], environment: Record<string, string> = {}): Record<string, unknown> {
  const { stdout } = spawnSync(process.execPath, ['--no-warnings', inmate, '--report', ...args], { env: environment });
  return JSON.parse(stdout.toString()) as Record<string, unknown>;
}

it('reports each belt that does not hold, and what to do', () => {
  const { report } = run([], { NODE_EXTRA_CA_CERTS: '' }) as { report: JailReport };
  expect(report.complete).toBe(false);
  const holds = Object.fromEntries(report.belts.map(({ name, holds }) => [name, holds]));
  expect(holds).toEqual({
    no_core_files: true,
    not_dumpable: process.platform === 'linux',
    no_new_privileges: process.platform === 'linux',
    permission_model: false,
    no_network: false,
    no_child_process: false,
    no_worker_after_start: false,
    no_addon_after_start: false,
    no_ffi_after_start: false,
    no_inspector: false,
    no_wasi: false,
    files_only_where_granted: false,
    no_code_from_strings: false,
    no_proto: false,
    frozen_intrinsics: false,
    no_sigusr1: false,
    empty_environment: false,
  });
  expect(report.belts.every(({ remedy }) => remedy.length > 10)).toBe(true);
  expect(report.sameUserAsGate).toBe('unknown');
  expect(report.environment).toContain('NODE_EXTRA_CA_CERTS');
});

it('refuses to start in strict mode, naming the belts', () => {
  const refused = run(['--strict']) as { code: string; message: string; details: { missing: string[] } };
  expect(refused.code).toBe('jail_incomplete');
  expect(refused.details.missing).toContain('permission_model');
  expect(refused.details.missing).not.toContain('no_core_files');
});
