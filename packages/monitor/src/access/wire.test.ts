import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { fromBase64url, type CodedError } from '@keepwatch/base';
import { parseConnectionString } from '@keepwatch/protocol';
import { createMemory, openSession, wireCrypto } from '@keepwatch/sdk';
import { createPeerHandshake } from '@keepwatch/wire';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { isOrder, MONITOR_METHODS } from '../api/contract.ts';
import { makeMonitorHome, type MonitorHome } from '../home.fixture.ts';
import { codeOf, freshIdentity, makeMonitorDoor, type MonitorDoor } from './door.fixture.ts';
import { peerIdOf } from './peer-id.ts';
import { tokenPath } from './token-file.ts';

/** A monitor's data and its door, real: TLS, handshake and sessions over loopback. */

const PATIENT = { timeout: 60_000 };
let home: MonitorHome;
let door: MonitorDoor;

const target = (connection = door.server.connection()) => {
  const read = parseConnectionString(connection);
  if (!read.ok) throw new Error(read.error.what);
  return read.value;
};

beforeEach(async () => {
  home = await makeMonitorHome();
  door = makeMonitorDoor(home);
  await door.open();
});
afterEach(async () => {
  door.leave();
  await door.server.close();
  await home.remove();
});

const asOperator = async () => {
  const identity = freshIdentity();
  return { identity, operator: await door.enter(identity, 'operator', 'register') };
};
/** Each is a finding: room on the disk ends, and comes back. */
async function findings(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await home.monitor.engine.submit({ room: 'watch', input: { kind: 'disk', freeBytes: i % 2 === 0 ? 1 : 10 ** 12 } });
  }
}
interface Row {
  readonly seq: number;
  readonly finding: { readonly id: string };
}

