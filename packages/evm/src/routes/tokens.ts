import type { Address } from '../address.ts';
import { addressAt, amountOf, boolAt, bytesAt, listAt, uintAt, uintOf, ZERO_ADDRESS } from './arguments.ts';
import type { RouteName } from '../intents/intent.ts';
import { harmless, type Call, type CallRoute, type Effect, type Standard, type TokenMove } from './route.ts';

// Tokens: ERC-20 and what grew around it, ERC-721 and ERC-1155. Each function moves tokens of the called contract.

interface Fungible {
  readonly from?: Address;
  readonly to: Address;
  readonly amount: bigint | 'unlimited';
  readonly route: RouteName;
}

function spend(call: Call, { from = call.sender, to, amount, route }: Fungible): Effect {
  return move({
    standard: 'erc20',
    token: call.contract,
    id: null,
    amount,
    from,
    to,
    route,
    holds: 'spent',
    untilMs: null,
  });
}

/** The right lasts until it is used or taken back: the deadline of a permit ends its signature, not the allowance. */
function allow(call: Call, { from = call.sender, to, amount, route }: Fungible): Effect {
  return move({
    standard: 'erc20',
    token: call.contract,
    id: null,
    amount,
    from,
    to,
    route,
    holds: 'allowance',
    untilMs: null,
  });
}

function move(...moves: readonly TokenMove[]): Effect {
  return { does: 'move', moves };
}

/** The receiver is called with these bytes and may do with the tokens whatever they say: to whom they go is in there. */
function unlessData(data: Uint8Array, effect: () => Effect): Effect {
  return data.length === 0 ? effect() : { does: 'opaque', why: 'callback_data' };
}

export const erc20: Standard = {
  name: 'erc20',
  title: 'ERC-20',
  needs: ['decimals'],
  calls: [
    {
      line: 'transfer(address to, uint256 amount)',
      route: 'transfer',
      says: '`amount` of the token, to `to`',
      effect: (call) =>
        spend(call, { to: addressAt(call.args, 0), amount: amountOf(uintAt(call.args, 1)), route: 'transfer' }),
    },
    {
      line: 'transferFrom(address from, address to, uint256 amount)',
      route: 'transfer-from',
      says: '`amount` of the token, from `from` (the wallet or, by an allowance, anybody) to `to`',
      effect: (call) =>
        spend(call, {
          from: addressAt(call.args, 0),
          to: addressAt(call.args, 1),
          amount: amountOf(uintAt(call.args, 2)),
          route: 'transfer-from',
        }),
    },
    {
      line: 'approve(address spender, uint256 amount)',
      route: 'approve',
      says: '`amount` of the token, held for `spender`; 2^256−1 is unlimited; zero gives nothing back',
      effect: (call) =>
        allow(call, { to: addressAt(call.args, 0), amount: amountOf(uintAt(call.args, 1)), route: 'approve' }),
    },
    ...['increaseAllowance', 'increaseApproval'].map((name) => ({
      line: `${name}(address spender, uint256 addedValue)`,
      route: 'increase-allowance' as const,
      says: '`addedValue` of the token, held for `spender` on top of what it may take already',
      effect: (call: Call) =>
        allow(call, {
          to: addressAt(call.args, 0),
          amount: amountOf(uintAt(call.args, 1)),
          route: 'increase-allowance',
        }),
    })),
    ...['decreaseAllowance', 'decreaseApproval'].map((name) => ({
      line: `${name}(address spender, uint256 subtractedValue)`,
      route: 'approve' as const,
      says: 'nothing more; what was reserved stays reserved',
      effect: (call: Call) => allow(call, { to: addressAt(call.args, 0), amount: 0n, route: 'approve' }),
    })),
  ],
};

