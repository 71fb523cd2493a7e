import { concat } from '@keepwatch/base';

/**
 * How an entry of a monitor's journal is framed. The salt makes the hash of an entry tell nothing of what it says, so that a
 * neighbour on a Merkle path reveals nothing.
 *
 *     01 | room (u8) | 16 bytes of salt | what the room's own codec wrote
 */
const VERSION = 1;
export const SALT_BYTES = 16;
const HEAD = 2 + SALT_BYTES;

/** Whose event it is. The numbers stand in journals: they are never used again for something else. */
export const ROOMS = { watch: 1, outbox: 2, desk: 3, ladder: 4, evm: 5, vault: 6, order: 7 } as const;
export type RoomName = keyof typeof ROOMS;

const NAMES = new Map(Object.entries(ROOMS).map(([name, number]) => [number as number, name as RoomName]));

export function encodeEntry(room: RoomName, salt: Uint8Array, body: Uint8Array): Uint8Array {
  if (salt.length !== SALT_BYTES) throw new RangeError(`a salt has ${SALT_BYTES} bytes`);
  return concat(Uint8Array.of(VERSION, ROOMS[room]), salt, body);
}

/** `undefined`: not an entry of this version. */
export function decodeEntry(bytes: Uint8Array): { readonly room: RoomName; readonly body: Uint8Array } | undefined {
  if (bytes.length < HEAD || bytes[0] !== VERSION) return undefined;
  const room = NAMES.get(bytes[1]!);
  return room && { room, body: bytes.subarray(HEAD) };
}
