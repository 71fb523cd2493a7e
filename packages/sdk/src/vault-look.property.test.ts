import { canonicalBytes, toBase64url } from '@keepwatch/base';
import type { MethodName, ReceiptJson, SignedHeadJson } from '@keepwatch/protocol';
import {
  createMerkleTree,
  encodeHead,
  headHash,
  headToJson,
  NO_HEAD,
  receiptToJson,
  vaultId,
  type SignedHead,
} from '@keepwatch/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Connection } from './connection.ts';
import { sha256 } from './crypto-node.ts';
import { signerFromSeed } from './identity.ts';
import { lookAtVault, type ObserverPlace } from './vault-look.ts';

const signer = signerFromSeed('EdDSA', new Uint8Array(32).fill(7));
const VAULT = toBase64url(vaultId(sha256, signer.publicKey));
const WALLETS = ['a', 'b'];

interface Entry {
  readonly type: 'request.permitted' | 'request.denied' | 'other';
  readonly wallet: string;
  readonly prior: number;
}

/** A journal of real heads, and a connection to who answers from it; `tamper` may change what it answers. */
function createVault() {
  let batches: { readonly head: SignedHead; readonly receipts: readonly ReceiptJson[] }[] = [];
  let phase: 'sealed' | 'unsealed' = 'unsealed';
  let knownSealed = true;
  let lasts = new Map<string, number>();
  let tamper = (_method: MethodName, answer: never): unknown => answer;
  const last = () => batches.at(-1)?.head;
  const json = (head: SignedHead) => headToJson(head) as SignedHeadJson;
  const answers: Partial<Record<MethodName, (params: never) => unknown>> = {
    'observer.standing': ({ wallets }: { wallets: string[] }) => ({
      phase,
      head: last() ? json(last()!) : null,
      last: wallets.map((wallet) => ({
        wallet,
        seq: phase === 'unsealed' || knownSealed ? (lasts.get(wallet) ?? 0) : null,
      })),
    }),
    'observer.heads': ({ from }: { from: number }) => ({
      heads: batches
        .filter(({ head }) => head.lastSeq >= from)
        .slice(0, 3)
        .map(({ head }) => json(head)),
    }),
    'receipts.read': ({ wallet, from }: { wallet: string; from: number }) => {
      const next = Math.min(from + 4, last()!.lastSeq + 1);
      const receipts = batches
        .flatMap((batch) => batch.receipts)
        .filter(
          ({ seq, entry }) =>
            seq >= from && seq < next && entry.includes(`"wallet":"${wallet}"`) && !entry.includes('"other"'),
        );
      return { receipts, next, complete: json(last()!) };
    },
  };
  const connection = {
    info: { receiptPublicKey: signer.publicKey },
    call: async (method: MethodName, params: never) => tamper(method, answers[method]!(params) as never),
  } as unknown as Connection;
  return {
    connection,
    append(kinds: readonly { type: Entry['type']; wallet: string }[], epoch = 1, salt = '') {
      const before = last();
      const firstSeq = (before?.lastSeq ?? 0) + 1;
      const entries = kinds.map(({ type, wallet }, i) => {
        const entry = { type, wallet, prior: lasts.get(wallet) ?? 0, salt: `${firstSeq + i}${salt}` };
        if (type === 'request.permitted') lasts.set(wallet, firstSeq + i);
        return canonicalBytes(entry);
      });
      const tree = createMerkleTree(sha256, entries);
      const plain = {
        ...({ version: 1, vault: VAULT, epoch, firstSeq } as const),
        ...{ lastSeq: firstSeq + entries.length - 1, root: tree.root, timeMs: firstSeq },
        prev: before ? headHash(sha256, before) : NO_HEAD,
      };
      const head: SignedHead = { ...plain, signature: signer.sign(encodeHead(plain)) as Uint8Array };
      const receipts = entries.map(
        (entry, index) =>
          receiptToJson({ entry, seq: firstSeq + index, index, path: tree.path(index), head }) as ReceiptJson,
      );
      batches.push({ head, receipts });
    },
    seal(clean: boolean) {
      phase = 'sealed';
      knownSealed = clean;
    },
    unseal: () => void (phase = 'unsealed'),
    tamper: (change: typeof tamper) => void (tamper = change),
    copy: () => ({ batches: [...batches], lasts: new Map(lasts) }),
    putBack: (copy: { batches: typeof batches; lasts: typeof lasts }) =>
      ({ batches, lasts } = { batches: [...copy.batches], lasts: new Map(copy.lasts) }),
    permits: (wallet: string) =>
      batches
        .flatMap(({ receipts }) => receipts)
        .flatMap(({ seq, entry }) => {
          const { type, wallet: of } = JSON.parse(entry) as Entry;
          return type === 'request.permitted' && of === wallet ? [seq] : [];
        }),
  };
}

