import { concat, toBase64url, toHex, utf8, createZones } from '@keepwatch/base';
import { encodeUnsigned, type Eip1559Transaction } from '@keepwatch/evm';
import type { GrantDraft } from '@keepwatch/protocol';
import { wholeText } from '@keepwatch/wire';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createKeccak256 } from '../crypto/keccak.ts';
import { sha256 } from '../crypto/wire-crypto.ts';
import { isPolicyCommand, stepAddWallets, stepCommand, type PolicyCommand } from '../step/commands.ts';
import { createRegistries } from '../step/registries.ts';
import { stepSign } from '../step/sign.ts';
import { createEntryWriter } from './entry-text.ts';
import { decodeEntry, stampEntry, type Entry, type NewWallet, type VaultEvent } from './events.ts';
import { emptyState, fold } from './fold.ts';
import { decodeSnapshot, encodeSnapshot, stateDigest } from './snapshot.ts';
import { clientOf, type State } from './state.ts';

/** A life of a vault, by the same steps that the keep takes: fold(all) is fold(snapshot + rest), wherever it is cut. */

const keccak256 = await createKeccak256();
const deps = { keccak256, zones: createZones(process.versions.tz), registries: createRegistries(keccak256) };
const writeEntry = createEntryWriter();
const START = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const PEERS = ['owner', 'second', 'bot-a', 'bot-b'];
const WALLETS = ['w0', 'w1', 'w2'];
const RECIPIENT = `0x${'22'.repeat(20)}`;
const by = { by: 'owner', command: 'jws' };
const key = { alg: 'EdDSA' as const, publicKey: 'AAAA' };
const roleOf = (peer: string) => (peer.startsWith('bot') ? 'client' : 'operator');

const command = (name: string, params: object): PolicyCommand => {
  const made = { name, params } as { name: PolicyCommand['name']; params: unknown };
  if (!isPolicyCommand(made)) throw new TypeError(name);
  return made;
};

type Act = (state: State, nowMs: number) => readonly VaultEvent[];

const decided = (params: PolicyCommand): Act => {
  return (state, nowMs) => {
    const outcome = stepCommand(state, params, by, { wallMs: nowMs, keepMs: nowMs }, deps);
    return outcome.kind === 'accepted' ? outcome.events : [];
  };
};

const wallet = (id: string, derived: boolean): NewWallet => ({
  ...{ wallet: id, name: `name of ${id}`, publicKey: '02', address: '0x' },
  ...(derived
    ? { origin: 'derived', seed: 's', path: `m/44'/60'/0'/0/${id.slice(1)}` }
    : { origin: 'random', seed: null, path: null }),
});

/** Few keys, wallets and nonces, so that they meet again. `hourAgo`: when its idempotency key was made. */
function sign(client: string, id: string, nonce: number, value: number, number: number, hoursAgo: number): Act {
  return (state, nowMs) => {
    const transaction = {
      ...{
        type: 'eip1559',
        chainId: 1,
        nonce,
        maxPriorityFeePerGas: 1n,
        maxFeePerGas: 1n,
        gasLimit: 21_000n,
        to: RECIPIENT,
      },
      ...{ value: BigInt(value), data: new Uint8Array(), accessList: [] },
    } as unknown as Eip1559Transaction;
    const made = (Math.floor(nowMs / HOUR) * HOUR - hoursAgo * HOUR).toString(16).padStart(12, '0');
    const params = {
      ...{ wallet: id, chain: 'eip155:1', transaction: `0x${toHex(encodeUnsigned(transaction))}` },
      key: `${made.slice(0, 8)}-${made.slice(8)}-7000-8000-00000000000${number}`,
      expires: Math.floor(nowMs / HOUR) * HOUR + HOUR,
    };
    const outcome = stepSign(
      state,
      {
        ...{ client, params, payload: { form: 'transaction' as const, hex: params.transaction } },
        request: toBase64url(utf8(JSON.stringify(params))),
      },
      nowMs,
      deps,
    );
    return outcome.kind === 'decided' || outcome.kind === 'void' ? [outcome.event] : [];
  };
}

