import type { NamedValue } from '../abi/value.ts';
import { addressAt, amountOf, boolAt, bytesAt, tupleAt, tuplesAt, uintAt, untilOf } from './arguments.ts';
import { safeRefund, safeTransaction } from './batches.ts';
import { isFungible, permitBatch, permitSingle } from './permit2.ts';
import type { Leak, TokenMove } from './route.ts';
import { allows, type Signed, type SignedEffect, type TypedRoute } from './typed-route.ts';

// Signatures that move tokens or credit, or make a Safe act: each is as good as the call that it stands for.

const own = ({ contract }: Signed) => `erc20:${contract}`;

export const eip2612Types: readonly TypedRoute[] = [
  {
    type: 'Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)',
    route: 'permit',
    says: '`value` of `owner`’s token, held for `spender`; the deadline ends the signature, not the allowance',
    effect: (signed) =>
      allows({
        account: addressAt(signed.fields, 0),
        asset: own(signed),
        amount: amountOf(uintAt(signed.fields, 2)),
        to: addressAt(signed.fields, 1),
        holds: 'allowance',
      }),
  },
];

export const daiTypes: readonly TypedRoute[] = [
  {
    type: 'Permit(address holder,address spender,uint256 nonce,uint256 expiry,bool allowed)',
    route: 'dai-permit',
    says: 'unlimited, held for `spender`, where `allowed`; else nothing',
    effect: (signed) =>
      allows({
        account: addressAt(signed.fields, 0),
        asset: own(signed),
        amount: boolAt(signed.fields, 4) ? 'unlimited' : 0n,
        to: addressAt(signed.fields, 1),
        holds: 'allowance',
      }),
  },
];

export const eip3009Types: readonly TypedRoute[] = [
  ...['TransferWithAuthorization', 'ReceiveWithAuthorization'].map((name): TypedRoute => ({
    type: `${name}(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)`,
    route: 'eip3009',
    says: '`value` of the token, from `from` to `to`, until `validBefore`',
    effect: (signed) =>
      allows({
        account: addressAt(signed.fields, 0),
        asset: own(signed),
        amount: amountOf(uintAt(signed.fields, 2)),
        to: addressAt(signed.fields, 1),
        holds: 'allowance',
        untilMs: untilOf(uintAt(signed.fields, 4)),
      }),
  })),
  {
    type: 'CancelAuthorization(address authorizer,bytes32 nonce)',
    route: null,
    says: 'nothing: an authorisation ends',
    effect: () => allows(),
  },
];

/** Permit2 takes the signer for the owner. */
function lent(signed: Signed, moves: readonly TokenMove[]): SignedEffect {
  if (moves.length === 0) return { does: 'opaque', why: 'empty_batch' };
  if (!moves.every(({ token }) => isFungible(signed, token))) return { does: 'opaque', why: 'not_a_fungible_token' };
  return allows(
    ...moves.map(({ from, token, amount, to, untilMs }): Leak => ({
      account: from,
      asset: `erc20:${token}`,
      amount,
      to,
      holds: 'allowance',
      untilMs,
    })),
  );
}

/** What TokenPermissions (token, amount) lend to the spender, once, until the deadline. */
function once(signed: Signed, permitted: readonly (readonly NamedValue[])[]): SignedEffect {
  return lent(
    signed,
    permitted.map((each) => ({
      standard: 'erc20',
      token: addressAt(each, 0),
      id: null,
      amount: amountOf(uintAt(each, 1)),
      from: signed.wallet,
      to: addressAt(signed.fields, 1),
      route: 'permit2',
      holds: 'allowance',
      untilMs: untilOf(uintAt(signed.fields, 3)),
    })),
  );
}

