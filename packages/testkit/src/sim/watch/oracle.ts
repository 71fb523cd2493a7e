import type { BlockRef, Finding, WalletLimits } from '@keepwatch/watch';
import { judgeUnvaults } from './unvaults.ts';
import { keyOf, type SimTx, type World } from './world.ts';

/** What has to stand in the journal in the end, by the chain that there is in the end. */
export interface Ending {
  readonly world: World;
  readonly findings: readonly Finding[];
  readonly depths: readonly number[];
  /** So many blocks deep a transaction may be settled: what comes to be known of it then is told for itself. */
  readonly keptBlocks: number;
  readonly limits: WalletLimits;
  readonly gapLimits: ReadonlyMap<string, number>;
  /** Wallets that are no more than a transaction which is watched by its id, and what that spends. */
  readonly watched: ReadonlyMap<string, { readonly txid: string; readonly inputs: readonly string[] }>;
  readonly inTurn: ReadonlySet<string>;
  readonly guessed: ReadonlySet<string>;
  /** What each wallet held when that was last compared with its limits. */
  readonly compared: ReadonlyMap<string, bigint>;
  /** The first block that was told. */
  readonly lowest: number;
  /** Wallets that are watched, with the height above which things are news. */
  readonly added: ReadonlyMap<string, number>;
  /** What a wallet was told before it was taken out concerns nobody any more. */
  readonly removals: readonly { readonly wallet: string; readonly at: number }[];
  readonly locks: ReadonlyMap<string, readonly Lock[]>;
  /** The wallet whose coins are on their way out of a vault. */
  readonly unvault: string;
  readonly balances: ReadonlyMap<string, bigint>;
}

/** The time locks of a wallet's scripts: by height, or by median time past. */
type Lock =
  | { readonly kind: 'older' | 'after'; readonly blocks: number }
  | { readonly kind: 'older-time'; readonly units: number }
  | { readonly kind: 'after-time'; readonly seconds: number };

const DIRECTIONS = ['received', 'spent', 'self-transfer', 'watched'];

/** A fault in words, or null. */
export function judge(ending: Ending): string | null {
  const beyond = beyondGap(ending);
  const added = new Map([...ending.added].filter(([wallet]) => !beyond.has(wallet)));
  return (
    judgeIds(ending.findings) ??
    judgeOrder(ending) ??
    judgeChain({ ...ending, added, findings: ofPresent(ending).filter(({ wallet }) => !beyond.has(wallet ?? '')) })
  );
}

/**
 * Wallets that were paid further on than their gap limit reaches: an address was handed out on a branch that is gone, behind
 * others that nobody pays now. Whoever did not see that branch in time cannot know of it.
 */
function beyondGap({ world, gapLimits }: Ending): ReadonlySet<string> {
  const paid = new Map<string, number[]>();
  for (const { owner } of world.chain.flatMap(({ txs }) => txs.flatMap(({ outputs }) => outputs))) {
    if (!owner) continue;
    const branch = `${owner.wallet}/${owner.branch}`;
    paid.set(branch, [...(paid.get(branch) ?? []), owner.index]);
  }
  const beyond = new Set<string>();
  for (const [branch, indices] of paid) {
    const gapLimit = gapLimits.get(branch.slice(0, branch.indexOf('/'))) ?? 0;
    let reach = gapLimit;
    for (const index of indices.sort((a, b) => a - b)) {
      if (index >= reach) beyond.add(branch.slice(0, branch.indexOf('/')));
      else reach = Math.max(reach, index + 1 + gapLimit);
    }
  }
  return beyond;
}

function ofPresent({ findings, removals }: Ending): readonly Finding[] {
  return findings.filter((finding, i) => !removals.some(({ wallet, at }) => wallet === finding.wallet && i < at));
}

function judgeIds(findings: readonly Finding[]): string | null {
  const ids = new Set<string>();
  for (const { id } of findings) {
    if (ids.has(id)) return `two findings have the id ${id}`;
    ids.add(id);
  }
  return null;
}

