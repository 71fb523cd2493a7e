import { CodedError, concat, ok, toBase64url, toHex, utf8, type Result } from '@keepwatch/base';
import {
  denialDetails,
  permittedEntry,
  type ApprovalInfo,
  type GrantInfo,
  type MethodResult,
  type PermittedEntry,
  type ReceiptJson,
  type Settlement,
  type SignatureAnswer,
  type VaultStatus,
  type WalletInfo,
} from '@keepwatch/protocol';
import { timeOfUuidV7 } from '@keepwatch/wire';
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { Connection } from './connection.ts';
import { observeReceipts, type Observation, type ObserveOptions } from './client-observe.ts';
import { demandReceipt, type CheckedReceipt } from './receipt.ts';
import { signatureOver, signedTransaction, type SignedTransactionFault } from './signed-transaction.ts';
import { encodeTransfer, type EtherTransfer } from './transaction.ts';
import { newKey } from './idempotency-key.ts';
import { demandAuthorization, demandText, demandTransactionRequest, typedDataDigest } from './requests.ts';
import { allApprovals, allContracts, allGrants, allWallets, type RegisteredContract } from './lists.ts';

/**
 * How long a request is valid where the caller does not say, in ms, counted from the time in its idempotency key. So a
 * repeat has the same body as the first request, which the vault demands.
 */
const REQUEST_LIFETIME_MS = 5 * 60_000;

export interface SignTransactionRequest {
  /** Id of the wallet, as `wallets()` lists it. */
  readonly wallet: string;
  /**
   * A plain transfer of ether, or any unsigned transaction as bytes (EIP-2718; without a type: EIP-155): so calls of contracts
   * are signed. An object with other members than a transfer’s is refused.
   */
  readonly transaction: EtherTransfer | Uint8Array;
  /** CAIP-2, such as `eip155:1`. May be left out with a transfer, which names its chain itself. */
  readonly chain?: string;
  /**
   * Idempotency key (UUIDv7). Whoever repeats a request after a lost answer gives the same key again and gets the first
   * answer. Left out: a new one.
   */
  readonly key?: string;
  /**
   * Milliseconds since the Unix epoch after which the request is void. A repeat names the same. Left out: five minutes
   * after the time in the key.
   */
  readonly expires?: number;
}

/** What every request to sign names. `key` and `expires` as in {@link SignTransactionRequest}. */
export interface SignRequest {
  readonly wallet: string;
  /** CAIP-2, such as `eip155:1`: the grant's chain, for text as well. */
  readonly chain: string;
  readonly key?: string;
  readonly expires?: number;
}

export interface SignedData {
  /** `0x`, r, s and v (27 or 28). */
  readonly signature: string;
  /** `0x` and 64 hex digits: what was signed. */
  readonly digest: string;
  readonly decision: PermittedEntry;
  readonly receipt: CheckedReceipt;
  readonly key: string;
}

export interface SignedTransaction {
  /** What is broadcast. */
  readonly raw: Uint8Array;
  /** `0x` and 64 hex digits. */
  readonly hash: string;
  /** What the vault journaled before it signed: the grant, and its budgets before and after, in wei. */
  readonly decision: PermittedEntry;
  readonly receipt: CheckedReceipt;
  readonly key: string;
}

/**
 * A program that asks for signatures. Every method can throw the codes of `protocol`'s table and of the connection; those
 * that sign throw `params_invalid` for a member of the request that they do not know.
 */
