import { z } from 'zod';
import { evmChain, hash32, receipt, safeInteger, shortId, uuidV7, weiString } from './shapes.ts';

/** What clients have signed, and what stands around it: nonces, approvals, settlement. */

const bytes = (max: number, what: string) =>
  z.string().regex(new RegExp(`^0x(?:[0-9a-f]{2}){1,${max}}$`), `${what} in lower-case hex`);

/** What every request to sign says besides what is to be signed. */
const request = {
  wallet: shortId,
  chain: evmChain,
  key: uuidV7.describe('idempotency key: the same key with the same body gets the first answer'),
  expires: safeInteger,
};

/** An unsigned transaction: a type byte and RLP (EIP-2718), or the RLP of a legacy one with its chain id (EIP-155). */
const transaction = bytes(131_072, 'the unsigned transaction');
/** The JSON of `eth_signTypedData_v4` (EIP-712): types, domain, primaryType, message. */
const typedData = z.string().min(2).max(65_536);
/** A text (EIP-191). Digests and other bytes are no text. */
const message = z.string().min(1).max(16_384);
/** 0x05 ‖ rlp([chain id, address, nonce]) (EIP-7702). */
const authorization = bytes(64, 'the authorisation');

export const transactionRequest = z.strictObject({ ...request, transaction });
export const typedDataRequest = z.strictObject({ ...request, typedData });
export const messageRequest = z.strictObject({ ...request, message });
export const authorizationRequest = z.strictObject({ ...request, authorization });

/**
 * `signature`: `0x`, r, s and v (27 or 28), 65 bytes. What it is over the client knows, and computes from what it asked for:
 * the digest (EIP-155, EIP-2718, EIP-191, EIP-712, EIP-7702), and the signed transaction.
 */
export const signatureAnswer = z.strictObject({ signature: z.string().regex(/^0x[0-9a-f]{130}$/), receipt });

/** What is to be signed, to be explained and not signed. */
export const payload = z.union([
  z.strictObject({ transaction }),
  z.strictObject({ typedData }),
  z.strictObject({ message }),
  z.strictObject({ authorization }),
]);

/** A request that operators have to agree to before it is signed. */
export const approvalInfo = z.strictObject({
  approval: shortId,
  client: shortId,
  wallet: shortId,
  chain: evmChain,
  form: z.enum(['transaction', 'typed-data', 'message', 'delegation']),
  digest: hash32.describe('Keccak-256 of what would be signed'),
  sentence: z.string(),
  grant: z.string(),
  nonce: safeInteger.nullable().optional().describe('of a transaction'),
  maxFeeWei: weiString.nullable().optional().describe('what a transaction may cost at most'),
  needed: safeInteger,
  given: z.array(shortId).describe('operators who agreed'),
  asked: safeInteger,
  expires: safeInteger,
});

/**
 * How something that was signed ended: `executed` (final on the chain), `never` (it can no longer get there),
 * `allowance-ended` (what it allowed is zero on the chain and cannot rise again by it). `seq`: the entry that permitted it.
 */
export const settlement = z.strictObject({
  wallet: shortId,
  seq: safeInteger,
  outcome: z.enum(['executed', 'never', 'allowance-ended']),
});

export type Payload = z.infer<typeof payload>;
export type ApprovalInfo = z.infer<typeof approvalInfo>;
export type Settlement = z.infer<typeof settlement>;
export type SignatureAnswer = z.infer<typeof signatureAnswer>;
