/**
 * What gate allows a peer before and after the keep knows it. Every limit is an option; the defaults suit one vault on a
 * small machine. Times in milliseconds, sizes in bytes.
 */
export interface GateLimits {
  /** TCP connections altogether, half-open ones included. At the limit, the oldest stranger makes room. */
  readonly connections: number;
  /** Of them, from one address (IPv6: from one /64). */
  readonly connectionsPerAddress: number;
  /** From TCP accept to the end of the TLS handshake. */
  readonly handshakeMs: number;
  /** From the TLS handshake to a complete request. */
  readonly requestMs: number;
  /** From the WebSocket upgrade to the first message. */
  readonly firstMessageMs: number;
  /** From the WebSocket upgrade until the keep calls the connection authenticated. */
  readonly authenticationMs: number;
  /** Between a WebSocket close and the end of its socket. */
  readonly closeMs: number;
  /** One WebSocket message. */
  readonly messageBytes: number;
  /** Messages per second that a connection may keep up, and the burst on top. */
  readonly messagesPerSecond: number;
  readonly messageBurst: number;
  /** Unread bytes that wait for one connection, and for all together. Beyond, the slowest reader is closed. */
  readonly bufferedBytes: number;
  readonly bufferedBytesTotal: number;
  /** Bytes that wait for keep, above which gate stops reading from peers. */
  readonly linkBufferBytes: number;
}

export const DEFAULT_LIMITS: GateLimits = {
  connections: 4096,
  connectionsPerAddress: 1024,
  handshakeMs: 5_000,
  requestMs: 5_000,
  firstMessageMs: 10_000,
  authenticationMs: 30_000,
  closeMs: 2_000,
  messageBytes: 256 * 1024,
  messagesPerSecond: 8_000,
  messageBurst: 16_000,
  bufferedBytes: 4 * 1024 * 1024,
  bufferedBytesTotal: 64 * 1024 * 1024,
  linkBufferBytes: 1024 * 1024,
};

export function isLimitName(name: string): name is keyof GateLimits {
  return Object.hasOwn(DEFAULT_LIMITS, name);
}
