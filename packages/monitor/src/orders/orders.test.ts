import { randomBytes } from 'node:crypto';
import { parseConnectionString } from '@keepwatch/protocol';
import { createMemory, openSession, signerFromSeed, wireCrypto, type IdentitySigner } from '@keepwatch/sdk';
import { signCommand, uuidV7, type Command } from '@keepwatch/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codeOf, freshIdentity, makeMonitorDoor, type MonitorDoor } from '../access/door.fixture.ts';
import { connectMonitor, type RemoteMonitor } from '../access/remote.ts';
import { makeMonitorHome, type MonitorHome } from '../home.fixture.ts';
import { signatureOf } from './check.ts';
import type { OrderRow } from './order-rows.ts';

/** Orders over the real wire: who may give them, once, on what he saw; and what the journal says of it afterwards. */

let home: MonitorHome;
let door: MonitorDoor;

async function open(copyOf?: URL): Promise<void> {
  home = await makeMonitorHome(copyOf);
  door = makeMonitorDoor(home);
  await door.open();
}
async function leave(): Promise<void> {
  door.leave();
  await door.server.close();
  await home.remove();
}
beforeEach(() => open());
afterEach(leave);

interface Person {
  readonly identity: IdentitySigner;
  readonly remote: RemoteMonitor;
}

async function first(): Promise<Person> {
  const identity = freshIdentity();
  return { identity, remote: await door.enter(identity, 'operator', 'register') };
}
async function letIn(
  by: Person,
  name: string,
  right: 'operator' | 'reader',
  identity = freshIdentity(),
): Promise<Person> {
  const role = right === 'operator' ? 'operator' : 'client';
  const { peer } = await door.enter(identity, role, 'register');
  await by.remote.call('peer.approve', { peer, name, right });
  return { identity, remote: await door.enter(identity, role, 'session') };
}
const version = () => home.monitor.engine.state.orders.version;

/** An order as somebody may write it by hand. */
async function written(identity: IdentitySigner, about: Partial<Command>): Promise<string> {
  const now = Date.now();
  const command = { method: 'rules.clear', params: {}, expires: now + 60_000, expects: version() };
  const vault = home.monitor.store.identity;
  return signCommand(wireCrypto.codec, identity, { vault, ...command, id: uuidV7(now, randomBytes), ...about });
}
const sent = ({ remote }: Person, jws: string) => remote.call('command', { jws });
const entries = async () => {
  const { orders } = (await home.api.call('journal.orders', { limit: 1_000 })) as {
    readonly orders: readonly OrderRow[];
  };
  return orders;
};

