import type { Address } from '@keepwatch/evm';
import { describe, expect, it } from 'vitest';
import type { EvmSpend, Hash32 } from '../evm/spend.ts';
import type { VaultPermit, VaultRight } from './permit.ts';
import { approve, BOB, createRoom, details, MALLORY, permit2612, TOKEN, WALLET } from './room.fixture.ts';
import { createVaultState, type VaultState } from './state.ts';

/** What is settled is forgotten, but for what a later sighting could need; and all of it stays small and quick. */

const SLOW = { timeout: 120_000 };
const NOW = 1_800_000_000_000;
const hash = (n: number): Hash32 => `0x${n.toString(16).padStart(8, '0').repeat(8)}`;
const holder = (n: number) => `0x${n.toString(16).padStart(40, '0')}` as Address;
const blockOf = (number: number) => ({ number, hash: hash(900_000_000 + number), timeMs: NOW });

const sent = (n: number, more: Partial<VaultPermit> = {}): VaultPermit => ({
  ...{ seq: n + 1, chainId: 1n, form: 'transaction', digest: hash(n), nonce: BigInt(n), grant: 'g1', atMs: NOW },
  ...{ rights: [], delegate: null, unread: false },
  ...more,
});
const allowed = (seq: number, to: Address, amount: bigint | null, untilMs: number | null = null): VaultPermit => ({
  ...sent(seq - 1, { form: 'typed-data', nonce: null }),
  rights: [{ token: TOKEN, to, gets: false, amount, signed: true, once: false, untilMs }],
});
const spent = (n: number, more: Partial<EvmSpend> = {}): EvmSpend => ({
  ...{ wallet: 'hot', chainId: 1n, address: WALLET, how: 'transaction', txHash: hash(500_000 + n), nonce: BigInt(n) },
  ...{ caller: WALLET, token: null, amount: 1n, seenAtMs: NOW, digest: hash(n), block: blockOf(n + 1) },
  ...more,
});
const taken = (n: number, by: Address, amount: bigint, more: Partial<EvmSpend> = {}): EvmSpend => {
  const { digest: _, ...rest } = spent(n);
  return { ...rest, how: 'allowance', nonce: null, caller: by, token: TOKEN, amount, ...more };
};
const idOf = (spend: EvmSpend, log = '') => `evm-spent${log}:${spend.wallet}:${spend.txHash}@${spend.block!.hash}`;

type Room = ReturnType<typeof createRoom>;
const tell = (room: Room, spend: EvmSpend, past = false, log = '') =>
  room.feed({ kind: 'spend', id: idOf(spend, log), spend, past });

