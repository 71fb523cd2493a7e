import { concat, toBase64url, toHex, utf8, createZones } from '@keepwatch/base';
import { encodeUnsigned, type Eip1559Transaction } from '@keepwatch/evm';
import type { Window } from '@keepwatch/permission';
import { wholeText } from '@keepwatch/wire';
import { createKeccak256 } from '../../../keep/src/crypto/keccak.ts';
import { createEntryWriter } from '../../../keep/src/state/entry-text.ts';
import { decodeEntry, stampEntry, type Entry, type VaultEvent } from '../../../keep/src/state/events.ts';
import { emptyState, fold } from '../../../keep/src/state/fold.ts';
import { decodeSnapshot, encodeSnapshot } from '../../../keep/src/state/snapshot.ts';
import type { State } from '../../../keep/src/state/state.ts';
import { approvalHolds, stepSign, type SignRequest } from '../../../keep/src/step/sign.ts';
import { createRegistries } from '../../../keep/src/step/registries.ts';
import type { SignEffect } from '../../../keep/src/step/step.ts';
import { createRandom, type Random } from './random.ts';

/**
 * One budget and 64 clients who race for it, through keep's own step and fold: decide and reserve in memory, journal,
 * sign. Between any two of these the process may die; what was journaled is folded again, what was not is gone, and the
 * clients ask again. The budget is a cap over all of them. Never may what was signed exceed it.
 */

const CLIENTS = Array.from({ length: 64 }, (_, i) => `client-${i}`);
const WALLET = 'wallet';
const CHAIN = 'eip155:1';
const START = Date.UTC(2026, 0, 1, 12);
const STEPS = 160;
const zones = createZones(process.versions.tz);
const keccak256 = await createKeccak256();
const writeEntry = createEntryWriter();
const deps = { keccak256, zones, registries: createRegistries(keccak256) };
const by = { by: 'owner', command: 'jws' };

const WINDOWS: readonly Window[] = [
  { ever: true },
  { seconds: 3_600 },
  { seconds: 60 },
  { calendar: 'day', zone: 'Europe/Berlin' },
];

/** How a history went. `fault`: what must never be. */
export interface History {
  readonly fault: string | null;
  readonly signed: number;
  readonly denied: number;
  readonly crashes: number;
  /** The largest part of the limit that was ever used up, in percent. */
  readonly used: number;
}

export interface SimulationOptions {
  /** Folds an entry into the state: keep's own, but for a test that wants to see a fault found. */
  readonly fold?: typeof fold;
}

export function simulateBudget(seed: number, { fold: foldEntry = fold }: SimulationOptions = {}): History {
  const random = createRandom(seed);
  const window = random.pick(WINDOWS);
  const limit = BigInt(30_000 + random.below(600_000));
  const world = createWorld(random, foldEntry, limit, window);
  for (let i = 0; i < STEPS; i++) world.step();
  world.commit();
  return world.history();
}

interface Signed {
  readonly at: number;
  readonly charge: bigint;
}

/** A decision that waits for the journal: its entries, and the signature that follows. */
interface Waiting {
  readonly entries: readonly Entry[];
  readonly effect: SignEffect | null;
}