describe('an order over the network', () => {
  it('is signed, and nothing that changes the monitor is taken without', async () => {
    const ada = await first();
    const {
      channel,
      keep,
      first: ready,
    } = await openSession({
      ...{
        connectionString: door.server.connection(),
        identity: ada.identity,
        role: 'operator',
        memory: createMemory(),
      },
    });
    keep.session.open(ready);
    const say = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'rules.clear', params: {} });
    channel.send(keep.session.seal(Buffer.from(`\0${say}`)));
    const heard = keep.session.open(await channel.next());
    expect(heard.ok && Buffer.from(heard.value).toString()).toContain('command_unsigned');
    channel.close();
    expect((await entries()).map(({ method }) => method)).toEqual(['peer.join']);
  });

  it.each(['EdDSA', 'ML-DSA-65'] as const)('by %s is journaled with its signature, and whose it is', async (alg) => {
    const ada = await first();
    const bo = await letIn(ada, 'bo', 'operator', freshIdentity(alg));
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    await bo.remote.call('channel.put', {
      channel: { kind: 'webhook', name: 'phone', url: 'http://127.0.0.1:9/', secrets: [secret] },
    });
    await bo.remote.call('wallet.put', { name: 'coins', outpoints: [{ txid: 'ab'.repeat(32), vout: 1 }] });
    await home.api.call('wallet.remove', { wallet: 'coins' });
    const rows = (await ada.remote.call('journal.orders')) as {
      readonly identity: string;
      readonly orders: readonly OrderRow[];
    };
    const seen = rows.orders.map((row) => [
      ...[row.method, row.about, row.by.kind === 'peer' ? row.by.name : row.by.kind],
      signatureOf(row, ada.remote.identity),
    ]);
    expect(seen).toEqual([
      ['peer.join', ada.remote.peer, 'token', 'none'],
      ['peer.approve', `bo ${bo.remote.peer} operator`, 'first', 'good'],
      ['channel.put', 'phone', 'bo', 'withheld'],
      ['wallet.put', 'coins', 'bo', 'good'],
      ['wallet.remove', 'coins', 'owner', 'none'],
    ]);
    expect(JSON.stringify(rows)).not.toContain(secret);
    expect(await ada.remote.call('findings.verify')).toMatchObject({
      sameState: true,
      orders: { signed: 3, unsigned: 2 },
    });

    // Whoever hands the rows on cannot change what they say.
    const good = rows.orders[3]!;
    const changed = [
      { ...good, method: 'wallet.remove' },
      { ...good, about: 'other' },
      { ...good, params: { name: 'other' } },
      { ...good, id: uuidV7(1, randomBytes) },
      { ...good, by: { ...good.by, peer: ada.remote.peer } },
      { ...good, by: { ...good.by, publicKey: 'AAAA' } },
      { ...good, command: `${good.command}AA` },
    ] as readonly OrderRow[];
    expect(changed.map((row) => signatureOf(row, ada.remote.identity))).toEqual(changed.map(() => 'bad'));
    expect(signatureOf(good, 'another')).toBe('bad');
  });

  it('is refused where it is forged, expired, for another monitor, of no kind, or on what has passed', async () => {
    const ada = await first();
    const wrong: readonly (readonly [string, Promise<string>])[] = [
      ['command_invalid', written(freshIdentity(), {})],
      ['command_invalid', written(ada.identity, {}).then((jws) => jws.replace(/\.[^.]{8}([^.]*)$/, '.AAAAAAAA$1'))],
      ['command_invalid', written(ada.identity, { vault: 'A'.repeat(43) })],
      ['command_expired', written(ada.identity, { expires: Date.now() - 1 })],
      ['command_expired', written(ada.identity, { expires: Date.now() + 11 * 60_000 })],
      ['version_conflict', written(ada.identity, { expects: version() + 1 })],
      ['version_conflict', written(ada.identity, { expects: version() - 1 })],
      ['monitor_refused', written(ada.identity, { params: { stranger: 1 } })],
      ['monitor_refused', written(ada.identity, { method: 'status' })],
      ['monitor_not_allowed', written(ada.identity, { method: 'unlock', params: { passphrase: 'x' } })],
      ['monitor_not_allowed', written(ada.identity, { method: 'constructor' })],
    ];
    for (const [code, jws] of wrong) expect(await codeOf(sent(ada, await jws)), await jws).toBe(code);
    expect(await codeOf(sent(ada, 'a.b.c'))).toBe('command_invalid');
    expect(await entries()).toHaveLength(1);
    // A session of one operator carries no order of another one.
    const bo = await letIn(ada, 'bo', 'operator');
    expect(await codeOf(sent(bo, await written(ada.identity, {})))).toBe('command_invalid');
  });

  it('that is sent once more is answered as it was, also after a start; another one under its id is refused', async () => {
    const ada = await first();
    const id = uuidV7(Date.now(), randomBytes);
    const jws = await written(ada.identity, {
      id,
      method: 'wallet.put',
      params: { name: 'a', outpoints: [{ txid: '0'.repeat(64), vout: 0 }] },
    });
    const answer = await sent(ada, jws);
    expect(answer).toMatchObject({ version: 2, value: { id: 'a' } });
    await ada.remote.call('wallet.put', { name: 'b', outpoints: [{ txid: '1'.repeat(64), vout: 0 }] });
    expect(await sent(ada, jws)).toEqual(answer);
    expect(await codeOf(sent(ada, await written(ada.identity, { id })))).toBe('command_repeated');
    await door.close();
    await door.open();
    const again = { identity: ada.identity, remote: await door.enter(ada.identity, 'operator', 'session') };
    expect(await Promise.all([sent(again, jws), sent(again, jws)])).toEqual([answer, answer]);
    expect((await entries()).map(({ method, about }) => `${method} ${about}`)).toEqual([
      ...[`peer.join ${ada.remote.peer}`, 'wallet.put a', 'wallet.put b'],
    ]);
    expect(await again.remote.call('findings.verify')).toMatchObject({ sameState: true });
  });

  it('of two operators who saw the same counts once, and what was sent behind a revocation not at all', async () => {
    const ada = await first();
    const bo = await letIn(ada, 'bo', 'operator');
    const seen = version();
    const results = await Promise.allSettled(
      [ada, bo].map(({ remote }, i) =>
        remote.order('rules.apply', { rules: { rules: [{ name: `r${i}`, when: 'true' }] } }, { expects: seen }),
      ),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(results.find((each) => each.status === 'rejected')?.reason).toMatchObject({ code: 'version_conflict' });
    expect(version()).toBe(seen + 1);
    // Who named no version has his order signed anew, until it fits.
    await Promise.all(
      Array.from({ length: 4 }, (_, i) => {
        const { remote } = i % 2 === 0 ? ada : bo;
        return remote.call('wallet.put', { name: `w${i}`, outpoints: [{ txid: '0'.repeat(64), vout: i }] });
      }),
    );
    expect(version()).toBe(seen + 5);

    // Read before the revocation, and carried out behind it in the same turn.
    const late = written(bo.identity, {});
    const orders = home.monitor.orders;
    const signal = new AbortController().signal;
    const revoking = await written(ada.identity, { method: 'peer.revoke', params: { peer: 'bo' } });
    const outcomes = await Promise.allSettled([
      orders.byPeer(ada.remote.peer, revoking, signal),
      orders.byPeer(bo.remote.peer, await late, signal),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect((outcomes[1] as PromiseRejectedResult).reason).toMatchObject({ code: 'monitor_not_allowed' });
    expect(await codeOf(door.enter(bo.identity, 'operator', 'session'))).toBe('peer_unknown');
    expect(await ada.remote.call('findings.verify')).toMatchObject({ sameState: true });
  });

  it('by a reader acknowledges in the reader’s own name, and does nothing else', async () => {
    const ada = await first();
    const eve = await letIn(ada, 'eve', 'reader');
    const local = home.api;
    await local.call('channel.put', { channel: { kind: 'command', name: 'phone', program: '/bin/true' } });
    await local.call('ladder.apply', { ladder: { rungs: [{ who: 'Ada', tell: ['phone'], wait: '10m' }] } });
    await home.monitor.engine.submit({ room: 'watch', input: { kind: 'quorum', able: false } });
    const [row] = (await eve.remote.call('findings.list')) as { readonly seq: number }[];
    const order = (by: object) => eve.remote.call('findings.acknowledge', { what: row!.seq, ...by });
    expect(await codeOf(eve.remote.call('rules.clear'))).toBe('monitor_not_allowed');
    expect(await codeOf(sent(eve, await written(eve.identity, {})))).toBe('monitor_not_allowed');
    expect(await codeOf(order({ by: 'Ada' }))).toBe('monitor_not_allowed');
    const before = version();
    await order({});
    expect(version()).toBe(before);
    const shown = (await ada.remote.call('findings.show', { finding: row!.seq })) as { readonly answer: object };
    expect(shown.answer).toMatchObject({ state: 'answered', by: 'eve' });
    expect((await entries()).at(-1)).toMatchObject({ method: 'findings.acknowledge', by: { peer: eve.remote.peer } });
    expect(await codeOf(order({}))).toBe('finding_answered');
    expect(await codeOf(eve.remote.call('journal.orders'))).toBe('monitor_not_allowed');
  });

  it('is carried out once and answered where the connection breaks before the answer', async () => {
    const ada = await first();
    const { port } = (parseConnectionString(door.server.connection()) as { value: { port: number } }).value;
    const unhear = home.monitor.onDurable((events) => {
      // Every session ends between the journal and the answer.
      if (events.some(({ room }) => room === 'order')) void door.server.close();
    });
    const answer = ada.remote.order('peer.rename', { peer: 'first', name: 'ada' });
    await expect.poll(() => home.monitor.engine.state.desk.peers.get(ada.remote.peer)?.name).toBe('ada');
    unhear();
    await door.close();
    await door.open(port);
    expect(await answer).toMatchObject({ version: 2, value: { peer: ada.remote.peer, name: 'ada' } });
    expect((await entries()).filter(({ method }) => method === 'peer.rename')).toHaveLength(1);
    // And the same connection goes on.
    expect(await ada.remote.call('peer.list')).toMatchObject([{ name: 'ada' }]);
  });

  it('says that it does not know what became of it where nobody can be asked any more', async () => {
    const identity = freshIdentity();
    const about = {
      connectionString: door.server.connection(),
      identity,
      memory: createMemory(),
      persistMs: 50,
    } as const;
    const ada = await connectMonitor({ ...about, role: 'operator', wish: 'register' });
    await door.server.close();
    expect(await codeOf(ada.call('rules.clear'))).toMatch(/order_unanswered|connection/);
  });
});

describe('the owner on the monitor’s machine', () => {
  it('needs no key, is journaled as such, and can name a version too', async () => {
    const local = home.api;
    const put = { name: 'a', outpoints: [{ txid: '0'.repeat(64), vout: 0 }] };
    expect(await local.call('command', { method: 'wallet.put', params: put, expects: 0 })).toMatchObject({
      version: 1,
    });
    const stale = local.call('command', { method: 'wallet.remove', params: { wallet: 'a' }, expects: 0 });
    expect(await codeOf(stale)).toBe('version_conflict');
    for (const name of ['a\nb', '\u001b[31mred', 'x\u202ey', ' ', 'a ']) {
      expect(await codeOf(local.call('wallet.put', { ...put, name }))).toBe('monitor_refused');
    }
    const asked = local.call('wallet.put', { ...put, name: '' });
    await expect(asked).rejects.toMatchObject({ remedy: 'Correct what was given.' });
    const strange = local.call('wallet.put', { ...put, colour: 1 });
    await expect(strange).rejects.toMatchObject({ remedy: expect.stringContaining('different versions') as string });
    // What no entry can hold is refused before anything is kept, and ends nothing.
    expect(await codeOf(local.call('rules.apply', { rules: { a: 1.5 } }))).toBe('monitor_refused');
    expect(await codeOf(local.call('schedule.apply', { schedule: { zone: 'UTC', x: 0.1 } }))).toBe('monitor_refused');
    expect(await entries()).toMatchObject([{ method: 'wallet.put', about: 'a', by: { kind: 'owner', way: 'data' } }]);
    expect(await local.call('wallet.list')).toHaveLength(1);
  });

  it('takes the right of an operator away for good: the token that served does not bring him back', async () => {
    const withToken = door.server.connection();
    const ada = await first();
    await home.api.call('peer.revoke', { peer: ada.remote.peer });
    expect(door.server.connection()).toContain('&token=');
    expect(door.server.connection()).not.toBe(withToken);
    const back = connectMonitor({
      ...{ connectionString: withToken, identity: ada.identity, role: 'operator', wish: 'register' },
      memory: createMemory(),
    });
    expect(await codeOf(back)).toBe('token_invalid');
  });
});

describe('a journal', () => {
  it('with an order that its peer did not sign, or might not give, is not taken for good', async () => {
    const ada = await first();
    const eve = await letIn(ada, 'eve', 'reader');
    const forge = async (person: Person, by: object) => {
      const { alg, publicKey } = home.monitor.engine.state.desk.peers.get(person.remote.peer)!;
      const jws = await written(person.identity, {});
      const { id } = JSON.parse(Buffer.from(jws.split('.')[1]!, 'base64url').toString()) as Command;
      const real = {
        kind: 'peer',
        peer: person.remote.peer,
        name: 'x',
        alg,
        publicKey,
        command: jws,
        digest: 'x',
        expiresMs: 1,
      };
      await home.monitor.engine.order({
        ordered: {
          kind: 'ordered',
          id,
          atMs: 1,
          method: 'rules.clear',
          changes: true,
          by: { ...real, ...by } as never,
        },
        ...{ expects: null, check: () => undefined, decide: () => ({ inputs: [], answer: () => null }) },
      });
      return codeOf(ada.remote.call('findings.verify'));
    };
    expect(await codeOf(ada.remote.call('findings.verify'))).toBe('nothing was refused');
    expect(await forge(eve, {})).toBe('order_forged');
  });

  it('of a version that did not know who ordered what is read on, without a loss', async () => {
    await leave();
    await open(new URL('../fixtures/fold-6/', import.meta.url));
    const local = home.api;
    expect(await local.call('channel.list')).toMatchObject([{ name: 'phone', kind: 'webhook' }]);
    expect(await local.call('wallet.list')).toMatchObject([{ id: 'one' }]);
    expect(await local.call('rules.show')).toMatchObject({ rules: { rules: [{ name: 'all' }] }, version: 0 });
    expect(await local.call('ladder.show')).toMatchObject({ ladder: { rounds: 2 } });
    expect(await local.call('schedule.show')).toMatchObject({ schedule: { heartbeat: { every: '1h' } } });
    expect(await local.call('peer.list')).toMatchObject([{ name: 'first' }, { name: 'console', right: 'reader' }]);
    expect(await local.call('findings.list')).toHaveLength(2);
    expect((await entries()).map(({ method, about, by }) => [method, about, by.kind])).toEqual([
      ['peer.approve', 'first operator', 'unrecorded'],
      ['peer.approve', 'console reader', 'unrecorded'],
      ['channel.put', 'phone', 'unrecorded'],
      ['wallet.put', 'one', 'unrecorded'],
      ['ladder.apply', null, 'unrecorded'],
      ['rules.apply', null, 'unrecorded'],
      ['schedule.apply', null, 'unrecorded'],
    ]);
    expect(await local.call('findings.verify')).toMatchObject({ sameState: true, orders: { signed: 0, unsigned: 0 } });

    // The operator of then orders now, by the key that the old journal knows.
    const identity = signerFromSeed('EdDSA', new Uint8Array(32).fill(7));
    const ada = { identity, remote: await door.enter(identity, 'operator', 'session') };
    await ada.remote.call('peer.rename', { peer: 'first', name: 'ada' });
    expect((await entries()).at(-1)).toMatchObject({ method: 'peer.rename', by: { name: 'first' } });
    await door.close();
    await door.open();
    expect(await home.api.call('findings.verify')).toMatchObject({
      ...{ sameState: true, orders: { signed: 1, unsigned: 0 } },
    });
    expect(version()).toBe(1);
  });
});