const peer = fc.constantFrom(...PEERS);
const bot = fc.constantFrom('bot-a', 'bot-b');
const walletId = fc.constantFrom(...WALLETS);
const grantId = fc.integer({ min: 1, max: 6 }).map((number) => `g${number}`);
const floor = fc.record({ wallet: walletId, chain: fc.constant('eip155:1'), floor: fc.nat(6) });
const signing = fc
  .tuple(bot, fc.constantFrom('w0', 'w0', 'w1'), fc.nat(4), fc.nat(1), fc.constantFrom(0, 0, 0, 1))
  .map(([client, id, nonce, value, hoursAgo]): Act => sign(client, id, nonce, value, nonce, hoursAgo));

const policy = fc.oneof(
  fc.record({ peer }).map((params) => command('peer.revoke', params)),
  peer.map((id) => command('peer.approve', { peer: id, role: roleOf(id), name: id })),
  fc.record({ peer: bot, wallets: fc.subarray(WALLETS) }).map((params) => command('peer.observe', params)),
  fc.record({ peer, name: fc.constantFrom('x', 'y') }).map((params) => command('peer.rename', params)),
  fc.record({ wallet: walletId, name: fc.constantFrom('x', 'y') }).map((params) => command('wallet.rename', params)),
  floor.map((params) => command('wallet.floor', params)),
  fc.record({ grant: grantId }).map((params) => command('grant.revoke', params)),
  fc.tuple(bot, walletId, fc.boolean()).map(([client, id, counted]) => {
    const volume = { type: 'volume', asset: 'native', limit: '100000', window: { seconds: 3_600 } };
    const constraints = counted ? [volume, { type: 'count', limit: 2, window: { seconds: 86_400 } }] : [volume];
    const grant = { client, wallet: id, chain: 'eip155:1', kind: 'ether-transfer', recipients: 'any', constraints };
    return command('grant.create', { grant });
  }),
  fc.constant(command('vault.configure', { idleSealSeconds: 60 })),
);

const others = fc.option(
  fc.record({
    others: fc.record({ peers: fc.constantFrom('revoked', 'kept'), grants: fc.constantFrom('revoked', 'spent') }),
  }),
  { nil: {} },
);

/** Names what is still there: few random lists would be a resume that the step takes. */
const resuming = fc.tuple(fc.nat(6), fc.array(floor), others).map(([kept, nonceFloors, rest]): Act => {
  return (state, nowMs) => {
    const live = [...state.peers.values()].filter(({ revoked }) => revoked === null).map((each) => each.peer);
    const peers = live.filter((id) => id === 'owner' || id !== PEERS[kept]);
    const grants = [...state.grants.values()]
      .filter(({ grant, revoked }) => revoked === null && peers.includes(clientOf(grant) ?? ''))
      .slice(0, kept)
      .map(({ id }) => ({ grant: id, remaining: [{ constraint: 0, left: '50000' }] }));
    const floors = nonceFloors.filter(({ wallet: id }) => state.wallets.has(id));
    return decided(command('vault.resume', { peers, grants, nonceFloors: floors, ...rest }))(state, nowMs);
  };
});

/** What comes about without a pure step. */
const event = fc.oneof(
  peer.map((id): VaultEvent => ({ type: 'peer.proposed', peer: id, role: roleOf(id), name: id, key })),
  fc.constantFrom<VaultEvent>(
    { type: 'clock.frozen', reason: 'jump', wallMs: 1, expectedMs: 2 },
    { type: 'vault.unsealed', time: 1, zones: '2026c', ...by },
    { type: 'vault.sealed', reason: 'idle', by: null, command: null },
    { type: 'signing.frozen', reason: 'rollback', words: 'rollback' },
  ),
  fc.constantFrom('owner', 'bot-a').map((id): VaultEvent => {
    const operator = { peer: id, role: 'operator', name: id, key } as const;
    return { type: 'vault.restored', identity: 'other', epoch: 0, operator, ...by };
  }),
);

