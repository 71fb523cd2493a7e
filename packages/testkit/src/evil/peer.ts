import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Network } from '@keepwatch/bitcoin';
import { encodeV1Frame, networkMagic } from '@keepwatch/bitcoin/p2p';
import { readV1Frames } from '@keepwatch/devnet';

/** What an evil peer makes of one message on its way from the honest node to its victim. */
export type Mischief = (message: { readonly command: string; readonly payload: Uint8Array }) => Act;

/** `pass` and `drop`; other bytes as the payload; bytes that are no frame at all; or the message as it is, but later. */
export type Act =
  | 'pass'
  | 'drop'
  | { readonly payload: Uint8Array }
  | { readonly bytes: Uint8Array }
  | { readonly hold: Promise<unknown> };

/** A peer that stands between a victim and a real node, and lies where it is told to and nowhere else. */
export interface EvilPeer {
  readonly port: number;
  /** Connections that it had so far: a peer that is banned gets no more. */
  connections(): number;
  /** Says something of its own to every victim. */
  say(command: string, payload: Uint8Array): void;
  stop(): Promise<void>;
}

/** It speaks the first transport: a victim that begins with the second one falls back to it. */
export async function startEvilPeer(nodePort: number, network: Network, mischief: Mischief): Promise<EvilPeer> {
  const magic = networkMagic(network);
  const sockets = new Set<Socket>();
  const victims = new Set<Socket>();
  let connections = 0;

  const server = createServer((victim) => {
    sockets.add(victim);
    victim.on('error', () => victim.destroy());
    let node: Socket | undefined;
    victim.once('data', (first: Buffer) => {
      if (!first.subarray(0, 4).equals(magic)) {
        victim.destroy();
        return;
      }
      connections++;
      victims.add(victim);
      node = connect({ host: '127.0.0.1', port: nodePort });
      sockets.add(node);
      node.write(first);
      victim.pipe(node);
      node.on('error', () => victim.destroy());
      node.on('close', () => victim.destroy());
      victim.on('close', () => node!.destroy());
      readV1Frames(node, magic, (command, payload) => {
        const act = mischief({ command, payload });
        if (act === 'drop') return;
        if (act === 'pass') victim.write(encodeV1Frame(magic, command, payload));
        else if ('hold' in act) void act.hold.then(() => victim.write(encodeV1Frame(magic, command, payload)));
        else victim.write('bytes' in act ? act.bytes : encodeV1Frame(magic, command, act.payload));
      });
    });
    victim.on('close', () => {
      sockets.delete(victim);
      victims.delete(victim);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    say(command, payload) {
      for (const victim of victims) victim.write(encodeV1Frame(magic, command, payload));
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
