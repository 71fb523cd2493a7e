import { describe, expect, it } from 'vitest';
import { BOB, COIN, contractOf, flowsOf, calldata, judged, STRANGER, WALLET } from './world.fixture.ts';

const BATCH =
  'permitTransferFrom(((address token, uint256 amount)[] permitted, uint256 nonce, uint256 deadline) permit, (address to, uint256 requestedAmount)[] transferDetails, address owner, bytes signature)';

/** A batch of signed transfers of the wallet: what each token permits is more than what is taken of it. */
function batch(tokens: readonly string[], amounts: readonly bigint[]) {
  const permitted = tokens.map((token) => ({ token, amount: 1000n }));
  const requested = amounts.map((requestedAmount) => ({ to: BOB, requestedAmount }));
  const data = calldata(BATCH, [{ permitted, nonce: 0n, deadline: 9n }, requested, WALLET, '0x']);
  return judged({ to: contractOf('permit2'), data });
}

describe('a batch of Permit2 transfers', () => {
  it('takes each amount of the token in the same place, also of one that nobody registered', () => {
    const { opaque, outflows } = batch([COIN, STRANGER], [5n, 6n]);
    expect(opaque).toBeNull();
    expect(flowsOf(outflows).map(([, asset, amount, to]) => [asset, amount, to])).toEqual([
      [`erc20:${COIN}`, 5n, BOB],
      [`erc20:${STRANGER}`, 6n, BOB],
    ]);
  });

  it.each<[string, readonly string[], readonly bigint[], string]>([
    ['fewer amounts than tokens', [COIN, COIN], [5n], 'malformed_batch'],
    ['more amounts than tokens', [COIN], [5n, 6n], 'malformed_batch'],
    ['nothing in it', [], [], 'empty_batch'],
    ['an NFT behind a coin', [COIN, contractOf('erc721')], [5n, 6n], 'not_a_fungible_token'],
    ['an NFT before a coin', [contractOf('erc721'), COIN], [5n, 6n], 'not_a_fungible_token'],
  ])('is not understood with %s', (_, tokens, amounts, why) => {
    expect(batch(tokens, amounts).opaque).toBe(why);
  });
});
