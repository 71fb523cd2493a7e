/** Bytes that came in and are not yet read. Nothing is joined before somebody asks for it. */
export interface ByteQueue {
  push(chunk: Uint8Array): void;
  readonly length: number;
  /** The next bytes, which stay; `undefined` where there are not so many yet. */
  peek(length: number): Uint8Array | undefined;
  /** The next bytes, which are gone then. */
  take(length: number): Uint8Array | undefined;
}

export function createByteQueue(): ByteQueue {
  let chunks: Uint8Array[] = [];
  let first = 0;
  let length = 0;

  function peek(wanted: number): Uint8Array | undefined {
    if (wanted > length) return undefined;
    const head = chunks[0];
    if (head === undefined) return new Uint8Array(0);
    if (head.length - first >= wanted) return head.subarray(first, first + wanted);
    const joined = new Uint8Array(length);
    let at = 0;
    for (const [i, chunk] of chunks.entries()) {
      const part = i === 0 ? chunk.subarray(first) : chunk;
      joined.set(part, at);
      at += part.length;
    }
    chunks = [joined];
    first = 0;
    return joined.subarray(0, wanted);
  }

  return {
    push(chunk) {
      if (chunk.length === 0) return;
      // Never a Buffer: its slice() is no copy, and what reverses a hash in a "copy" would turn the message around.
      chunks.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
      length += chunk.length;
    },
    get length() {
      return length;
    },
    peek,
    take(wanted) {
      const bytes = peek(wanted);
      if (bytes === undefined) return undefined;
      first += wanted;
      length -= wanted;
      if (chunks[0] !== undefined && first === chunks[0].length) {
        chunks.shift();
        first = 0;
      }
      return bytes;
    },
  };
}
