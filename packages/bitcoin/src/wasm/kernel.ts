import { fromBase64url } from '@keepwatch/base';
import { KERNEL_MODULE } from './kernel-module.ts';

/** What the module offers; offsets are bytes of its memory. See packages/bitcoin/assembly for each function. */
interface KernelExports {
  heapStart(): number;
  sha256dMany(count: number, table: number, base: number, out: number, scratch: number, stride: number): void;
  merkleRoot(row: number, count: number): number;
  decodeFilter(at: number, length: number, count: number, rests: number, starts: number): number;
  matchScripts(
    k0: bigint,
    k1: bigint,
    scripts: number,
    offsets: number,
    scriptCount: number,
    count: number,
    rests: number,
    starts: number,
  ): number;
  hashScripts(k0: bigint, k1: bigint, scripts: number, offsets: number, count: number, values: number): void;
}

export interface Kernel extends KernelExports {
  /** The memory as bytes, with room for so many; views from before are void after it. */
  memory(byteLength: number): Uint8Array<ArrayBuffer>;
}

interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
/** WebAssembly is in every runtime that this code is for, but lib.esnext does not name it. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly env: { readonly memory: Memory } },
  ) => { readonly exports: unknown };
  readonly Memory: new (limits: { readonly initial: number }) => Memory;
}
const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyApi };

const PAGE = 65_536;
let compiled: object | undefined;

/** A kernel with memory of its own. The module is compiled once, when it is first needed. */
export function createKernel(): Kernel {
  compiled ??= new WebAssembly.Module(fromBase64url(KERNEL_MODULE)!);
  const memory = new WebAssembly.Memory({ initial: 1 });
  const instance = new WebAssembly.Instance(compiled, { env: { memory } });
  return {
    ...(instance.exports as KernelExports),
    memory(byteLength) {
      const missing = byteLength - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
      return new Uint8Array(memory.buffer);
    },
  };
}
