import type { Address } from '../address.ts';
import { B32, coin, LATER, LATER_MS, of, opaque, ZERO, type RouteExample } from './route-example.fixture.ts';
import { BOB, COIN, COIN2, contractOf, WALLET, type Flow } from './world.fixture.ts';

const item = (itemType: number, token: Address, id: bigint, startAmount: bigint, endAmount: bigint) => ({
  itemType,
  token,
  identifierOrCriteria: id,
  startAmount,
  endAmount,
});

/** A Seaport order that offers one item of each kind, and asks ether for the offerer and tokens for somebody else. */
export const seaportParts = {
  offerer: WALLET,
  zone: ZERO,
  offer: [
    item(0, ZERO, 0n, 1n, 2n),
    item(1, COIN, 0n, 5n, 3n),
    item(2, contractOf('erc721'), 7n, 1n, 1n),
    item(3, contractOf('erc1155'), 7n, 4n, 4n),
    item(4, contractOf('erc721'), 0n, 1n, 1n),
    item(5, contractOf('erc1155'), 0n, 6n, 6n),
  ],
  consideration: [
    { ...item(0, ZERO, 0n, 9n, 9n), recipient: WALLET },
    { ...item(1, COIN2, 0n, 2n, 8n), recipient: BOB },
  ],
  orderType: 0,
  startTime: 0n,
  endTime: LATER,
  zoneHash: B32,
  salt: 1n,
  conduitKey: B32,
};

const market = contractOf('seaport');
const nft = `erc721:${contractOf('erc721')}`;
const multi = `erc1155:${contractOf('erc1155')}`;
const offered = (asset: string, amount: bigint): Flow => [
  'wallet',
  asset,
  amount,
  market,
  'order',
  'allowance',
  LATER_MS,
];

export const seaportFlows: readonly Flow[] = [
  offered('native', 2n),
  offered(coin(COIN), 5n),
  offered(nft, 1n),
  offered(`${multi}/7`, 4n),
  offered(nft, 1n),
  offered(multi, 6n),
  [market, coin(COIN2), 8n, BOB, 'order', 'allowance', LATER_MS],
];

const ITEM = 'uint8 itemType, address token, uint256 identifierOrCriteria, uint256 startAmount, uint256 endAmount';
const ORDER = `address offerer, address zone, (${ITEM})[] offer, (${ITEM}, address recipient)[] consideration, uint8 orderType, uint256 startTime, uint256 endTime, bytes32 zoneHash, uint256 salt, bytes32 conduitKey`;

export function orderExamples(): RouteExample[] {
  const [seaport, cow] = [of('seaport'), of('cow-settlement')];
  const validate = `validate(((${ORDER}, uint256 totalOriginalConsiderationItems) parameters, bytes signature)[] orders)`;
  const parameters = { ...seaportParts, totalOriginalConsiderationItems: 2n };
  const strange = { ...parameters, offer: [item(6, COIN, 0n, 1n, 1n)] };
  const uid = `0x${'ab'.repeat(56)}`;
  return [
    seaport(validate, [[{ parameters, signature: '0x' }]], ...seaportFlows),
    opaque('seaport', 'malformed_order', validate, [[{ parameters: strange, signature: '0x' }]]),
    seaport(`cancel((${ORDER}, uint256 counter)[] orders)`, [[{ ...seaportParts, counter: 0n }]]),
    seaport('incrementCounter()', []),
    opaque('cow-settlement', 'approves_a_digest', 'setPreSignature(bytes orderUid, bool signed)', [uid, true]),
    cow('setPreSignature(bytes orderUid, bool signed)', [uid, false]),
    cow('invalidateOrder(bytes orderUid)', [uid]),
    of('1inch-limit-orders')('cancelOrder(uint256 makerTraits, bytes32 orderHash)', [0n, B32]),
  ];
}
