import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { WebSocket } from 'ws';
import type { TokenBucket } from '@keepwatch/base';

/** One connection of a peer, from TCP accept to its end. Plain state; `server.ts` and `peers.ts` move it along. */
export interface Peer {
  readonly raw: Socket;
  readonly address: string;
  stage: PeerStage;
  /** When the present stage must be over, on the monotonic clock; `Infinity` once authenticated. */
  deadline: number;
  /** When the keep must have authenticated the peer: set at the upgrade, holds over the stages after it. */
  authenticateBy: number;
  tls?: TLSSocket;
  ws?: WebSocket;
  bucket?: TokenBucket;
  /** Number on the link; 0 until the first message, so that the keep hears nothing of peers that say nothing. */
  connection: number;
  /** Whether its socket is corked for the batch of frames that the keep sent. */
  corked: boolean;
}

/**
 * `tcp`: in the TLS handshake · `http`: before a complete request · `silent`: upgraded, no message yet · `stranger`:
 * has spoken, not authenticated · `authenticated` · `closing`: the WebSocket close is sent.
 */
export type PeerStage = 'tcp' | 'http' | 'silent' | 'stranger' | 'authenticated' | 'closing';

/** Ends the connection without a word. */
export function destroyPeer(peer: Peer): void {
  peer.stage = 'closing';
  peer.tls?.destroy();
  peer.raw.destroy();
}
