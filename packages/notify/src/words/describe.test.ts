import fc from 'fast-check';
import { FINDING_KINDS, type Finding, type FindingKind } from '@keepwatch/watch';
import { describe, expect, it } from 'vitest';
import { adviceOf } from './advice.ts';
import { cleanLabel } from './clean.ts';
import { btc, describeFinding, groupOf, type Privacy } from './describe.ts';
import { AMOUNTS, EVERY_FINDING, MARKED_WALLET, NAMES, PLACES } from './every-finding.fixture.ts';

const of = (kind: FindingKind, at = 0) => EVERY_FINDING.filter(({ detail }) => detail.kind === kind)[at]!;
const told = (finding: Finding, privacy: Privacy) =>
  describeFinding(finding, finding.wallet === null ? null : MARKED_WALLET, privacy);
const each = EVERY_FINDING.map((finding) => [finding.detail.kind, finding] as const);

describe('a finding in words', () => {
  it('are of every kind that there is', () => {
    expect([...new Set(EVERY_FINDING.map(({ detail }) => detail.kind))].sort()).toEqual([...FINDING_KINDS].sort());
  });

  it('names wallet, exact amount, evidence, and address, coin and transaction with their labels', () => {
    const { subject, body, data } = told(of('spent'), 'full');
    const { txid, block } = of('spent').evidence;
    expect(subject).toBe('Ermitage: spent 1.14348856 BTC, in a block');
    expect(body.split('\n')).toEqual([
      'Ermitage: spent 1.14348856 BTC, in a block.',
      ...(of('spent').late ? ['This is told late: it was learnt while the monitor caught up.'] : []),
      'It is in a block: only a reorganisation of the chain would undo it.',
      'If none of you sent it, somebody else can sign for this wallet: move what is left to a wallet for which nobody else can sign.',
      '7.31946281 BTC to bc1qmarkmarkmarkmarkmarkmarkmarkmarkmark (Salary of Ada)',
      `8.46295137 BTC from ${'c3'.repeat(32)}:7 (Bonus of Bo)`,
      `Transaction: ${txid} (Rent of Cy)`,
      `Block: 840123 (${block!.hash})`,
      'Seen by: p2p, node',
      'Learnt at 2026-09-21 14:13:20 UTC.',
    ]);
    expect(data).toMatchObject({ detail: { kind: 'spent', receivedSats: '731946281' } });
  });

  it('names by its label what took the place of a transaction', () => {
    expect(told(of('replaced'), 'full').body).toContain(`By: ${'b2'.repeat(32)} (Loan of Di)`);
  });

  it('never words a claim as a fact', () => {
    expect(told(of('sighted'), 'full').subject).toContain('claimed by one source and not checked');
  });

  it.each(each)('%s: hides amounts, addresses, transactions and labels where it is to', (_kind, finding) => {
    const { subject, body, data } = told(finding, 'amounts-hidden');
    for (const mark of [...AMOUNTS, ...PLACES]) expect(`${subject}\n${body}`).not.toContain(mark);
    expect(subject).toMatch(finding.wallet === null ? /^Monitor: / : /^Ermitage: /);
    expect(data).toBe(null);
  });

  it.each(each)('%s: says where it may only say look what every other says', (_kind, finding) => {
    const { subject, body, data } = told(finding, 'look');
    expect({ subject, body, data }).toEqual(told(of('quorum-lost'), 'look'));
    for (const mark of [...AMOUNTS, ...PLACES, ...NAMES, finding.detail.kind]) {
      expect(`${subject}\n${body}`).not.toContain(mark);
    }
  });

  it('has marks that would be found: each stands in some message that tells everything', () => {
    const all = EVERY_FINDING.map((finding) => JSON.stringify(told(finding, 'full'))).join('\n');
    const unseen = [...PLACES, ...NAMES, ...AMOUNTS].filter((mark) => !all.includes(mark));
    expect(unseen).toEqual([]);
  });

  it.each(each)('%s: has a subject that a short message holds, with its code and number', (_kind, finding) => {
    const { subject } = told(finding, 'amounts-hidden');
    expect(`${subject}. Code ABCD1234. Message 12345.`.length).toBeLessThanOrEqual(160);
    expect(told(finding, 'full').subject.length).toBeLessThanOrEqual(131);
  });

  it.each(each)('%s: is told as people speak', (_kind, finding) => {
    const { subject, body } = told(finding, 'full');
    // No thousandths of seconds, no long counts of a small unit, no “1 findings”, nothing that was not put in.
    const words = `${subject}\n${body}`;
    expect(words).not.toMatch(
      /\.\d{3}Z|\b1 (findings|blocks|transactions|days|hours|minutes)\b|undefined|null|NaN|\[object/,
    );
    expect(words).not.toMatch(/\d{3,} (minutes|seconds|hours|bytes)/);
  });

  it('says how sure it is and what to do next, of a spend that nobody knows of', () => {
    const sighting = (grade: string) =>
      EVERY_FINDING.find(
        ({ detail }) => detail.kind === 'sighted' && detail.direction === 'spent' && detail.grade === grade,
      ) ?? { ...of('sighted'), detail: { ...of('spent').detail, kind: 'sighted', direction: 'spent', grade } as never };
    const [claimed, relayed] = ['claimed', 'relayed'].map((grade) => told(sighting(grade), 'amounts-hidden').body);
    expect(claimed).toContain('Nothing proves it yet');
    expect(claimed).not.toContain('You can still win');
    expect(relayed).toContain('until then another one with a higher fee can take its place.');
    expect(relayed).toContain('You can still win: send the same coins, at a higher fee');
  });

  it.each(each.filter(([, { severity }]) => severity !== 'info'))(
    '%s: advises nothing once it is over',
    (_, finding) => {
      const { detail } = finding;
      if (!('over' in detail)) return;
      expect(adviceOf({ ...detail, over: true })).toEqual([]);
      // Whatever is wrong with the watch itself asks for something to be done.
      const isAsking = !['signed-unseen'].includes(detail.kind);
      expect(adviceOf({ ...detail, over: false }).length > 0).toBe(isAsking);
    },
  );

  it('gathers by wallet and kind', () => {
    expect([groupOf(of('dust')), groupOf(of('quorum-lost'))]).toEqual(['w1 dust', ' quorum-lost']);
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
    ['two\t\u0000\twords', 'two words', 'blanks around what is taken out'],
    ['e\u200b\u0301', 'é', 'an accent behind what is taken out'],
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
