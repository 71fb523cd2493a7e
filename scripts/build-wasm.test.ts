import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { buildKernel, target } from './build-wasm.mjs';

it('the WebAssembly module in the source is what its own source compiles to', { timeout: 120_000 }, async () => {
  expect(readFileSync(target, 'utf8')).toBe(await buildKernel());
});
