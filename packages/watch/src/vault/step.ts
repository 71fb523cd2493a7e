import { assertNever, canonicalJson } from '@keepwatch/base';
import type { VaultFindingDetail } from './detail.ts';
import type { EvmSpend } from '../evm/spend.ts';
import type { VaultEvent, VaultInput } from './event.ts';
import { CLOCKS_MS, matchSpend, ownersOf, walletsOf, type Match } from './match.ts';
import type { VaultPermit } from './permit.ts';
import { hasRight } from './rights.ts';
import { isSettled, isSweepDue, settledBy } from './settle.ts';
import { delegationsOf, signedFor } from './signed.ts';
import {
  chainKey,
  spendKey,
  UNSEEN_MS,
  vaultDraftOf,
  walletKey,
  type EarlierSpends,
  type SpendRecord,
  type VaultRecord,
  type VaultSeal,
  type VaultState,
} from './state.ts';
import { emit, factsOf, tell, tellOf, type Turn } from './turn.ts';
import { decideWaiting, seen, unseen, waitFor } from './waiting.ts';

/** A spend waits so long for what the vault says of it. */
const SILENT_MS = 20_000;
/** A vault may be away for so long before it is told: it is started anew, or its line is. */
const DOWN_MS = 60_000;

/**
 * Compares what left a wallet with what its vault signed. It decides and changes nothing: the driver journals the events and
 * folds them by `applyVaultEvent`. The same input told twice gives nothing the second time.
 *
 * “Not signed by the vault” is concluded in one way only: the vault was asked after the spend had been told, and every
 * permit up to the end of its journal in that answer is known. A permit stands in the journal before anything is signed by
 * it, so that one for this spend would be among them. No clock is compared.
 */
export function vaultStep(state: VaultState, input: VaultInput, nowMs: number): readonly VaultEvent[] {
  const turn: Turn = { state: vaultDraftOf(state), nowMs, events: [] };
  switch (input.kind) {
    case 'vault-put':
      if (!turn.state.vaults.has(input.vault)) emit(turn, { kind: 'vault', record: freshVault(input.vault) });
      break;
    case 'vault-removed':
      removeVault(turn, input.vault);
      break;
    case 'vault-wallets':
      putWallets(turn, input);
      break;
    case 'vault-permits':
      putPermits(turn, input);
      break;
    case 'vault-looked':
      decideLook(turn, input);
      break;
    case 'vault-trouble':
      decideTrouble(turn, input);
      break;
    case 'spend':
      decideSpend(turn, input);
      break;
    case 'spends-withdrawn':
      withdraw(turn, input.ids);
      break;
    case 'vault-set': {
      const record = turn.state.vaults.get(input.vault);
      if (record) putVault(turn, { ...record, unseenMs: input.unseenMs });
      break;
    }
    case 'past-over':
      tellEarlier(turn, ({ watched }) => watched === input.watched);
      break;
    case 'vault-past-read': {
      const key = walletKey(input.vault, input.wallet);
      if (turn.state.wallets.get(key)?.isPastRead !== false) break;
      emit(turn, { kind: 'past-read', vault: input.vault, wallet: input.wallet });
      tellEarlier(turn, ({ wallet }) => wallet === key);
      break;
    }
    case 'chain-settled':
      decideSettled(turn, input);
      break;
    case 'accounts':
      decideWaiting(turn, input.accounts);
      break;
    case 'tick':
      decideTick(turn);
      break;
    default:
      assertNever(input);
  }
  return turn.events;
}

type InputOf<K extends VaultInput['kind']> = Extract<VaultInput, { readonly kind: K }>;

function freshVault(vault: string): VaultRecord {
  return {
    vault,
    place: null,
    phase: 'unknown',
    lastSeq: 0,
    downSinceMs: null,
    words: '',
    unseenMs: UNSEEN_MS,
    seal: null,
    lost: [],
    conditions: {},
  };
}

function removeVault(turn: Turn, vault: string): void {
  if (!turn.state.vaults.has(vault)) return;
  for (const each of [...turn.state.wallets.values()]) {
    if (each.vault === vault) emit(turn, { kind: 'wallet-dropped', vault, wallet: each.wallet });
  }
  emit(turn, { kind: 'vault-dropped', vault });
}

function putWallets(turn: Turn, { vault, wallets }: InputOf<'vault-wallets'>): void {
  const { state } = turn;
  if (!state.vaults.has(vault)) return;
  const named = new Set(wallets.map(({ wallet }) => wallet));
  for (const each of [...state.wallets.values()]) {
    if (each.vault === vault && !named.has(each.wallet))
      emit(turn, { kind: 'wallet-dropped', vault, wallet: each.wallet });
  }
  for (const { wallet, address, createdMs } of wallets) {
    if (state.wallets.has(walletKey(vault, wallet))) continue;
    emit(turn, { kind: 'wallet', wallet: { vault, wallet, address, createdMs, isPastRead: false } });
  }
}

