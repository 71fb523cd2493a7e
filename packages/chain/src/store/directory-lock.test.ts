import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { lockDirectory } from './directory-lock.ts';

const dir = mkdtempSync(join(tmpdir(), 'keepwatch-lock-'));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('keeps out whoever comes second, in this process and in another, until it is released', () => {
  const module = fileURLToPath(new URL('./directory-lock.ts', import.meta.url));
  const elsewhere = () => {
    const script = `import { lockDirectory } from ${JSON.stringify(module)};
      try { lockDirectory(${JSON.stringify(dir)}); console.log('locked'); } catch (error) { console.log(error.code); }`;
    return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).stdout.trim();
  };
  const first = lockDirectory(dir);
  expect(statSync(join(dir, 'lock')).mode & 0o777).toBe(0o600);
  expect(() => lockDirectory(dir)).toThrow(expect.objectContaining({ code: 'data_dir_in_use' }));
  expect(elsewhere()).toBe('data_dir_in_use');
  first.release();
  // It ends with its process, which released nothing.
  expect(elsewhere()).toBe('locked');
  lockDirectory(dir).release();
});
