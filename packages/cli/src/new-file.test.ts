import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { openNewFile, writeNewFile } from './new-file.ts';

const made: string[] = [];
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepwatch-new-file-'));
  made.push(directory);
});
afterAll(() => made.forEach((each) => rmSync(each, { recursive: true, force: true })));

const unwritable = (words: string) =>
  expect.objectContaining({ code: 'file_unwritable', message: expect.stringContaining(words) });

describe('a new file', () => {
  it('has its name when it is whole, and only its owner reads it', async () => {
    const path = join(directory, 'whole');
    const value = await writeNewFile(path, async (file) => {
      await file.write('one ');
      await file.write(new TextEncoder().encode('two'));
      expect(existsSync(path)).toBe(false);
      return 7;
    });
    expect(value).toBe(7);
    expect(readFileSync(path, 'utf8')).toBe('one two');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['whole']);
  });

  it('leaves nothing behind where it was not finished', async () => {
    const failing = writeNewFile(join(directory, 'failed'), async (file) => {
      await file.write('half');
      throw new Error('it went wrong');
    });
    await expect(failing).rejects.toThrow('it went wrong');
    expect(readdirSync(directory)).toEqual([]);
  });

  it('never takes the place of another one, not even of one that came meanwhile', async () => {
    const path = join(directory, 'there');
    writeFileSync(path, 'theirs');
    symlinkSync(join(directory, 'nowhere'), join(directory, 'link'));
    await expect(openNewFile(path)).rejects.toEqual(unwritable('exists already'));
    await expect(openNewFile(join(directory, 'link'))).rejects.toEqual(unwritable('exists already'));
    const late = join(directory, 'late');
    const overtaken = writeNewFile(late, async (file) => {
      await file.write('mine');
      writeFileSync(late, 'theirs');
    });
    await expect(overtaken).rejects.toEqual(unwritable('exists already'));
    expect(readFileSync(late, 'utf8')).toBe('theirs');
    expect(readdirSync(directory).sort()).toEqual(['late', 'link', 'there']);
  });

  it('is refused before anything is written where there is no place for it', async () => {
    await expect(openNewFile(join(directory, 'missing', 'file'))).rejects.toEqual(
      unwritable('its directory is missing'),
    );
    writeFileSync(join(directory, 'file'), '');
    await expect(openNewFile(join(directory, 'file', 'below'))).rejects.toEqual(unwritable('ENOTDIR'));
    await expect(openNewFile(join(directory, 'x'.repeat(300)))).rejects.toEqual(unwritable('ENAMETOOLONG'));
    await expect(openNewFile(`${directory}/new/`)).rejects.toEqual(unwritable('is no name of a file'));
    await expect(openNewFile('')).rejects.toEqual(unwritable('is no name of a file'));
  });

  it('says that the disk is full, and gives back what it had taken', async ({ skip }) => {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=65536', 'keepwatch-test', directory], { stdio: 'ignore' });
    } catch {
      skip('no tmpfs can be mounted here: it needs root');
    }
    try {
      const tooMuch = writeNewFile(join(directory, 'large'), (file) => file.write(new Uint8Array(200_000)));
      await expect(tooMuch).rejects.toEqual(unwritable('no space is left'));
      expect(readdirSync(directory)).toEqual([]);
    } finally {
      execFileSync('umount', [directory]);
    }
  });

  it('leaves nothing behind where a signal ends the command, and lets it end', async () => {
    const module = fileURLToPath(new URL('new-file.ts', import.meta.url));
    const script = `import { openNewFile } from ${JSON.stringify(module)};
      const file = await openNewFile(${JSON.stringify(join(directory, 'file'))});
      await file.write('half');
      console.log('written');
      setInterval(() => {}, 1_000);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    expect(readdirSync(directory)).toHaveLength(1);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
    expect(readdirSync(directory)).toEqual([]);
  });
});
