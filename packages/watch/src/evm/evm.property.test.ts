import {
  assert as holds,
  array,
  bigInt,
  boolean,
  constant,
  constantFrom,
  integer,
  oneof,
  property,
  record,
} from 'fast-check';
import { expect, it } from 'vitest';
import type { Finding } from '../finding.ts';
import { decodeEvmEvent, decodeEvmState, encodeEvmEvent, encodeEvmState } from './codec.ts';
import type { EvmEvent, EvmInput } from './event.ts';
import { applyEvmEvent } from './fold.ts';
import { CHAIN, CODE, makeBlock, OTHER, STRANGE, TOKEN, WALLET, type Deed, type MadeBlock } from './history.fixture.ts';
import { createEvmState, type EvmState } from './state.ts';
import { evmStep } from './step.ts';

const amount = bigInt({ min: 1n, max: 1_000n });
const deed = oneof(
  record({ do: constant('pay' as const), amount, fails: boolean() }),
  record({ do: constant('get' as const), amount, fails: boolean() }),
  record({ do: constant('inner' as const), amount: bigInt({ min: -500n, max: 500n }) }),
  record({
    do: constant('token-out' as const),
    amount: bigInt({ min: 0n, max: 100n }),
    by: constantFrom(WALLET, OTHER),
    token: constantFrom(TOKEN, STRANGE),
  }),
  record({
    do: constant('token-in' as const),
    amount: bigInt({ min: 0n, max: 100n }),
    token: constantFrom(TOKEN, STRANGE),
  }),
  record({ do: constant('allow' as const), amount: bigInt({ min: 0n, max: 50n }), by: constantFrom(WALLET, OTHER) }),
  record({ do: constant('hidden' as const) }),
  record({ do: constant('delegate' as const), to: constantFrom(CODE, OTHER, null) }),
  record({ do: constant('withdrawal' as const), amount }),
);
/** One turn of the chain: so many blocks are taken back, one comes; the monitor may die, or be told everything twice. */
const turn = record({
  back: integer({ min: 0, max: 4 }),
  backTold: boolean(),
  deeds: array(deed, { maxLength: 4 }),
  dies: constantFrom('no', 'no', 'snapshot', 'journal'),
  again: boolean(),
  /** Whether a block that was taken back returns as it was. */
  returns: boolean(),
});

it('what is told and not taken back is what the chain that there is then did to the account', () => {
  holds(
    property(array(turn, { minLength: 1, maxLength: 14 }), (turns) => {
      const driver = createDriver();
      driver.tell({ kind: 'evm-chain', chain: { chainId: CHAIN, symbol: 'ETH', depths: [2, 4], keptBlocks: 64 } });
      const token = { token: TOKEN, symbol: 'COIN', decimals: 6 };
      const wallet = { id: 'hot', name: 'hot', owner: null, tags: [], chainId: CHAIN, address: WALLET, birthday: null };
      driver.tell({ kind: 'evm-wallet', wallet: { ...wallet, tokens: [token], limits: [] } });
      const chain: MadeBlock[] = [makeBlock(null, 'base', [])];
      const gone: MadeBlock[] = [];
      const deepest = new Map<string, number>();
      driver.tell({ kind: 'evm-connected', facts: chain[0]!.facts, seenBy: ['one'] });
      for (const [i, each] of turns.entries()) {
        for (let n = 0; n < each.back && chain.length > 1; n++) {
          const left = chain.pop()!;
          gone.push(left);
          deepest.delete(left.facts.block.hash);
          // A source may forget to say so: the next block then has another parent.
          const { block } = left.facts;
          if (each.backTold) driver.tell({ kind: 'evm-disconnected', chainId: CHAIN, block, seenBy: ['one'] });
        }
        const parent = chain.at(-1)!;
        const known = gone.find(({ facts }) => facts.parentHash === parent.facts.block.hash);
        const next =
          each.returns && each.backTold && known
            ? known
            : makeBlock({ block: parent.facts.block, account: parent.account }, `t${i}`, each.deeds);
        chain.push(next);
        for (const [n, { facts }] of chain.entries()) {
          deepest.set(facts.block.hash, Math.max(deepest.get(facts.block.hash) ?? 0, chain.length - n));
        }
        driver.tell({ kind: 'evm-connected', facts: next.facts, seenBy: ['one'] });
        if (each.again) {
          expect(driver.tell({ kind: 'evm-connected', facts: next.facts, seenBy: ['two'] })).toEqual([]);
          expect(driver.tell({ kind: 'evm-connected', facts: parent.facts, seenBy: ['two'] })).toEqual([]);
        }
        driver.die(each.dies);
      }
      const standing = driver.standing();
      const told = standing.filter(({ detail }) => detail.kind !== 'evm-confirmed').map(wordsOf);
      expect(told.sort()).toEqual(expectedOf(chain).sort());
      expect(driver.spends()).toEqual(spendsOf(chain).sort());
      expect(confirmedOf(standing)).toEqual(expectedDepths(chain, deepest, [2, 4]));
      expect(new Set(driver.findings.map(({ id }) => id)).size).toBe(driver.findings.length);
    }),
    { numRuns: 300 },
  );
});

