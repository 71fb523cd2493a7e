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
  const chunks: Uint8Array[] = [];
  /** Where the first chunk is not yet read. */
  let first = 0;
  let length = 0;

  /** Exactly the bytes asked for: whoever keeps them keeps nothing else alive, but for the rest of one chunk. */
  function peek(wanted: number): Uint8Array | undefined {
    if (wanted > length) return undefined;
    const head = chunks[0];
    if (head === undefined) return new Uint8Array(0);
    if (head.length - first >= wanted) return head.subarray(first, first + wanted);
    const joined = new Uint8Array(wanted);
    let at = 0;
    for (let i = 0; at < wanted; i++) {
      const part = chunks[i]!.subarray(i === 0 ? first : 0);
      joined.set(part.subarray(0, wanted - at), at);
      at += Math.min(part.length, wanted - at);
    }
    return joined;
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
      let read = 0;
      while (read < chunks.length && first >= chunks[read]!.length) first -= chunks[read++]!.length;
      chunks.splice(0, read);
      return bytes;
    },
  };
}
