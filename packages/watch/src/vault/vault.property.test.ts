import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { EvmSpend } from '../evm/spend.ts';
import type { Finding } from '../finding.ts';
import { decodeVaultEvent, decodeVaultState, encodeVaultEvent, encodeVaultState } from './codec.ts';
import type { VaultInput } from './event.ts';
import { applyVaultEvent } from './fold.ts';
import type { VaultPermit } from './permit.ts';
import { createVaultState } from './state.ts';
import { vaultStep } from './step.ts';

/**
 * A world with a vault whose journal grows, a thief who has the key as well, and a follower whose questions and answers
 * take their time, are lost, and are cut by crashes. The world knows who signed what: it is the oracle.
 */
const ADDRESS = `0x${'a1'.repeat(20)}` as const;
const word = (n: number) => `0x${n.toString(16).padStart(64, '0')}` as const;

const act = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('sign' as const) }) },
  /** What was signed appears on the chain: the oldest or the newest of what has not. */
  { weight: 6, arbitrary: fc.record({ do: fc.constant('appear' as const), newest: fc.boolean() }) },
  /** `reuse`: with the nonce of something that the vault signed. */
  { weight: 2, arbitrary: fc.record({ do: fc.constant('steal' as const), reuse: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('ask' as const) }) },
  /** The vault answers the oldest question; the answer is on its way. */
  { weight: 6, arbitrary: fc.record({ do: fc.constant('answer' as const) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('arrive' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('lose' as const, 'seal' as const, 'unseal' as const) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reorg' as const), returns: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), snapshot: fc.boolean() }) },
  /** No block up to now is taken back; and what is on the chain is reported once more, as a look into the past does. */
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('settle' as const, 'again' as const) }) },
);

interface Answer {
  readonly asked: number;
  readonly phase: 'sealed' | 'unsealed';
  readonly upTo: number;
  /** Sealed, a vault says where its journal ends, and shows nothing of it. */
  readonly readable: boolean;
}

function createWorld() {
  const journal: VaultPermit[] = [];
  let state = createVaultState();
  const written: Uint8Array[] = [];
  const findings: Finding[] = [];
  let nowMs = 1_800_000_000_000;
  let blocks = 0;
  const feed = (input: VaultInput): void => {
    for (const event of vaultStep(state, input, nowMs)) {
      const bytes = encodeVaultEvent(event);
      const read = decodeVaultEvent(bytes);
      if (!read.ok) throw new Error(read.error);
      written.push(bytes);
      applyVaultEvent(state, read.value);
      if (read.value.kind === 'finding') findings.push(read.value.finding);
    }
    // What was told once is told once.
    expect(vaultStep(state, input, nowMs).filter(({ kind }) => kind === 'finding')).toEqual([]);
  };
  feed({ kind: 'vault-put', vault: 'v' });
  feed({ kind: 'vault-wallets', vault: 'v', wallets: [{ wallet: 'w', address: ADDRESS, createdMs: 0 }] });
  return {
    journal,
    findings,
    feed,
    order: () => state.order,
    now: () => nowMs,
    settle: () => feed({ kind: 'chain-settled', chainId: 1n, number: blocks, timeMs: nowMs }),
    pass: (seconds: number) => void (nowMs += seconds * 1_000),
    spend(digest: number, nonce: number) {
      const block = { number: ++blocks, hash: word(900_000 + blocks), timeMs: nowMs };
      const spend: EvmSpend = {
        ...{ wallet: 'hot', chainId: 1n, address: ADDRESS, how: 'transaction', txHash: word(500_000 + digest) },
        ...{
          nonce: BigInt(nonce),
          caller: ADDRESS,
          token: null,
          amount: 1n,
          seenAtMs: nowMs,
          block,
          digest: word(digest),
        },
      };
      return { id: `evm-spent:hot:${digest}@${block.hash}`, spend };
    },
    restart(fromSnapshot: boolean) {
      const before = encodeVaultState(state);
      if (fromSnapshot) {
        const read = decodeVaultState(before);
        if (!read.ok) throw new Error(read.error);
        state = read.value;
      } else {
        state = createVaultState();
        for (const bytes of written) {
          const event = decodeVaultEvent(bytes);
          if (event.ok) applyVaultEvent(state, event.value);
        }
      }
      expect(Buffer.from(encodeVaultState(state)).equals(Buffer.from(before))).toBe(true);
    },
    open: () => [...state.open.keys()].length,
  };
}

