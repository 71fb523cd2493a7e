import { describe, expect, it } from 'vitest';
import { approve, BOB, callOf, createRoom, details, HASH, permitOf, reader, TOKEN, WALLET } from './room.fixture.ts';

describe('what the vault says', () => {
  it('of the bytes decides, and not the nonce', () => {
    const room = createRoom();
    const signed = callOf(5, TOKEN, '');
    room.permits(signed);
    const own = { how: 'transaction', nonce: 5n, token: null, caller: WALLET } as const;
    expect(details(room.take(1n, WALLET, { ...own, digest: signed.digest }))).toMatchObject([{ by: 'bytes' }]);
    room.take(1n, WALLET, { ...own, digest: HASH, txHash: `0x${'dd'.repeat(32)}` });
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'other-bytes' }]);
  });

  it('is waited for, and its silence is told; what it says later takes that back', () => {
    const room = createRoom();
    room.take(1n);
    room.feed({ kind: 'vault-trouble', vault: 'v', trouble: 'down', words: 'It cannot be reached.' });
    room.pass(10);
    expect(room.feed({ kind: 'tick' })).toEqual([]);
    room.pass(15);
    const [silent] = room.feed({ kind: 'tick' });
    expect(silent).toMatchObject({ severity: 'critical', detail: { kind: 'vault-silent', vaults: ['v'] } });
    expect(room.feed({ kind: 'tick' })).toEqual([]);
    expect(details(room.permits(approve(1, BOB, 5n)))).toMatchObject([{ kind: 'signed-spend', amends: silent!.id }]);
    expect(room.look()).toEqual([]);
  });

  it('while sealed is enough', () => {
    const room = createRoom();
    room.take(1n);
    expect(details(room.look('v', 'sealed'))).toMatchObject([
      { kind: 'vault-sealed', over: false },
      { kind: 'unsigned-spend', upTo: [{ vault: 'v', seq: 9, sealed: true }] },
    ]);
    expect(details(room.look())).toMatchObject([{ kind: 'vault-sealed', over: true }]);
  });

  it('is asked of every vault that has the key', () => {
    const room = createRoom();
    room.feed({ kind: 'vault-put', vault: 'second' });
    room.wallets('second');
    room.take(1n);
    expect(room.look()).toEqual([]);
    expect(details(room.look('second'))).toMatchObject([{ upTo: [{ vault: 'v' }, { vault: 'second' }] }]);
  });

  it('is not asked of what was spent before the vault had the key', () => {
    const room = createRoom();
    room.feed({ kind: 'vault-removed', vault: 'v' });
    room.feed({ kind: 'vault-put', vault: 'v' });
    room.wallets('v', 1_800_000_000_000);
    room.take(1n, BOB, { block: { number: 1, hash: HASH, timeMs: 1_700_000_000_000 } });
    expect(room.look()).toEqual([]);
    room.take(1n);
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend' }]);
  });
});

it('takes back what it said of a spend that a reorganisation takes back, and gives back what it took of a right', () => {
  const room = createRoom();
  room.permits(approve(1, BOB, 100n));
  const [first] = room.take(100n);
  const [gone] = room.feed({ kind: 'spends-withdrawn', ids: ['evm-spent/1:hot'] });
  expect(gone).toMatchObject({ detail: { kind: 'spend-withdrawn', retracts: [first!.id] } });
  expect(details(room.take(100n))).toMatchObject([{ kind: 'signed-spend' }]);
  expect(new Set(room.findings.map(({ id }) => id)).size).toBe(room.findings.length);
});

it('tells of one transaction once, in however many ways it spends', () => {
  const room = createRoom();
  const own = { how: 'transaction', nonce: 5n, caller: WALLET } as const;
  for (const token of [null, TOKEN]) room.take(1n, WALLET, { ...own, token });
  expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend' }]);
});

it('tells once what is wrong with a vault, and that it is over', () => {
  const room = createRoom();
  const down = { kind: 'vault-trouble', vault: 'v', trouble: 'down', words: 'Away.' } as const;
  room.feed(down);
  room.pass(61);
  expect(details(room.feed({ kind: 'tick' }))).toMatchObject([{ kind: 'vault-down', over: false }]);
  expect(room.feed(down)).toEqual([]);
  expect(room.feed({ kind: 'tick' })).toEqual([]);
  expect(details(room.feed({ ...down, trouble: 'rolled-back' }))).toMatchObject([{ kind: 'vault-rolled-back' }]);
  expect(details(room.look())).toMatchObject([
    { kind: 'vault-down', over: true },
    { kind: 'vault-rolled-back', over: true },
  ]);
});

it('asks nobody about a spend whose vault is followed no longer', () => {
  const room = createRoom();
  room.take(1n);
  room.feed({ kind: 'vault-removed', vault: 'v' });
  room.pass(30);
  expect(room.feed({ kind: 'tick' })).toEqual([]);
  expect(room.feed({ kind: 'spends-withdrawn', ids: ['evm-spent/1:hot'] })).toEqual([]);
});

it('reads no permit out of what is none', () => {
  for (const entry of [{}, { type: 'request.denied' }, { type: 'request.permitted', chain: 'eip155:1', digest: 'x' }]) {
    expect(reader.read(1, entry, WALLET, [])).toBe(undefined);
  }
  expect(permitOf(1, 'typed-data', '{"types":').rights).toEqual([]);
  expect(permitOf(1, 'transaction', '0x02').rights).toEqual([]);
});
