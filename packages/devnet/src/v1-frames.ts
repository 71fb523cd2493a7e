import type { Socket } from 'node:net';
import { readV1Head, V1_HEAD_BYTES } from '@keepwatch/bitcoin/p2p';

/** Tells each message that comes over a connection of the first transport; what is no frame ends it. */
export function readV1Frames(
  socket: Socket,
  magic: Uint8Array,
  frame: (command: string, payload: Uint8Array) => void,
): void {
  let held = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= V1_HEAD_BYTES) {
      const head = readV1Head(held, magic);
      if (!head.ok) return void socket.destroy();
      const end = V1_HEAD_BYTES + head.value.length;
      if (held.length < end) return;
      frame(head.value.command, new Uint8Array(held.subarray(V1_HEAD_BYTES, end)));
      held = held.subarray(end);
    }
  });
}
