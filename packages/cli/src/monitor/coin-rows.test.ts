import { expect, it } from 'vitest';
import { coinRows } from './coin-rows.ts';

const TXID = 'ab'.repeat(32);
const block = { height: 7, hash: '11'.repeat(32), timeSeconds: 0 };
const coin = (vout: number, more: object = {}) =>
  ({ txid: TXID, vout, sats: '150000', address: `addr${vout}`, block, spentBy: null, ...more }) as never;

it('shows what an owner wrote to a coin, else to its address, else to its transaction', () => {
  const labels = {
    ...{ [`output:${TXID}:0`]: 'the coin', 'addr:addr0': 'not this', 'addr:addr1': 'the\naddress' },
    ...{ [`tx:${TXID}`]: 'the payment', [`input:${TXID}:2`]: 'of no coin' },
  };
  const rows = coinRows({ coins: [coin(0), coin(1), coin(2), coin(3, { address: null })], labels }, 'being spent');
  expect(rows.map((row) => row.at(-1))).toEqual(['LABEL', 'the coin', 'the address', 'the payment', 'the payment']);
  expect(rows[1]).toEqual(['7', '0.0015', 'addr0', `${TXID}:0`, '', 'the coin']);
});

it('has no column of labels where there is none, and cuts long ones', () => {
  const [head, row] = coinRows(
    { coins: [coin(0, { sats: null, block: null, spentBy: TXID })], labels: {} },
    'being spent',
  );
  expect(head).toEqual(['HEIGHT', 'BTC', 'ADDRESS', 'COIN', '']);
  expect(row).toEqual(['not seen', '?', 'addr0', `${TXID}:0`, 'being spent']);
  const long = coinRows({ coins: [coin(0)], labels: { addr0: 'é'.repeat(100) } }, '')[1]!.at(-1)!;
  expect(long).toBe(`${'é'.repeat(59)}…`);
  expect(coinRows({ coins: [], labels: { addr0: 'x' } }, '')).toEqual([]);
});
