import { randomBytes } from 'node:crypto';
import { CodedError, concat, toBase64url, utf8 } from '@keepwatch/base';
import type { Admission, AcceptedPeer, IdentityKey, PeerClaim } from '@keepwatch/wire';
import { z } from 'zod';
import type { Methods } from '../api/conversation.ts';
import type { Peer } from '../desk/desk.ts';
import type { Engine } from '../engine/engine.ts';
import { sha256 } from '../store/store.ts';
import type { Right } from './rights.ts';

/** Who may reach the monitor over a network. Registered peers stand in the journal; who has only asked, in memory. */
export interface Peers {
  /** Without effect: anybody can cause it. */
  admit(claim: PeerClaim): Admission;
  /** Somebody has proved a key. A proved token makes the first operator, once. */
  accept(accepted: AcceptedPeer): Promise<{ readonly peer: string; readonly right: Right }>;
  rightOf(peer: string): Right | undefined;
  /** The one-time token, as long as there is no operator. */
  token(): string | null;
  readonly methods: Methods;
  /** What a candidate calls itself. */
  call(peer: string, name: string): void;
  /** Told when somebody's rights have changed. */
  onChange(hear: (peer: string) => void): void;
}

interface Candidate {
  readonly key: IdentityKey;
  name: string;
  readonly atMs: number;
}

/** Anybody can ask: the oldest makes room. */
const MAX_CANDIDATES = 64;

const named = z.strictObject({ peer: z.string().min(1).max(64) });
const approval = z.strictObject({
  peer: z.string().min(1).max(64),
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'a name has a–z, 0–9 and dashes')
    .exactOptional(),
  right: z.enum(['operator', 'reader']),
});

/** One key is one peer, however often it asks: 16 bytes of a hash, base64url. */
const peerIdOf = ({ alg, publicKey }: IdentityKey): string =>
  toBase64url(sha256(concat(utf8(`keepwatch/monitor-peer/1/${alg}/`), publicKey)).subarray(0, 16));

export function createPeers(engine: Engine, nowMs: () => number): Peers {
  const { desk } = engine.state;
  const candidates = new Map<string, Candidate>();
  const hearers: ((peer: string) => void)[] = [];
  const secret = randomBytes(32);
  let joining: Promise<unknown> = Promise.resolve();

  const hasOperator = () => [...desk.peers.values()].some(({ right }) => right === 'operator');
  const rightOf = (peer: string): Right | undefined =>
    desk.peers.get(peer)?.right ?? (candidates.has(peer) ? 'candidate' : undefined);
  const changed = (peer: string) => hearers.forEach((hear) => hear(peer));

  async function put(id: string, peer: Peer): Promise<void> {
    await engine.submit({ room: 'desk', event: { kind: 'peer-put', id, peer } });
    candidates.delete(id);
  }

  function find(named: string): string {
    const ids = [...desk.peers, ...candidates].filter(([id, { name }]) => id === named || name === named);
    if (ids.length === 1) return ids[0]![0];
    throw new CodedError(
      'monitor_peer_unknown',
      `“${named}” is ${ids.length === 0 ? 'nobody' : 'not one alone'} here.`,
      {
        remedy: '`keepwatch monitor peers` shows who is known and who has asked.',
      },
    );
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
    accept({ claim, tokenProved }) {
      // In turn: of two with one token only one becomes the first operator.
      const mine = joining.then(async () => {
        const peer = peerIdOf(claim.key);
        const { alg, publicKey } = claim.key;
        if (tokenProved && !hasOperator()) {
          const about = { alg, publicKey: toBase64url(publicKey), name: 'first', right: 'operator' } as const;
          await put(peer, { ...about, addedAtMs: nowMs() });
        }
        if (!desk.peers.has(peer) && !candidates.has(peer)) {
          if (claim.wish !== 'register') throw new CodedError('peer_unknown', 'This key is not known here.');
          while (candidates.size >= MAX_CANDIDATES) candidates.delete(candidates.keys().next().value!);
          candidates.set(peer, { key: claim.key, name: '', atMs: nowMs() });
        }
        return { peer, right: rightOf(peer)! };
      });
      joining = mine.catch(() => undefined);
      return mine;
    },
    methods: {
      'peer.list': {
        params: z.strictObject({}),
        call: () =>
          Promise.resolve([
            ...[...desk.peers].map(([peer, { name, right, addedAtMs }]) => ({ peer, name, right, sinceMs: addedAtMs })),
            ...[...candidates].map(([peer, { name, atMs }]) => ({ peer, name, right: 'candidate', sinceMs: atMs })),
          ]),
      },
      'peer.approve': {
        params: approval,
        async call({ peer: given, name, right }: z.infer<typeof approval>) {
          const peer = find(given);
          const known = desk.peers.get(peer);
          const key = known
            ? { alg: known.alg, publicKey: known.publicKey }
            : { alg: candidates.get(peer)!.key.alg, publicKey: toBase64url(candidates.get(peer)!.key.publicKey) };
          const called =
            name ??
            known?.name ??
            peer
              .toLowerCase()
              .replaceAll(/[^a-z0-9]/g, '')
              .slice(0, 8);
          if ([...desk.peers].some(([id, each]) => id !== peer && each.name === called)) {
            throw new CodedError('monitor_peer_exists', `Somebody else is called ${called}.`, {
              remedy: 'Choose another name with --name.',
            });
          }
          await put(peer, { ...key, name: called, right, addedAtMs: known?.addedAtMs ?? nowMs() });
          changed(peer);
          return { peer, name: called, right };
        },
      },
      'peer.revoke': {
        params: named,
        async call({ peer: given }: z.infer<typeof named>) {
          const peer = find(given);
          if (desk.peers.has(peer)) await engine.submit({ room: 'desk', event: { kind: 'peer-dropped', id: peer } });
          candidates.delete(peer);
          changed(peer);
          return { peer };
        },
      },
    },
  };
}