describe('a spend that is settled', () => {
  it('leaves sixteen bytes, and is no news when it is reported again, by whichever wallet', () => {
    const room = createRoom(NOW);
    room.permits(allowed(1, BOB, 100n));
    expect(details(tell(room, taken(7, BOB, 100n)))).toMatchObject([{ kind: 'signed-spend' }]);
    const before = room.bytes().length;
    room.settled(8);
    expect(room.counts()).toMatchObject({ spends: 0 });
    expect(room.bytes().length).toBeLessThan(before);
    room.restart();
    expect(tell(room, taken(7, BOB, 100n), true)).toEqual([]);
    expect(tell(room, taken(7, BOB, 100n, { wallet: 'other' }))).toEqual([]);
    expect(room.look()).toEqual([]);
    // Another one of the same transaction is another one.
    tell(room, taken(7, BOB, 1n), false, '/9');
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'more-than-allowed' }]);
  });

  it('is kept while it can be taken back, or while nothing is concluded', () => {
    const room = createRoom(NOW);
    room.permits(allowed(1, BOB, 100n));
    tell(room, taken(7, BOB, 100n));
    tell(room, taken(3, MALLORY, 1n));
    room.settled(7);
    expect(room.counts()).toMatchObject({ spends: 2 });
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend' }]);
    expect(details(room.feed({ kind: 'spends-withdrawn', ids: [idOf(taken(7, BOB, 100n))] }))).toMatchObject([
      { kind: 'spend-withdrawn' },
    ]);
    // What it took is there again.
    expect(details(tell(room, taken(9, BOB, 100n)))).toMatchObject([{ kind: 'signed-spend', permit: 1 }]);
  });

  it('takes of a right once, however many watched wallets of the account report it', () => {
    const room = createRoom(NOW);
    room.permits(allowed(1, BOB, 100n));
    for (const wallet of ['hot', 'other']) {
      expect(details(tell(room, taken(7, BOB, 60n, { wallet })))).toMatchObject([{ kind: 'signed-spend' }]);
    }
    expect(details(tell(room, taken(8, BOB, 40n)))).toMatchObject([{ kind: 'signed-spend' }]);
    const ids = ['hot', 'other'].map((wallet) => idOf(taken(7, BOB, 60n, { wallet })));
    room.feed({ kind: 'spends-withdrawn', ids: [ids[0]!] });
    tell(room, taken(9, BOB, 1n));
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'more-than-allowed' }]);
    room.feed({ kind: 'spends-withdrawn', ids: [ids[1]!] });
    expect(details(tell(room, taken(10, BOB, 60n)))).toMatchObject([{ kind: 'signed-spend' }]);
  });

  it('outside blocks is kept for a week after it was sighted', () => {
    const room = createRoom(NOW);
    room.permits(sent(3));
    const sighted = spent(3, { block: null });
    expect(
      details(room.feed({ kind: 'spend', id: `evm-sighted:hot:${sighted.txHash}`, spend: sighted, past: false })),
    ).toMatchObject([{ kind: 'signed-spend' }]);
    room.pass(604_800);
    room.settled(1_000);
    expect(room.counts()).toMatchObject({ spends: 1 });
    room.pass(1);
    room.settled(1_000);
    expect(room.counts()).toMatchObject({ spends: 0 });
    // In a block at last: it was told already.
    expect(tell(room, spent(3))).toEqual([]);
  });

  it('leaves the reason why more than it took is none of the vault’s', () => {
    const room = createRoom(NOW);
    room.permits({ ...allowed(1, BOB, 100n), rights: [{ ...allowed(1, BOB, 100n).rights[0]!, signed: false }] });
    tell(room, taken(7, BOB, 100n));
    room.settled(8);
    expect(room.counts()).toEqual({ spends: 0, pieces: 0 });
    tell(room, taken(9, BOB, 1n));
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'more-than-allowed' }]);
  });
});

describe('what was signed', () => {
  it('is known for a nonce that was used up long ago, with each of the transactions that it was signed for', () => {
    const room = createRoom(NOW);
    room.permits(sent(3), sent(3, { seq: 9, digest: hash(77), grant: 'g "2"\n' }), sent(4, { chainId: 10n }));
    tell(room, spent(200));
    room.look();
    room.settled(1_000);
    room.restart();
    expect(tell(room, spent(3, { digest: hash(77) }), true)).toEqual([]);
    tell(room, spent(3, { digest: hash(78), txHash: hash(1) }), true);
    // The same nonce of another chain is another nonce.
    tell(room, spent(4), true);
    expect(room.look()).toMatchObject([
      { late: true, detail: { kind: 'unsigned-spend', why: 'other-bytes' } },
      { late: true, detail: { kind: 'unsigned-spend', why: 'no-permit' } },
    ]);
  });

  it('explains an approval that is read of the past after all of it was taken', () => {
    const room = createRoom(NOW);
    room.permits({ ...permit2612(1, BOB, 50n), atMs: NOW });
    tell(room, taken(7, BOB, 50n));
    room.settled(8);
    expect(tell(room, taken(5, MALLORY, 50n, { spender: BOB }), true, '/2')).toEqual([]);
    expect(room.look()).toEqual([]);
  });

  it('explains what was taken while it lasted, and is told as ended for what came after', () => {
    const room = createRoom(NOW);
    room.permits(allowed(1, BOB, 100n, NOW + 60_000));
    room.pass(7_200);
    room.settled(1);
    expect(tell(room, taken(7, BOB, 40n), true)).toEqual([]);
    tell(room, taken(8, BOB, 1n, { block: { ...blockOf(9), timeMs: NOW + 61_000 } }), true);
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'expired' }]);
  });

  it('stays known when the wallet may not be observed for a while', () => {
    const room = createRoom(NOW);
    room.permits(sent(3));
    room.feed({ kind: 'vault-wallets', vault: 'v', wallets: [] });
    room.wallets('v');
    expect(details(tell(room, spent(3)))).toMatchObject([{ kind: 'signed-spend' }]);
  });
});

