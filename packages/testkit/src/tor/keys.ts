import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Tor } from './find.ts';

const run = promisify(execFile);
const KEYS_MS = 120_000;

/** Makes the keys of a directory authority in its directory. Gives the fingerprint of its identity for votes (`v3ident`). */
export async function makeAuthorityKeys({ gencert }: Tor, dir: string, address: string): Promise<string> {
  const keys = join(dir, 'keys');
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  const args = ['--create-identity-key', '-m', '12', '-a', address, '--passphrase-fd', '0'];
  const making = run(gencert.command, [...gencert.leading, ...args], { cwd: keys, timeout: KEYS_MS });
  making.child.stdin!.end('a passphrase of the tests\n');
  await making;
  const certificate = readFileSync(join(keys, 'authority_certificate'), 'utf8');
  return /^fingerprint ([0-9A-F]{40})$/m.exec(certificate)![1]!;
}

/** Makes the identity of a relay in its directory. Gives its fingerprint. */
export async function makeRelayKeys({ tor }: Tor, dir: string, nickname: string): Promise<string> {
  // It asks for a directory authority before it makes a key, and never talks to this one.
  const nobody = `nobody orport=9 v3ident=${'F'.repeat(40)} 127.0.0.1:9 ${'F'.repeat(40)}`;
  const settings = { DataDirectory: dir, Nickname: nickname, ORPort: '127.0.0.1:9', DirAuthority: nobody };
  const args = Object.entries({ ...settings, TestingTorNetwork: '1' }).flatMap(([name, value]) => [`--${name}`, value]);
  const empty = join(dir, 'no-torrc');
  writeFileSync(empty, '');
  const { stdout } = await run(
    tor.command,
    [...tor.leading, '--list-fingerprint', '-f', empty, '--defaults-torrc', empty, ...args],
    { timeout: KEYS_MS },
  );
  const found = new RegExp(`^${nickname}((?: [0-9A-F]{4}){10})`, 'm').exec(stdout);
  if (!found) throw new Error(`tor told no fingerprint: ${stdout}`);
  return found[1]!.replaceAll(' ', '');
}
