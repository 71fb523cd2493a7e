import { fromBase64url, fromHex, parseJsonBytes, toHex, utf8, type Keccak256 } from '@keepwatch/base';
import {
  createStandardBook,
  createStandards,
  decodeUnsigned,
  intentOfTransaction,
  intentOfTypedData,
  readTypedData,
  restoreRegistry,
  type Address,
  type ContractEntry,
  type Intent,
  type StandardBook,
} from '@keepwatch/evm';
import type { Hash32 } from '../evm/spend.ts';

/** What a vault allowed to be signed, as its receipt proves it: the vault may have signed it, and nothing else. */
export interface VaultPermit {
  /** The entry of the vault's journal. */
  readonly seq: number;
  readonly chainId: bigint;
  readonly form: 'transaction' | 'typed-data' | 'message' | 'delegation';
  /** Keccak-256 of the bytes that were signed. */
  readonly digest: Hash32;
  readonly nonce: bigint | null;
  readonly grant: string;
  /** What others may take by it. Empty where that cannot be read. */
  readonly rights: readonly VaultRight[];
}

/** `to` may take so much of the token; null: any amount. */
export interface VaultRight {
  readonly token: Address;
  readonly to: Address;
  readonly amount: bigint | null;
  /** By a typed signature, which whoever holds it brings to the chain. */
  readonly signed: boolean;
}

export interface PermitReader {
  /** Undefined: no permit that was made by a vault. `entry`: what the receipt proves. */
  read(seq: number, entry: Readonly<Record<string, unknown>>, wallet: Address): VaultPermit | undefined;
}

/**
 * What a permit gives away is read from the bytes that were signed, by the same decoders as the vault's. Which contract
 * follows which standard the vault's operators know, and not the monitor: here whatever is called is read as a token, and
 * the one contract at its own address as Permit2. Wrong of a contract that is no token, such a reading names a right to
 * tokens that this contract does not have.
 */
export function createPermitReader(keccak: Keccak256): PermitReader {
  const book = createStandardBook(createStandards(keccak), keccak);
  return {
    read(seq, entry, wallet) {
      const { type, chain, form, digest, nonce, grant, payload } = entry;
      const digestBytes = typeof digest === 'string' ? fromBase64url(digest) : undefined;
      const chainId = typeof chain === 'string' ? /^eip155:([1-9][0-9]{0,15})$/.exec(chain)?.[1] : undefined;
      if (type !== 'request.permitted' || digestBytes?.length !== 32 || chainId === undefined) return undefined;
      if (!isForm(form) || typeof grant !== 'string') return undefined;
      const intent =
        typeof payload === 'string' ? intentOf(form, payload, { chainId, wallet, book, keccak }) : undefined;
      return {
        ...{ seq, chainId: BigInt(chainId), form, grant, digest: `0x${toHex(digestBytes)}` as Hash32 },
        nonce: typeof nonce === 'number' ? BigInt(nonce) : null,
        rights: intent === undefined ? [] : rightsOf(intent),
      };
    },
  };
}

const FORMS = ['transaction', 'typed-data', 'message', 'delegation'] as const;
const isForm = (form: unknown): form is VaultPermit['form'] => FORMS.some((each) => each === form);

interface Reading {
  readonly chainId: string;
  readonly wallet: Address;
  readonly book: StandardBook;
  readonly keccak: Keccak256;
}

/** The same on every chain (Uniswap's list of deployments). */
const PERMIT2 = '0x000000000022d473030f116ddee9f6b43ac78ba3' as Address;
const TOKEN_STANDARDS = [['erc20', 'eip2612', 'eip3009'], ['erc20', 'dai-permit'], ['erc20']];

function intentOf(form: VaultPermit['form'], payload: string, reading: Reading): Intent | undefined {
  if (form === 'transaction') {
    const decoded = decodeUnsigned(fromHex(payload) ?? new Uint8Array());
    if (!decoded.ok || decoded.value.to === null) return undefined;
    const { to } = decoded.value;
    return firstClear(to, reading, (context) => intentOfTransaction(decoded.value, context));
  }
  if (form !== 'typed-data') return undefined;
  const json = parseJsonBytes(utf8(payload));
  const read = json === undefined ? undefined : readTypedData(json as never, Number(reading.chainId), reading.keccak);
  const contract = read?.ok ? read.value.domain.verifyingContract : null;
  if (!read?.ok || contract === null) return undefined;
  const chain = `eip155:${reading.chainId}`;
  return firstClear(contract, reading, (context) => intentOfTypedData(read.value, chain, context));
}

type Context = Parameters<typeof intentOfTransaction>[1];

/** By the first of the standards under which it can be read. */
function firstClear(contract: Address, reading: Reading, read: (context: Context) => Intent): Intent | undefined {
  const { chainId, wallet, book, keccak } = reading;
  const sets = contract === PERMIT2 ? [['permit2']] : TOKEN_STANDARDS;
  for (const standards of sets) {
    const entry: ContractEntry = {
      ...{ chain: `eip155:${chainId}`, address: contract, name: 'contract', standards, functions: [], symbol: 'T' },
      decimals: 0,
    };
    const registry = registryOf(book, entry, keccak);
    if (!registry) continue;
    const intent = read({ wallet, registry, keccak, delegated: false });
    if (intent.opaque === null) return intent;
  }
  return undefined;
}

function registryOf(book: StandardBook, entry: ContractEntry, keccak: Keccak256) {
  try {
    return restoreRegistry(book, 1, [{ version: 1, entry }], keccak);
  } catch {
    return undefined;
  }
}

const ASSET = /^erc(?:20|721|1155):(0x[0-9a-f]{40})/;

function rightsOf({ form, outflows }: Intent): VaultRight[] {
  return outflows.flatMap(({ account, asset, amount, to, holds }) => {
    const token = ASSET.exec(asset)?.[1] as Address | undefined;
    const isGiven = holds === 'allowance' || form === 'typed-data';
    // An allowance to Permit2 lets nobody take anything without a signature of its own.
    if (account !== 'wallet' || token === undefined || !isGiven || to === PERMIT2) return [];
    return [{ token, to, amount: amount === 'unlimited' ? null : amount, signed: form === 'typed-data' }];
  });
}
