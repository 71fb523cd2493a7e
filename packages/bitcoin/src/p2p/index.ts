/**
 * p2p: the messages that bitcoin's nodes exchange, as bytes and as values, and the frames around them. Pure: sockets,
 * ciphers and peers are chain's business.
 */
export { type AddressNetwork, type NetAddress } from './address.ts';
export {
  checksumHolds,
  encodeV1Frame,
  readV1Head,
  V1_HEAD_BYTES,
  type FrameErrorCode,
  type V1Head,
} from './frame-v1.ts';
export { defaultPort, networkMagic } from './magic.ts';
export {
  CFCHECKPT_INTERVAL,
  decodeMessage,
  encodePayload,
  MAX_CFHEADERS,
  MAX_CFILTERS,
  MAX_HEADERS,
  MAX_INV,
  MAX_MESSAGE_BYTES,
  maxPayload,
  PROTOCOL_VERSION,
  SERVICES,
  type InvItem,
  type InvType,
  type MessageErrorCode,
  type PeerMessage,
  type VersionMessage,
} from './message.ts';
export { decodeV2Contents, encodeV2Contents, type NamedPayload } from './v2-contents.ts';
