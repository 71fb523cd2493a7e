// Writes the generated parts of the reference pages from the source: docs/errors.md, docs/monitor-api.md,
// docs/protocol.md and docs/routes.md. What stands
// above the marker in each page is written by hand and stays. Files of docs/schemas are generated whole. Runs on the bundled Node 26.
//
// Usage: node scripts/docs.mjs [--check]      (--check changes nothing, and fails where a page is not up to date)
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import prettier from 'prettier';
import { grantFileSchema } from '../packages/protocol/src/grant-shapes.ts';
import { errorsPage } from './docs/errors-page.mjs';
import { monitorPage } from './docs/monitor-page.mjs';
import { protocolPage } from './docs/protocol-page.mjs';
import { routesPage } from './docs/routes-page.mjs';

export { COMPUTED, findCodes } from './docs/codes.mjs';
export { ERROR_TABLES, REASON_TABLES } from './docs/errors-page.mjs';
export { INTERNAL } from './docs/reasons.mjs';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const MARKER = '<!-- From here on this page is written by `node scripts/docs.mjs`. -->';
const PAGES = {
  'docs/errors.md': errorsPage,
  'docs/monitor-api.md': monitorPage,
  'docs/protocol.md': protocolPage,
  'docs/routes.md': routesPage,
};

const FILES = { 'docs/schemas/grants.schema.json': () => JSON.stringify(grantFileSchema()) };

/** Each page as it stands and as it should stand. */
export async function pages() {
  const whole = Object.entries(FILES).map(async ([path, generate]) => {
    const file = join(root, path);
    const present = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const style = await prettier.resolveConfig(file);
    return { path, file, present, wanted: await prettier.format(generate(), { ...style, parser: 'json' }) };
  });
  return Promise.all([
    ...whole,
    ...Object.entries(PAGES).map(async ([path, generate]) => {
      const file = join(root, path);
      const present = readFileSync(file, 'utf8');
      const at = present.indexOf(MARKER);
      if (at < 0) throw new Error(`${path} has lost its marker: ${MARKER}`);
      const text = `${present.slice(0, at)}${MARKER}\n\n${generate()}`;
      const style = await prettier.resolveConfig(file);
      return { path, file, present, wanted: await prettier.format(text, { ...style, parser: 'markdown' }) };
    }),
  ]);
}

async function main() {
  const check = process.argv.includes('--check');
  let stale = false;
  for (const { path, file, present, wanted } of await pages()) {
    if (present === wanted) continue;
    if (check) console.log(`${path} is not up to date: run node scripts/docs.mjs`);
    else writeFileSync(file, wanted);
    stale = true;
  }
  process.exitCode = check && stale ? 1 : 0;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