export const erc20Burnable: Standard = {
  name: 'erc20-burnable',
  title: 'ERC-20 with burn',
  calls: [
    {
      line: 'burn(uint256 amount)',
      route: 'transfer',
      says: '`amount` of the token, to nobody',
      effect: (call) => spend(call, { to: ZERO_ADDRESS, amount: amountOf(uintAt(call.args, 0)), route: 'transfer' }),
    },
    {
      line: 'burnFrom(address account, uint256 amount)',
      route: 'transfer',
      says: '`amount` of the token, from `account` to nobody',
      effect: (call) =>
        spend(call, {
          from: addressAt(call.args, 0),
          to: ZERO_ADDRESS,
          amount: amountOf(uintAt(call.args, 1)),
          route: 'transfer',
        }),
    },
  ],
};

const permit = (line: string): CallRoute => ({
  line,
  route: 'permit',
  says: '`value` of `owner`’s token, held for `spender`; the deadline ends the signature, not the allowance',
  effect: (call) =>
    allow(call, {
      from: addressAt(call.args, 0),
      to: addressAt(call.args, 1),
      amount: amountOf(uintAt(call.args, 2)),
      route: 'permit',
    }),
});

export const eip2612: Standard = {
  name: 'eip2612',
  title: 'EIP-2612 permit (and EIP-7597)',
  calls: [
    permit('permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)'),
    permit('permit(address owner, address spender, uint256 value, uint256 deadline, bytes signature)'),
  ],
};

export const daiPermit: Standard = {
  name: 'dai-permit',
  title: 'DAI’s permit',
  calls: [
    {
      line: 'permit(address holder, address spender, uint256 nonce, uint256 expiry, bool allowed, uint8 v, bytes32 r, bytes32 s)',
      route: 'dai-permit',
      says: 'unlimited, held for `spender`, where `allowed`; else nothing',
      effect: (call) =>
        allow(call, {
          from: addressAt(call.args, 0),
          to: addressAt(call.args, 1),
          amount: boolAt(call.args, 4) ? 'unlimited' : 0n,
          route: 'dai-permit',
        }),
    },
  ],
};

const AUTHORIZED = 'address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce';
const authorized = (line: string): CallRoute => ({
  line,
  route: 'eip3009',
  says: '`value` of the token, from `from` to `to`',
  effect: (call) =>
    spend(call, {
      from: addressAt(call.args, 0),
      to: addressAt(call.args, 1),
      amount: amountOf(uintAt(call.args, 2)),
      route: 'eip3009',
    }),
});

export const eip3009: Standard = {
  name: 'eip3009',
  title: 'EIP-3009 transfers by authorisation',
  calls: [
    authorized(`transferWithAuthorization(${AUTHORIZED}, uint8 v, bytes32 r, bytes32 s)`),
    authorized(`transferWithAuthorization(${AUTHORIZED}, bytes signature)`),
    authorized(`receiveWithAuthorization(${AUTHORIZED}, uint8 v, bytes32 r, bytes32 s)`),
    authorized(`receiveWithAuthorization(${AUTHORIZED}, bytes signature)`),
    harmless('cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s)'),
    harmless('cancelAuthorization(address authorizer, bytes32 nonce, bytes signature)'),
  ],
};