const DETAILS = 'PermitDetails(address token,uint160 amount,uint48 expiration,uint48 nonce)';
const PERMISSIONS = 'TokenPermissions(address token,uint256 amount)';
const TAIL = 'address spender,uint256 nonce,uint256 deadline';
const ONE = '`amount` of the token, for `spender`, until `deadline`';
const MANY = 'each `amount` of its token, for `spender`, until `deadline`';
const one = (type: string): TypedRoute => ({
  type,
  route: 'permit2',
  says: ONE,
  effect: (signed) => once(signed, [tupleAt(signed.fields, 0)]),
});
const many = (type: string): TypedRoute => ({
  type,
  route: 'permit2',
  says: MANY,
  effect: (signed) => once(signed, tuplesAt(signed.fields, 0)),
});

export const permit2Types: readonly TypedRoute[] = [
  {
    type: `PermitSingle(PermitDetails details,address spender,uint256 sigDeadline)${DETAILS}`,
    route: 'permit2',
    says: '`amount` of the token, held for `spender` until `expiration`; 2^160−1 is unlimited',
    effect: (signed) => lent(signed, permitSingle(signed.fields, signed.wallet)),
  },
  {
    type: `PermitBatch(PermitDetails[] details,address spender,uint256 sigDeadline)${DETAILS}`,
    route: 'permit2',
    says: 'the same, for each token',
    effect: (signed) => lent(signed, permitBatch(signed.fields, signed.wallet)),
  },
  one(`PermitTransferFrom(TokenPermissions permitted,${TAIL})${PERMISSIONS}`),
  many(`PermitBatchTransferFrom(TokenPermissions[] permitted,${TAIL})${PERMISSIONS}`),
  // The witness says to the spender what it is for; Permit2 lends the tokens whatever it says.
  one(`PermitWitnessTransferFrom(TokenPermissions permitted,${TAIL},`),
  many(`PermitBatchWitnessTransferFrom(TokenPermissions[] permitted,${TAIL},`),
];

export const aaveDebtTypes: readonly TypedRoute[] = [
  {
    type: 'DelegationWithSig(address delegatee,uint256 value,uint256 nonce,uint256 deadline)',
    route: 'aave-delegation',
    says: '`value` of the underlying token in the signer’s credit, held for `delegatee`',
    effect: (signed) =>
      allows({
        account: signed.wallet,
        asset: `erc20:${signed.entry.underlying!}`,
        amount: amountOf(uintAt(signed.fields, 1)),
        to: addressAt(signed.fields, 0),
        holds: 'allowance',
      }),
  },
];

export const compoundV3Types: readonly TypedRoute[] = [
  {
    type: 'Authorization(address owner,address manager,bool isAllowed,uint256 nonce,uint256 expiry)',
    route: 'compound-allow',
    says: 'unlimited of the market’s token, which stands for all that `owner` has there, held for `manager`',
    effect: (signed) =>
      allows({
        account: addressAt(signed.fields, 0),
        asset: own(signed),
        amount: boolAt(signed.fields, 2) ? 'unlimited' : 0n,
        to: addressAt(signed.fields, 1),
        holds: 'allowance',
      }),
  },
];

export const safeTypes: readonly TypedRoute[] = [
  {
    type: 'SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce)',
    route: 'safe',
    says: 'what the inner call does, with the Safe as its sender; with a gas price, unlimited of the gas token besides',
    effect: ({ contract, fields }) => {
      const call = safeTransaction({
        safe: contract,
        to: addressAt(fields, 0),
        value: uintAt(fields, 1),
        data: bytesAt(fields, 2),
        operation: uintAt(fields, 3),
      });
      if (call === 'unknown_operation') return { does: 'opaque', why: call };
      // Without a receiver, whoever brings the signature to the chain is paid: that can be anybody.
      const refund = safeRefund(contract, uintAt(fields, 6), addressAt(fields, 7), addressAt(fields, 8), contract);
      return { does: 'nest', call, leaks: refund };
    },
  },
  {
    type: 'SafeMessage(bytes message)',
    route: null,
    says: 'opaque: the Safe signs whatever the bytes stand for',
    effect: () => ({ does: 'opaque', why: 'approves_a_digest' }),
  },
];