/** A state that counts how often something of it is read or put: pieces and texts of it are bounded. */
function countedState(): { readonly state: VaultState; readonly count: () => number } {
  let count = 0;
  function* each<T>(all: Iterable<T>): Generator<T> {
    for (const one of all) {
      count++;
      yield one;
    }
  }
  const counted = (map: Map<string, never>) => ({
    get: (key: string) => (count++, map.get(key)),
    has: (key: string) => (count++, map.has(key)),
    set: (key: string, value: never) => (count++, map.set(key, value)),
    delete: (key: string) => (count++, map.delete(key)),
    entries: () => each(map.entries()),
    keys: () => each(map.keys()),
    values: () => each(map.values()),
  });
  const maps = Object.entries(createVaultState()).map(([name, value]) =>
    value instanceof Map ? [name, counted(value as Map<string, never>)] : [name, value as number],
  );
  return { state: Object.fromEntries(maps) as VaultState, count: () => count };
}

/** A wallet that signs, and what it signs is used: for one spender again and again, for many, without end, and by nobody. */
function busyRoom(count: number) {
  const counted = countedState();
  const room = createRoom(NOW, counted.state);
  const right = { token: TOKEN, gets: false, signed: true, once: false, untilMs: null };
  for (let n = 0; n < count; n++) {
    const rights: VaultRight[] = [
      { ...right, to: BOB, amount: 10n },
      { ...right, to: holder(n), gets: true, amount: 5n, once: true },
      { ...right, to: holder(7), amount: null, signed: false },
      { ...right, to: MALLORY, amount: 3n, untilMs: NOW + n },
    ];
    room.permits(sent(n, { rights: [rights[n % 4]!] }));
    expect(tell(room, spent(n))).toHaveLength(1);
    if (n % 4 === 0) expect(details(tell(room, taken(n, BOB, 10n), false, '/1'))).toMatchObject([{ by: 'right' }]);
    if (n % 4 === 1) {
      const paid = taken(n, holder(3), 5n, { recipient: holder(n) });
      expect(details(tell(room, paid, false, '/1'))).toMatchObject([{ kind: 'signed-spend' }]);
    }
    if (n % 64 !== 0) continue;
    room.pass(600);
    room.settled(n - 256);
  }
  room.settled(count);
  return { room, work: counted.count(), bytes: room.bytes().length };
}

it(
  'grows by a bounded number of bytes a permit and a spend, and works no more for the last than for the first',
  SLOW,
  () => {
    const [few, many] = [busyRoom(1_500), busyRoom(12_000)];
    expect(many.room.counts().spends).toBe(0);
    // A line for the transaction, and for one in two a right that somebody has; 24 bytes for a spend.
    expect((many.bytes - few.bytes) / 10_500).toBeLessThan(320);
    // Eight times as much, and not the square of it.
    expect(many.work / few.work).toBeLessThan(9);
    many.room.restart();
    expect(tell(many.room, spent(17), true)).toEqual([]);
    // Nobody else has a right to so much, but for the one without end.
    expect(tell(many.room, taken(20_000, BOB, 1n))).toEqual([]);
    expect(details(many.room.look())).toMatchObject([{ kind: 'unclear-spend', why: 'other-caller' }]);
  },
);

