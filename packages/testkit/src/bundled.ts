import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { join } from 'node:path';

/**
 * Makes JavaScript of a program, as it is published, and gives its path in `directory`. To take the types off while loading
 * costs some 40 MB and a second that nobody has who installs it.
 */
export async function bundled(program: URL, directory: string): Promise<string> {
  await build({
    entryPoints: [{ in: fileURLToPath(program), out: 'main' }],
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    ...{ bundle: true, splitting: true, minify: true, format: 'esm', platform: 'node', target: 'node26' },
    // What is bundled in and still asks for modules of Node by `require`.
    banner: { js: `import{createRequire}from'node:module';const require=createRequire(import.meta.url);` },
    logLevel: 'warning',
  });
  return join(directory, 'main.mjs');
}