export interface Client {
  /**
   * Asks to be registered under this name. An operator compares the id, which commits to the client's key, and
   * approves.
   */
  register(name: string): Promise<MethodResult<'peer.register'>>;
  status(): Promise<VaultStatus>;
  /** The wallets that a grant or the observer's right names. */
  wallets(): Promise<readonly WalletInfo[]>;
  /** The contracts that operators registered. For observers of a wallet; `not_allowed` for others. */
  contracts(): Promise<readonly RegisteredContract[]>;
  grants(): Promise<readonly GrantInfo[]>;
  /**
   * Has a transaction signed, if a grant allows it, and checks the answer: the signature is the wallet's over the very
   * transaction, and the journal holds the decision. What is broadcast is put together here.
   *
   * Throws `transfer_invalid` and `params_invalid` for what it does not know, before anything is asked; `denied` with
   * {@link Denial} in its details; `signed_transaction_differs` and `receipt_…` where the answer
   * does not hold.
   */
  signTransaction(request: SignTransactionRequest): Promise<SignedTransaction>;
  /**
   * Has typed data (EIP-712) signed, if a grant allows it. `typedData` is the JSON of `eth_signTypedData_v4`; `digest` is
   * what the caller computed of it by its own library, so that the vault's answer is held to it.
   */
  signTypedData(request: SignRequest & { readonly typedData: string; readonly digest: string }): Promise<SignedData>;
  /** Has a text (EIP-191) signed, if a grant allows it. The vault signs no digests. */
  signMessage(request: SignRequest & { readonly message: string }): Promise<SignedData>;
  /** Has an authorisation (EIP-7702) signed: 0x05 ‖ rlp([chain id, delegate, nonce]). */
  signAuthorization(request: SignRequest & { readonly authorization: Uint8Array }): Promise<SignedData>;
  /**
   * A nonce that the vault has not signed, at least `atLeast` (what the chain says), and that it gives to no other client
   * for a minute.
   */
  nextNonce(wallet: string, chain: string, atLeast?: number): Promise<number>;
  /** This client's requests that wait for operators. */
  approvals(): Promise<readonly ApprovalInfo[]>;
  /** Says how a signed request of a wallet ended. Needs the observer's right; who asked for it does not settle it. */
  settle(settlement: Settlement): Promise<void>;
  /** Follows the receipts of a wallet, in order and without gaps. Needs the observer's right. */
  observe(wallet: string, options: ObserveOptions): Observation;
}

