import { toBase64url, toHex } from '@keepwatch/base';
import { signedTransaction } from '@keepwatch/sdk';
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { SignAnswer, SignRequest } from './request.ts';

/** A limit that the operator set, as the test knows it. */
export interface Limit {
  readonly grant: string;
  readonly client: string;
  readonly wallet: string;
  readonly volume: bigint;
  readonly count: number;
}

/** A journal entry as an operator reads it. */
export interface JournalLine {
  readonly seq: number;
  readonly entry: string;
}

/**
 * What clients hold, against what the journal says: everything is judged from outside, by signatures and entries, and
 * nothing that the vault says of itself is believed. Each method returns the violations that it found, in words.
 */
export interface Evidence {
  limit(limit: Limit): void;
  /** A client has this answer in its hands. */
  signed(request: SignRequest, answer: SignAnswer): readonly string[];
  /** The journal from where the last call ended to its present end, in order. */
  journal(lines: readonly JournalLine[]): readonly string[];
  /** Compares all that came since the last call; sums and nonces over the whole time. */
  compare(): readonly string[];
  /** Signatures that clients hold, and permits that the journal has. */
  counts(): { readonly signatures: number; readonly permits: number };
  /** Some of the requests whose signatures are held, for asking them again. */
  sample(size: number): readonly (readonly [SignRequest, SignAnswer])[];
}

interface Permitted {
  readonly type: string;
  readonly client: string;
  readonly wallet: string;
  readonly chain: string;
  readonly key: string;
  readonly digest: string;
  readonly nonce: number;
  readonly grant: string;
  /** Null: what its budgets went up by. */
  readonly charges: readonly { readonly budget: string; readonly amount: string }[] | null;
  readonly budgets: readonly {
    readonly rule: string;
    readonly asset?: string;
    readonly spentBefore: string;
    readonly spentAfter: string;
  }[];
}

/** What a permit took of its grant's volume of ether, in wei. */
function etherOf({ charges, budgets }: Permitted): bigint {
  if (charges) return BigInt(charges.find(({ budget }) => budget.startsWith('volume native'))?.amount ?? 0);
  const line = budgets.find(({ rule, asset }) => rule === 'volume' && asset === 'native');
  return line ? BigInt(line.spentAfter) - BigInt(line.spentBefore) : 0n;
}

/** Recovering a signature takes milliseconds: of those held, each so-manieth is recovered. The others are compared. */
const RECOVERED_EVERY = 16;

export function createEvidence(): Evidence {
  const limits: Limit[] = [];
  const held = new Map<string, { request: SignRequest; answer: SignAnswer }>();
  const fresh: { request: SignRequest; answer: SignAnswer }[] = [];
  const heldNonces = new Map<string, string>();
  const heldSums = new Map<string, { volume: bigint; count: number }>();
  const journalText = new Map<number, string>();
  const journalNonces = new Map<string, string>();
  const journalSums = new Map<string, { volume: bigint; count: number }>();
  let lastSeq = 0;
  let permits = 0;

  function signed(request: SignRequest, answer: SignAnswer): readonly string[] {
    const { key } = request.params;
    const first = held.get(key);
    if (first) {
      const same = first.answer.signature === answer.signature;
      return same ? [] : [`the key ${key} was answered with two different signatures`];
    }
    held.set(key, { request, answer });
    fresh.push({ request, answer });
    const unsigned = toHex(request.unsigned);
    const place = `${request.wallet.wallet}/${request.nonce}`;
    const before = heldNonces.get(place);
    heldNonces.set(place, unsigned);
    // The same bytes under another key are the same transaction: charged once.
    if (before === unsigned) return [];
    add(heldSums, `${request.client}/${request.wallet.wallet}`, request.charge);
    return before === undefined ? [] : [`clients hold two different transactions with nonce ${place}`];
  }

  function journal(lines: readonly JournalLine[]): readonly string[] {
    const found: string[] = [];
    for (const { seq, entry } of lines) {
      if (seq !== lastSeq + 1) found.push(`the journal goes from ${lastSeq} to ${seq}`);
      lastSeq = seq;
      const event = JSON.parse(entry) as Permitted;
      if (event.type !== 'request.permitted') continue;
      permits++;
      journalText.set(seq, entry);
      add(journalSums, event.grant, etherOf(event));
      const place = `${event.wallet}/${event.chain}/${event.nonce}`;
      const before = journalNonces.get(place);
      if (before !== undefined) found.push(`the journal permits nonce ${place} twice`);
      journalNonces.set(place, event.digest);
    }
    return found;
  }

  function compare(): readonly string[] {
    const found = fresh.splice(0).flatMap(({ request, answer }, i) => checkHeld(request, answer, i));
    for (const { grant, client, wallet, volume, count } of limits) {
      const sums = [
        ['clients hold', heldSums.get(`${client}/${wallet}`)],
        ['the journal permits', journalSums.get(grant)],
      ] as const;
      for (const [who, sum] of sums) {
        if (sum && sum.volume > volume) found.push(`${who} ${sum.volume} wei under ${grant}, whose limit is ${volume}`);
        if (sum && sum.count > count)
          found.push(`${who} ${sum.count} signatures under ${grant}, whose limit is ${count}`);
      }
    }
    return found;
  }

  /** The signature is for the requested bytes, and the journal has the permit at the place that the receipt names. */
  function checkHeld(request: SignRequest, answer: SignAnswer, index: number): readonly string[] {
    const { seq, entry } = answer.receipt;
    const name = `the signature with key ${request.params.key}`;
    if (journalText.get(seq) !== entry) return [`${name} is not in the journal at ${seq}`];
    const event = JSON.parse(entry) as Permitted;
    const isSame =
      event.digest === toBase64url(keccak_256(request.unsigned)) &&
      event.wallet === request.wallet.wallet &&
      event.client === request.client &&
      event.nonce === request.nonce;
    if (!isSame) return [`${name} has the receipt of another request`];
    if (index % RECOVERED_EVERY !== 0) return [];
    const signed = signedTransaction(request.unsigned, answer.signature, request.wallet.address);
    return signed.ok ? [] : [`${name} does not hold: ${signed.error}`];
  }

  return {
    limit: (limit) => void limits.push(limit),
    signed,
    journal,
    compare,
    counts: () => ({ signatures: held.size, permits }),
    sample(size) {
      const all = [...held.values()].slice(-4 * size);
      return all.filter((_, i) => i % 4 === 0).map(({ request, answer }) => [request, answer] as const);
    },
  };
}

function add(sums: Map<string, { volume: bigint; count: number }>, name: string, volume: bigint): void {
  const before = sums.get(name) ?? { volume: 0n, count: 0 };
  sums.set(name, { volume: before.volume + volume, count: before.count + 1 });
}
