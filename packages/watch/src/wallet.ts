import { err, ok, type Result } from '@keepwatch/base';
import {
  decodeTransaction,
  layoutTransaction,
  parseDescriptor,
  toDisplay,
  toInternal,
  txidAt,
  type DescriptorErrorCode,
  type Network,
  type Outpoint,
  type Transaction,
  type Txid,
} from '@keepwatch/bitcoin';

/**
 * A wallet as it is watched: whose it is, which scripts it has, and from which amounts on its owner wants to hear more. A
 * single address or script is a descriptor too (`addr(…)`, `raw(…)`, BIP385).
 */
export interface WatchedWallet {
  readonly id: string;
  readonly name: string;
  readonly owner: string | null;
  readonly tags: readonly string[];
  /** By what they are of (`labelKey`): whatever its owner wrote to it. */
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds since 1970; nothing older belongs to it. Null: it is new and has no past. */
  readonly birthdaySeconds: number | null;
  /** Unused indices in a row that are watched behind the last used one of each branch. */
  readonly gapLimit: number;
  readonly descriptors: readonly WatchedDescriptor[];
  /** Coins that are watched by themselves. */
  readonly outpoints: readonly Outpoint[];
  /** Transactions that are watched by their ids, whoever they pay. */
  readonly txids: readonly WatchedTxid[];
  readonly limits: WalletLimits;
}

/** What the watch needs of a descriptor; the rest stays in its text. */
export interface WatchedDescriptor {
  readonly text: string;
  readonly ranged: boolean;
  readonly branches: number;
  readonly locks: readonly TimeLock[];
  /** Coins on their way out of a vault pay to it, and wait there for its time lock. */
  readonly unvault?: true;
}

/**
 * What sources look for to see a transaction: no index and no filter knows ids. `scripts`: some that it pays to; `inputs`: what
 * it spends, so that another transaction which spends the same is seen too.
 */
export interface WatchedTxid {
  readonly txid: Txid;
  readonly scripts: readonly Uint8Array[];
  readonly inputs: readonly Outpoint[];
}

/**
 * A time lock of a spending path: `older` so many blocks after the coin's own (BIP68, BIP112), `after` a height (BIP65); or by
 * median time past (BIP113): `older-time` so many units of 512 seconds after the coin, `after-time` a time (s since 1970).
 */
export type TimeLock =
  | { readonly kind: 'older' | 'after'; readonly blocks: number }
  | { readonly kind: 'older-time'; readonly units: number }
  | { readonly kind: 'after-time'; readonly seconds: number };

/** Null: not watched for. */
export interface WalletLimits {
  /** A transaction that moves at least so much into or out of the wallet. */
  readonly largeSats: bigint | null;
  /** The confirmed balance rises above, or falls below. */
  readonly aboveSats: bigint | null;
  readonly belowSats: bigint | null;
  /** What strangers send below this is dust. */
  readonly dustSats: bigint | null;
  /** How many blocks before a path opens it is told. */
  readonly timelockBlocks: number | null;
}

export const DEFAULT_LIMITS: WalletLimits = {
  largeSats: null,
  aboveSats: null,
  belowSats: null,
  dustSats: 1_000n,
  timelockBlocks: 4_320,
};

export const DEFAULT_GAP_LIMIT = 20;

/** What is said of a wallet to have it watched; what is left out has its usual value. */
export interface WalletSpec {
  readonly id: string;
  readonly name?: string;
  readonly owner?: string | null;
  readonly tags?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly birthdaySeconds?: number | null;
  readonly gapLimit?: number;
  readonly descriptors?: readonly string[];
  /** Descriptors to which coins pay on their way out of a vault. */
  readonly unvault?: readonly string[];
  readonly outpoints?: readonly Outpoint[];
  /** Whole transactions, to be watched by their ids. */
  readonly transactions?: readonly Uint8Array[];
  readonly limits?: Partial<WalletLimits>;
}

export type WalletErrorCode =
  | DescriptorErrorCode
  | 'wallet_bad_id'
  | 'wallet_watches_nothing'
  | 'wallet_bad_outpoint'
  | 'wallet_bad_transaction'
  | 'wallet_vault_ambiguous'
  | 'wallet_bad_number';

export interface WalletError {
  readonly code: WalletErrorCode;
  readonly message: string;
}

/** Lower case, so that ids stand in file names and addresses; no colon, for ids of findings hold them. */
export const WALLET_ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const MAX_GAP = 10_000;