const EMPTY: ObserverPlace = { head: null, wallets: {} };

function createObserver(vault: ReturnType<typeof createVault>) {
  let place = EMPTY;
  const seen = new Map<string, number[]>(WALLETS.map((wallet) => [wallet, []]));
  return {
    seen,
    async look() {
      const look = await lookAtVault(vault.connection, {
        place,
        wallets: WALLETS,
        onPermits(wallet, permits, at) {
          seen.get(wallet)!.push(...permits.map(({ seq }) => seq));
          place = at;
        },
      });
      place = look.place;
      return look;
    },
  };
}

const entry = fc.record({
  type: fc.constantFrom('request.permitted', 'request.denied', 'other' as const),
  wallet: fc.constantFrom(...WALLETS),
}) as fc.Arbitrary<{ type: Entry['type']; wallet: string }>;
const step = fc.oneof(
  fc.record({ do: fc.constant('append' as const), entries: fc.array(entry, { minLength: 1, maxLength: 6 }) }),
  fc.record({ do: fc.constantFrom('look' as const, 'unseal' as const) }),
  fc.record({ do: fc.constant('seal' as const), clean: fc.boolean() }),
);

describe('lookAtVault', () => {
  it('knows every permit once, and calls complete only what is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25, size: 'max' }), async (steps) => {
        const vault = createVault();
        const observer = createObserver(vault);
        let isSealed = false;
        for (const each of steps) {
          if (each.do === 'append' && !isSealed) vault.append(each.entries);
          if (each.do === 'seal') vault.seal(each.clean);
          if (each.do === 'unseal') vault.unseal();
          if (each.do === 'seal' || each.do === 'unseal') isSealed = each.do === 'seal';
          if (each.do !== 'look') continue;
          const { complete } = await observer.look();
          for (const wallet of WALLETS) {
            const seen = observer.seen.get(wallet)!;
            const all = vault.permits(wallet);
            expect(seen).toEqual(all.slice(0, seen.length));
            if (complete.has(wallet)) expect(seen).toEqual(all);
          }
          if (!isSealed && vault.copy().batches.length > 0) expect([...complete]).toEqual(WALLETS);
        }
      }),
      { numRuns: 300 },
    );
  });

  const permit = (wallet = 'a') => ({ type: 'request.permitted' as const, wallet });
  const other = { type: 'other' as const, wallet: 'x' };
  const started = async () => {
    const vault = createVault();
    vault.append([other, permit()]);
    const observer = createObserver(vault);
    await observer.look();
    return { vault, observer };
  };

  it('sees an older journal that was put back', async () => {
    const { vault, observer } = await started();
    const old = vault.copy();
    vault.append([permit()]);
    await observer.look();
    vault.putBack(old);
    await expect(observer.look()).rejects.toMatchObject({ code: 'vault_rolled_back' });
  });

  it('sees an older journal that was put back and went on', async () => {
    const { vault, observer } = await started();
    const old = vault.copy();
    vault.append([permit()]);
    await observer.look();
    vault.putBack(old);
    for (const salt of ['x', 'y', 'z']) vault.append([other], 1, salt);
    await expect(observer.look()).rejects.toMatchObject({ code: 'vault_forked' });
  });

  it('begins anew where an operator began another history', async () => {
    const { vault, observer } = await started();
    const old = vault.copy();
    vault.append([permit()]);
    await observer.look();
    vault.putBack(old);
    vault.append([permit()], 2, 'other');
    const look = await observer.look();
    expect(look.anew).toBe(true);
    expect(look.complete).toEqual(new Set(WALLETS));
    expect(observer.seen.get('a')).toEqual([2, 3, 2, 3]);
  });

  it('says between which times a history was given up, asking for few heads of a long journal', async () => {
    const { vault, observer } = await started();
    expect((await observer.look()).lost).toEqual([]);
    for (let i = 0; i < 200; i++) vault.append([other, permit('b')]);
    for (const epoch of [2, 4]) {
      vault.append([permit()], epoch);
      for (let i = 0; i < 50; i++) vault.append([other], epoch);
    }
    const fresh = createObserver(vault);
    let asked = 0;
    vault.tamper((method, answer) => {
      if (method === 'observer.heads') asked++;
      return answer;
    });
    const { lost } = await fresh.look();
    // A head that begins at entry n says the time n in this test.
    expect(lost).toEqual([
      { fromMs: 401, toMs: 403 },
      { fromMs: 453, toMs: 454 },
    ]);
    expect(asked).toBeLessThan(50);
    await fresh.look();
    expect(asked).toBeLessThan(50);
  });

  it('refuses a page of receipts that leaves one out, in the middle or at the end', async () => {
    for (const hidden of [3, 4]) {
      const { vault, observer } = await started();
      vault.append([permit(), permit()]);
      vault.tamper((method, answer) => {
        if (method !== 'receipts.read') return answer;
        const { receipts, ...rest } = answer as { receipts: ReceiptJson[] };
        return { ...rest, receipts: receipts.filter(({ seq }) => seq !== hidden) };
      });
      await expect(observer.look()).rejects.toMatchObject({ code: 'receipt_missing' });
    }
  });

  it('knows what was withheld once it is shown, wherever it stood', async () => {
    for (const hidden of [3, 4]) {
      const { vault, observer } = await started();
      vault.append([permit(), permit()]);
      let isHidden = true;
      vault.tamper((method, answer) => {
        if (method !== 'receipts.read' || !isHidden) return answer;
        const { receipts, ...rest } = answer as { receipts: ReceiptJson[] };
        return { ...rest, receipts: receipts.filter(({ seq }) => seq !== hidden) };
      });
      await expect(observer.look()).rejects.toMatchObject({ code: 'receipt_missing' });
      await expect(observer.look()).rejects.toMatchObject({ code: 'receipt_missing' });
      vault.append([other, permit('b'), other, other, other, other]);
      isHidden = false;
      expect((await observer.look()).complete).toEqual(new Set(WALLETS));
      expect(observer.seen.get('a')).toEqual([2, 3, 4]);
    }
  });

  it('refuses a receipt of a history that is not the one of the heads', async () => {
    const { vault, observer } = await started();
    const old = vault.copy();
    vault.append([permit()], 1, 'hidden');
    const { receipts } = vault.copy().batches.at(-1)!;
    vault.putBack(old);
    vault.append([permit()], 1, 'shown');
    vault.tamper((method, answer) => (method === 'receipts.read' ? { ...(answer as object), receipts } : answer));
    await expect(observer.look()).rejects.toMatchObject({ code: 'vault_forked' });
  });

  it('refuses a head that the vault has not signed', async () => {
    const { vault, observer } = await started();
    vault.tamper((method, answer) =>
      method === 'observer.standing'
        ? { ...(answer as object), head: { ...(answer as { head: SignedHeadJson }).head, timeMs: 2 } }
        : answer,
    );
    await expect(observer.look()).rejects.toMatchObject({ code: 'head_forged' });
  });
});
