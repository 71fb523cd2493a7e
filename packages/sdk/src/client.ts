import { randomBytes } from 'node:crypto';
import { CodedError, fromHex, toBase64url, toHex } from '@keepwatch/base';
import {
  denialDetails,
  permittedEntry,
  type GrantInfo,
  type MethodResult,
  type PermittedEntry,
  type ReceiptJson,
  type VaultStatus,
  type WalletInfo,
} from '@keepwatch/protocol';
import { uuidV7 } from '@keepwatch/wire';
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { Connection } from './connection.ts';
import { observeReceipts, type Observation, type ObserveOptions } from './client-observe.ts';
import { demandReceipt, type CheckedReceipt } from './receipt.ts';
import { checkSignedTransaction } from './signed-transaction.ts';
import { encodeTransfer, type EtherTransfer } from './transaction.ts';
import { allGrants, allWallets } from './lists.ts';

/**
 * How long a request is valid where the caller does not say, in ms, counted from the time in its idempotency key. So a
 * repeat has the same body as the first request, which the vault demands.
 */
const REQUEST_LIFETIME_MS = 5 * 60_000;

export interface SignTransactionRequest {
  /** Id of the wallet, as `wallets()` lists it. */
  readonly wallet: string;
  /** The transfer, or the unsigned transaction as bytes (EIP-2718; without a type: EIP-155). */
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

/** A program that asks for signatures. Every method can throw the codes of `protocol`'s table and of the connection. */
export interface Client {
  /**
   * Asks to be registered under this name. An operator compares the id, which commits to the client's key, and
   * approves.
   */
  register(name: string): Promise<MethodResult<'peer.register'>>;
  status(): Promise<VaultStatus>;
  /** The wallets that a grant or the observer's right names. */
  wallets(): Promise<readonly WalletInfo[]>;
  grants(): Promise<readonly GrantInfo[]>;
  /**
   * Has a transaction signed, if a grant allows it, and checks the answer: the transaction is byte for byte the
   * requested one, the signature is the wallet's, and the journal holds the decision.
   *
   * Throws `denied` with {@link Denial} in its details; `signed_transaction_differs` and `receipt_…` where the answer
   * does not hold.
   */
  signTransaction(request: SignTransactionRequest): Promise<SignedTransaction>;
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

  function decisionOf(receipt: CheckedReceipt, wallet: string, chain: string, unsigned: Uint8Array): PermittedEntry {
    const decision = permittedEntry.safeParse(receipt.entry);
    const fits =
      decision.success &&
      decision.data.digest === toBase64url(keccak_256(unsigned)) &&
      decision.data.wallet === wallet &&
      decision.data.chain === chain;
    if (fits) return decision.data;
    throw new CodedError('receipt_other_request', 'The receipt is for another request than the one that was sent.', {
      remedy: 'Do not broadcast anything. Look at the vault’s journal.',
    });
  }

  return {
    register: (name) => connection.call('peer.register', { name, role: 'client' }),
    status: () => connection.call('vault.status', {}),
    wallets: () => allWallets(connection),
    grants: () => allGrants(connection),
    observe: (wallet, options) => observeReceipts(connection, wallet, options),

    async signTransaction(request) {
      const { wallet } = request;
      const unsigned =
        request.transaction instanceof Uint8Array ? request.transaction : encodeTransfer(request.transaction);
      const chain = chainOf(request);
      const key = request.key ?? uuidV7(Date.now(), randomBytes);
      const params = {
        wallet,
        chain,
        transaction: `0x${toHex(unsigned)}`,
        key,
        expires: request.expires ?? timeOf(key) + REQUEST_LIFETIME_MS,
      };
      const answer = await connection.call('transaction.sign', params).catch((error: unknown) => {
        throw withCheckedDenial(error, authority);
      });
      const raw = fromHex(answer.transaction) ?? new Uint8Array(0);
      const checked = checkSignedTransaction(unsigned, raw, await addressOf(wallet));
      if (!checked.ok || checked.value.hash !== answer.hash) {
        throw new CodedError(
          'signed_transaction_differs',
          'The signed transaction is not the one that was asked for.',
          {
            remedy: 'Do not broadcast it, and do not trust this connection.',
            details: { fault: checked.ok ? 'hash_differs' : checked.error },
          },
        );
      }
      const receipt = demandReceipt(answer.receipt, authority);
      return { raw, hash: answer.hash, decision: decisionOf(receipt, wallet, chain, unsigned), receipt, key };
    },
  };
}

/** The first 48 bits of a UUIDv7 (RFC 9562 §5.7): milliseconds since the Unix epoch. */
const timeOf = (key: string) => Number.parseInt(key.slice(0, 8) + key.slice(9, 13), 16);

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
