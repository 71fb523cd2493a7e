import type { LadderOrder } from '@keepwatch/notify';
import type { Finding } from '@keepwatch/watch';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OwnedWallet } from '../evm/owned-wallet.ts';
import { wordsOf } from './words.ts';

const finding: Finding = {
  ...{ version: 1, id: 'finding-of-mark', wallet: 'w', severity: 'critical', atMs: 1_790_000_000_000, late: false },
  detail: { kind: 'balance-below', sats: 731_946_281n, limitSats: 846_295_137n },
  evidence: { seenBy: ['node-of-mark'] },
};
const wallet = { name: 'wallet-of-mark', labels: {} } as unknown as OwnedWallet;
const order = (over: object) =>
  ({ key: 'key', escalation: 'finding-of-mark', channel: 'room', ...over }) as LadderOrder;
const acknowledgement = { code: 'ABCD1234', url: null };
const ORDERS: readonly LadderOrder[] = [
  order({ kind: 'alert', step: 0, who: 'who-of-mark', severity: 'critical', acknowledgement }),
  order({ kind: 'alert', step: 3, who: 'who-of-mark', severity: 'critical', acknowledgement }),
  order({ kind: 'joined', finding: 'finding-of-mark', group: 'w balance-below', severity: 'critical' }),
  ...(['link', 'code', 'reply', 'command'] as const).map((way) =>
    order({ kind: 'acknowledged', by: 'by-of-mark', way, viaChannel: way === 'command' ? null : 'via-of-mark' }),
  ),
  order({ kind: 'exhausted' }),
];
const said = (each: LadderOrder, privacy: 'full' | 'amounts-hidden' | 'look', of: Finding | undefined = finding) =>
  wordsOf(each, { finding: of, wallet, privacy, sendBack: true, nowMs: 0 });

describe('what the ladder says', () => {
  it.each(ORDERS.map((each) => [each.kind, each] as const))(
    '%s: names nobody and nothing where one may only look',
    (_, each) => {
      const { subject, body, data } = said(each, 'look');
      expect(`${subject}\n${body}`).not.toMatch(/of-mark|7319|8462|balance/);
      expect(data).toBe(null);
      const hidden = said(each, 'amounts-hidden');
      expect(`${hidden.subject}\n${hidden.body}`).not.toMatch(/7\.?3194|8\.?4629|node-of-mark|finding-of-mark/);
      expect(hidden.data).toBe(null);
      expect(said(each, 'full').subject).toContain('wallet-of-mark');
    },
  );

  it('says nothing else for other findings where one may only look', () => {
    const others = fc.record({
      sats: fc.bigInt(),
      kind: fc.constantFrom('quorum-lost', 'balance-above'),
      late: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.constantFrom(...ORDERS), others, fc.string(), (each, { sats, kind, late }, name) => {
        const detail = kind === 'quorum-lost' ? { kind, over: false } : { kind, sats, limitSats: sats };
        const other = { ...finding, late, detail } as Finding;
        const words = wordsOf(each, {
          finding: other,
          wallet: { ...wallet, name },
          privacy: 'look',
          sendBack: true,
          nowMs: 0,
        });
        const { subject, body } = said(each, 'look');
        expect([words.subject, words.body]).toEqual([subject, body]);
      }),
    );
  });

  it('says whether a code that is sent back on the channel is read', () => {
    const alert = { finding, wallet, privacy: 'full', nowMs: 0 } as const;
    for (const sendBack of [true, false]) {
      expect(wordsOf(ORDERS[0]!, { ...alert, sendBack }).acknowledgement).toEqual({ ...acknowledgement, sendBack });
    }
  });
});
