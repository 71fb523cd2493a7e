import { canonicalJson, fromHex, toBase64url, toHex, utf8 } from '@keepwatch/base';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { beforeEach, describe, expect, it } from 'vitest';
import { createEvidence, type Evidence } from './evidence.ts';
import { createRequest, type SignAnswer, type SignRequest } from './request.ts';

// The crash test's judge has to find each of the faults that it is there for: here they are, made up one by one.

const KEY = new Uint8Array(32).fill(7);
const ADDRESS = `0x${toHex(keccak_256(secp256k1.getPublicKey(KEY, false).subarray(1)).subarray(12))}`;
const WALLET = { wallet: 'w'.repeat(22), address: ADDRESS };
const CLIENT = 'c'.repeat(22);
const LIMIT = { grant: 'g1', client: CLIENT, wallet: WALLET.wallet, volume: 100_000n, count: 3 };

let evidence: Evidence;
let seq: number;

beforeEach(() => {
  evidence = createEvidence();
  evidence.limit(LIMIT);
  seq = 0;
});

function entryOf({ client, params, nonce, unsigned, charge }: SignRequest): string {
  return canonicalJson({
    ...{ type: 'request.permitted', client, wallet: params.wallet, chain: params.chain, key: params.key, nonce },
    ...{ digest: toBase64url(keccak_256(unsigned)), grant: LIMIT.grant },
    charges: null,
    budgets: [
      { rule: 'volume', asset: 'native', window: '86400s', spentBefore: '7', spentAfter: (7n + charge).toString() },
      { rule: 'count', window: '86400s', spentBefore: '0', spentAfter: '1' },
    ],
  });
}

/** The signature as the vault would give it: r, s and v. */
function sign(request: SignRequest): string {
  const [recovery, ...rs] = secp256k1.sign(keccak_256(request.unsigned), KEY, { prehash: false, format: 'recovered' });
  return `0x${toHex(Uint8Array.of(...rs, 27 + recovery!))}`;
}

function answer(request: SignRequest, at: number, signature = sign(request)): SignAnswer {
  const receipt = {
    seq: at,
    entry: entryOf(request),
    index: 0,
    path: [],
    head: {},
  } as unknown as SignAnswer['receipt'];
  return { signature, receipt };
}

const request = (nonce: number, value = 1n) => createRequest(CLIENT, WALLET, nonce, value);
const journal = (...requests: SignRequest[]) =>
  evidence.journal(requests.map((r) => ({ seq: ++seq, entry: entryOf(r) })));

describe('evidence', () => {
  it('finds nothing where everything is in order', () => {
    const requests = [request(0), request(1), request(2)];
    expect(requests.flatMap((each, i) => evidence.signed(each, answer(each, i + 1)))).toEqual([]);
    expect(evidence.signed(requests[0]!, answer(requests[0]!, 1))).toEqual([]);
    expect(journal(...requests)).toEqual([]);
    expect(evidence.compare()).toEqual([]);
    expect(evidence.counts()).toEqual({ signatures: 3, permits: 3 });
  });

  it('finds a signature that the journal does not have, or has elsewhere or otherwise', () => {
    const [first, second] = [request(0), request(1)];
    evidence.signed(first, answer(first, 1));
    expect(evidence.compare()).toEqual([expect.stringContaining('is not in the journal at 1')]);
    evidence.signed(second, answer(second, 2));
    journal(second, first);
    expect(evidence.compare()).toEqual([expect.stringContaining('is not in the journal at 2')]);
  });

  it('finds the receipt of another request', () => {
    const [first, second] = [request(0), request(1)];
    journal(second);
    evidence.signed(first, { ...answer(first, 1), receipt: answer(second, 1).receipt });
    expect(evidence.compare()).toEqual([expect.stringContaining('has the receipt of another request')]);
  });

  it('finds a signature that is of other bytes', () => {
    const [first, second] = [request(0), request(1)];
    journal(first);
    evidence.signed(first, answer(first, 1, sign(second)));
    expect(evidence.compare()).toEqual([expect.stringContaining('does not hold: signature_of_another_wallet')]);
  });

  it('finds two answers to one key', () => {
    const one = request(0);
    evidence.signed(one, answer(one, 1));
    const other = sign(one).replace(/.$/, (digit) => (digit === 'b' ? 'c' : 'b'));
    expect(evidence.signed(one, answer(one, 1, other))).toEqual([expect.stringContaining('two different signatures')]);
  });

  it('finds a nonce that was signed for two transactions, in hands and in the journal', () => {
    const [first, second] = [request(5, 1n), request(5, 2n)];
    evidence.signed(first, answer(first, 1));
    expect(evidence.signed(second, answer(second, 2))).toEqual([expect.stringContaining('two different transactions')]);
    expect(journal(first, second)).toEqual([expect.stringContaining('twice')]);
  });

  it('finds a limit that was exceeded, by what clients hold alone and by the journal alone', () => {
    const many = [request(0), request(1), request(2), request(3)];
    journal(...many);
    expect(evidence.compare()).toEqual([expect.stringMatching(/the journal permits 4 signatures .* limit is 3/)]);
    const large = request(9, 90_000n);
    evidence.signed(large, answer(large, 1));
    expect(evidence.compare()).toContainEqual(expect.stringMatching(/clients hold 111000 wei .* limit is 100000/));
  });

  it('finds a gap in the journal', () => {
    journal(request(0));
    seq++;
    expect(journal(request(1))).toEqual(['the journal goes from 1 to 3']);
  });
});

it('makes transactions that are what they say', () => {
  const { params, unsigned } = request(3);
  expect(fromHex(params.transaction)).toEqual(unsigned);
  expect(utf8(params.key)).toHaveLength(36);
});