function createDriver() {
  let state: EvmState = createEvmState();
  const journal: Uint8Array[] = [];
  const findings: Finding[] = [];
  const spends = new Map<string, string>();
  let nowMs = 1_000_000;
  return {
    findings,
    tell(input: EvmInput): readonly EvmEvent[] {
      const events = evmStep(state, input, ++nowMs);
      for (const event of events) {
        journal.push(encodeEvmEvent(event));
        applyEvmEvent(state, event);
        if (event.kind === 'finding') findings.push(event.finding);
        if (event.kind === 'evm-spend') {
          const { how, token, amount: sum, block } = event.spend;
          spends.set(event.id, `${block!.hash} ${how} ${token} ${sum}`);
        }
        if (event.kind === 'evm-block-back') for (const id of event.withdrawn) expect(spends.delete(id)).toBe(true);
      }
      return events;
    },
    die(how: string) {
      if (how === 'no') return;
      const before = encodeEvmState(state);
      if (how === 'snapshot') {
        const read = decodeEvmState(before);
        if (!read.ok) throw new Error(read.error);
        state = read.value;
      } else {
        state = createEvmState();
        for (const bytes of journal) {
          const event = decodeEvmEvent(bytes);
          if (!event.ok) throw new Error(event.error);
          applyEvmEvent(state, event.value);
        }
      }
      expect(encodeEvmState(state)).toEqual(before);
    },
    standing() {
      const retracted = new Set(
        findings.flatMap(({ detail }) => (detail.kind === 'evm-disconnected' ? detail.retracts : [])),
      );
      return findings.filter(({ id, detail }) => detail.kind !== 'evm-disconnected' && !retracted.has(id));
    },
    spends() {
      expect([...spends.keys()].sort()).toEqual([...state.spends.keys()].sort());
      return [...spends.values()].sort();
    },
  };
}

function wordsOf({ detail, evidence }: Finding): string {
  const at = evidence.evm!.block!.hash;
  if (detail.kind === 'evm-delegation') return `${at} delegation ${detail.after}`;
  if (detail.kind === 'evm-nonce') return `${at} nonce ${detail.nonce - detail.expected}`;
  if (!('asset' in detail)) return `${at} ${detail.kind}`;
  const how = 'how' in detail ? detail.how : 'direction' in detail ? detail.direction : '';
  return `${at} ${detail.kind} ${detail.asset.token} ${detail.amount} ${how}`;
}

/** Block by block from what was done, and from nothing that the engine knows. */
function* walk(chain: readonly MadeBlock[]) {
  let delegated = false;
  let allowed = 0n;
  for (const { facts, deeds } of chain.slice(1)) {
    const wasDelegated = delegated;
    const wasAllowed = allowed;
    const allows = deeds.filter((each): each is Deed & { do: 'allow' } => each.do === 'allow');
    allowed = allows.at(-1)?.amount ?? allowed;
    const parent = chain.find(({ facts: { block } }) => block.hash === facts.parentHash)!.account.code;
    const { code } = chain.find(({ facts: each }) => each === facts)!.account;
    delegated = code.kind === 'delegation';
    const isRedelegated = JSON.stringify(code) !== JSON.stringify(parent);
    const wayOf = (by: string, token: string) => {
      if (by === WALLET) return 'transaction';
      if (token === TOKEN && (wasAllowed > 0n || allows.length > 0)) return 'allowance';
      return wasDelegated || delegated ? 'delegation' : 'allowance';
    };
    yield { at: facts.block.hash, deeds, code, isRedelegated, isDelegated: wasDelegated || delegated, wayOf, parent };
  }
}

