import type { NamedValue } from '../abi/value.ts';
import type { Address } from '../address.ts';
import { lookup } from '../registry/registry.ts';
import { addressAt, amount160Of, amountOf, tupleAt, tuplesAt, uintAt, untilOf } from './arguments.ts';
import { harmless, type Call, type CallRoute, type Effect, type Standard, type TokenMove } from './route.ts';

// Permit2 (github.com/Uniswap/permit2): one contract that holds allowances of all tokens, and lends them on by signature.

/**
 * Moves of ERC-20 tokens that a contract names by address. Permit2 calls `transferFrom(address,address,uint256)` of whatever
 * it is told, which for an ERC-721 contract takes an ID and no amount: an address that is registered as something else is
 * not read as a token of this kind.
 */
export function moves(call: Pick<Call, 'registry' | 'chain'>, list: readonly TokenMove[]): Effect {
  return list.every(({ token }) => isFungible(call, token)) && list.length > 0
    ? { does: 'move', moves: list }
    : { does: 'opaque', why: list.length === 0 ? 'empty_batch' : 'not_a_fungible_token' };
}

export function isFungible({ registry, chain }: Pick<Call, 'registry' | 'chain'>, token: Address): boolean {
  const entry = lookup(registry, chain, token)?.entry;
  return entry === undefined || entry.standards.includes('erc20');
}

/** What a PermitDetails tuple (token, amount, expiration, nonce) holds for the spender. */
export function allowanceOf(
  details: readonly NamedValue[],
  owner: Address,
  spender: Address,
  deadline: bigint | null,
): TokenMove {
  return allowance(owner, addressAt(details, 0), spender, uintAt(details, 1), uintAt(details, 2), deadline);
}

/**
 * An expiration of zero means the block in which the allowance is made: some time up to the signature's deadline, and
 * where there is none, a time that is not known.
 */
function allowance(
  from: Address,
  token: Address,
  to: Address,
  amount: bigint,
  expiration: bigint,
  deadline: bigint | null,
): TokenMove {
  const untilMs = expiration !== 0n ? untilOf(expiration) : deadline === null ? null : untilOf(deadline);
  return {
    standard: 'erc20',
    token,
    id: null,
    amount: amount160Of(amount),
    from,
    to,
    route: 'permit2',
    holds: 'allowance',
    untilMs,
  };
}

const spent = (from: Address, to: Address, token: Address, amount: bigint | 'unlimited'): TokenMove => ({
  standard: 'erc20',
  token,
  id: null,
  amount,
  from,
  to,
  route: 'permit2-transfer',
  holds: 'spent',
  untilMs: null,
});

/** AllowanceTransferDetails: (from, to, amount, token). */
export function detailsOf(details: readonly NamedValue[]): TokenMove {
  return spent(addressAt(details, 0), addressAt(details, 1), addressAt(details, 3), amount160Of(uintAt(details, 2)));
}

const DETAILS = 'address token, uint160 amount, uint48 expiration, uint48 nonce';
export const PERMIT_SINGLE = `((${DETAILS}) details, address spender, uint256 sigDeadline)`;
export const PERMIT_BATCH = `((${DETAILS})[] details, address spender, uint256 sigDeadline)`;
export const TRANSFER_DETAILS = '(address from, address to, uint160 amount, address token)';
const PERMITTED = '(address token, uint256 amount)';
const REQUESTED = '(address to, uint256 requestedAmount)';
const ONE = `(${PERMITTED} permitted, uint256 nonce, uint256 deadline) permit, ${REQUESTED} transferDetails, address owner`;
const MANY = `(${PERMITTED}[] permitted, uint256 nonce, uint256 deadline) permit, ${REQUESTED}[] transferDetails, address owner`;
const WITNESS = 'bytes32 witness, string witnessTypeString, bytes signature';

/** PermitSingle: (details, spender, sigDeadline). */
export function permitSingle(permit: readonly NamedValue[], owner: Address): TokenMove[] {
  return [allowanceOf(tupleAt(permit, 0), owner, addressAt(permit, 1), uintAt(permit, 2))];
}

