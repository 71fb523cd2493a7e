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

describe('a vault that is sealed, and then gone', () => {
  const gone = (room: ReturnType<typeof createRoom>) => {
    room.feed({ kind: 'vault-trouble', vault: 'v', trouble: 'down', words: 'It cannot be reached.' });
    room.take(1n);
    room.pass(25);
    return room.feed({ kind: 'tick' });
  };

  it('had not signed what came later, and that is said with what it depends on', () => {
    const room = createRoom();
    room.look('v', 'sealed');
    const [told] = gone(room);
    expect(told).toMatchObject({
      severity: 'critical',
      detail: { kind: 'sealed-spend', why: 'no-allowance', since: [{ vault: 'v', seq: 9, atMs: 1_800_000_000_000 }] },
    });
    expect(details(room.look('v', 'sealed'))).toMatchObject([{ kind: 'unsigned-spend', amends: told!.id }]);
  });

  it('may have been unsealed and have signed it: then that is taken back', () => {
    const room = createRoom();
    room.look('v', 'sealed');
    const [told] = gone(room);
    expect(details(room.permits(approve(10, BOB, 5n)))).toMatchObject([{ kind: 'signed-spend', amends: told!.id }]);
  });

  it('says nothing where it answered unsealed last, where not all was known, or where its answers are in doubt', () => {
    const unsealed = createRoom();
    unsealed.look('v', 'sealed');
    unsealed.look('v');
    expect(details(gone(unsealed))).toMatchObject([{ kind: 'vault-silent' }]);
    const killed = createRoom();
    killed.feed({
      ...{
        kind: 'vault-looked',
        vault: 'v',
        asked: 0,
        phase: 'sealed',
        lastSeq: 9,
        complete: [],
        lost: [],
        place: null,
      },
    });
    expect(details(gone(killed))).toMatchObject([{ kind: 'vault-silent' }]);
    const doubted = createRoom();
    doubted.look('v', 'sealed');
    doubted.feed({ kind: 'vault-trouble', vault: 'v', trouble: 'rolled-back', words: 'It ends before.' });
    expect(details(gone(doubted))).toMatchObject([{ kind: 'vault-silent' }]);
  });

  it('says nothing of one vault while another one has the key as well and was not sealed', () => {
    const room = createRoom();
    room.feed({ kind: 'vault-put', vault: 'second' });
    room.wallets('second');
    room.look('v', 'sealed');
    room.feed({ kind: 'vault-trouble', vault: 'second', trouble: 'down', words: 'Away.' });
    expect(details(gone(room))).toMatchObject([{ kind: 'vault-silent', vaults: ['v', 'second'] }]);
  });
});

describe('what the vault signed and no block has', () => {
  const HOUR = 3_600;
  const signedNow = (seq: number, data = '') => ({ ...callOf(seq, TOKEN, data), atMs: 1_800_000_000_000 });
  const at = (nonce: bigint, chainId = 1n) =>
    ({ kind: 'accounts', accounts: [{ chainId, address: WALLET, nonce }] }) as const;
  const used = { how: 'transaction', nonce: 5n, token: null, caller: WALLET } as const;

  it('is told once after as long as the owner said, and that it is over', () => {
    const room = createRoom();
    room.feed({ kind: 'vault-set', vault: 'v', unseenMs: HOUR * 1_000 });
    room.permits(signedNow(5));
    room.pass(HOUR - 1);
    expect(room.feed(at(5n))).toEqual([]);
    room.pass(1);
    expect(room.feed(at(5n))).toMatchObject([
      { severity: 'warning', detail: { kind: 'signed-unseen', permit: 5, nonce: 5n, over: false } },
    ]);
    expect(room.feed(at(5n))).toEqual([]);
    expect(details(room.feed(at(6n)))).toMatchObject([{ kind: 'signed-unseen', over: true }]);
    expect(room.feed(at(6n))).toEqual([]);
  });

  it('is told after a day unless the owner says otherwise, and never where he says so', () => {
    const room = createRoom();
    room.permits(signedNow(5));
    room.pass(24 * HOUR - 1);
    expect(room.feed(at(5n))).toEqual([]);
    room.pass(1);
    expect(room.feed(at(5n))).toHaveLength(1);
    const never = createRoom();
    never.feed({ kind: 'vault-set', vault: 'v', unseenMs: null });
    never.permits(signedNow(5));
    never.pass(100 * HOUR);
    expect(never.feed(at(5n))).toEqual([]);
  });

  it('is nothing where the nonce is used up, where it is old, and where nobody looks at the account', () => {
    const room = createRoom();
    room.permits(signedNow(5), { ...signedNow(6), atMs: 1 }, signedNow(7));
    room.take(1n, WALLET, { ...used, digest: signedNow(5).digest });
    room.pass(25 * HOUR);
    expect(room.feed(at(6n, 10n))).toEqual([]);
    expect(room.feed(at(6n))).toEqual([]);
  });

  it('is an alarm at once where another transaction uses up its nonce', () => {
    const room = createRoom();
    room.permits(signedNow(5));
    room.take(1n, WALLET, { ...used, digest: HASH });
    expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', why: 'other-bytes' }]);
    room.pass(25 * HOUR);
    expect(room.feed(at(6n))).toEqual([]);
  });

  it('is what took its place, where the vault signed that too', () => {
    const room = createRoom();
    const replacement = { ...callOf(5, TOKEN, '00'), seq: 6, atMs: 1_800_000_000_000 };
    room.permits(signedNow(5), replacement);
    expect(details(room.take(1n, WALLET, { ...used, digest: replacement.digest }))).toMatchObject([{ permit: 6 }]);
    room.pass(25 * HOUR);
    expect(room.feed(at(5n))).toEqual([]);
  });

  it('is waited for again when a reorganisation takes it back', () => {
    const room = createRoom();
    room.permits(signedNow(5));
    room.take(1n, WALLET, { ...used, digest: signedNow(5).digest });
    room.feed({ kind: 'spends-withdrawn', ids: ['evm-spent/1:hot'] });
    room.pass(25 * HOUR);
    expect(details(room.feed(at(5n)))).toMatchObject([{ kind: 'signed-unseen', over: false }]);
  });
});
