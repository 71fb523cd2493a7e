import type { Duplex } from 'node:stream';
import { assertNever, createTokenBucket } from '@keepwatch/base';
import {
  CLOSE_CODES,
  decodeLinkClose,
  decodeLinkControl,
  encodeLinkClose,
  encodeLinkOpen,
  type LinkControl,
  type LinkFrame,
} from '@keepwatch/protocol';
import type { WebSocket } from 'ws';
import { isLoopback, type Admission } from './admission.ts';
import type { KeepLink } from './keep-link.ts';
import type { GateLimits } from './limits.ts';
import type { EndReason, GateCounters } from './metrics.ts';
import { destroyPeer, type Peer } from './peer.ts';

/** Moves messages between upgraded peers and the keep, and holds each peer to its limits. It reads none of them. */
export interface Peers {
  /** A peer finished its WebSocket upgrade. */
  upgraded(peer: Peer, ws: WebSocket): void;
  /** One frame from the keep. */
  frame(frame: LinkFrame): void;
  /** The frames of one read are through: what they wrote goes out. */
  batchEnd(): void;
  linkChanged(link: KeepLink | undefined): void;
  linkDrained(): void;
  /** Ends what is past its deadline. */
  expire(now: number): void;
  /** Ends one peer: with a WebSocket close where there is one, else without a word. */
  end(peer: Peer, code: number, reason: string, why: EndReason): void;
  endAll(code: number, reason: string, why: EndReason): void;
  /** The peer's socket is gone. */
  gone(peer: Peer): void;
  gauges(): { webSockets: number; authenticated: number; bufferedToPeers: number };
}

export interface PeersDeps {
  readonly admission: Admission<Peer>;
  readonly counters: GateCounters;
  /** A name for the network of an address, from which nobody learns it. */
  readonly crowdOf: (address: string) => string;
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** A control message of the keep: the TLS rotation. */
  readonly control: (message: LinkControl) => void;
  /** The keep broke the protocol: the link is to be dropped. */
  readonly violation: (what: string) => void;
}

