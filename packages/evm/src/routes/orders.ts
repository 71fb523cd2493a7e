import type { NamedValue } from '../abi/value.ts';
import type { Address } from '../address.ts';
import { addressAt, amountOf, boolAt, bytesAt, tupleAt, tuplesAt, uintAt, untilOf, ZERO_ADDRESS } from './arguments.ts';
import { harmless, type Call, type Leak, type Standard } from './route.ts';
import { allows, type Signed, type SignedEffect, type TypedRoute } from './typed-route.ts';

// Orders: whoever fills one takes what is offered. That counts as held for the settlement contract until the order ends,
// whoever fills it; and what is asked for it, where it goes to somebody else than the signer, counts besides.

type Where = Pick<Call, 'registry' | 'chain' | 'contract'>;

/** The sign of several protocols for ether in the place of a token. */
const ETHER: Address = `0x${'e'.repeat(40)}`;
const assetOf = (token: Address) => (token === ETHER || token === ZERO_ADDRESS ? 'native' : `erc20:${token}`);

function offered(contract: Address, account: Address, asset: string, amount: bigint, until: bigint): Leak {
  return {
    account,
    asset,
    amount: amountOf(amount),
    to: contract,
    holds: 'allowance',
    untilMs: untilOf(until),
    route: 'order',
  };
}

/** What is paid for it goes to `receiver`: how much at most, only the one who fills it knows. */
function asked(contract: Address, owner: Address, receiver: Address, token: Address, until: bigint): Leak[] {
  if (receiver === owner || receiver === ZERO_ADDRESS) return [];
  return [
    {
      account: contract,
      asset: assetOf(token),
      amount: 'unlimited',
      to: receiver,
      holds: 'allowance',
      untilMs: untilOf(until),
      route: 'order',
    },
  ];
}

const OFFER = 'uint8 itemType,address token,uint256 identifierOrCriteria,uint256 startAmount,uint256 endAmount';
const ORDER_HEAD = 'address offerer,address zone,OfferItem[] offer,ConsiderationItem[] consideration,uint8 orderType';
const ORDER_TAIL = 'uint256 startTime,uint256 endTime,bytes32 zoneHash,uint256 salt,bytes32 conduitKey,uint256 counter';

/** An item of a Seaport order: native, ERC-20, ERC-721, ERC-1155, and the latter two by a criterion, which may be any ID. */
function itemAsset(item: readonly NamedValue[]): string | undefined {
  const token = addressAt(item, 1);
  switch (uintAt(item, 0)) {
    case 0n:
      return 'native';
    case 1n:
      return `erc20:${token}`;
    case 2n:
    case 4n:
      return `erc721:${token}`;
    case 3n:
      return `erc1155:${token}/${uintAt(item, 2)}`;
    case 5n:
      return `erc1155:${token}`;
    default:
      return undefined;
  }
}

/** Amounts move from start to end with time: the larger counts. */
function itemAmount(item: readonly NamedValue[]): bigint {
  const [start, end] = [uintAt(item, 3), uintAt(item, 4)];
  return start > end ? start : end;
}

/** OrderComponents and OrderParameters begin alike. `undefined`: an item of a kind that is not known. */
function seaportOrder(where: Where, order: readonly NamedValue[]): readonly Leak[] | undefined {
  const offerer = addressAt(order, 0);
  const until = uintAt(order, 6);
  const leaks: Leak[] = [];
  for (const item of tuplesAt(order, 2)) {
    const asset = itemAsset(item);
    if (asset === undefined) return undefined;
    leaks.push(offered(where.contract, offerer, asset, itemAmount(item), until));
  }
  for (const item of tuplesAt(order, 3)) {
    const asset = itemAsset(item);
    if (asset === undefined) return undefined;
    const to = addressAt(item, 5);
    if (to === offerer) continue;
    leaks.push({ ...offered(where.contract, where.contract, asset, itemAmount(item), until), to });
  }
  return leaks;
}

const ITEM = 'uint8 itemType, address token, uint256 identifierOrCriteria, uint256 startAmount, uint256 endAmount';
const ORDER = `address offerer, address zone, (${ITEM})[] offer, (${ITEM}, address recipient)[] consideration, uint8 orderType, uint256 startTime, uint256 endTime, bytes32 zoneHash, uint256 salt, bytes32 conduitKey`;

export const seaport: Standard = {
  name: 'seaport',
  title: 'Seaport',
  calls: [
    {
      line: `validate(((${ORDER}, uint256 totalOriginalConsiderationItems) parameters, bytes signature)[] orders)`,
      route: 'order',
      says: 'what each order offers, held until it ends, as if it had been signed',
      effect: (call) => {
        const orders = tuplesAt(call.args, 0).map((each) => seaportOrder(call, tupleAt(each, 0)));
        if (orders.some((each) => each === undefined)) return { does: 'opaque', why: 'malformed_order' };
        return { does: 'call', leaks: orders.flatMap((each) => each!) };
      },
    },
    harmless(`cancel((${ORDER}, uint256 counter)[] orders)`, 'nothing: orders end'),
    harmless('incrementCounter()', 'nothing: all orders end'),
  ],
  types: [
    {
      type: `OrderComponents(${ORDER_HEAD},${ORDER_TAIL})ConsiderationItem(${OFFER},address recipient)OfferItem(${OFFER})`,
      route: 'order',
      says: 'the larger amount of each item that is offered, until `endTime`; what is asked for others than the offerer, besides',
      effect: (signed) => {
        const leaks = seaportOrder(signed, signed.fields);
        return leaks ? allows(...leaks) : { does: 'opaque', why: 'malformed_order' };
      },
    },
  ],
};

