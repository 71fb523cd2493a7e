// Builds packages/bitcoin/assembly (AssemblyScript) and writes the module as text into a source file, so that a fresh clone
// runs without a build. A test builds again and compares. `node scripts/build-wasm.mjs` after a change there.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import asc from 'assemblyscript/asc';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = 'packages/bitcoin/assembly';
export const target = resolve(root, 'packages/bitcoin/src/wasm/kernel-module.ts');

/** The text of the source file that carries the module. */
export async function buildKernel() {
  let module;
  const { error, stderr } = await asc.main(
    [
      ...['index.ts', '--outFile', 'kernel.wasm', '-O3', '--converge', '--noAssert'],
      ...['--runtime', 'stub', '--importMemory', '--enable', 'simd'],
    ],
    {
      readFile: (name) => {
        try {
          return readFileSync(resolve(root, source, name), 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (name, bytes) => {
        if (name === 'kernel.wasm') module = bytes;
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(`the kernel does not compile: ${error.message}\n${stderr.toString()}`);
  const text = Buffer.from(module).toString('base64url');
  return `// Built from ${source} by scripts/build-wasm.mjs: not to be edited.\nexport const KERNEL_MODULE =\n  '${text}';\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync(target, await buildKernel());