describe('who may reach a monitor', () => {
  it('makes the first operator by a token that works once, and lets others wait for an operator’s word', async () => {
    const withToken = door.server.connection();
    expect(withToken).toContain('&token=');
    const { identity, operator } = await asOperator();
    expect(operator.right).toBe('operator');
    expect(door.server.connection()).not.toContain('token');
    expect(await codeOf(door.enter(freshIdentity(), 'operator', 'register', withToken))).toBe('token_invalid');
    const late = await door.enter(freshIdentity(), 'operator', 'register');
    expect(late.right).toBe('candidate');
    expect(await codeOf(late.call('findings.list'))).toBe('monitor_not_allowed');
    expect(await codeOf(late.call('peer.approve', { peer: late.peer, right: 'operator' }))).toBe('monitor_not_allowed');
    expect(await late.call('peer.self', { name: 'laptop' })).toEqual({ peer: late.peer, right: 'candidate' });

    expect(await operator.call('peer.list')).toMatchObject([
      { right: 'operator' },
      { name: 'laptop', right: 'candidate' },
    ]);
    const again = await door.enter(identity, 'operator', 'session');
    expect(again.peer).toBe(operator.peer);
    expect(await again.call('status').catch((error: CodedError) => error.code)).toBe('monitor_refused');
  });

  it('leaves the token in a file that only its user reads, as long as there is no operator and the monitor runs', async () => {
    const path = tokenPath(home.dir);
    const left = () => readFileSync(path, 'utf8').trim();
    expect(door.server.address()).not.toContain('token');
    expect(left()).toBe(door.server.connection());
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const served = left();
    const operator = await door.enter(freshIdentity(), 'operator', 'register', served);
    expect(operator.right).toBe('operator');
    expect(existsSync(path)).toBe(false);
    const asking = await door.enter(freshIdentity(), 'operator', 'register');
    expect(asking.right).toBe('candidate');
    await home.api.call('peer.revoke', { peer: operator.peer });
    await vi.waitFor(() => expect(left()).toBe(door.server.connection()), PATIENT);
    expect(left()).not.toBe(served);
    // The owner's word makes an operator as well.
    await home.api.call('peer.approve', { peer: asking.peer, right: 'operator' });
    await vi.waitFor(() => expect(existsSync(path)).toBe(false), PATIENT);
    await home.api.call('peer.revoke', { peer: asking.peer });
    await vi.waitFor(() => expect(existsSync(path)).toBe(true), PATIENT);
    await door.server.close();
    expect(existsSync(path)).toBe(false);
  });

  it('refuses a token that is not the one, and a key that nobody knows', async () => {
    const other = target();
    const forged = door.server.connection().replace(other.token!, Buffer.alloc(32, 7).toString('base64url'));
    expect(await codeOf(door.enter(freshIdentity(), 'operator', 'register', forged))).toBe('token_invalid');
    expect(await codeOf(door.enter(freshIdentity(), 'operator', 'session'))).toBe('peer_unknown');
    expect(await codeOf(door.enter(freshIdentity(), 'client', 'session'))).toBe('peer_unknown');
    expect((await asOperator()).operator.right).toBe('operator');
  });

  it('lets a reader read and nothing else, in no other role, and ends its sessions when it is revoked', async () => {
    const { operator } = await asOperator();
    const key = freshIdentity();
    const asking = await door.enter(key, 'client', 'register');
    await operator.call('peer.approve', { peer: asking.peer, name: 'console', right: 'reader' });
    // What held before has ended: it begins anew with its right.
    await vi.waitFor(
      async () => expect(await codeOf(asking.call('peer.self'))).not.toBe('nothing was refused'),
      PATIENT,
    );
    const reader = await door.enter(key, 'client', 'session');
    expect(await reader.call('findings.list')).toEqual([]);
    expect(await codeOf(reader.call('wallet.put', { name: 'mine' }))).toBe('monitor_not_allowed');
    expect(await codeOf(reader.call('peer.list'))).toBe('monitor_not_allowed');
    expect(await codeOf(door.enter(key, 'operator', 'session'))).toBe('peer_unknown');

    const stop = new AbortController();
    const following = reader.subscribe('findings.follow', { after: 0, follow: true }, stop.signal);
    const next = codeOf(following.next() as Promise<unknown>);
    await operator.call('peer.revoke', { peer: 'console' });
    expect(await next).not.toBe('nothing was refused');
    expect(await codeOf(reader.call('findings.list'))).not.toBe('nothing was refused');
    expect(await codeOf(door.enter(key, 'client', 'session'))).toBe('peer_unknown');
    expect(await codeOf(operator.call('peer.revoke', { peer: 'console' }))).toBe('monitor_peer_unknown');
  });

  it('lets no flood of strangers push one out who waits, and finds room for whom an operator has named', async () => {
    const { operator } = await asOperator();
    const early = await door.enter(freshIdentity(), 'client', 'register');
    const strangers = await Promise.all(
      Array.from({ length: 30 }, () => codeOf(door.enter(freshIdentity(), 'client', 'register'))),
    );
    // On a busy machine one of those that are refused may not get as far as to hear why.
    expect(strangers.filter((code) => code === 'nothing was refused')).toHaveLength(7);
    const waiting = async () => (await operator.call('peer.list')) as { peer: string; right: string }[];
    expect((await waiting()).filter(({ right }) => right === 'candidate')).toHaveLength(8);

    const late = freshIdentity();
    expect(await codeOf(door.enter(late, 'client', 'register'))).toBe('proposals_full');
    const peer = peerIdOf(late);
    const approve = { peer, name: 'late', right: 'reader' };
    expect(await codeOf(operator.call('peer.approve', approve))).toBe('monitor_peer_unknown');
    expect((await door.enter(late, 'client', 'register')).right).toBe('candidate');
    expect((await waiting()).map((each) => each.peer)).toContain(early.peer);
    await operator.call('peer.approve', approve);
    expect((await door.enter(late, 'client', 'session')).right).toBe('reader');
    expect([...new Set(door.logs)]).toEqual(['edge to the monitor connected']);
  });

  it('lets nobody start a program or give the pass phrase over the network', async () => {
    const { operator } = await asOperator();
    const program = { kind: 'command', name: 'evil', program: '/bin/sh', args: ['-c', 'id'] };
    expect(await codeOf(operator.call('channel.put', { channel: program }))).toBe('monitor_not_allowed');
    expect(await operator.call('channel.list')).toEqual([]);
    expect(await codeOf(operator.call('unlock', { passphrase: 'x' }))).not.toBe('nothing was refused');
  });

  it('knows its peers after a restart, and itself stays the same', async () => {
    const { identity } = await asOperator();
    const before = door.server.connection();
    const { port } = target();
    await door.close();
    await door.open(port);
    expect(door.server.connection()).toBe(before);
    expect((await door.enter(identity, 'operator', 'session', before)).right).toBe('operator');
  });
});

