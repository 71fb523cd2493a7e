import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { cachedProgram, fetchPackage, type DebianProgram } from '@keepwatch/devnet';

/** The programs of age (github.com/FiloSottile/age, in Go): another implementation than the library that encrypts mails. */
export interface Age {
  readonly age: DebianProgram;
  readonly keygen: DebianProgram;
}

export type FoundAge = Age | { readonly missing: string };

const PACKAGE = { name: 'age', backports: false, size: '6 MB' };
const run = promisify(execFile);
let found: Promise<FoundAge> | undefined;

/** Those on PATH, else Debian's, fetched once into the cache. `missing` says why there are none. */
export function findAge(tell: (words: string) => void = () => {}): Promise<FoundAge> {
  found ??= find(tell);
  return found;
}

async function find(tell: (words: string) => void): Promise<FoundAge> {
  const ofPath = { age: { command: 'age', leading: [] }, keygen: { command: 'age-keygen', leading: [] } };
  if (await starts(ofPath.age)) return ofPath;
  const fetched = await fetchPackage(PACKAGE, tell);
  if ('missing' in fetched) return { missing: `no age on PATH, and ${fetched.missing}` };
  const [age, keygen] = [cachedProgram(PACKAGE.name, 'age'), cachedProgram(PACKAGE.name, 'age-keygen')];
  if (age && keygen && (await starts(age))) return { age, keygen };
  return { missing: `the age that was unpacked into ${fetched.root} does not start` };
}

const starts = ({ command, leading }: DebianProgram): Promise<boolean> =>
  run(command, [...leading, '--version'], { timeout: 60_000 }).then(
    () => true,
    () => false,
  );
