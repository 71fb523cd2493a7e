/**
 * The loops that pay in WebAssembly, in AssemblyScript. The caller lays out the memory from `heapStart()` on; nothing here
 * allocates. Built by scripts/build-wasm.mjs.
 */
export { merkleRoot, sha256dMany } from './sha256d';
export { decodeFilter, hashScripts, matchScripts } from './filter';

export function heapStart(): usize {
  return __heap_base;
}
