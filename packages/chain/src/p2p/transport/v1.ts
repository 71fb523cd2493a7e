import {
  checksumHolds,
  encodeV1Frame,
  maxPayload,
  readV1Head,
  V1_HEAD_BYTES,
  type V1Head,
} from '@keepwatch/bitcoin/p2p';
import { createByteQueue } from './byte-queue.ts';
import type { Transport } from './transport.ts';

/** The first transport: no encryption, a checksum that stops accidents and nothing else. */
export function createV1Transport(magic: Uint8Array): Transport {
  const queue = createByteQueue();
  let head: V1Head | undefined;
  return {
    kind: 'v1',
    opening: new Uint8Array(0),
    ready: () => true,
    encode: (command, payload) => encodeV1Frame(magic, command, payload),
    receive(bytes, out) {
      queue.push(bytes);
      for (;;) {
        if (head === undefined) {
          const start = queue.take(V1_HEAD_BYTES);
          if (start === undefined) return undefined;
          const read = readV1Head(start, magic);
          if (!read.ok) return read.error;
          // What announces more than its kind may have is not waited for.
          if (read.value.length > maxPayload(read.value.command)) return 'frame_too_large';
          head = read.value;
        }
        const payload = queue.take(head.length);
        if (payload === undefined) return undefined;
        if (!checksumHolds(head, payload)) return 'frame_checksum';
        const { command } = head;
        head = undefined;
        out.message(command, payload);
      }
    },
  };
}