function expectedOf(chain: readonly MadeBlock[]): string[] {
  const out: string[] = [];
  for (const { at, deeds, code, isRedelegated, wayOf, parent } of walk(chain)) {
    for (const each of deeds) {
      if (each.do === 'pay') out.push(`${at} evm-spent null ${each.fails ? 0n : each.amount} transaction`);
      if (each.do === 'get' && !each.fails) out.push(`${at} evm-received null ${each.amount} `);
      if (each.do === 'withdrawal') out.push(`${at} evm-received null ${each.amount} `);
      if (each.do === 'token-in' && each.amount > 0n) out.push(`${at} evm-received ${each.token} ${each.amount} `);
      if ((each.do === 'token-out' || each.do === 'allow') && each.by === WALLET) {
        out.push(`${at} evm-spent null 0 transaction`);
      }
      if (each.do === 'token-out' && (each.amount > 0n || each.by === WALLET)) {
        out.push(`${at} evm-spent ${each.token} ${each.amount} ${wayOf(each.by, each.token)}`);
      }
      if (each.do === 'allow') {
        out.push(`${at} evm-allowance ${TOKEN} ${each.amount} ${each.by === WALLET ? 'transaction' : 'allowance'}`);
      }
    }
    const inner = deeds.reduce((sum, each) => sum + (each.do === 'inner' ? each.amount : 0n), 0n);
    if (inner !== 0n)
      out.push(`${at} evm-internal null ${inner < 0n ? -inner : inner} ${inner < 0n ? 'spent' : 'received'}`);
    if (isRedelegated) out.push(`${at} delegation ${code.kind === 'delegation' ? code.to : null}`);
    const hidden = hiddenUses(deeds, parent, isRedelegated);
    if (hidden !== 0n) out.push(`${at} nonce ${hidden}`);
  }
  return out;
}

/** Uses of the account that no transaction shows; the first of those that changed the delegation in the end is explained. */
function hiddenUses(deeds: readonly Deed[], before: MadeBlock['account']['code'], isRedelegated: boolean): bigint {
  let uses = BigInt(deeds.filter((each) => each.do === 'hidden').length);
  let to = before.kind === 'delegation' ? before.to : null;
  for (const each of deeds) {
    if (each.do !== 'delegate' || each.to === to) continue;
    to = each.to;
    uses++;
  }
  // More than one use is told whole.
  return isRedelegated && uses === 1n ? 0n : uses;
}

function spendsOf(chain: readonly MadeBlock[]): string[] {
  const out: string[] = [];
  for (const { at, deeds, code, isRedelegated, isDelegated, wayOf, parent } of walk(chain)) {
    for (const each of deeds) {
      if (each.do === 'pay') out.push(`${at} transaction null ${each.fails ? 0n : each.amount}`);
      if ((each.do === 'token-out' || each.do === 'allow') && each.by === WALLET) out.push(`${at} transaction null 0`);
      if (each.do === 'token-out' && (each.by === WALLET || (each.amount > 0n && each.token === TOKEN))) {
        out.push(`${at} ${wayOf(each.by, each.token)} ${each.token} ${each.amount}`);
      }
      if (each.do === 'allow' && each.amount > 0n) {
        out.push(`${at} ${each.by === WALLET ? 'transaction' : 'allowance'} ${TOKEN} ${each.amount}`);
      }
    }
    const inner = deeds.reduce((sum, each) => sum + (each.do === 'inner' ? each.amount : 0n), 0n);
    const way = isDelegated ? 'delegation' : 'unexplained';
    if (inner < 0n) out.push(`${at} ${way} null ${-inner}`);
    if (isRedelegated && code.kind === 'delegation') out.push(`${at} delegation null 0`);
    if (hiddenUses(deeds, parent, isRedelegated) > 0n) out.push(`${at} ${way} null 0`);
  }
  return out;
}

const confirmedOf = (standing: readonly Finding[]) =>
  standing
    .flatMap(({ detail, evidence }) => {
      return detail.kind === 'evm-confirmed' ? [`${evidence.evm!.block!.hash} ${detail.depth}`] : [];
    })
    .sort();

/** What was so deep once was told so, and it stays told while the block stands. */
function expectedDepths(chain: readonly MadeBlock[], deepest: ReadonlyMap<string, number>, depths: readonly number[]) {
  const told = new Set(expectedOf(chain).map((words) => words.split(' ')[0]!));
  return [...told]
    .flatMap((hash) => depths.filter((depth) => deepest.get(hash)! >= depth).map((depth) => `${hash} ${depth}`))
    .sort();
}
