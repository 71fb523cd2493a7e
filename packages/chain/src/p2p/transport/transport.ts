/**
 * A way to carry messages over a byte stream, as plain steps: bytes in, messages and bytes out. It opens no socket and
 * knows no clock, so that it can be fed by hand.
 */
export interface Transport {
  readonly kind: 'v1' | 'v2';
  /** What must be sent before anything else. */
  readonly opening: Uint8Array;
  /** Whether messages can be sent. */
  ready(): boolean;
  /** Feeds what came in. Messages are told in order; `send` is what the transport itself has to say. */
  receive(bytes: Uint8Array, out: TransportOut): TransportFault | undefined;
  /** The bytes of a message. Only when ready. */
  encode(command: string, payload: Uint8Array): Uint8Array;
}

export interface TransportOut {
  message(command: string, payload: Uint8Array): void;
  send(bytes: Uint8Array): void;
}

/** Why the stream cannot go on. */
export type TransportFault =
  | 'frame_magic'
  | 'frame_command'
  | 'frame_too_large'
  | 'frame_checksum'
  | 'v2_no_terminator'
  | 'v2_decryption'
  | 'v2_too_large'
  | 'v2_malformed'
  /** The other side speaks the first transport. */
  | 'v2_is_v1';