export function createPeers(deps: PeersDeps, limits: GateLimits): Peers {
  const { admission, counters, now } = deps;
  const upgradedPeers = new Set<Peer>();
  const closing = new Set<Peer>();
  const byConnection = new Map<number, Peer>();
  let corked: Peer[] = [];
  let link: KeepLink | undefined;
  let lastConnection = 0;
  let paused = false;
  let authenticated = 0;
  /** Bytes handed to peers' sockets, an upper bound between two exact counts. */
  let buffered = 0;

  function upgraded(peer: Peer, ws: WebSocket): void {
    const at = now();
    peer.ws = ws;
    peer.stage = 'silent';
    peer.deadline = at + limits.firstMessageMs;
    peer.authenticateBy = at + limits.authenticationMs;
    peer.bucket = createTokenBucket(limits.messagesPerSecond, limits.messageBurst, at);
    upgradedPeers.add(peer);
    counters.upgrades++;
    ws.on('message', (data) => message(peer, data as Buffer));
    ws.on('error', (error) => {
      // `ws` closes by itself after a violation; what is ours to do is to count it.
      const tooLarge = (error as NodeJS.ErrnoException).code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
      counters.ended[tooLarge ? 'message_too_large' : 'protocol_error']++;
    });
    ws.on('close', () => gone(peer));
    if (!link) end(peer, CLOSE_CODES.keepUnavailable, 'keep unavailable', 'keep_unavailable');
    else if (paused) ws.pause();
  }

  function message(peer: Peer, data: Buffer): void {
    if (peer.stage === 'closing') return;
    if (!link) return end(peer, CLOSE_CODES.keepUnavailable, 'keep unavailable', 'keep_unavailable');
    if (!peer.bucket!.take(now())) return end(peer, CLOSE_CODES.rateLimited, 'too many messages', 'message_rate');
    if (peer.connection === 0) introduce(peer, link);
    counters.framesIn++;
    counters.bytesIn += data.length;
    link.send('data', peer.connection, data);
    if (link.bufferedBytes() > limits.linkBufferBytes && !paused) {
      paused = true;
      for (const each of upgradedPeers) each.ws?.pause();
    }
  }

  /** First message: now the keep hears of the connection. Numbers are not used again while their link lives. */
  function introduce(peer: Peer, to: KeepLink): void {
    if (peer.stage === 'silent') {
      peer.stage = 'stranger';
      peer.deadline = peer.authenticateBy;
    }
    peer.connection = ++lastConnection;
    byConnection.set(peer.connection, peer);
    const remote = isLoopback(peer.address) ? 'loopback' : 'remote';
    to.send('open', peer.connection, encodeLinkOpen({ remote, crowd: deps.crowdOf(peer.address) }));
    if (lastConnection === 0xffff_ffff) deps.violation('connection numbers are used up');
  }

  function frame({ type, connection, payload }: LinkFrame): void {
    switch (type) {
      case 'data':
        return deliver(byConnection.get(connection), payload);
      case 'authenticated': {
        const peer = byConnection.get(connection);
        if (!peer || peer.stage !== 'stranger') return;
        peer.stage = 'authenticated';
        peer.deadline = Infinity;
        authenticated++;
        return admission.known(peer);
      }
      case 'close': {
        const close = decodeLinkClose(payload);
        if (!close) return deps.violation('malformed close');
        const peer = byConnection.get(connection);
        if (!peer) return;
        forget(peer);
        return closeWebSocket(peer, close.code, close.reason);
      }
      case 'control': {
        const control = decodeLinkControl(payload);
        return control ? deps.control(control) : deps.violation('malformed control message');
      }
      case 'open':
        return deps.violation('only gate opens connections');
      default:
        assertNever(type);
    }
  }

  function deliver(peer: Peer | undefined, payload: Uint8Array): void {
    // A frame for a connection that has just ended crosses its `close` on the link: nobody is there to read it.
    if (!peer || !peer.ws || peer.stage === 'closing') return;
    const socket: Duplex = peer.tls!;
    if (!peer.corked) {
      peer.corked = true;
      socket.cork();
      corked.push(peer);
    }
    counters.framesOut++;
    counters.bytesOut += payload.length;
    buffered += payload.length;
    peer.ws.send(payload, { binary: true });
  }

  function batchEnd(): void {
    const batch = corked;
    corked = [];
    for (const peer of batch) {
      peer.corked = false;
      peer.tls!.uncork();
      if (peer.ws!.bufferedAmount > limits.bufferedBytes) dropSlowReader(peer);
    }
    if (buffered > limits.bufferedBytesTotal) shedTotal();
  }

  /** The bound over all peers: counts exactly, then drops the slowest readers until the rest fits. */
  function shedTotal(): void {
    const waiting = [...upgradedPeers]
      .map((peer) => ({ peer, bytes: peer.ws!.bufferedAmount }))
      .sort((a, b) => b.bytes - a.bytes);
    buffered = waiting.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { peer, bytes } of waiting) {
      if (buffered <= limits.bufferedBytesTotal) return;
      buffered -= bytes;
      dropSlowReader(peer);
    }
  }

  /** A close frame would only queue behind what is not read: the socket goes, and with it the memory. */
  function dropSlowReader(peer: Peer): void {
    if (peer.stage === 'closing') return;
    counters.ended.slow_reader++;
    tellKeep(peer, CLOSE_CODES.slowReader, 'slow reader');
    destroyPeer(peer);
  }

  function end(peer: Peer, code: number, reason: string, why: EndReason): void {
    if (peer.stage === 'closing') return;
    counters.ended[why]++;
    tellKeep(peer, code, reason);
    closeWebSocket(peer, code, reason);
  }

  function tellKeep(peer: Peer, code: number, reason: string): void {
    if (peer.connection === 0) return;
    link?.send('close', peer.connection, encodeLinkClose({ code, reason }));
    forget(peer);
  }

  function forget(peer: Peer): void {
    byConnection.delete(peer.connection);
    peer.connection = 0;
    if (peer.stage === 'authenticated') authenticated--;
  }

  function closeWebSocket(peer: Peer, code: number, reason: string): void {
    if (!peer.ws || peer.ws.readyState === peer.ws.CLOSED) return destroyPeer(peer);
    peer.stage = 'closing';
    peer.deadline = now() + limits.closeMs;
    closing.add(peer);
    // A paused peer must be read again, or its answer to the close is never seen.
    peer.ws.resume();
    peer.ws.close(code, reason);
  }

  function gone(peer: Peer): void {
    tellKeep(peer, CLOSE_CODES.normal, 'peer left');
    destroyPeer(peer);
    upgradedPeers.delete(peer);
    closing.delete(peer);
    admission.leave(peer);
  }

  function expire(at: number): void {
    for (const peer of [...closing]) if (at > peer.deadline) destroyPeer(peer);
    for (const peer of [...admission.strangers()]) {
      if (at <= peer.deadline || peer.stage === 'closing') continue;
      switch (peer.stage) {
        case 'tcp':
          end(peer, CLOSE_CODES.tooSlow, 'too slow', 'handshake_timeout');
          break;
        case 'http':
          end(peer, CLOSE_CODES.tooSlow, 'too slow', 'request_timeout');
          break;
        case 'silent':
          end(peer, CLOSE_CODES.tooSlow, 'no first message in time', 'first_message_timeout');
          break;
        case 'stranger':
          end(peer, CLOSE_CODES.tooSlow, 'not authenticated in time', 'authentication_timeout');
          break;
        case 'authenticated':
          break;
        default:
          assertNever(peer.stage);
      }
    }
  }

  function linkChanged(changed: KeepLink | undefined): void {
    link = changed;
    paused = false;
    lastConnection = 0;
    batchEnd();
    if (changed) return;
    // What a session was is lost with its keep: peers begin anew with the next one.
    endAll(CLOSE_CODES.keepUnavailable, 'keep unavailable', 'keep_unavailable');
    byConnection.clear();
  }

  function endAll(code: number, reason: string, why: EndReason): void {
    for (const peer of [...upgradedPeers]) end(peer, code, reason, why);
  }

  function linkDrained(): void {
    if (!paused) return;
    paused = false;
    for (const peer of upgradedPeers) peer.ws?.resume();
  }

  return {
    upgraded,
    frame,
    batchEnd,
    linkChanged,
    linkDrained,
    expire,
    end,
    endAll,
    gone,
    gauges: () => ({
      webSockets: upgradedPeers.size,
      authenticated,
      bufferedToPeers: [...upgradedPeers].reduce((sum, peer) => sum + peer.ws!.bufferedAmount, 0),
    }),
  };
}
