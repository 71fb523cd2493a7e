import { randomBytes } from 'node:crypto';
import { CodedError, toBase64url } from '@keepwatch/base';
import { uuidV7, type Admission, type AcceptedPeer, type PeerClaim } from '@keepwatch/wire';
import type { z } from 'zod';
import type { Methods } from '../api/conversation.ts';
import { none, type peerApproval, type peerNamed, type peerRename } from '../api/shapes.ts';
import type { Peer } from '../desk/desk.ts';
import type { Engine, Recorded } from '../engine/engine.ts';
import type { Changes } from '../orders/order-desk.ts';
import { createCandidates } from './candidates.ts';
import { peerIdOf } from './peer-id.ts';
import type { Right } from './rights.ts';

/** Who may reach the monitor over a network. Registered peers stand in the journal; who has only asked, in memory. */
export interface Peers {
  /** Without effect: anybody can cause it. */
  admit(claim: PeerClaim): Admission;
  /**
   * Somebody has proved a key. A proved token makes the first operator, once. `crowd`: who else is of his network. Throws
   * `peer_unknown`, and `proposals_full` where no more can wait.
   */
  accept(accepted: AcceptedPeer, crowd: string): Promise<{ readonly peer: string; readonly right: Right }>;
  rightOf(peer: string): Right | undefined;
  /** The one-time token, as long as there is no operator. */
  token(): string | null;
  readonly methods: Methods;
  readonly changes: Changes;
  /** After each append. */
  hear(events: readonly Recorded[]): void;
  /** What a candidate calls itself. */
  call(peer: string, name: string): void;
  /** Told when somebody's rights have changed. */
  onChange(hear: (peer: string) => void): void;
}