function putPermits(turn: Turn, { vault, wallet, permits, place }: InputOf<'vault-permits'>): void {
  const { state } = turn;
  const record = state.vaults.get(vault);
  const key = walletKey(vault, wallet);
  const known = state.wallets.get(key);
  if (!record || !known) return;
  const fresh = permits.filter((permit) => !isKnown(state, key, permit));
  putVault(turn, { ...record, place });
  if (fresh.length === 0) return;
  emit(turn, { kind: 'permits', vault, wallet, permits: fresh });
  for (const permit of fresh) waitFor(turn, record, wallet, permit);
  const mayConcern = concernedBy(fresh);
  // What was concluded was concluded from all: what is permitted later cannot be what it was.
  for (const each of [...state.open.keys()]) {
    const { spend } = state.spends.get(each)!;
    if (spend.address === known.address && mayConcern(spend)) judge(turn, each);
  }
}

/**
 * A history that an operator began anew is read from its start: what is known already is passed over. Another history may
 * have something else at the same place.
 */
function isKnown(state: VaultState, wallet: string, permit: VaultPermit): boolean {
  const { seq, form, chainId, nonce, digest, delegate } = permit;
  if (seq > (state.permits.get(wallet)?.last ?? 0)) return false;
  if (form === 'transaction' && nonce !== null) {
    return signedFor(state, wallet, chainId, nonce).some((each) => each.seq === seq && each.digest === digest);
  }
  if (form === 'delegation') {
    return delegationsOf(state, wallet, chainId).some((each) => each.seq === seq && each.delegate === delegate);
  }
  if (permit.rights.length > 0) return hasRight(state, wallet, permit);
  return !permit.unread || (state.unread.get(chainKey(wallet, chainId)) ?? []).includes(seq);
}

/** Which spends some permits may explain: to compare each spend with each page of a long journal would take too long. */
function concernedBy(permits: readonly VaultPermit[]): (spend: EvmSpend) => boolean {
  const nonces = new Set(permits.map(({ chainId, nonce }) => `${chainId}/${nonce}`));
  const tokens = new Set(permits.flatMap(({ chainId, rights }) => rights.map(({ token }) => `${chainId}/${token}`)));
  const delegates = permits.some(({ form }) => form === 'delegation');
  return ({ chainId, how, nonce, token }) =>
    how === 'transaction'
      ? nonces.has(`${chainId}/${nonce}`)
      : delegates || (nonces.size > 0 && how !== 'allowance') || tokens.has(`${chainId}/${token}`);
}

function putVault(turn: Turn, record: VaultRecord): void {
  const before = turn.state.vaults.get(record.vault);
  if (before && canonicalJson(before as never) === canonicalJson(record as never)) return;
  emit(turn, { kind: 'vault', record });
}

function decideLook(
  turn: Turn,
  { vault, asked, phase, lastSeq, complete, lost, place }: InputOf<'vault-looked'>,
): void {
  const { state } = turn;
  const before = state.vaults.get(vault);
  if (!before) return;
  const seal = phase === 'sealed' ? sealOf(before.seal, lastSeq, complete, turn.nowMs) : null;
  putVault(turn, { ...before, phase, lastSeq, place, seal, lost, downSinceMs: null, words: '' });
  for (const condition of ['down', ...DOUBTS] as const) close(turn, vault, condition);
  if (phase === 'sealed') open(turn, vault, 'sealed', 'It signs nothing until it is unsealed.');
  else close(turn, vault, 'sealed');
  const all = new Set(complete.map((wallet) => walletKey(vault, wallet)));
  for (const key of [...state.open.keys()]) {
    const record = state.spends.get(key)!;
    if (record.order > asked || record.cleared.some((each) => each.vault === vault)) continue;
    const owners = ownersOf(state, record.spend);
    const own = owners.filter((each) => each.vault === vault);
    if (own.length === 0 || !own.every((each) => all.has(each.key))) continue;
    emit(turn, { kind: 'cleared', key, vault, seq: lastSeq, sealed: phase === 'sealed' });
    conclude(turn, key);
  }
}

/** A look asks of some wallets at a time: what it says of the same seal comes together. */
function sealOf(before: VaultSeal | null, seq: number, complete: readonly string[], atMs: number): VaultSeal {
  const known = before?.seq === seq ? before : { seq, atMs, wallets: [] };
  const wallets = new Set([...known.wallets, ...complete]);
  // A vault that is asked again says the same again: that is nothing to be journaled each time.
  return wallets.size === known.wallets.length ? known : { seq, atMs, wallets: [...wallets].sort() };
}

