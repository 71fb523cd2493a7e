import { expect, it } from 'vitest';
import { callOf, createRoom, details, HASH, TOKEN, WALLET } from './room.fixture.ts';

/** The wallet's own transaction, outside blocks and then in one. */
const signed = callOf(5, TOKEN, '');
const own = (digest: `0x${string}`) => ({ how: 'transaction', nonce: 5n, token: null, digest, txHash: HASH }) as const;
const outside = (digest: `0x${string}`) => ({ ...own(digest), block: null });

it('a thief’s spend is an alarm before any block has it, and no second one when a block does', () => {
  const room = createRoom();
  room.take(1n, WALLET, outside(HASH), 'evm-sighted');
  const [alarm] = room.look();
  expect(alarm).toMatchObject({ severity: 'critical', detail: { kind: 'unsigned-spend', spend: 'evm-sighted/1:hot' } });
  expect(alarm!.evidence.evm).toEqual({ chainId: 1n, txHash: HASH });
  expect(room.take(1n, WALLET, own(HASH))).toEqual([]);
  expect(room.take(1n, WALLET, { ...own(HASH), token: TOKEN }, 'evm-spent/3')).toEqual([]);
  expect(room.look()).toEqual([]);
  // Its signature was by the key, whatever becomes of the block.
  expect(room.feed({ kind: 'spends-withdrawn', ids: ['evm-spent/2:hot', 'evm-spent/3/3:hot'] })).toEqual([]);
  expect(room.take(1n, WALLET, { ...own(HASH), block: { number: 2, hash: TOKEN as never, timeMs: 1 } })).toEqual([]);
  expect(room.look()).toEqual([]);
});

it('the vault’s own spend is explained when it is seen, once', () => {
  const room = createRoom();
  room.permits(signed);
  expect(details(room.take(1n, WALLET, outside(signed.digest)))).toMatchObject([{ kind: 'signed-spend', by: 'bytes' }]);
  expect(room.take(1n, WALLET, own(signed.digest))).toEqual([]);
  expect(room.look()).toEqual([]);
});

it('what was asked before the sighting proves nothing, and silence is said to be silence', () => {
  const room = createRoom();
  const asked = {
    kind: 'vault-looked',
    vault: 'v',
    asked: 0,
    phase: 'unsealed',
    lastSeq: 9,
    complete: ['w'],
    lost: [],
    place: null,
  } as const;
  room.take(1n, WALLET, outside(HASH));
  expect(room.feed(asked)).toEqual([]);
  room.pass(25);
  expect(details(room.feed({ kind: 'tick' }))).toMatchObject([{ kind: 'vault-silent' }]);
  // In a block by now: still the same question, and its answer takes back what was said of it.
  const silent = room.findings.at(-1)!;
  expect(room.take(1n, WALLET, own(HASH))).toEqual([]);
  expect(details(room.look())).toMatchObject([{ kind: 'unsigned-spend', amends: silent.id }]);
});

it('what was signed and is outside blocks is still waited for, and not any more when a block has it', () => {
  const room = createRoom();
  const standing = (nonce: bigint) =>
    room.feed({ kind: 'accounts', accounts: [{ chainId: 1n, address: WALLET, nonce }] });
  room.feed({ kind: 'vault-set', vault: 'v', unseenMs: 60_000 });
  room.permits({ ...signed, atMs: 1_800_000_000_000 });
  room.take(1n, WALLET, outside(signed.digest));
  room.pass(90);
  expect(details(standing(5n))).toMatchObject([{ kind: 'signed-unseen', over: false }]);
  expect(details(room.take(1n, WALLET, own(signed.digest)))).toMatchObject([{ kind: 'signed-unseen', over: true }]);
  // Its block leaves: it is waited for again.
  room.feed({ kind: 'spends-withdrawn', ids: ['evm-spent/2:hot'] });
  room.pass(90);
  expect(details(standing(5n))).toMatchObject([{ kind: 'signed-unseen', over: false }]);
});