/** Retractions and amendments name findings that were told before and still held; blocks come in their order. */
function judgeOrder({ findings, removals, inTurn }: Ending): string | null {
  const holding = new Map<string, Finding>();
  let last: { block: BlockRef; id: string; wallet: string | null } | null = null;
  for (const [i, finding] of findings.entries()) {
    const { detail, evidence, id } = finding;
    for (const { wallet } of removals.filter(({ at }) => at === i)) {
      for (const [each, other] of holding) if (other.wallet === wallet) holding.delete(each);
      // What the chain takes back of it is told nobody.
      if (last?.wallet === wallet) last = null;
    }
    const gone =
      detail.kind === 'disconnected' ? detail.retracts : 'amends' in detail && detail.amends ? [detail.amends] : [];
    for (const each of gone) {
      const before = holding.get(each);
      if (!before) return `${id} takes back ${each}, which does not hold`;
      if (before.wallet !== finding.wallet) return `${id} takes back what another wallet was told`;
      holding.delete(each);
    }
    if (detail.kind === 'disconnected') {
      const left = [...holding.values()].find(
        (other) =>
          other.wallet === finding.wallet &&
          other.evidence.block?.hash === evidence.block!.hash &&
          other.evidence.txid === evidence.txid &&
          !['disconnected', 'sighted', 'double-spend', 'replaced'].includes(other.detail.kind),
      );
      if (left) return `${id} leaves ${left.id} standing`;
      last = null;
      continue;
    }
    holding.set(id, finding);
    if (!DIRECTIONS.includes(detail.kind) || !inTurn.has(id)) continue;
    if (last && evidence.block!.height < last.block.height) return `${id} comes after ${last.id}`;
    last = { block: evidence.block!, id, wallet: finding.wallet };
  }
  return null;
}

function judgeChain(ending: Ending): string | null {
  const { world, findings, depths, keptBlocks, limits, added, balances, watched } = ending;
  const tip = world.chain.at(-1)!.ref.height;
  const retracted = new Set(
    findings.flatMap(({ detail }) =>
      detail.kind === 'disconnected' ? detail.retracts : 'amends' in detail && detail.amends ? [detail.amends] : [],
    ),
  );
  const standing = new Map<string, Finding[]>();
  for (const finding of findings) {
    const { wallet, evidence, detail, id } = finding;
    if (wallet === null || evidence.txid === undefined || evidence.block === undefined || retracted.has(id)) continue;
    if (detail.kind === 'disconnected' || detail.kind === 'double-spend') continue;
    const key = `${wallet} ${evidence.txid}`;
    standing.set(key, [...(standing.get(key) ?? []), finding]);
  }
  const outputs = new Map<string, { wallet: string; sats: bigint }>();
  const spentIn = new Map<string, SimTx>();
  const sums = new Map<string, bigint>();
  const firsts: FirstUses = new Map();
  for (const { ref, txs } of world.chain) {
    for (const tx of txs) {
      const parts = new Map<string, { received: bigint; spent: bigint; outs: number; ins: number }>();
      const partOf = (wallet: string) =>
        parts.get(wallet) ?? parts.set(wallet, { received: 0n, spent: 0n, outs: 0, ins: 0 }).get(wallet)!;
      tx.outputs.forEach(({ owner, sats }, vout) => {
        if (!owner) return;
        outputs.set(keyOf(tx.txid, vout), { wallet: owner.wallet, sats });
        const part = partOf(owner.wallet);
        part.received += sats;
        part.outs++;
      });
      for (const key of tx.inputs) {
        spentIn.set(key, tx);
        const coin = outputs.get(key);
        if (!coin) continue;
        const part = partOf(coin.wallet);
        part.spent += coin.sats;
        part.ins++;
      }
      for (const [wallet, { txid, inputs }] of watched) {
        if (txid === tx.txid || inputs.some((key) => tx.inputs.includes(key))) partOf(wallet).ins++;
      }
      for (const [wallet, part] of parts) {
        const since = added.get(wallet);
        if (since === undefined) continue;
        const isNamed = watched.get(wallet)?.txid === tx.txid;
        sums.set(wallet, (sums.get(wallet) ?? 0n) + part.received - part.spent);
        const found = standing.get(`${wallet} ${tx.txid}`) ?? [];
        standing.delete(`${wallet} ${tx.txid}`);
        const where = `${tx.txid} in block ${ref.height} for ${wallet}`;
        const foreign = found.find(({ evidence }) => evidence.block!.hash !== ref.hash);
        if (foreign) return `${foreign.id} stands, and its block is not in the chain`;
        const told = found.filter(({ detail }) => DIRECTIONS.includes(detail.kind));
        if (ref.height <= since && told.length === 0 && !isNamed) continue;
        const inPieces = told.length > 1 && tip - ref.height >= keptBlocks && isWhole(told, part);
        if (told.length !== 1 && !inPieces) return `${where} was told ${told.length} times`;
        const { detail } = told[0]!;
        const kind = isNamed
          ? 'watched'
          : part.ins === 0
            ? 'received'
            : part.outs === tx.outputs.length
              ? 'self-transfer'
              : part.received > part.spent
                ? 'received'
                : 'spent';
        if (detail.kind !== kind && !inPieces) return `${where} is ${kind} and was told as ${detail.kind}`;
        // Of what others spend of it nothing was ever its own.
        if (
          !inPieces &&
          !watched.has(wallet) &&
          'receivedSats' in detail &&
          (detail.receivedSats !== part.received || detail.spentSats !== part.spent)
        ) {
          return `${where} moves ${part.received} and ${part.spent}, and was told as ${detail.receivedSats} and ${detail.spentSats}`;
        }
        const reached = tip - ref.height + 1;
        for (const depth of depths) {
          const times = found.filter((each) => each.detail.kind === 'confirmed' && each.detail.depth === depth).length;
          if (times > told.length || (times === 0 && reached >= depth))
            return `${where}: depth ${depth} was told ${times} times`;
        }
        const net = part.received > part.spent ? part.received - part.spent : part.spent - part.received;
        const large = found.filter((each) => each.detail.kind === 'large-amount').length;
        // What was known of it first may have been more than what there is in sum.
        if (limits.largeSats !== null && net >= limits.largeSats && large !== 1 && !inPieces)
          return `${where}: large, told ${large} times`;
        const dust = tx.outputs.filter(({ owner, sats }) => owner?.wallet === wallet && sats < limits.dustSats!).length;
        const dustTold = found.filter((each) => each.detail.kind === 'dust').length;
        if (part.ins === 0 && dust !== dustTold) return `${where}: ${dust} outputs of dust, ${dustTold} told`;
        const reuse = judgeReuse(ending, firsts, tx, ref.height, wallet, found, told[0]!.id);
        if (reuse) return `${where}: ${reuse}`;
      }
    }
  }
  for (const [key, found] of standing) {
    if (added.has(key.slice(0, key.indexOf(' ')))) return `${found[0]!.id} stands, and is not in the chain`;
  }
  for (const [wallet, sats] of sums) {
    if (balances.get(wallet) !== sats) return `${wallet} holds ${sats}, and ${balances.get(wallet)} is shown`;
  }
  const holds = ({ id }: Finding) => !retracted.has(id);
  return (
    judgeLocks(ending, retracted, outputs, spentIn) ??
    judgeUnvaults(findings, ending.unvault, holds) ??
    judgeLimits(ending)
  );
}

