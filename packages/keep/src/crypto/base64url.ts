/**
 * base64url without padding (RFC 4648 §5), for what every request passes through: Node's own writer takes a third of what
 * the language's `toBase64` does, which reads its options each time.
 */
export function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url');
}