function createWorld(random: Random, foldEntry: typeof fold, limit: bigint, window: Window) {
  const journal: Entry[] = [];
  const requests: SignRequest[] = [];
  /** By the digest of what was signed: the same bytes twice are one signature. */
  const signatures = new Map<string, Signed>();
  let state = emptyState();
  let waiting: Waiting[] = [];
  let now = START;
  let nonce = 0;
  let denied = 0;
  let crashes = 0;
  let used = 0n;
  let fault: string | null = null;

  for (const event of beginning(limit, window)) journal.push(entryOf(event));
  for (const entry of journal) foldEntry(state, state.seq + 1, entry);

  function entryOf(event: VaultEvent): Entry {
    return decodeEntry(utf8(wholeText(writeEntry(stampEntry(event, now, 'salt')))));
  }

  function ask(request: SignRequest): void {
    const outcome = stepSign(state, request, now, deps);
    const made = outcome.kind === 'decided' || outcome.kind === 'void' ? [entryOf(outcome.event)] : [];
    if (made.some(({ type }) => type === 'request.denied')) denied++;
    for (const entry of made) foldEntry(state, state.seq + 1, entry);
    const effect = outcome.kind === 'decided' || outcome.kind === 'repeat' ? outcome.effect : null;
    if (made.length > 0 || effect !== null) waiting.push({ entries: made, effect });
  }

  function commit(): void {
    const batch = waiting;
    waiting = [];
    for (const { entries } of batch) journal.push(...entries);
    for (const { effect } of batch) {
      // A crash between the journal and a signature loses the signature, and the client may ask for it again.
      if (random.chance(0.02)) return crash();
      if (effect !== null) sign(effect);
    }
  }

  function sign(effect: SignEffect): void {
    if (!approvalHolds(effect, keccak256)) fault ??= 'an effect does not hold what was judged';
    const digest = Buffer.from(effect.digest).toString('base64url');
    const entry = journal.find((each) => each.type === 'request.permitted' && each.digest === digest);
    if (entry === undefined) {
      fault ??= 'something was signed that the journal does not permit';
      return;
    }
    const { intent } = effect;
    const [outflow] = intent.outflows;
    const charge = ((outflow?.amount ?? 0n) as bigint) + intent.fee!.maxFeeWei;
    signatures.set(digest, { at: entry.at, charge });
    checkLimit(entry.at);
  }

  /** All windows that what was charged at `at` is part of end at some charge: the sums that end at each of them. */
  function checkLimit(at: number): void {
    const all = [...signatures.values()];
    const ends = 'seconds' in window ? all.filter((each) => each.at >= at).map((each) => each.at) : [at];
    for (const end of ends) {
      let sum = 0n;
      for (const each of all) if (isWithin(each.at, end)) sum += each.charge;
      if (sum > used) used = sum;
      if (sum > limit) fault ??= `${sum} of ${limit} were signed`;
    }
  }

  function isWithin(at: number, end: number): boolean {
    if ('ever' in window) return true;
    if ('seconds' in window) return at <= end && end - at < window.seconds * 1_000;
    const period = zones.period(window.zone, window.calendar, end)!;
    return at >= period.fromMs && at < period.untilMs;
  }

  /** What was not journaled is gone; the state is folded from the journal, or on from a snapshot of an earlier part. */
  function crash(): void {
    crashes++;
    waiting = [];
    const cut = random.below(journal.length + 1);
    state = refold(emptyState(), journal.slice(0, cut));
    if (random.chance(0.5)) state = decodeSnapshot(concat(...encodeSnapshot(state)));
    state = refold(state, journal.slice(cut));
  }

  function refold(from: State, entries: readonly Entry[]): State {
    for (const entry of entries) foldEntry(from, from.seq + 1, entry);
    return from;
  }

  function newRequest(): SignRequest {
    // Clients name their nonces, and sometimes two of them the same.
    if (!random.chance(0.1)) nonce++;
    const value = BigInt(random.below(Number(limit / 6n)));
    const transaction = transferOf(nonce, value, BigInt(1 + random.below(2)));
    const params = {
      ...{ wallet: WALLET, chain: CHAIN, transaction: `0x${toHex(encodeUnsigned(transaction))}` },
      ...{ key: keyAt(now, random.below(2 ** 30)), expires: now + 3_600_000 },
    };
    return {
      client: random.pick(CLIENTS),
      params,
      payload: { form: 'transaction', hex: params.transaction },
      request: toBase64url(utf8(JSON.stringify(params))),
    };
  }

  return {
    step(): void {
      now += random.pick([0, 0, 0, 1, 7, 1_000, 30_000, 900_000]);
      if (random.chance(0.03)) return crash();
      if (random.chance(0.25)) return commit();
      if (random.chance(0.3) && requests.length > 0) return ask(random.pick(requests));
      const request = newRequest();
      requests.push(request);
      ask(request);
    },
    commit,
    history: (): History => ({
      fault,
      signed: signatures.size,
      denied,
      crashes,
      used: Number((used * 100n) / limit),
    }),
  };
}

/** 64 clients with grants of their own, wider than the cap that they share. */
function beginning(limit: bigint, window: Window): readonly VaultEvent[] {
  const wallet = {
    ...{ wallet: WALLET, name: 'w', publicKey: '02'.repeat(33), address: `0x${'11'.repeat(20)}` },
    ...{ origin: 'random' as const, seed: null, path: null },
  };
  const wide = {
    type: 'volume' as const,
    asset: 'native',
    limit: (10n ** 30n).toString(),
    window: { ever: true as const },
  };
  const scope = { wallet: WALLET, chain: CHAIN };
  return [
    { type: 'wallets.added', wallets: [wallet], nonceFloors: [], ...by },
    ...CLIENTS.map((peer): VaultEvent => {
      const key = { alg: 'EdDSA' as const, publicKey: 'AAAA' };
      const registered = { peer, role: 'client' as const, name: peer, key };
      return { type: 'peer.registered', via: 'approval', ...by, peer: registered };
    }),
    ...CLIENTS.map((client, i): VaultEvent => {
      const draft = {
        ...scope,
        client,
        kind: 'ether-transfer' as const,
        recipients: 'any' as const,
        constraints: [wide],
      };
      return { type: 'grant.created', grant: `g${i + 1}`, draft, ...by };
    }),
    {
      type: 'grant.created',
      grant: `g${CLIENTS.length + 1}`,
      draft: { ...scope, kind: 'cap', constraints: [{ ...wide, limit: limit.toString(), window }] } as never,
      ...by,
    },
  ];
}

function transferOf(nonce: number, value: bigint, maxFeePerGas: bigint): Eip1559Transaction {
  return {
    ...{ type: 'eip1559', chainId: 1, nonce, maxPriorityFeePerGas: 0n, maxFeePerGas, gasLimit: 21_000n },
    ...{ to: `0x${'22'.repeat(20)}`, value, data: new Uint8Array(), accessList: [] },
  } as unknown as Eip1559Transaction;
}

/** A UUIDv7 of this time. */
function keyAt(atMs: number, number: number): string {
  const time = atMs.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${number.toString(16).padStart(12, '0')}`;
}
