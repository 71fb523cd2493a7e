import { fromHex, toHex } from '@keepwatch/base';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { scriptToAddress } from '../address.ts';
import { branchHash, leafHash, outputKey } from '../script/taproot.ts';
import { witnessScript } from '../script/kinds.ts';
import { decodeTransaction, type Transaction } from '../transaction.ts';
import { createSignatureHashes } from './sighash.ts';
import { verifyInput } from './verify-input.ts';

// BIP341, “Test vectors” (bip-0341/wallet-test-vectors.json).
type Tree = { script: string; leafVersion: number } | Tree[] | null;
interface Vectors {
  scriptPubKey: {
    given: { internalPubkey: string; scriptTree: Tree };
    intermediary: { merkleRoot: string | null; tweakedPubkey: string };
    expected: { scriptPubKey: string; bip350Address: string };
  }[];
  keyPathSpending: {
    given: { rawUnsignedTx: string; utxosSpent: { scriptPubKey: string; amountSats: number }[] };
    inputSpending: {
      given: { txinIndex: number; hashType: number };
      intermediary: { sigHash: string };
      expected: { witness: string[] };
    }[];
    auxiliary: { fullySignedTx: string };
  }[];
}
const vectors = JSON.parse(
  readFileSync(new URL('../vectors/bip341-wallet-test-vectors.json', import.meta.url), 'utf8'),
) as Vectors;
const bytes = (hex: string) => fromHex(hex)!;

function root(tree: Tree): Uint8Array | null {
  if (tree === null) return null;
  if (!Array.isArray(tree)) return leafHash(bytes(tree.script), tree.leafVersion);
  return branchHash(root(tree[0]!)!, root(tree[1]!)!);
}

describe('output keys (BIP341)', () => {
  it.each(vectors.scriptPubKey.map((one) => [one.expected.bip350Address, one] as const))('%s', (address, one) => {
    const merkleRoot = root(one.given.scriptTree);
    expect(merkleRoot && toHex(merkleRoot)).toBe(one.intermediary.merkleRoot);
    const key = outputKey(bytes(one.given.internalPubkey), merkleRoot);
    expect(toHex(key)).toBe(one.intermediary.tweakedPubkey);
    const script = witnessScript(1, key);
    expect(toHex(script)).toBe(one.expected.scriptPubKey);
    expect(scriptToAddress(script, 'main')).toBe(address);
  });
});

describe('spends of a whole transaction (BIP341)', () => {
  const [one] = vectors.keyPathSpending;
  const read = (hex: string): Transaction => {
    const decoded = decodeTransaction(bytes(hex));
    if (!decoded.ok) throw new Error(decoded.error);
    return decoded.value;
  };
  const prevouts = one!.given.utxosSpent.map(({ scriptPubKey, amountSats }) => ({
    script: bytes(scriptPubKey),
    sats: BigInt(amountSats),
  }));

  it.each(one!.inputSpending.map((spend) => [spend.given.hashType, spend] as const))('hash type %i', (type, spend) => {
    const hashes = createSignatureHashes(read(one!.given.rawUnsignedTx), prevouts);
    const hash = hashes.taproot(spend.given.txinIndex, type, { annexHash: null, leaf: null });
    expect(toHex(hash!)).toBe(spend.intermediary.sigHash);
  });

  it('every input of the signed transaction may spend its coin, and no other', () => {
    const signed = read(one!.auxiliary.fullySignedTx);
    for (const input of signed.inputs.keys()) {
      expect(verifyInput(signed, input, prevouts)).toEqual({ kind: 'valid', nonStandard: null });
      const dearer = prevouts.map((coin, i) => (i === input ? { ...coin, sats: coin.sats + 1n } : coin));
      // The oldest signature hash does not commit to the amount; all others do.
      const segwit = signed.inputs[input]!.witness.length > 0;
      expect(verifyInput(signed, input, dearer).kind).toBe(segwit ? 'invalid' : 'valid');
    }
  });

  it('taproot inputs stay a claim while another coin is unknown, the others do not', () => {
    const signed = read(one!.auxiliary.fullySignedTx);
    for (const { given } of one!.inputSpending) {
      const input = given.txinIndex;
      const alone = prevouts.map((coin, i) => (i === input ? coin : undefined));
      const verdict = verifyInput(signed, input, alone);
      expect(verdict).toEqual(
        given.hashType & 0x80
          ? { kind: 'valid', nonStandard: null }
          : { kind: 'cannot-verify', reason: 'prevouts_missing' },
      );
    }
    for (const input of signed.inputs.keys()) {
      if (one!.inputSpending.some(({ given }) => given.txinIndex === input)) continue;
      const alone = prevouts.map((coin, i) => (i === input ? coin : undefined));
      expect(verifyInput(signed, input, alone).kind).toBe('valid');
    }
  });
});