export function createClient(connection: Connection): Client {
  const authority = connection.info;
  const addresses = new Map<string, string>();

  async function addressOf(wallet: string): Promise<string> {
    if (!addresses.has(wallet)) {
      for (const known of await allWallets(connection)) addresses.set(known.wallet, known.address);
    }
    const address = addresses.get(wallet);
    if (address !== undefined) return address;
    throw new CodedError('wallet_unknown', `No grant names the wallet ${wallet}.`, {
      remedy: 'Ask an operator for a grant, or check the id.',
    });
  }

  function decisionOf(receipt: CheckedReceipt, wallet: string, chain: string, digest: Uint8Array): PermittedEntry {
    const decision = permittedEntry.safeParse(receipt.entry);
    const fits =
      decision.success &&
      decision.data.digest === toBase64url(digest) &&
      decision.data.wallet === wallet &&
      decision.data.chain === chain;
    if (fits) return decision.data;
    throw new CodedError('receipt_other_request', 'The receipt is for another request than the one that was sent.', {
      remedy: 'Do not broadcast anything. Look at the vault’s journal.',
    });
  }

  const named = ({ wallet, chain, key = newKey(), expires }: SignRequest) => ({
    ...{ wallet, chain, key },
    expires: expires ?? timeOfUuidV7(key) + REQUEST_LIFETIME_MS,
  });

  /**
   * The answer of a method that signs, with all that is checked of it. `read` looks at the signature: it must be that of the
   * address, over what the client itself wanted to have signed.
   */
  async function checkedAnswer<T>(
    { wallet, chain, key }: ReturnType<typeof named>,
    digest: Uint8Array,
    asked: Promise<SignatureAnswer>,
    read: (signature: string, address: string) => Result<T, SignedTransactionFault>,
  ) {
    const answer = await asked.catch((error: unknown) => {
      throw withCheckedDenial(error, authority);
    });
    const signed = read(answer.signature, await addressOf(wallet));
    if (!signed.ok) {
      throw new CodedError('signed_transaction_differs', 'The signature is not over what was asked for.', {
        remedy: 'Do not use or broadcast anything of it, and do not trust this connection.',
        details: { fault: signed.error },
      });
    }
    const receipt = demandReceipt(answer.receipt, authority);
    return { ...signed.value, decision: decisionOf(receipt, wallet, chain, digest), receipt, key };
  }

  function signedData(
    params: ReturnType<typeof named>,
    digest: Uint8Array,
    asked: Promise<SignatureAnswer>,
  ): Promise<SignedData> {
    return checkedAnswer(params, digest, asked, (signature, address) => {
      const checked = signatureOver(digest, signature, address);
      return checked.ok ? ok({ signature, digest: `0x${toHex(digest)}` }) : checked;
    });
  }

  return {
    async signTypedData(request) {
      const digest = typedDataDigest(request);
      const params = named(request);
      const asked = connection.call('typed-data.sign', { ...params, typedData: request.typedData });
      return signedData(params, digest, asked);
    },
    async signMessage(request) {
      demandText(request);
      const params = named(request);
      const text = utf8(request.message);
      const digest = keccak_256(concat(utf8(`\x19Ethereum Signed Message:\n${text.length}`), text));
      return signedData(params, digest, connection.call('message.sign', { ...params, message: request.message }));
    },
    async signAuthorization(request) {
      demandAuthorization(request);
      const params = named(request);
      const authorization = `0x${toHex(request.authorization)}`;
      const asked = connection.call('authorization.sign', { ...params, authorization });
      return signedData(params, keccak_256(request.authorization), asked);
    },
    async nextNonce(wallet, chain, atLeast = 0) {
      return (await connection.call('nonce.next', { wallet, chain, atLeast })).nonce;
    },
    approvals: () => allApprovals(connection),
    async settle(settlement) {
      await connection.call('settlement.report', settlement);
    },
    register: (name) => connection.call('peer.register', { name, role: 'client' }),
    status: () => connection.call('vault.status', {}),
    wallets: () => allWallets(connection),
    contracts: () => allContracts(connection),
    grants: () => allGrants(connection),
    observe: (wallet, options) => observeReceipts(connection, wallet, options),

    async signTransaction(request) {
      demandTransactionRequest(request);
      const unsigned =
        request.transaction instanceof Uint8Array ? request.transaction : encodeTransfer(request.transaction);
      const params = named({ ...request, chain: chainOf(request) });
      const asked = connection.call('transaction.sign', { ...params, transaction: `0x${toHex(unsigned)}` });
      return checkedAnswer(params, keccak_256(unsigned), asked, (signature, address) =>
        signedTransaction(unsigned, signature, address),
      );
    },
  };
}

function chainOf({ chain, transaction }: SignTransactionRequest): string {
  if (chain !== undefined) return chain;
  if (!(transaction instanceof Uint8Array)) return `eip155:${transaction.chainId}`;
  throw new CodedError('params_invalid', 'With a transaction in bytes, the chain has to be named.');
}

/** Why a request was denied. */
export interface Denial {
  /** One object for each grant that was considered: the grant, the rule, its limit, what is left of it. */
  readonly reasons: readonly Readonly<Record<string, unknown>>[];
  /** The same in words. */
  readonly sentences: readonly string[];
  /** The journal's proof of the denial. */
  readonly receipt: ReceiptJson | null;
}

/** The denial in an error, if that is what it is. */
export function denialOf(error: unknown): Denial | undefined {
  if (!(error instanceof CodedError) || error.code !== 'denied') return undefined;
  const details = denialDetails.safeParse(error.details);
  return details.success ? details.data : undefined;
}

/** A denial's receipt has to hold as well: otherwise its fault is what is thrown. */
function withCheckedDenial(error: unknown, authority: Connection['info']): unknown {
  const receipt = denialOf(error)?.receipt;
  if (receipt) demandReceipt(receipt, authority);
  return error;
}