/** Whether several findings say each output and each coin of a transaction once, and together all of it. */
function isWhole(told: readonly Finding[], { received, spent }: { received: bigint; spent: bigint }): boolean {
  const moves = told.flatMap(({ detail }) => ('receivedSats' in detail ? [detail] : []));
  const keys = moves.flatMap((each) => [
    ...each.received.map(({ vout }) => `out ${vout}`),
    ...each.spent.map(({ txid, vout }) => `in ${keyOf(txid, vout)}`),
  ]);
  const sum = (what: 'receivedSats' | 'spentSats') => moves.reduce((total, each) => total + each[what], 0n);
  return new Set(keys).size === keys.length && sum('receivedSats') === received && sum('spentSats') === spent;
}

/** By script: who pays to it in the chain, and the transaction of which nobody was told that it pays there again. */
type FirstUses = Map<string, string>;

/**
 * An address that was paid before. Which payment is learnt first is not said, so that of all those that are news one may be
 * told as the first; but no payment is a second one of itself, and what is told as its block comes has one below it.
 */
function judgeReuse(
  { world, inTurn }: Ending,
  firsts: FirstUses,
  { txid, outputs }: SimTx,
  height: number,
  wallet: string,
  found: readonly Finding[],
  toldAs: string,
): string | null {
  for (const [vout, { owner, script }] of outputs.entries()) {
    const times = found.filter(({ id }) => id.startsWith(`address-reuse/${vout}:`)).length;
    // Only a taproot script has an address here.
    if (owner?.wallet !== wallet || script[0] !== 0x51) {
      if (times > 0) return `output ${vout} has no address of the wallet, and was told as used again`;
      continue;
    }
    if (times > 1) return `output ${vout} was told ${times} times as used again`;
    const key = `${owner.branch}/${owner.index}`;
    if (times === 0) {
      const first = firsts.get(key) ?? txid;
      if (first !== txid) return `the address of output ${vout} was used by ${first}, and nobody was told`;
      firsts.set(key, txid);
      continue;
    }
    const payers = inTurn.has(toldAs)
      ? payersUpTo(world, height, key, wallet)
      : (world.paid.get(`${wallet}/${key}`) ?? []);
    if (![...payers].some((each) => each !== txid)) return `the address of output ${vout} was never used before`;
  }
  return null;
}