/** Reads the descriptors of a wallet and fills in what was left out. */
export function watchedWallet(spec: WalletSpec, network: Network): Result<WatchedWallet, WalletError> {
  if (!WALLET_ID.test(spec.id)) {
    return fault('wallet_bad_id', 'The id of a wallet has 1 to 64 of a–z, 0–9, “.”, “_” and “-”.');
  }
  const gapLimit = spec.gapLimit ?? DEFAULT_GAP_LIMIT;
  if (!Number.isSafeInteger(gapLimit) || gapLimit < 1 || gapLimit > MAX_GAP) {
    return fault('wallet_bad_number', `The gap limit of a wallet is between 1 and ${MAX_GAP}.`);
  }
  const birthdaySeconds = spec.birthdaySeconds ?? null;
  if (birthdaySeconds !== null && (!Number.isSafeInteger(birthdaySeconds) || birthdaySeconds < 0)) {
    return fault('wallet_bad_number', 'The birthday of a wallet is in whole seconds since 1970.');
  }
  const limits = { ...DEFAULT_LIMITS, ...spec.limits };
  const { timelockBlocks, ...amounts } = limits;
  if (timelockBlocks !== null && (!Number.isSafeInteger(timelockBlocks) || timelockBlocks < 0)) {
    return fault('wallet_bad_number', 'The warning before a time lock opens is a whole number of blocks.');
  }
  if (Object.values(amounts).some((sats) => sats !== null && sats < 0n)) {
    return fault('wallet_bad_number', 'A limit of a wallet is an amount of 0 or more satoshis.');
  }
  const descriptors: WatchedDescriptor[] = [];
  const ways = (spec.unvault ?? []).map((text) => ({ text, way: { unvault: true } as const }));
  for (const { text, way } of [...(spec.descriptors ?? []).map((each) => ({ text: each, way: {} })), ...ways]) {
    const parsed = parseDescriptor(text, network);
    if (!parsed.ok) return parsed;
    const { ranged, branches, checksum } = parsed.value;
    descriptors.push({ text: `${parsed.value.text}#${checksum}`, ranged, branches, locks: locksOf(text), ...way });
  }
  const texts = descriptors.map(({ text }) => text);
  if (ways.length > 0 && new Set(texts).size < texts.length) {
    return fault('wallet_vault_ambiguous', 'A descriptor is either a way out of the vault or not: it is given twice.');
  }
  const outpoints = spec.outpoints ?? [];
  for (const { txid, vout } of outpoints) {
    if (toInternal(txid) === undefined || !Number.isInteger(vout) || vout < 0 || vout > 0xffff_ffff) {
      return fault('wallet_bad_outpoint', 'An outpoint is a transaction id (64 lower-case hex digits) and a number.');
    }
  }
  const txids: WatchedTxid[] = [];
  for (const raw of spec.transactions ?? []) {
    const watched = watchedTxid(raw);
    if (!watched)
      return fault(
        'wallet_bad_transaction',
        'A transaction to be watched is a whole one, in hex, and not the first of a block, which spends nothing.',
      );
    if (!txids.some(({ txid }) => txid === watched.txid)) txids.push(watched);
  }
  if (descriptors.length + outpoints.length + txids.length === 0) {
    return fault(
      'wallet_watches_nothing',
      'A wallet has at least one descriptor, address, script, outpoint or transaction.',
    );
  }
  const { id, name = spec.id, owner = null, tags = [], labels = {} } = spec;
  return ok({ id, name, owner, tags, labels, birthdaySeconds, gapLimit, descriptors, outpoints, txids, limits });
}

/** A light client needs one script that the transaction pays to; some more do no harm, and all of a large one would. */
const MAX_SCRIPTS = 3;
const OP_RETURN = 0x6a;

function watchedTxid(raw: Uint8Array): WatchedTxid | undefined {
  const read = decodeTransaction(raw);
  const layout = layoutTransaction(raw);
  if (!read.ok || !layout.ok || isCoinbase(read.value)) return undefined;
  const { inputs, outputs } = read.value;
  return {
    txid: toDisplay<Txid>(txidAt(layout.value, 0)),
    // What cannot be spent is in no filter (BIP158).
    scripts: outputs
      .map(({ script }) => script)
      .filter((script) => script.length > 0 && script[0] !== OP_RETURN)
      .slice(0, MAX_SCRIPTS),
    inputs: inputs.map(({ previous, vout }) => ({ txid: toDisplay<Txid>(previous), vout })),
  };
}

const isCoinbase = ({ inputs }: Transaction) =>
  inputs.length === 1 && inputs[0]!.vout === 0xffff_ffff && inputs[0]!.previous.every((byte) => byte === 0);

const BY_TIME = 1 << 22;
const FIRST_TIME = 500_000_000;

/** BIP68: bit 22 stands for units of 512 seconds; 16 bits hold the number. */
function relativeLock(value: number): TimeLock {
  const count = value & 0xffff;
  return (value & BY_TIME) === 0 ? { kind: 'older', blocks: count } : { kind: 'older-time', units: count };
}

/** BIP65: heights are below 500 million. */
function absoluteLock(value: number): TimeLock {
  return value < FIRST_TIME ? { kind: 'after', blocks: value } : { kind: 'after-time', seconds: value };
}

/**
 * The time locks that a descriptor has. Nothing but a fragment of miniscript has these names and a bracket behind
 * them, and what is read here was parsed already.
 */
export function locksOf(descriptor: string): readonly TimeLock[] {
  const locks = new Map<string, TimeLock>();
  for (const [, kind, digits] of descriptor.matchAll(/\b(older|after)\(([0-9]{1,10})\)/g)) {
    const value = Number(digits);
    locks.set(`${kind}${value}`, kind === 'older' ? relativeLock(value) : absoluteLock(value));
  }
  return [...locks.values()];
}

function fault(code: WalletErrorCode, message: string) {
  return err({ code, message });
}