/** PermitBatch: (details[], spender, sigDeadline). */
export function permitBatch(permit: readonly NamedValue[], owner: Address): TokenMove[] {
  return tuplesAt(permit, 0).map((details) => allowanceOf(details, owner, addressAt(permit, 1), uintAt(permit, 2)));
}

const transferOne = (line: string): CallRoute => ({
  line,
  route: 'permit2-transfer',
  says: '`requestedAmount` of the token, from `owner` to `to`',
  effect: (call) => {
    const [permitted, requested] = [tupleAt(tupleAt(call.args, 0), 0), tupleAt(call.args, 1)];
    const amount = amountOf(uintAt(requested, 1));
    return moves(call, [spent(addressAt(call.args, 2), addressAt(requested, 0), addressAt(permitted, 0), amount)]);
  },
});

const transferMany = (line: string): CallRoute => ({
  line,
  route: 'permit2-transfer',
  says: 'each `requestedAmount` of its token, from `owner` to its `to`',
  effect: (call) => {
    const permitted = tuplesAt(tupleAt(call.args, 0), 0);
    const requested = tuplesAt(call.args, 1);
    if (permitted.length !== requested.length) return { does: 'opaque', why: 'malformed_batch' };
    const owner = addressAt(call.args, 2);
    return moves(
      call,
      requested.map((each, i) =>
        spent(owner, addressAt(each, 0), addressAt(permitted[i]!, 0), amountOf(uintAt(each, 1))),
      ),
    );
  },
});

export const permit2: Standard = {
  name: 'permit2',
  title: 'Permit2',
  calls: [
    {
      line: 'approve(address token, address spender, uint160 amount, uint48 expiration)',
      route: 'permit2',
      says: '`amount` of `token`, held for `spender` until `expiration`; 2^160−1 is unlimited',
      effect: (call) =>
        moves(call, [
          allowance(
            call.sender,
            addressAt(call.args, 0),
            addressAt(call.args, 1),
            uintAt(call.args, 2),
            uintAt(call.args, 3),
            null,
          ),
        ]),
    },
    {
      line: `permit(address owner, ${PERMIT_SINGLE} permitSingle, bytes signature)`,
      route: 'permit2',
      says: '`amount` of `owner`’s token, held for `spender` until `expiration`',
      effect: (call) => moves(call, permitSingle(tupleAt(call.args, 1), addressAt(call.args, 0))),
    },
    {
      line: `permit(address owner, ${PERMIT_BATCH} permitBatch, bytes signature)`,
      route: 'permit2',
      says: 'the same, for each token',
      effect: (call) => moves(call, permitBatch(tupleAt(call.args, 1), addressAt(call.args, 0))),
    },
    {
      line: 'transferFrom(address from, address to, uint160 amount, address token)',
      route: 'permit2-transfer',
      says: '`amount` of `token`, from `from` to `to`',
      effect: (call) => moves(call, [detailsOf(call.args)]),
    },
    {
      line: `transferFrom(${TRANSFER_DETAILS}[] transferDetails)`,
      route: 'permit2-transfer',
      says: 'the same, for each transfer',
      effect: (call) => moves(call, tuplesAt(call.args, 0).map(detailsOf)),
    },
    transferOne(`permitTransferFrom(${ONE}, bytes signature)`),
    transferMany(`permitTransferFrom(${MANY}, bytes signature)`),
    transferOne(`permitWitnessTransferFrom(${ONE}, ${WITNESS})`),
    transferMany(`permitWitnessTransferFrom(${MANY}, ${WITNESS})`),
    harmless('lockdown((address token, address spender)[] approvals)', 'nothing: allowances end'),
    harmless('invalidateNonces(address token, address spender, uint48 newNonce)', 'nothing: signatures end'),
    harmless('invalidateUnorderedNonces(uint256 wordPos, uint256 mask)', 'nothing: signatures end'),
  ],
};