function payersUpTo({ chain }: World, height: number, key: string, wallet: string): readonly string[] {
  const txs = chain.filter(({ ref }) => ref.height <= height).flatMap((block) => block.txs);
  return txs
    .filter(({ outputs }) =>
      outputs.some(({ owner }) => owner?.wallet === wallet && `${owner.branch}/${owner.index}` === key),
    )
    .map(({ txid }) => txid);
}

/** Whoever was above or below a limit when that was last looked at was told so last, and each time had the next number. */
function judgeLimits({ findings, limits, compared, watched, added }: Ending): string | null {
  for (const [wallet, sats] of compared) {
    if (watched.has(wallet) || !added.has(wallet)) continue;
    const told = findings.filter((each) => each.wallet === wallet && each.detail.kind.startsWith('balance-'));
    const odd = told.find(({ id, detail }, i) => !id.startsWith(`${detail.kind}/${i + 1}:`));
    if (odd) return `${odd.id} does not have the next number`;
    const last = told.at(-1)?.detail.kind;
    if (limits.aboveSats !== null && sats > limits.aboveSats && last !== 'balance-above')
      return `${wallet} is above its limit, and was told ${last}`;
    if (limits.belowSats !== null && sats < limits.belowSats && last !== 'balance-below')
      return `${wallet} is below its limit, and was told ${last}`;
  }
  return null;
}

function judgeLocks(
  { world, findings, locks, added, guessed, lowest }: Ending,
  retracted: ReadonlySet<string>,
  outputs: ReadonlyMap<string, { readonly wallet: string }>,
  spentIn: ReadonlyMap<string, SimTx>,
): string | null {
  const tip = world.chain.at(-1)!.ref.height;
  const heights = new Map(world.chain.flatMap(({ ref, txs }) => txs.map(({ txid }) => [txid as string, ref.height])));
  const open = new Map<string, number>();
  /** Of each coin, how many paths were told as open by time. */
  const timed = new Map<string, number>();
  for (const { detail, id } of findings) {
    if (detail.kind !== 'timelock-expiry' || retracted.has(id)) continue;
    if (detail.blocksLeft !== 0 && detail.secondsLeft !== 0) continue;
    const coin = keyOf(detail.outpoint.txid, detail.outpoint.vout);
    if (detail.opensAtHeight === undefined) {
      timed.set(coin, (timed.get(coin) ?? 0) + 1);
      if (medianTime(world, tip) < detail.opensAtSeconds! && !guessed.has(id))
        return `${id} is told, and the chain's time is not there`;
      continue;
    }
    const key = `${coin} ${detail.opensAtHeight}`;
    open.set(key, (open.get(key) ?? 0) + 1);
  }
  for (const [key, { wallet }] of outputs) {
    const since = added.get(wallet);
    const height = heights.get(key.slice(0, 64));
    if (height === undefined || since === undefined || height <= since) continue;
    const times = (timed.get(key) ?? 0) - byTime(world, lowest, height, locks.get(wallet) ?? [], tip);
    if (times < 0 && !spentIn.has(key) && tip > height) return `a path of ${key} opened with time, and nobody was told`;
    const openings = (locks.get(wallet) ?? []).flatMap((lock) =>
      !('blocks' in lock) ? [] : lock.kind === 'older' ? [height + lock.blocks] : [lock.blocks + 1],
    );
    for (const opens of new Set(openings)) {
      const times = open.get(`${key} ${opens}`) ?? 0;
      // A coin that came or was freed with the last block is told with the next one.
      const isOpen = tip >= opens - 1 && !spentIn.has(key);
      if (times > 1 || (times === 1 && tip < opens - 1))
        return `the path at ${opens} of ${key} was told ${times} times`;
      if (isOpen && times === 0 && tip > Math.max(height, opens))
        return `nobody was told that ${key} opened at ${opens}`;
    }
  }
  return null;
}

/** BIP113: the median of the times of a block and the ten below it. */
function medianTime({ chain }: World, height: number): number {
  const at = height - chain[0]!.ref.height;
  const times = chain.slice(Math.max(0, at - 10), at + 1).map(({ ref }) => ref.timeSeconds);
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}

/** How many paths of a coin in this block are open by time for sure: a block ago already. */
function byTime(world: World, first: number, height: number, locks: readonly Lock[], tip: number): number {
  if (height - 11 < first || tip - 11 < first) return 0;
  const now = medianTime(world, tip - 1);
  return locks.filter((lock) => {
    if (lock.kind === 'after-time') return now > lock.seconds;
    // BIP68: from the median before the coin's block on, in units of 512 seconds.
    return lock.kind === 'older-time' && now >= medianTime(world, height - 1) + lock.units * 512;
  }).length;
}