describe('the table of methods', () => {
  it('has every method and every order, with the shapes by which they are read', () => {
    for (const [name, { params }] of Object.entries(home.monitor.methods)) {
      expect(MONITOR_METHODS[name]?.params, name).toBe(params);
      expect(MONITOR_METHODS[name]?.effect, name).toBe('asks');
    }
    const ordered = Object.keys(home.monitor.orders.methodsOfOwner('data')).filter((name) => name !== 'command');
    const listed = Object.keys(MONITOR_METHODS).filter((name) => isOrder(name) && name !== 'unlock');
    expect(ordered.sort()).toEqual(listed.sort());
  });
});

describe('a cursor', () => {
  it('goes on without a gap or a double over many breaks, while more is found', async () => {
    const { identity } = await asOperator();
    const seen: Row[] = [];
    const total = 120;
    const finding = findings(total);
    for (let round = 0; seen.length < total; round++) {
      const reader = await door.enter(identity, 'operator', 'session');
      const stop = new AbortController();
      const rows = reader.subscribe('findings.follow', { after: seen.at(-1)?.seq ?? 0, follow: true }, stop.signal);
      try {
        for await (const row of rows) {
          seen.push(row as Row);
          // The line breaks in the middle of what was sent.
          if (seen.length % (17 + round) === 0 || seen.length === total) break;
        }
      } finally {
        stop.abort();
        reader.close();
      }
    }
    await finding;
    expect(new Set(seen.map(({ finding: { id } }) => id)).size).toBe(total);
    const all = (await home.monitor.methods['findings.list']!.call(
      { limit: 10_000 } as never,
      new AbortController().signal,
    )) as Row[];
    expect(seen.map(({ seq }) => seq)).toEqual(all.map(({ seq }) => seq));
  });

  it('sends a reader that takes nothing no more than its window, and the rest once it takes', async () => {
    const { operator, identity } = await asOperator();
    const slow = await door.enter(identity, 'operator', 'session');
    let read = 0;
    const { 'findings.follow': follow } = home.monitor.methods;
    const spied = vi.spyOn(follow!, 'stream').mockImplementation(async function* () {
      for (let i = 1; i <= 6_000; i++) {
        read = i;
        yield { seq: i, words: 'x'.repeat(1_000) };
        await Promise.resolve();
      }
    });
    const stop = new AbortController();
    const rows = slow.subscribe('findings.follow', { after: 0, follow: false }, stop.signal);
    await rows.next();
    // Others are answered meanwhile.
    for (let i = 0; i < 20; i++) await operator.call('peer.list');
    // A window of 1 MiB, and what is in the pipe: not all six.
    expect(read).toBeLessThan(3_000);
    let taken = 1;
    for await (const row of rows) taken += (row as Row).seq > 0 ? 1 : 0;
    expect(taken).toBe(6_000);
    spied.mockRestore();
  });
});