export function createPeers(engine: Engine, nowMs: () => number): Peers {
  const { desk } = engine.state;
  const waiting = createCandidates();
  const candidates = waiting.all;
  const hearers: ((peer: string) => void)[] = [];
  // Another one as soon as it has served: who knew it once shall not come back by it when all operators are gone.
  let secret = randomBytes(32);
  const joiningNow = new Set<string>();
  const rights = new Map([...desk.peers].map(([id, { right }]) => [id, right]));
  let joining: Promise<unknown> = Promise.resolve();

  const hasOperator = () => [...desk.peers.values()].some(({ right }) => right === 'operator');
  const rightOf = (peer: string): Right | undefined =>
    desk.peers.get(peer)?.right ?? (candidates.has(peer) ? 'candidate' : undefined);
  /** Sessions end once what was answered in them is on its way; what they ask meanwhile is judged by the new right. */
  const changed = (peer: string) => void setImmediate(() => hearers.forEach((hear) => hear(peer)));
  const put = (id: string, peer: Peer) => ({ room: 'desk', event: { kind: 'peer-put', id, peer } }) as const;

  function free(name: string, peer: string): void {
    if ([...desk.peers].every(([id, each]) => id === peer || each.name !== name)) return;
    throw new CodedError('monitor_peer_exists', `Somebody else is called ${name}.`, {
      remedy: 'Choose another name with --name.',
    });
  }

  const called = (peers: ReadonlyMap<string, { readonly name: string }>, named: string) =>
    [...peers].flatMap(([id, { name }]) => (name === named ? [id] : []));
  const isNobody = (named: string) =>
    PEER_ID.test(named) && !rightOf(named) && called(desk.peers, named).length + called(candidates, named).length === 0;

  /** By its id; else who is known by a name; else who has asked under one: nobody takes a name away by asking. */
  function find(named: string): string {
    if (rightOf(named)) return named;
    const [known, asking] = [called(desk.peers, named), called(candidates, named)];
    const ids = known.length > 0 ? known : asking;
    if (ids.length === 1) return ids[0]!;
    const words = `“${named}” is ${ids.length === 0 ? 'nobody' : 'not one alone'} here.`;
    throw new CodedError('monitor_peer_unknown', words, {
      remedy: '`keepwatch monitor peers` shows who is known and who has asked.',
    });
  }

  /** An operator knows an id that has not asked yet, or found no room: the next time it does. */
  function expected(peer: string): never {
    waiting.expect(peer);
    throw new CodedError('monitor_peer_unknown', `${peer} is nobody here yet, and is expected now.`, {
      remedy: 'Have it ask again (`keepwatch monitor join`): there is room for it, however many ask. Then approve it.',
    });
  }

  return {
    rightOf,
    call(peer, name) {
      const candidate = candidates.get(peer);
      if (candidate) candidate.name = name;
    },
    token: () => (hasOperator() ? null : toBase64url(secret)),
    onChange: (hear) => void hearers.push(hear),
    admit({ role, wish, key }) {
      const known = desk.peers.get(peerIdOf(key));
      if (wish === 'session') {
        const isSame =
          known &&
          (known.right === 'operator') === (role === 'operator') &&
          known.publicKey === toBase64url(key.publicKey);
        return isSame ? { admit: true } : { admit: false, code: 'peer_unknown' };
      }
      if (known) return { admit: true };
      return role === 'operator' && !hasOperator() ? { admit: true, token: secret } : { admit: true };
    },
    accept({ claim, tokenProved }, crowd) {
      // In turn: of two with one token only one becomes the first operator.
      const mine = joining.then(async () => {
        const peer = peerIdOf(claim.key);
        const { alg, publicKey } = claim.key;
        if (tokenProved && !hasOperator()) {
          const about = { alg, publicKey: toBase64url(publicKey), name: 'first', right: 'operator' } as const;
          secret = randomBytes(32);
          joiningNow.add(peer);
          const by = { kind: 'token', peer } as const;
          const id = uuidV7(nowMs(), randomBytes);
          const outcome = await engine
            .order({
              ordered: { kind: 'ordered', id, atMs: nowMs(), method: 'peer.join', changes: true, by },
              expects: null,
              check: () => undefined,
              decide: () => ({ inputs: [put(peer, { ...about, addedAtMs: nowMs() })], answer: () => null }),
            })
            .finally(() => joiningNow.delete(peer));
          if (!outcome.ok) throw outcome.error;
        }
        if (!desk.peers.has(peer) && !candidates.has(peer)) {
          if (claim.wish !== 'register') throw new CodedError('peer_unknown', 'This key is not known here.');
          if (!waiting.enter(peer, { key: claim.key, crowd, name: '', atMs: nowMs() })) {
            throw new CodedError('proposals_full', 'Too many peers wait for an operator’s word.');
          }
        }
        return { peer, right: rightOf(peer)! };
      });
      joining = mine.catch(() => undefined);
      return mine;
    },
    hear(events) {
      for (const { room, event } of events) {
        if (room !== 'desk' || (event.kind !== 'peer-put' && event.kind !== 'peer-dropped')) continue;
        const { id } = event;
        const right = event.kind === 'peer-put' ? event.peer.right : undefined;
        const isAsBefore = rights.get(id) === right;
        if (right) rights.set(id, right);
        else rights.delete(id);
        waiting.leave(id);
        // Who becomes the first operator has no session yet that held another right.
        if (!isAsBefore && !joiningNow.has(id)) changed(id);
      }
    },
    methods: {
      'peer.list': {
        params: none,
        call: () =>
          Promise.resolve([
            ...[...desk.peers].map(([peer, { name, right, addedAtMs }]) => ({ peer, name, right, sinceMs: addedAtMs })),
            ...[...candidates].map(([peer, { name, atMs }]) => ({ peer, name, right: 'candidate', sinceMs: atMs })),
          ]),
      },
    },
    changes: {
      'peer.approve': {
        plan:
          ({ peer: given, name, right }: z.infer<typeof peerApproval>) =>
          () => {
            const peer = isNobody(given) ? expected(given) : find(given);
            const known = desk.peers.get(peer);
            const asking = candidates.get(peer);
            const key = known
              ? { alg: known.alg, publicKey: known.publicKey }
              : { alg: asking!.key.alg, publicKey: toBase64url(asking!.key.publicKey) };
            const called = name ?? known?.name ?? (asking?.name || plainName(peer));
            free(called, peer);
            const approved = { ...key, name: called, right, addedAtMs: known?.addedAtMs ?? nowMs() };
            return { inputs: [put(peer, approved)], answer: () => ({ peer, name: called, right }) };
          },
      },
      'peer.rename': {
        plan:
          ({ peer: given, name }: z.infer<typeof peerRename>) =>
          () => {
            const peer = find(given);
            const known = desk.peers.get(peer);
            if (!known) {
              throw new CodedError('monitor_peer_unknown', `“${given}” has only asked to be let in.`, {
                remedy: 'Give the name with `keepwatch monitor approve --name`.',
              });
            }
            free(name, peer);
            return { inputs: [put(peer, { ...known, name })], answer: () => ({ peer, name, right: known.right }) };
          },
      },
      'peer.revoke': {
        plan:
          ({ peer: given }: z.infer<typeof peerNamed>) =>
          () => {
            const peer = find(given);
            const event = { kind: 'peer-dropped', id: peer } as const;
            return {
              inputs: desk.peers.has(peer) ? [{ room: 'desk', event }] : [],
              answer() {
                // Who has only asked stands in no entry.
                if (waiting.leave(peer)) changed(peer);
                return { peer };
              },
            };
          },
      },
    },
  };
}

/** 16 bytes of a hash, as `peerIdOf` makes them. */
const PEER_ID = /^[A-Za-z0-9_-]{21}[AQgw]$/;

const plainName = (peer: string) =>
  peer
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')
    .slice(0, 8);
