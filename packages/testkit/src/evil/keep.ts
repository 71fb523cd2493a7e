import { randomBytes } from 'node:crypto';
import { canonicalBytes, toBase64url, type Json } from '@keepwatch/base';
import type { ReceiptJson } from '@keepwatch/protocol';
import { signerFromSeed, wireCrypto } from '@keepwatch/sdk';
import {
  createMerkleTree,
  encodeHead,
  headHash,
  headToJson,
  NO_HEAD,
  receiptToJson,
  vaultId,
  type JsonObject,
  type SignedHead,
} from '@keepwatch/wire';
import { generateTlsKey } from '../../../gate/src/certificate.ts';
import { startTinyKeep } from '../../../sdk/src/fixtures/tiny-keep.ts';

/** What a lying keep makes of its answers about receipts. */
export type Lie =
  | { readonly kind: 'none' }
  /** Leaves out the receipt of this entry. */
  | { readonly kind: 'withholds'; readonly seq: number }
  /** Changes what the entry says, and proves it by what proved the entry as it was. */
  | { readonly kind: 'forges'; readonly seq: number; readonly change: JsonObject }
  /** Says of its journal that it ends where no head of it does. */
  | { readonly kind: 'false-head' };

/**
 * A keep with keys of its own, which speaks the real wire behind real TLS and has a real journal of one wallet, and which lies
 * to who observes it. An edge between an honest keep and its observers could do nothing of this.
 */
export interface LyingKeep {
  readonly connection: string;
  /** Writes down that it permits something. Gives back the entry's number. */
  permit(entry: JsonObject): number;
  /** A restore from a backup: what it has permitted since an entry is gone, and another epoch begins. */
  restore(upTo: number): void;
  lie(lie: Lie): void;
  /** Methods that were called, in order. */
  readonly calls: readonly string[];
  stop(): Promise<void>;
}

export interface LyingKeepWallet {
  readonly address: string;
  readonly createdMs: number;
}

interface Batch {
  readonly head: SignedHead;
  readonly receipt: ReceiptJson;
  readonly entry: JsonObject;
}

export async function startLyingKeep({ address, createdMs }: LyingKeepWallet): Promise<LyingKeep> {
  const { sha256 } = wireCrypto;
  const seed = randomBytes(32);
  const receiptKey = signerFromSeed('EdDSA', sha256(seed));
  const wallet = toBase64url(randomBytes(16));
  let batches: Batch[] = [];
  let epoch = 1;
  let lie: Lie = { kind: 'none' };
  const calls: string[] = [];

  function append(entry: JsonObject): number {
    const before = batches.at(-1)?.head;
    const seq = batches.length + 1;
    const bytes = canonicalBytes(entry as Json);
    const plain = {
      ...({ version: 1, vault: toBase64url(vaultId(sha256, receiptKey.publicKey)), epoch } as const),
      ...{ firstSeq: seq, lastSeq: seq, root: createMerkleTree(sha256, [bytes]).root, timeMs: Date.now() },
      prev: before ? headHash(sha256, before) : NO_HEAD,
    };
    const head: SignedHead = { ...plain, signature: receiptKey.sign(encodeHead(plain)) as Uint8Array };
    const receipt = receiptToJson({ entry: bytes, seq, index: 0, path: [], head }) as ReceiptJson;
    batches.push({ head, receipt, entry });
    return seq;
  }

  const permitted = () => batches.flatMap(({ entry }, i) => (entry['type'] === 'request.permitted' ? [i + 1] : []));

  function shown(receipt: ReceiptJson): readonly ReceiptJson[] {
    if (lie.kind === 'withholds' && receipt.seq === lie.seq) return [];
    if (lie.kind !== 'forges' || receipt.seq !== lie.seq) return [receipt];
    const entry = { ...(JSON.parse(receipt.entry) as JsonObject), ...lie.change };
    return [{ ...receipt, entry: Buffer.from(canonicalBytes(entry as Json)).toString() }];
  }

  const endOf = (): Json => {
    const { head } = batches.at(-1)!;
    return headToJson(lie.kind === 'false-head' ? { ...head, timeMs: head.timeMs + 1 } : head) as unknown as Json;
  };
  const answers: Readonly<Record<string, (params: JsonObject) => unknown>> = {
    'peer.register': () => ({ peer: toBase64url(randomBytes(16)), state: 'registered' }),
    'vault.status': () => ({
      ...{ phase: 'unsealed', identity: keep.identity, version: 1, epoch, time: Date.now(), clockFrozen: null },
      ...{ signingFrozen: null, head: null, retryAfterMs: 0, idleSealSeconds: null, counts: null },
    }),
    'wallet.list': () => ({
      wallets: [{ wallet, name: 'hot', address, publicKey: '', origin: 'random', path: null, created: createdMs }],
      next: null,
    }),
    'contract.list': () => ({ version: 0, contracts: [], next: null }),
    'observer.standing': () => ({
      phase: 'unsealed',
      head: endOf(),
      last: [{ wallet, seq: permitted().at(-1) ?? 0 }],
    }),
    'observer.heads': ({ from }) => ({ heads: batches.slice(Number(from) - 1).map(({ head }) => headToJson(head)) }),
    'receipts.read': ({ from }) => ({
      receipts: batches
        .slice(Number(from) - 1)
        .filter(({ entry }) => entry['wallet'] === wallet)
        .flatMap(({ receipt }) => shown(receipt)),
      next: batches.length + 1,
      complete: endOf(),
    }),
  };

  append({ type: 'vault.initialised' });
  const keep = await startTinyKeep({
    seed,
    tls: generateTlsKey(),
    onCall(method, params) {
      calls.push(method);
      const answer = answers[method];
      if (!answer) return { kind: 'error', id: 0, error: { code: -32_601, message: 'no such method' } } as never;
      return { kind: 'result', id: 0, result: answer(params) as Json };
    },
  });

  return {
    connection: keep.connectionString,
    permit: (entry) =>
      append({ type: 'request.permitted', wallet, at: Date.now(), prior: permitted().at(-1) ?? 0, ...entry }),
    restore(upTo) {
      batches = batches.slice(0, upTo);
      epoch++;
      append({ type: 'vault.restored' });
    },
    lie: (next) => void (lie = next),
    calls,
    stop: () => keep.close(),
  };
}
