import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here('../..'),
  resolve: { alias: { 'fast-check': here('./fast-check.mjs') } },
  test: { testTimeout: 6 * 3_600_000 },
});