/** Every vault that has the key was asked after the spend, and none has signed what would prove to be it. */
function conclude(turn: Turn, key: string): void {
  const record = turn.state.spends.get(key)!;
  const { cleared, told: amends } = record;
  const vaults = ownersOf(turn.state, record.spend).map(({ vault }) => vault);
  if (!vaults.every((vault) => cleared.some((each) => each.vault === vault))) return;
  const match = doubted(turn.state, record, matchSpend(turn.state, record));
  if (match.says === 'signed') return;
  const about = { upTo: cleared.filter(({ vault }) => vaults.includes(vault)), amends, ...factsOf(record) };
  if (match.says === 'unclear') {
    const { why, maybe, used } = match;
    const told = tell(turn, record, { kind: 'unclear-spend', why, maybe, ...about });
    emit(turn, { kind: 'verdict', key, verdict: 'unclear', told, used });
    return;
  }
  const told = tell(turn, record, { kind: 'unsigned-spend', why: match.why, ...about });
  emit(turn, { kind: 'verdict', key, verdict: 'unsigned', told, used: [] });
}

/** A signed transaction that nobody needs within a day was not meant to be. */
const LOST_MS = 86_400_000;

/** What was signed in a history that was given up for a backup stands in no journal any more, and may be on the chain. */
function doubted(state: VaultState, { spend }: SpendRecord, match: Match): Match {
  const timeMs = spend.block?.timeMs ?? spend.seenAtMs;
  const isLost = ownersOf(state, spend).some(({ vault }) =>
    state.vaults.get(vault)!.lost.some(({ fromMs, toMs }) => timeMs >= fromMs - CLOCKS_MS && timeMs < toMs + LOST_MS),
  );
  return match.says === 'unsigned' && isLost ? { says: 'unclear', why: 'lost-history', maybe: [], used: [] } : match;
}

/** Tells by what the spend is the vault's, if it is. */
function judge(turn: Turn, key: string): void {
  const record = turn.state.spends.get(key)!;
  const match = matchSpend(turn.state, record);
  if (match.says !== 'signed') return;
  const { vault, permit, by, used } = match;
  const facts = { vault, permit: permit.seq, grant: permit.grant, by, amends: record.told };
  // That all was well in the past is nothing to tell.
  const told = record.past ? null : tell(turn, record, { kind: 'signed-spend', ...facts, ...factsOf(record) });
  emit(turn, { kind: 'verdict', key, verdict: 'signed', told, used });
}

function decideSpend(turn: Turn, { id, spend, past }: InputOf<'spend'>): void {
  const { state, nowMs } = turn;
  if (state.members.has(id) || isSettled(state, id, spend)) return;
  if (ownersOf(state, spend).length === 0) {
    const [wallet] = walletsOf(state, spend.address);
    if (wallet && past) emit(turn, { kind: 'earlier', id, wallet: wallet.key, spend });
    return;
  }
  // What was asked about when it was sighted is the same question in a block.
  const sighted = spendKey(id, { ...spend, block: null });
  const key = state.spends.has(sighted) ? sighted : spendKey(id, spend);
  const known = state.spends.get(key);
  emit(turn, { kind: 'spend', id, key, spend, atMs: nowMs, past });
  if (spend.block !== null && (known?.spend.block ?? null) === null) seen(turn, state.spends.get(key)!);
  if (!known) judge(turn, key);
}

/** What a look into the past cannot compare is said once it is over, and once. */
function tellEarlier(turn: Turn, isAbout: (each: EarlierSpends) => boolean): void {
  const { state } = turn;
  for (const [key, each] of [...state.earlier.entries()]) {
    const wallet = state.wallets.get(each.wallet);
    if (!isAbout(each) || each.count === each.told || !wallet) continue;
    const { vault, address, createdMs: sinceMs } = wallet;
    const { chainId, count } = each;
    emit(turn, { kind: 'earlier-told', key, count });
    const detail = { kind: 'earlier-spends', vault, chainId, address, sinceMs, count } as const;
    tellOf(turn, `earlier-spends:${key}#${count}`, detail, each.watched);
  }
}

/** Blocks come all the time: it is journaled where something is forgotten by it. */
function decideSettled(turn: Turn, { chainId, number, timeMs }: InputOf<'chain-settled'>): void {
  const { state } = turn;
  if (isSweepDue(state, chainId, timeMs) || settledBy(state, { chainId, number, timeMs }).next().done !== true) {
    emit(turn, { kind: 'settled', chainId, number, timeMs });
  }
}

