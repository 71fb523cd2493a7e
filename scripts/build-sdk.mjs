// Builds the client library for publishing: one ES module that runs on Node 20 (a node_modules directory gets no type
// stripping, so what is published is JavaScript). The workspace's own packages and zod are bundled in; ws and noble
// stay dependencies, so that whoever installs the library also gets their security fixes.
//
// Usage: node scripts/build-sdk.mjs [OUTPUT]      (default: packages/sdk/dist/index.js)
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const outfile = process.argv[2] ?? join(root, 'packages', 'sdk', 'dist', 'index.js');

await build({
  entryPoints: [join(root, 'packages', 'sdk', 'src', 'index.ts')],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: ['ws', '@noble/*'],
  sourcemap: true,
  legalComments: 'eof',
  logLevel: 'warning',
});
