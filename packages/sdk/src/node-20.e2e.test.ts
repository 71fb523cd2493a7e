import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateTlsKey } from '../../gate/src/certificate.ts';
import { startTinyKeep } from './fixtures/tiny-keep.ts';

/** The built library under the oldest Node that it promises, against a vault under the newest. */

const root = fileURLToPath(new URL('../../..', import.meta.url));
const node20 = findNode20();

function findNode20(): string | undefined {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(directory, 'node');
    try {
      if (execFileSync(path, ['--version'], { stdio: 'pipe' }).toString().startsWith('v20.')) return path;
    } catch {
      // No node in this directory.
    }
  }
  return undefined;
}

const PROGRAM = `
import { connect, createIdentity, fileMemory } from './index.js';
const [connectionString, directory, alg] = process.argv.slice(2);
const identity = await createIdentity(directory + '/' + alg + '.json', alg);
const memory = fileMemory(directory + '/memory.json');
const connection = await connect({ connectionString, identity, role: 'client', memory });
const { phase } = await connection.call('vault.status', {});
await connection.close();
console.log(JSON.stringify({ node: process.version, phase, vault: connection.info.vault }));
`;

describe.skipIf(!node20)('the built SDK under Node 20', () => {
  let directory: string;
  beforeAll(() => {
    // Inside the package, so that ws and noble are found as they would be where it is installed.
    const dist = fileURLToPath(new URL('../dist', import.meta.url));
    mkdirSync(dist, { recursive: true });
    directory = mkdtempSync(join(dist, 'node-20-'));
    execFileSync(process.execPath, [join(root, 'scripts', 'build-sdk.mjs'), join(directory, 'index.js')]);
    writeFileSync(join(directory, 'program.mjs'), PROGRAM);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it.each(['EdDSA', 'ML-DSA-65'])('makes a key of %s, connects and calls', async (alg) => {
    const keep = await startTinyKeep({ tls: generateTlsKey() });
    try {
      const args = [join(directory, 'program.mjs'), keep.connectionString, directory, alg];
      const { stdout } = await promisify(execFile)(node20!, args, { timeout: 30_000 });
      expect(JSON.parse(stdout)).toMatchObject({ phase: 'unsealed', vault: keep.identity });
      expect(stdout).toContain('"node":"v20.');
    } finally {
      await keep.close();
    }
  });
});