export const cow: Standard = {
  name: 'cow-settlement',
  title: 'CoW Protocol',
  calls: [
    {
      line: 'setPreSignature(bytes orderUid, bool signed)',
      route: 'order',
      says: 'opaque where `signed`: the order’s digest does not say what it sells; else nothing',
      effect: (call) =>
        boolAt(call.args, 1) ? { does: 'opaque', why: 'approves_a_digest' } : { does: 'call', leaks: [] },
    },
    harmless('invalidateOrder(bytes orderUid)', 'nothing: the order ends'),
  ],
  types: [
    {
      type: 'Order(address sellToken,address buyToken,address receiver,uint256 sellAmount,uint256 buyAmount,uint32 validTo,bytes32 appData,uint256 feeAmount,string kind,bool partiallyFillable,string sellTokenBalance,string buyTokenBalance)',
      route: 'order',
      says: '`sellAmount` and `feeAmount` of `sellToken`, until `validTo`; `buyToken`, unlimited, to a `receiver` that is not the signer',
      effect: ({ contract, wallet, fields }) => {
        const until = uintAt(fields, 5);
        const amount = uintAt(fields, 3) + uintAt(fields, 7);
        return allows(
          offered(contract, wallet, assetOf(addressAt(fields, 0)), amount, until),
          ...asked(contract, wallet, addressAt(fields, 2), addressAt(fields, 1), until),
        );
      },
    },
  ],
};

/** Makers' traits of the Limit Order Protocol v4: bits 80 to 119 are the time of expiry (0: none), bit 249 says that there is an extension. */
const EXPIRY_SHIFT = 80n;
const HAS_EXTENSION = 1n << 249n;

function oneInchV4({ contract, fields }: Signed): SignedEffect {
  const traits = uintAt(fields, 7);
  // An extension may change amounts, add calls, and change what is transferred; its bytes are not signed here.
  if ((traits & HAS_EXTENSION) !== 0n) return { does: 'opaque', why: 'order_with_extension' };
  const expiry = (traits >> EXPIRY_SHIFT) & 0xff_ffff_ffffn;
  const until = expiry === 0n ? NEVER : expiry;
  const maker = addressAt(fields, 1);
  return allows(
    offered(contract, maker, assetOf(addressAt(fields, 3)), uintAt(fields, 5), until),
    ...asked(contract, maker, addressAt(fields, 2), addressAt(fields, 4), until),
  );
}

function oneInchV3({ contract, fields }: Signed): SignedEffect {
  if (bytesAt(fields, 9).length > 0) return { does: 'opaque', why: 'order_with_extension' };
  const maker = addressAt(fields, 3);
  return allows(
    offered(contract, maker, assetOf(addressAt(fields, 1)), uintAt(fields, 6), NEVER),
    ...asked(contract, maker, addressAt(fields, 4), addressAt(fields, 2), NEVER),
  );
}

const NEVER = 1n << 64n;

export const oneInch: Standard = {
  name: '1inch-limit-orders',
  title: '1inch Limit Order Protocol (v3, v4)',
  calls: [harmless('cancelOrder(uint256 makerTraits, bytes32 orderHash)', 'nothing: the order ends')],
  types: [
    {
      type: 'Order(uint256 salt,address maker,address receiver,address makerAsset,address takerAsset,uint256 makingAmount,uint256 takingAmount,uint256 makerTraits)',
      route: 'order',
      says: '`makingAmount` of `makerAsset`, until the expiry in the traits; `takerAsset`, unlimited, to a `receiver` that is not the maker; opaque with an extension',
      effect: oneInchV4,
    },
    {
      type: 'Order(uint256 salt,address makerAsset,address takerAsset,address maker,address receiver,address allowedSender,uint256 makingAmount,uint256 takingAmount,uint256 offsets,bytes interactions)',
      route: 'order',
      says: '`makingAmount` of `makerAsset`, without an end; `takerAsset`, unlimited, to a `receiver` that is not the maker; opaque with interactions',
      effect: oneInchV3,
    },
  ],
};

const zeroEx = (type: string, amountAt: number, makerAt: number, expiryAt: number): TypedRoute => ({
  type,
  route: 'order',
  says: '`makerAmount` of `makerToken`, until `expiry`; what is paid comes to the maker',
  effect: ({ contract, fields }) =>
    allows(
      offered(
        contract,
        addressAt(fields, makerAt),
        `erc20:${addressAt(fields, 0)}`,
        uintAt(fields, amountAt),
        uintAt(fields, expiryAt),
      ),
    ),
});

export const zeroExOrders: Standard = {
  name: '0x-orders',
  title: '0x v4 orders',
  calls: [],
  types: [
    zeroEx(
      'LimitOrder(address makerToken,address takerToken,uint128 makerAmount,uint128 takerAmount,uint128 takerTokenFeeAmount,address maker,address taker,address sender,address feeRecipient,bytes32 pool,uint64 expiry,uint256 salt)',
      2,
      5,
      10,
    ),
    zeroEx(
      'RfqOrder(address makerToken,address takerToken,uint128 makerAmount,uint128 takerAmount,address maker,address taker,address txOrigin,bytes32 pool,uint64 expiry,uint256 salt)',
      2,
      4,
      8,
    ),
  ],
};
