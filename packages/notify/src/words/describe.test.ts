import fc from 'fast-check';
import type { Finding, FindingDetail } from '@keepwatch/watch';
import { describe, expect, it } from 'vitest';
import { cleanLabel } from './clean.ts';
import { btc, describeFinding, groupOf } from './describe.ts';

type Spent = Extract<FindingDetail, { kind: 'sighted' }>;
const txid = 'ab'.repeat(32) as Spent['txid'];
const other = 'cd'.repeat(32) as Spent['txid'];
const block = { height: 840_000, hash: 'ef'.repeat(32) } as NonNullable<Finding['evidence']['block']>;
const address = 'bc1qexampleexampleexample';
const outpoint = { txid: other, vout: 1 } as Extract<FindingDetail, { kind: 'dust' }>['outpoint'];
const movement = {
  txid,
  ...{ receivedSats: 150_000_000n, spentSats: 0n, spent: [{ ...outpoint, sats: 99_999_991n }] },
  received: [{ ...outpoint, address, sats: 150_000_000n }],
};

const DETAILS: readonly FindingDetail[] = [
  { kind: 'sighted', direction: 'received', grade: 'claimed', ...movement },
  { kind: 'replaced', txid, by: other },
  { kind: 'evicted', txid },
  { kind: 'double-spend', txid, other, outpoint },
  { kind: 'received', ...movement },
  { kind: 'spent', ...movement, receivedSats: 1n, spentSats: 150_000_001n },
  { kind: 'self-transfer', ...movement, spentSats: 150_000_500n },
  { kind: 'confirmed', txid, depth: 6, buried: true },
  { kind: 'disconnected', txid, retracts: ['one'] },
  { kind: 'large-amount', txid, sats: 150_000_000n, limitSats: 99_999_991n },
  { kind: 'balance-above', sats: 150_000_000n, limitSats: 99_999_991n },
  { kind: 'balance-below', sats: 150_000_000n, limitSats: 99_999_991n },
  { kind: 'dust', txid, outpoint, sats: 99_999_991n },
  { kind: 'address-reuse', txid, address },
  { kind: 'timelock-expiry', outpoint, opensAtHeight: 850_000, blocksLeft: 144, sats: 150_000_000n },
  { kind: 'timelock-expiry', outpoint, opensAtSeconds: 1_800_000_000, secondsLeft: 90_000, sats: 150_000_000n },
  { kind: 'watched', ...movement },
  { kind: 'feerate-spike', satPerVbyte: 300, limit: 100 },
  { kind: 'tip-stalled', lastBlock: block, forSeconds: 7_200, over: false },
  { kind: 'source-down', source: 'p2p', words: 'No peer.', over: false },
  { kind: 'source-behind', source: 'p2p', words: 'Behind.', over: true },
  { kind: 'sources-disagree', about: 'block', others: ['a'], over: false },
  { kind: 'quorum-lost', over: false },
  { kind: 'disk-low', freeBytes: 1_000, over: false },
  { kind: 'clock-skew', skewSeconds: 90, over: false },
  { kind: 'restarted', downSeconds: 604_800, fromHeight: 839_000 },
  { kind: 'gap-filled', fromHeight: 1, toHeight: 2 },
  { kind: 'backfilled', toHeight: 2, transactions: 3 },
  { kind: 'channel-dead', channel: 'mail', words: 'Denied.', over: false },
];

const finding = (detail: FindingDetail): Finding => ({
  ...{ version: 1, id: 'f1', wallet: 'w1', severity: 'notice', atMs: 1_790_000_000_000, late: false, detail },
  evidence: { txid, block, seenBy: ['p2p', 'bitcoind'] },
});
const wallet = { name: 'Savings', labelOf: (each: string) => (each === address ? 'Salary' : null) };
const kinds = DETAILS.map((detail) => [detail.kind, detail] as const);

describe('a finding in words', () => {
  it('names wallet, exact amount, address with its label, and evidence', () => {
    const { subject, body, data } = describeFinding(finding(DETAILS[4]!), wallet, 'full');
    expect(subject).toBe('Savings: received 1.50000000 BTC, in a block');
    expect(body.split('\n')).toEqual([
      'Savings: received 1.50000000 BTC, in a block.',
      `1.50000000 BTC to ${address} (Salary)`,
      `0.99999991 BTC from ${other}:1`,
      `Transaction: ${txid}`,
      `Block: 840000 (${block.hash})`,
      'Seen by: p2p, bitcoind',
      'Learnt at 2026-09-21T14:13:20.000Z.',
    ]);
    expect(data).toMatchObject({ id: 'f1', detail: { kind: 'received', receivedSats: '150000000' } });
  });

  it('never words a claim as a fact', () => {
    expect(describeFinding(finding(DETAILS[0]!), wallet, 'full').subject).toContain(
      'claimed by one source and not checked',
    );
  });

  it.each(kinds)('%s: hides amounts, addresses and transactions where it is to', (_kind, detail) => {
    const { subject, body, data } = describeFinding(finding(detail), wallet, 'amounts-hidden');
    expect(`${subject}\n${body}`).not.toMatch(/BTC|1\.5|0\.999|\d{8}|bc1q|abab|cdcd|Salary/);
    expect(subject).toMatch(/^Savings: /);
    expect(data).toBe(null);
  });

  it('says the same of everything where it may only say look', () => {
    const said = new Set(DETAILS.map((detail) => JSON.stringify(describeFinding(finding(detail), wallet, 'look'))));
    expect(said.size).toBe(1);
    expect([...said][0]).not.toContain('Savings');
  });

  it('gathers by wallet and kind', () => {
    expect(groupOf(finding(DETAILS.find(({ kind }) => kind === 'dust')!))).toBe('w1 dust');
    expect(groupOf({ ...finding(DETAILS.find(({ kind }) => kind === 'quorum-lost')!), wallet: null })).toBe(
      ' quorum-lost',
    );
  });
});

describe('amounts', () => {
  it('have 8 decimals and lose no digit', () => {
    expect([0n, 1n, 100_000_000n, 2_099_999_999_999_999n, -5n].map(btc)).toEqual([
      ...['0.00000000 BTC', '0.00000001 BTC', '1.00000000 BTC', '20999999.99999999 BTC', '-0.00000005 BTC'],
    ]);
  });
});

describe('labels', () => {
  it.each([
    ['pay\u202egnp.exe', 'paygnp.exe', 'direction overrides'],
    ['a\u2066b\u2069c\u200f', 'abc', 'isolates and marks'],
    ['one\r\nBcc: two\u2028three', 'one Bcc: two three', 'line ends'],
    ['\u001b[31mred\u0007', '[31mred', 'terminal controls'],
    ['zero\u200bwidth\ufeff', 'zerowidth', 'invisible characters'],
    ['Ersparnis für später 🚀', 'Ersparnis für später 🚀', 'nothing that is honest'],
  ])('%j becomes %j: %s', (given, clean) => {
    expect(cleanLabel(given)).toBe(clean);
  });

  it('stay on one line, short, and clean when cleaned again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const clean = cleanLabel(text);
        expect([...clean].length).toBeLessThanOrEqual(64);
        expect(clean).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
        expect(cleanLabel(clean)).toBe(clean);
      }),
    );
  });
});
