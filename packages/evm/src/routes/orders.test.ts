import { describe, expect, it } from 'vitest';
import { seaportParts } from './order-examples.fixture.ts';
import { BOB, COIN, calldata, contractOf, judged } from './world.fixture.ts';

const ITEM = 'uint8 itemType, address token, uint256 identifierOrCriteria, uint256 startAmount, uint256 endAmount';
const ORDER = `address offerer, address zone, (${ITEM})[] offer, (${ITEM}, address recipient)[] consideration, uint8 orderType, uint256 startTime, uint256 endTime, bytes32 zoneHash, uint256 salt, bytes32 conduitKey`;
const VALIDATE = `validate(((${ORDER}, uint256 totalOriginalConsiderationItems) parameters, bytes signature)[] orders)`;

const order = { ...seaportParts, totalOriginalConsiderationItems: 2n };
/** Kinds of items go up to 5. */
const unknown = { itemType: 6, token: COIN, identifierOrCriteria: 0n, startAmount: 1n, endAmount: 1n };

function validate(...orders: readonly object[]) {
  const args = [orders.map((parameters) => ({ parameters, signature: '0x' }))];
  return judged({ to: contractOf('seaport'), data: calldata(VALIDATE, args) });
}

describe('Seaport orders that are validated', () => {
  it('count each by itself', () => {
    const one = validate(order).outflows.length;
    expect(validate(order, order).outflows).toHaveLength(2 * one);
  });

  it.each([
    ['is offered', { ...order, offer: [unknown] }],
    ['is asked for', { ...order, consideration: [{ ...unknown, recipient: BOB }] }],
  ])('are not understood where an item of an unknown kind %s, also by one of several', (_, strange) => {
    expect(validate(strange).opaque).toBe('malformed_order');
    expect(validate(order, strange).opaque).toBe('malformed_order');
    expect(validate(strange, order).opaque).toBe('malformed_order');
  });
});