it('tells every spend as what it is, and never accuses a vault of what it may have signed', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60, size: 'max' }), (acts) => {
      const world = createWorld();
      let phase: Answer['phase'] = 'unsealed';
      let read = 0;
      const unseen: VaultPermit[] = [];
      const questions: number[] = [];
      const answers: Answer[] = [];
      /** By id: whether the vault signed it. */
      const truth = new Map<string, boolean>();
      const reported: { readonly id: string; readonly spend: EvmSpend }[] = [];
      const onChain: { readonly id: string; readonly spend: EvmSpend; readonly signed: boolean }[] = [];
      let thefts = 0;
      let reused = 0;
      const tell = (made: ReturnType<typeof world.spend>, signed: boolean) => {
        truth.set(made.id, signed);
        onChain.push({ ...made, signed });
        world.feed({ kind: 'spend', ...made, past: false });
      };
      const deliver = ({ asked, phase: was, upTo, readable }: Answer) => {
        if (readable && upTo > read) {
          const permits = world.journal.slice(read, upTo);
          read = upTo;
          world.feed({ kind: 'vault-permits', vault: 'v', wallet: 'w', permits, place: { read } });
        }
        const complete = read >= upTo ? ['w'] : [];
        world.feed({
          kind: 'vault-looked',
          vault: 'v',
          asked,
          phase: was,
          lastSeq: upTo,
          complete,
          lost: [],
          place: { read },
        });
      };
      const answer = (asked: number): Answer => ({
        asked,
        phase,
        upTo: world.journal.length,
        readable: phase === 'unsealed',
      });

      for (const each of acts) {
        switch (each.do) {
          case 'sign': {
            if (phase === 'sealed') break;
            const seq = world.journal.length + 1;
            const permit: VaultPermit = {
              ...{
                seq,
                chainId: 1n,
                form: 'transaction',
                digest: word(seq),
                nonce: BigInt(seq),
                grant: 'g1',
                rights: [],
                atMs: world.now(),
                delegate: null,
                unread: false,
              },
            };
            world.journal.push(permit);
            unseen.push(permit);
            break;
          }
          case 'appear': {
            const permit = each.newest ? unseen.pop() : unseen.shift();
            if (permit) tell(world.spend(permit.seq, permit.seq), true);
            break;
          }
          case 'steal': {
            const nonce = each.reuse && reused < world.journal.length ? ++reused : 1_000 + ++thefts;
            tell(world.spend(100_000 + truth.size, nonce), false);
            break;
          }
          case 'ask':
            questions.push(world.order());
            break;
          case 'answer':
            if (questions.length > 0) answers.push(answer(questions.shift()!));
            break;
          case 'arrive':
            if (answers.length > 0) deliver(answers.shift()!);
            break;
          case 'lose':
            questions.length = 0;
            answers.length = 0;
            world.feed({ kind: 'vault-trouble', vault: 'v', trouble: 'down', words: 'The line is cut.' });
            break;
          case 'seal':
            phase = 'sealed';
            break;
          case 'unseal':
            phase = 'unsealed';
            break;
          case 'wait':
            world.pass(each.seconds);
            world.feed({ kind: 'tick' });
            break;
          case 'reorg': {
            const last = onChain.pop();
            if (!last) break;
            world.feed({ kind: 'spends-withdrawn', ids: [last.id] });
            truth.delete(last.id);
            if (!each.returns) break;
            const again = world.spend(Number(BigInt(last.spend.digest!)), Number(last.spend.nonce));
            tell(again, last.signed);
            break;
          }
          case 'settle':
            world.settle();
            reported.push(...onChain.splice(0));
            break;
          case 'again': {
            const told = world.findings.length;
            for (const { id, spend } of [...reported, ...onChain]) world.feed({ kind: 'spend', id, spend, past: true });
            expect(world.findings).toHaveLength(told);
            break;
          }
          case 'restart':
            world.restart(each.snapshot);
            questions.length = 0;
            answers.length = 0;
        }
        checkNever(world.findings, truth);
      }
      // In the end the vault is unsealed, asked, and answers.
      phase = 'unsealed';
      deliver(answer(world.order()));
      checkNever(world.findings, truth);
      expect(world.open()).toBe(0);
      const holding = holdingOf(world.findings);
      for (const [id, signed] of truth) {
        expect([id, holding.get(id)]).toEqual([id, [signed ? 'signed-spend' : 'unsigned-spend']]);
      }
      expect([...holding.keys()].every((id) => truth.has(id))).toBe(true);
    }),
    { numRuns: 400 },
  );
});

/** No finding of a spend that is the vault's says that it is not; nor the other way round. */
function checkNever(findings: readonly Finding[], truth: ReadonlyMap<string, boolean>): void {
  const ids = new Set<string>();
  for (const { id, detail } of findings) {
    expect(ids.has(id)).toBe(false);
    ids.add(id);
    // What it says to be unsigned was signed after the seal or not at all: permits are numbered like what is signed by them.
    if (detail.kind === 'sealed-spend' && truth.get(detail.spend) === true) {
      const digest = Number(/:hot:([0-9]+)@/.exec(detail.spend)![1]);
      expect(digest).toBeGreaterThan(detail.since[0]!.seq);
    }
    if (detail.kind !== 'signed-spend' && detail.kind !== 'unsigned-spend') continue;
    const signed = truth.get(detail.spend);
    if (signed !== undefined) expect(detail.kind).toBe(signed ? 'signed-spend' : 'unsigned-spend');
  }
}

/** What still holds of each spend: what was neither amended nor retracted. */
function holdingOf(findings: readonly Finding[]): Map<string, string[]> {
  const gone = new Set<string>();
  for (const { detail } of findings) {
    if ('amends' in detail && detail.amends !== null && detail.amends !== undefined) gone.add(detail.amends);
    if (detail.kind === 'spend-withdrawn') for (const id of detail.retracts) gone.add(id);
  }
  const holding = new Map<string, string[]>();
  for (const { id, detail } of findings) {
    if (gone.has(id) || !('spend' in detail) || detail.kind === 'spend-withdrawn') continue;
    holding.set(detail.spend, [...(holding.get(detail.spend) ?? []), detail.kind]);
  }
  return holding;
}