export const erc777: Standard = {
  name: 'erc777',
  title: 'ERC-777',
  calls: [
    {
      line: 'send(address recipient, uint256 amount, bytes data)',
      route: 'erc777',
      says: '`amount` of the token, to `recipient`; opaque with data, which the recipient obeys',
      effect: (call) =>
        unlessData(bytesAt(call.args, 2), () =>
          spend(call, { to: addressAt(call.args, 0), amount: amountOf(uintAt(call.args, 1)), route: 'erc777' }),
        ),
    },
    {
      line: 'operatorSend(address sender, address recipient, uint256 amount, bytes data, bytes operatorData)',
      route: 'erc777',
      says: '`amount` of the token, from `sender` to `recipient`; opaque with data',
      effect: (call) =>
        unlessData(bytesAt(call.args, 3), () =>
          unlessData(bytesAt(call.args, 4), () =>
            spend(call, {
              from: addressAt(call.args, 0),
              to: addressAt(call.args, 1),
              amount: amountOf(uintAt(call.args, 2)),
              route: 'erc777',
            }),
          ),
        ),
    },
    {
      line: 'burn(uint256 amount, bytes data)',
      route: 'transfer',
      says: '`amount` of the token, to nobody',
      effect: (call) => spend(call, { to: ZERO_ADDRESS, amount: amountOf(uintAt(call.args, 0)), route: 'transfer' }),
    },
    {
      line: 'authorizeOperator(address operator)',
      route: 'erc777',
      says: 'unlimited, held for `operator`',
      effect: (call) => allow(call, { to: addressAt(call.args, 0), amount: 'unlimited', route: 'erc777' }),
    },
    {
      line: 'revokeOperator(address operator)',
      route: 'erc777',
      says: 'nothing more; what was reserved stays reserved',
      effect: (call) => allow(call, { to: addressAt(call.args, 0), amount: 0n, route: 'erc777' }),
    },
  ],
};

const sendAndCall = (line: string, dataAt: number | null): CallRoute => ({
  line,
  route: 'transfer-and-call',
  says: `the amount of the token, to the receiver, which is called${dataAt === null ? '' : '; opaque with data, which it obeys'}`,
  effect: (call) =>
    unlessData(dataAt === null ? NO_DATA : bytesAt(call.args, dataAt), () =>
      spend(call, { to: addressAt(call.args, 0), amount: amountOf(uintAt(call.args, 1)), route: 'transfer-and-call' }),
    ),
});
const NO_DATA = new Uint8Array(0);

export const erc677: Standard = {
  name: 'erc677',
  title: 'ERC-677',
  calls: [sendAndCall('transferAndCall(address to, uint256 value, bytes data)', 2)],
};

const takeAndCall = (line: string, dataAt: number | null): CallRoute => ({
  ...sendAndCall(line, dataAt),
  says: `the amount of the token, from \`from\` to \`to\`, which is called${dataAt === null ? '' : '; opaque with data'}`,
  effect: (call) =>
    unlessData(dataAt === null ? NO_DATA : bytesAt(call.args, dataAt), () =>
      spend(call, {
        from: addressAt(call.args, 0),
        to: addressAt(call.args, 1),
        amount: amountOf(uintAt(call.args, 2)),
        route: 'transfer-and-call',
      }),
    ),
});

const allowAndCall = (line: string, dataAt: number | null): CallRoute => ({
  ...sendAndCall(line, dataAt),
  says: `the amount of the token, held for \`spender\`, which is called${dataAt === null ? '' : '; opaque with data'}`,
  effect: (call) =>
    unlessData(dataAt === null ? NO_DATA : bytesAt(call.args, dataAt), () =>
      allow(call, { to: addressAt(call.args, 0), amount: amountOf(uintAt(call.args, 1)), route: 'transfer-and-call' }),
    ),
});

export const erc1363: Standard = {
  name: 'erc1363',
  title: 'ERC-1363',
  calls: [
    sendAndCall('transferAndCall(address to, uint256 value)', null),
    sendAndCall('transferAndCall(address to, uint256 value, bytes data)', 2),
    takeAndCall('transferFromAndCall(address from, address to, uint256 value)', null),
    takeAndCall('transferFromAndCall(address from, address to, uint256 value, bytes data)', 3),
    allowAndCall('approveAndCall(address spender, uint256 value)', null),
    allowAndCall('approveAndCall(address spender, uint256 value, bytes data)', 2),
  ],
};

interface Item {
  readonly id: bigint | null;
  readonly to: Address;
  readonly amount: bigint | 'unlimited';
  readonly route: RouteName;
}

function spendItem(call: Call, from: Address, item: Item): TokenMove {
  return { standard: 'erc721', token: call.contract, ...item, from, holds: 'spent', untilMs: null };
}