function withdraw(turn: Turn, ids: readonly string[]): void {
  const { state } = turn;
  const keys = new Set(ids.flatMap((id) => state.members.get(id) ?? []));
  for (const key of keys) {
    const record = state.spends.get(key)!;
    const left = record.members.filter((member) => !ids.includes(member));
    if (left.length > 0) {
      // What was sighted outside blocks is as signed as it was.
      emit(turn, { kind: 'spend-back', key, members: left });
      unseen(turn, record);
      continue;
    }
    emit(turn, { kind: 'spend-gone', key });
    unseen(turn, record);
    if (record.told === null) continue;
    tell(turn, record, { kind: 'spend-withdrawn', spend: record.members[0]!, retracts: [record.told] });
  }
}

function decideTrouble(turn: Turn, { vault, trouble, words }: InputOf<'vault-trouble'>): void {
  const { state, nowMs } = turn;
  const record = state.vaults.get(vault);
  if (!record) return;
  putVault(turn, { ...record, words, downSinceMs: record.downSinceMs ?? nowMs });
  if (trouble !== 'down') open(turn, vault, trouble, words);
}

function decideTick(turn: Turn): void {
  const { state, nowMs } = turn;
  for (const { vault, downSinceMs, words } of [...state.vaults.values()]) {
    if (downSinceMs !== null && nowMs - downSinceMs >= DOWN_MS) open(turn, vault, 'down', words);
  }
  for (const key of [...state.open.keys()]) {
    const record = state.spends.get(key)!;
    const owners = ownersOf(state, record.spend);
    // The vault is followed no longer: nobody is left who could be asked.
    if (owners.length === 0) {
      emit(turn, { kind: 'spend-gone', key });
      continue;
    }
    // Of the past nothing is urgent: it waits until the vault says something of it.
    if (record.verdict !== 'open' || record.past || nowMs - record.sinceMs < SILENT_MS) continue;
    const vaults = owners
      .map(({ vault }) => vault)
      .filter((vault) => !record.cleared.some((each) => each.vault === vault));
    const words = vaults.map((vault) => standingOf(state.vaults.get(vault)!)).join(' ');
    const sealed = sealedDetail(turn, record, vaults);
    const told = tell(turn, record, sealed ?? { kind: 'vault-silent', vaults, words, ...factsOf(record) });
    emit(turn, { kind: 'verdict', key, verdict: 'silent', told, used: [] });
  }
}

/**
 * What can be said of a spend whose vaults do not answer, where each was sealed when it answered last: all that it had signed
 * by then is known. It is said as it stands, for an operator may have unsealed it since, and it may have signed.
 */
function sealedDetail({ state }: Turn, record: SpendRecord, vaults: readonly string[]): VaultFindingDetail | undefined {
  const match = doubted(state, record, matchSpend(state, record));
  if (match.says !== 'unsigned') return undefined;
  const owners = ownersOf(state, record.spend);
  const since = vaults.flatMap((vault) => {
    const { seal, downSinceMs, conditions } = state.vaults.get(vault)!;
    const isWhole = owners.every((each) => each.vault !== vault || seal?.wallets.includes(each.wallet));
    const isDoubted = DOUBTS.some((each) => each in conditions);
    return seal === null || downSinceMs === null || !isWhole || isDoubted
      ? []
      : [{ vault, seq: seal.seq, atMs: seal.atMs }];
  });
  if (vaults.length === 0 || since.length < vaults.length) return undefined;
  return { kind: 'sealed-spend', since, why: match.why, ...factsOf(record) };
}

/** What a vault says is not to be relied on. */
const DOUBTS = ['rolled-back', 'forked', 'withholds'] as const;

function standingOf({ vault, phase, downSinceMs, words }: VaultRecord): string {
  if (downSinceMs !== null) return `“${vault}” does not answer: ${words === '' ? 'nothing is known of it' : words}`;
  if (phase === 'sealed') return `“${vault}” is sealed, and what it signed last cannot be read.`;
  return `“${vault}” has not said whether it signed it.`;
}

type Condition = 'down' | 'sealed' | 'rolled-back' | 'forked' | 'withholds';

function open(turn: Turn, vault: string, condition: Condition, words: string): void {
  if (condition in turn.state.vaults.get(vault)!.conditions) return;
  emit(turn, { kind: 'condition', vault, condition, open: true });
  const number = turn.state.vaults.get(vault)!.conditions[condition]!;
  tellOf(turn, `vault-${condition}:${vault}:${number}`, { kind: `vault-${condition}`, vault, words, over: false });
}

function close(turn: Turn, vault: string, condition: Condition): void {
  const number = turn.state.vaults.get(vault)!.conditions[condition];
  if (number === undefined) return;
  emit(turn, { kind: 'condition', vault, condition, open: false });
  const detail = { kind: `vault-${condition}`, vault, words: '', over: true } as const;
  tellOf(turn, `vault-${condition}:${vault}:${number}:over`, detail);
}
