import { fromHex, toHex, type Keccak256 } from '@keepwatch/base';
import type { Address } from '../address.ts';
import type { Authorization } from '../authorization.ts';
import type { Registry } from '../registry/registry.ts';
import { encodeRlp, uintToBytes } from '../rlp.ts';
import { feeOf, type Transaction } from '../transaction.ts';
import { newFindings, walkCall, type Findings } from './call-tree.ts';
import type { Action, Intent } from './intent.ts';

/** What a decoder has to know besides the bytes. */
export interface IntentContext {
  /** The account whose key would sign. */
  readonly wallet: Address;
  readonly registry: Registry;
  readonly keccak: Keccak256;
  /**
   * Whether the wallet may have code of a delegate (EIP-7702): that it ever signed an authorisation is enough. Calls to
   * itself then run that code; without it they do nothing, and cancel a transaction of the same nonce.
   */
  readonly delegated: boolean;
}

/**
 * What the transaction would do: the leaves of its call tree, and all that may leave by them. It has an answer for every
 * transaction; what cannot be understood makes the intent opaque.
 */
export function intentOfTransaction(transaction: Transaction, context: IntentContext): Intent {
  const { wallet, registry } = context;
  const chain = `eip155:${transaction.chainId}`;
  const findings = newFindings();
  const { to, value, data } = transaction;
  if (transaction.type === 'eip7702') {
    for (const authorization of transaction.authorizationList) findings.actions.push(delegationOf(authorization));
  }
  if (to === null) {
    addCreation(findings, transaction, context);
  } else if (!(transaction.type === 'eip7702' && to === wallet && value === 0n && data.length === 0)) {
    // What is left out above is the usual way to bring nothing but an authorisation to the chain.
    const delegated = context.delegated || transaction.type === 'eip7702';
    walkCall({ chain, wallet, registry, delegated, findings }, { sender: wallet, to, value, data, callType: 'call' });
  }
  const { actions, outflows, opaque, notes } = findings;
  const { nonce } = transaction;
  return { form: 'transaction', chain, nonce, fee: feeOf(transaction), actions, outflows, opaque, notes };
}

/** What the authorisation alone would do: hand the wallet over to the delegate's code (EIP-7702). */
export function intentOfAuthorization(authorization: Authorization): Intent {
  return {
    form: 'delegation',
    chain: `eip155:${authorization.chainId}`,
    nonce: authorization.nonce,
    fee: null,
    actions: [delegationOf(authorization)],
    outflows: [],
    opaque: null,
    notes: [],
  };
}

/** What signing the text would do: nothing that can be seen. `decodeMessage` has refused what is no text. */
export function intentOfMessage(text: string, chain: string): Intent {
  return {
    form: 'message',
    chain,
    nonce: null,
    fee: null,
    actions: [{ kind: 'message', text }],
    outflows: [],
    opaque: null,
    notes: [],
  };
}

function delegationOf({ address, chainId, nonce }: Authorization): Action {
  return { kind: 'delegation', delegate: address, chainId: BigInt(chainId), nonce: BigInt(nonce) };
}

function addCreation(
  { actions, outflows }: Findings,
  { nonce, value, data }: Transaction,
  context: IntentContext,
): void {
  const { wallet, keccak } = context;
  actions.push({
    kind: 'contract-creation',
    initCodeHash: `0x${toHex(keccak(data))}`,
    initCodeBytes: data.length,
    value,
  });
  if (value === 0n) return;
  const to = createdAddress(wallet, nonce, keccak);
  outflows.push({
    account: 'wallet',
    asset: 'native',
    amount: value,
    to,
    route: 'value',
    holds: 'spent',
    untilMs: null,
  });
}

/** Where a contract that the account creates will stand (Yellow Paper, section 7): it depends on the nonce alone. */
export function createdAddress(creator: Address, nonce: number, keccak: Keccak256): Address {
  const hash = keccak(encodeRlp([fromHex(creator)!, uintToBytes(BigInt(nonce))]));
  return `0x${toHex(hash.subarray(12))}`;
}