function allowItem(call: Call, item: Item): TokenMove {
  return { standard: 'erc721', token: call.contract, ...item, from: call.sender, holds: 'allowance', untilMs: null };
}

const moveNft = (line: string, dataAt: number | null): CallRoute => ({
  line,
  route: 'transfer-from',
  says: `one item, from \`from\` to \`to\`${dataAt === null ? '' : '; opaque with data, which the recipient obeys'}`,
  effect: (call) =>
    unlessData(dataAt === null ? NO_DATA : bytesAt(call.args, dataAt), () =>
      move(
        spendItem(call, addressAt(call.args, 0), {
          id: uintAt(call.args, 2),
          to: addressAt(call.args, 1),
          amount: 1n,
          route: 'transfer-from',
        }),
      ),
    ),
});

export const erc721: Standard = {
  name: 'erc721',
  title: 'ERC-721',
  calls: [
    moveNft('transferFrom(address from, address to, uint256 tokenId)', null),
    moveNft('safeTransferFrom(address from, address to, uint256 tokenId)', null),
    moveNft('safeTransferFrom(address from, address to, uint256 tokenId, bytes data)', 3),
    {
      line: 'approve(address to, uint256 tokenId)',
      route: 'approve',
      says: 'one item, held for `to`; nothing where `to` is zero',
      effect: (call) => {
        const to = addressAt(call.args, 0);
        const amount = to === ZERO_ADDRESS ? 0n : 1n;
        return move(allowItem(call, { id: uintAt(call.args, 1), to, amount, route: 'approve' }));
      },
    },
    {
      line: 'setApprovalForAll(address operator, bool approved)',
      route: 'approval-for-all',
      says: 'every item, held for `operator`, where `approved`; else nothing',
      effect: (call) =>
        move(
          allowItem(call, {
            id: null,
            to: addressAt(call.args, 0),
            amount: boolAt(call.args, 1) ? 'unlimited' : 0n,
            route: 'approval-for-all',
          }),
        ),
    },
  ],
};

export const erc1155: Standard = {
  name: 'erc1155',
  title: 'ERC-1155',
  calls: [
    {
      line: 'safeTransferFrom(address from, address to, uint256 id, uint256 amount, bytes data)',
      route: 'transfer-from',
      says: '`amount` of item `id`, from `from` to `to`; opaque with data, which the recipient obeys',
      effect: (call) =>
        unlessData(bytesAt(call.args, 4), () => move(items(call, uintAt(call.args, 2), uintAt(call.args, 3)))),
    },
    {
      line: 'safeBatchTransferFrom(address from, address to, uint256[] ids, uint256[] amounts, bytes data)',
      route: 'transfer-from',
      says: 'the amount of each item, from `from` to `to`; opaque with data',
      effect: (call) => {
        const ids = listAt(call.args, 2);
        const amounts = listAt(call.args, 3);
        if (ids.length !== amounts.length || ids.length === 0) return { does: 'opaque', why: 'malformed_batch' };
        return unlessData(bytesAt(call.args, 4), () =>
          move(...ids.map((id, i) => items(call, uintOf(id), uintOf(amounts[i])))),
        );
      },
    },
    {
      line: 'setApprovalForAll(address operator, bool approved)',
      route: 'approval-for-all',
      says: 'every item, held for `operator`, where `approved`; else nothing',
      effect: (call) =>
        move({
          standard: 'erc1155',
          token: call.contract,
          id: null,
          amount: boolAt(call.args, 1) ? 'unlimited' : 0n,
          from: call.sender,
          to: addressAt(call.args, 0),
          route: 'approval-for-all',
          holds: 'allowance',
          untilMs: null,
        }),
    },
  ],
};

function items(call: Call, id: bigint, amount: bigint): TokenMove {
  return {
    standard: 'erc1155',
    token: call.contract,
    id,
    amount: amountOf(amount),
    from: addressAt(call.args, 0),
    to: addressAt(call.args, 1),
    route: 'transfer-from',
    holds: 'spent',
    untilMs: null,
  };
}
