import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lockDirectory } from './directory-lock.ts';

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'keepwatch-lock-'))));
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

const codeOf = (at: string) => {
  try {
    lockDirectory(at).release();
    return 'locked';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

it('says that the disk is full where it is, and not that somebody else is there', (context) => {
  const disk = join(dir, 'disk');
  mkdirSync(disk);
  const isMounted =
    process.platform === 'linux' &&
    process.getuid?.() === 0 &&
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]).status === 0;
  if (!isMounted) return context.skip('a file system of limited size can be mounted by root alone');
  try {
    const ballast = join(disk, 'ballast');
    const fill = () => writeFileSync(ballast, new Uint8Array(64 << 10));
    fill();
    expect(codeOf(disk)).toBe('storage_full');
    rmSync(ballast);
    expect(codeOf(disk)).toBe('locked');
  } finally {
    execFileSync('umount', [disk]);
  }
});

it('says what else is wrong', () => {
  writeFileSync(join(dir, 'lock'), 'something else, and more of it than nothing'.repeat(100));
  expect(() => lockDirectory(dir)).toThrow(
    expect.objectContaining({
      code: 'data_dir_unusable',
      message: expect.stringContaining('not a database') as string,
    }),
  );
  expect(codeOf(join(dir, 'nowhere'))).toBe('data_dir_unusable');
});