const act = fc.oneof(
  { weight: 40, arbitrary: signing },
  { weight: 8, arbitrary: policy.map(decided) },
  { weight: 4, arbitrary: resuming },
  {
    weight: 2,
    arbitrary: fc.tuple(walletId, fc.boolean()).map(([id, derived]): Act => {
      return (state) => {
        const outcome = stepAddWallets(state, [wallet(id, derived)], [], by);
        return outcome.kind === 'accepted' ? outcome.events : [];
      };
    }),
  },
  {
    weight: 2,
    arbitrary: event.map((made): Act => {
      return ({ epoch }) => [made.type === 'vault.restored' ? { ...made, epoch: epoch + 1 } : made];
    }),
  },
);

const BEGINNING: readonly VaultEvent[] = [
  { type: 'vault.initialised', identity: 'i', vault: 'v', ...by },
  ...PEERS.map((id): VaultEvent => {
    const registered = { peer: id, role: roleOf(id), name: id, key } as const;
    return { type: 'peer.registered', via: 'approval', ...by, peer: registered };
  }),
  { type: 'wallets.added', wallets: [wallet('w0', false), wallet('w1', true)], nonceFloors: [], ...by },
  ...['bot-a', 'bot-b'].map((client, i): VaultEvent => {
    const constraints = [{ type: 'volume' as const, asset: 'native', limit: '100000', window: { seconds: 3_600 } }];
    const draft = { client, wallet: 'w0', chain: 'eip155:1', kind: 'ether-transfer', recipients: 'any', constraints };
    return { type: 'grant.created', grant: `g${i + 1}`, draft: draft as GrantDraft, ...by };
  }),
];

const passed = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(0, 1, 1_000) },
  { weight: 1, arbitrary: fc.constantFrom(HOUR, 3 * HOUR, 26 * HOUR) },
);
const life = fc.array(fc.tuple(act, passed), {
  minLength: 1,
  maxLength: 120,
  size: 'max',
});

/** The entries of this life, as a journal would give them back. */
function live(acts: readonly (readonly [Act, number])[]): readonly Entry[] {
  const state = emptyState();
  const entries: Entry[] = [];
  let now = START;
  const append = (made: VaultEvent) => {
    const entry = decodeEntry(utf8(wholeText(writeEntry(stampEntry(made, now, 'salt')))));
    entries.push(entry);
    fold(state, state.seq + 1, entry);
  };
  BEGINNING.forEach(append);
  for (const [decide, passed] of acts) {
    now += passed;
    decide(state, now).forEach(append);
  }
  return entries;
}

function foldOn(state: State, entries: readonly Entry[]): State {
  for (const entry of entries) fold(state, state.seq + 1, entry);
  return state;
}

/** What a snapshot leaves out, because it follows from the rest: the indexes. */
const indexes = ({ answerCount, grantIndex, observers, wallets }: State) => ({
  answerCount,
  grants: PEERS.flatMap((client) =>
    WALLETS.map((wallet) => grantIndex.inScope({ client, groups: [], wallet, chain: 'eip155:1' }).map(({ id }) => id)),
  ),
  observers,
  names: [...WALLETS.map((id) => `name of ${id}`), 'x', 'y'].map((name) => wallets.named(name)),
});

it('folds to the same state from the first entry and from a snapshot anywhere', async () => {
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(life, fc.nat(), async (acts, where) => {
      const entries = live(acts);
      for (const { type } of entries) seen.set(type, (seen.get(type) ?? 0) + 1);
      const cut = where % (entries.length + 1);
      const whole = foldOn(emptyState(), entries);
      const half = foldOn(emptyState(), entries.slice(0, cut));
      const snapshot = encodeSnapshot(half);
      // The vault goes on while its snapshot is written.
      foldOn(half, entries.slice(cut));
      const continued = foldOn(decodeSnapshot(concat(...snapshot)), entries.slice(cut));
      expect(await stateDigest(continued, sha256)).toBe(await stateDigest(whole, sha256));
      expect(indexes(continued)).toEqual(indexes(whole));
    }),
    { numRuns: 500 },
  );
  // The lives were lively: every kind of event that changes money's state came up.
  for (const type of ['request.permitted', 'request.denied', 'request.voided', 'vault.resumed', 'grant.revoked']) {
    expect(seen.get(type), type).toBeGreaterThan(0);
  }
});