describe('a hostile peer', () => {
  const webSocket = (): Promise<WebSocket> => {
    const { port } = target();
    const made = new WebSocket(`wss://127.0.0.1:${port}/`, { rejectUnauthorized: false });
    return new Promise((resolve, reject) => made.once('open', () => resolve(made)).once('error', reject));
  };
  const over = (socket: WebSocket) =>
    new Promise<string>((resolve) => {
      socket.on('error', () => undefined);
      socket.once('close', (code, reason) => resolve(`${code} ${reason.toString()}`));
    });

  it('gains nothing by saying again what somebody else has said', async () => {
    const { identity } = await asOperator();
    const { id, tls } = target();
    const handshake = createPeerHandshake(
      { crypto: wireCrypto, signer: identity },
      { role: 'operator', wish: 'session', vault: fromBase64url(id)!, tls: fromBase64url(tls)!, head: null },
    );
    const hello = await handshake.hello();
    const first = await webSocket();
    first.send(hello);
    const challenge = await new Promise<Buffer>((resolve) => first.once('message', (data) => resolve(data as Buffer)));
    const accepted = await handshake.receiveChallenge(challenge);
    if (!accepted.ok) throw new Error(accepted.error.code);
    const proof = accepted.value.message;
    first.send(proof);
    await new Promise((resolve) => first.once('message', resolve));
    expect(door.server.sessions()).toBe(2);

    // The same hello is challenged anew, and the old proof does not answer that; nor do frames of the old session.
    const second = await webSocket();
    second.send(hello);
    await new Promise((resolve) => second.once('message', resolve));
    second.send(proof);
    expect(await over(second)).toMatch(/handshake/);
    const frame = accepted.value.session.seal(Buffer.from('\0{"jsonrpc":"2.0","id":1,"method":"peer.list"}'));
    first.send(frame);
    await new Promise((resolve) => first.once('message', resolve));
    first.send(frame);
    expect(await over(first)).toMatch(/frame/);
    expect(door.server.sessions()).toBe(1);
  });

  it('is cut off with what is too large, is no frame, or is no message', async () => {
    const { identity } = await asOperator();
    const large = await webSocket();
    large.send(randomBytes(300 * 1024));
    await over(large);
    const nonsense = await webSocket();
    nonsense.send('hello');
    expect(await over(nonsense)).toMatch(/handshake_malformed/);

    const raw = async (payload: Uint8Array) => {
      const { channel, keep } = await openSession({
        ...{ connectionString: door.server.connection(), identity, role: 'operator', memory: createMemory() },
      });
      channel.send(keep.session.seal(payload));
      return (await channel.ended).code;
    };
    // No flag that we know; a part with nothing in it; bytes that are no UTF-8.
    expect(await raw(Buffer.from([9, 1]))).not.toBe('');
    expect(await raw(Buffer.from([1]))).not.toBe('');
    expect(await raw(Buffer.from([0, 0xff, 0xfe]))).not.toBe('');
    const { operator } = { operator: await door.enter(identity, 'operator', 'session') };
    expect(await operator.call('channel.list')).toEqual([]);
    // Words that are none are answered, and end nothing.
    expect(await codeOf(operator.call('peer.list', { stranger: 1 }))).toBe('monitor_refused');
    expect(await codeOf(operator.call('constructor'))).toBe('monitor_refused');
    const many = await Promise.all(Array.from({ length: 200 }, () => operator.call('peer.list')));
    expect(many).toHaveLength(200);
  });

  it('holds no place by saying nothing, or one byte at a time', async () => {
    await door.close();
    door = makeMonitorDoor(home, { handshakeMs: 700, requestMs: 700, firstMessageMs: 700, authenticationMs: 2_000 });
    await door.open();
    const { port } = target();
    const sockets: Socket[] = [];
    const ended = (socket: Socket) =>
      new Promise<void>((resolve) => {
        sockets.push(socket);
        socket.on('error', () => undefined).on('close', () => resolve());
        socket.resume();
      });
    // Half open: never a byte of TLS; TLS and no request; a request a byte at a time; a WebSocket and no hello.
    const silent = ended(connectTcp(port, '127.0.0.1'));
    const tls = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    const noRequest = ended(tls);
    const loris = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    const dripping = setInterval(() => loris.write('G'), 50);
    const drip = ended(loris);
    const mute = await webSocket();
    await Promise.all([silent, noRequest, drip, over(mute)]);
    clearInterval(dripping);
    // Whoever is slower than these limits on a busy machine comes again.
    const { operator } = await vi.waitFor(asOperator, PATIENT);
    expect(await operator.call('channel.list')).toEqual([]);
  });
});