describe('the past of an account', () => {
  it('is told where the vault did not sign it, as late, and where it signed it nothing is told', () => {
    const room = createRoom(NOW);
    room.permits(sent(1), approve(2, BOB, 10n));
    expect(tell(room, spent(1), true)).toEqual([]);
    expect(tell(room, spent(50), true)).toEqual([]);
    room.pass(3_600);
    // Nothing of the past is urgent.
    expect(room.feed({ kind: 'tick' })).toEqual([]);
    expect(room.look()).toMatchObject([
      { late: true, severity: 'critical', detail: { kind: 'unsigned-spend', why: 'no-permit', nonce: 50n } },
    ]);
    expect(tell(room, taken(7, BOB, 10n), true)).toEqual([]);
    expect(room.look()).toEqual([]);
  });

  it('is explained by what comes to be known of the vault afterwards', () => {
    const room = createRoom(NOW);
    tell(room, spent(1), true);
    tell(room, taken(7, BOB, 10n), true);
    expect(room.permits(sent(1), approve(2, BOB, 10n))).toEqual([]);
    expect(room.look()).toEqual([]);
    expect(room.counts()).toMatchObject({ spends: 2 });
    room.settled(10);
    expect(room.counts()).toMatchObject({ spends: 0 });
  });

  it('is not explained by what was signed only afterwards, and not called unsigned by clocks alone', () => {
    const room = createRoom(NOW);
    room.permits({ ...approve(1, BOB, 10n), atMs: NOW + 61_000 });
    tell(room, taken(7, BOB, 10n), true);
    expect(room.look()).toMatchObject([
      { severity: 'warning', detail: { kind: 'unclear-spend', why: 'later-right', maybe: [{ permit: 1 }] } },
    ]);
  });

  it('of before the vault had the key is counted and told once, and accuses nobody', () => {
    const room = createRoom(NOW);
    room.feed({ kind: 'vault-wallets', vault: 'v', wallets: [] });
    room.wallets('v', NOW + 60_001);
    for (const n of [1, 2, 3]) expect(tell(room, spent(n), true)).toEqual([]);
    tell(room, spent(2), true);
    room.restart();
    const over = () => room.feed({ kind: 'past-over', watched: 'hot' });
    expect(over()).toMatchObject([
      {
        severity: 'notice',
        wallet: 'hot',
        detail: { kind: 'earlier-spends', vault: 'v', count: 3, sinceMs: NOW + 60_001 },
      },
    ]);
    expect(over()).toEqual([]);
    expect(room.feed({ kind: 'vault-past-read', vault: 'v', wallet: 'w' })).toEqual([]);
    expect(room.look()).toEqual([]);
  });

  it('is compared by what was proved before the wallet signed anything', () => {
    const room = createRoom(NOW);
    room.feed({ kind: 'vault-wallets', vault: 'v', wallets: [] });
    room.wallets('v', NOW - 60_000);
    tell(room, spent(1), true);
    // The vault had the key, and has every permit: there is none.
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'no-permit' }]);
  });
});

describe('a vault that was restored from a backup', () => {
  const lost = [{ fromMs: NOW - 1_000, toMs: NOW + 1_000 }];

  it('is not accused of what the history that was given up may have signed', () => {
    const room = createRoom(NOW);
    tell(room, spent(1));
    expect(room.look('v', 'unsealed', lost)).toMatchObject([
      { severity: 'critical', detail: { kind: 'unclear-spend', why: 'lost-history', maybe: [] } },
    ]);
  });

  it('signs what it signs, and what it does not a day later is an alarm as before', () => {
    const room = createRoom(NOW);
    room.permits(sent(1));
    room.look('v', 'unsealed', lost);
    expect(details(tell(room, spent(1)))).toMatchObject([{ kind: 'signed-spend' }]);
    tell(room, spent(2, { block: { ...blockOf(3), timeMs: NOW + 1_000 + 86_400_000 } }));
    expect(details(room.look('v', 'unsealed', lost))).toMatchObject([{ kind: 'unsigned-spend' }]);
  });
});
