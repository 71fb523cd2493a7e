import { fromBase64url, fromHex, parseJsonBytes, toHex, utf8, type Keccak256 } from '@keepwatch/base';
import {
  createStandardBook,
  createStandards,
  decodeAuthorization,
  decodeUnsigned,
  intentOfTransaction,
  intentOfTypedData,
  readTypedData,
  restoreRegistry,
  type Address,
  type ContractEntry,
  type Intent,
  type Registry,
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
  /** Of a transaction, and of the authorisation of a delegation (EIP-7702): it is good for this nonce, once. */
  readonly nonce: bigint | null;
  readonly grant: string;
  /** When it was permitted, by the vault's clock, in ms since 1970. */
  readonly atMs: number;
  /** What others may take by it. */
  readonly rights: readonly VaultRight[];
  /** Of a delegation: whose code the account is to run. */
  readonly delegate: Address | null;
  /** It cannot be read, and others may be able to take something by it. */
  readonly unread: boolean;
}

/** So much of the token may be taken; null: any amount. */
export interface VaultRight {
  readonly token: Address;
  /** Who may take it; of `gets`, who gets it, whoever brings it about. */
  readonly to: Address;
  readonly gets: boolean;
  readonly amount: bigint | null;
  /** By a typed signature, which whoever holds it brings to the chain. */
  readonly signed: boolean;
  /** At most one time, whatever it takes then. */
  readonly once: boolean;
  /** The contract ends it then, by the chain's clock, in ms since 1970; null: never by itself. */
  readonly untilMs: number | null;
}

export interface PermitReader {
  /**
   * Undefined: no permit that was made by a vault. `entry`: what the receipt proves. `contracts`: those that the vault's
   * operators registered.
   */
  read(
    seq: number,
    entry: Readonly<Record<string, unknown>>,
    wallet: Address,
    contracts: readonly ContractEntry[],
  ): VaultPermit | undefined;
}

/**
 * What a permit gives away is read from the bytes that were signed, by the same decoders as the vault's, and of the contracts
 * that its operators registered: orders, Safes, batches and calls within calls are understood as far as the vault understood
 * them. What is called and is not registered is read as a token, and the one contract at its own address as Permit2. Wrong of
 * a contract that is no token, such a reading names a right to tokens that this contract does not have.
 */
export function createPermitReader(keccak: Keccak256): PermitReader {
  const book = createStandardBook(createStandards(keccak), keccak);
  let known: { readonly contracts: readonly ContractEntry[]; readonly registry: Registry } | undefined;
  const registered = (contracts: readonly ContractEntry[]): Registry => {
    if (known?.contracts !== contracts) known = { contracts, registry: lenientRegistry(book, contracts, keccak) };
    return known.registry;
  };
  return {
    read(seq, entry, wallet, contracts) {
      const { type, at, chain, form, digest, nonce, grant, payload } = entry;
      const digestBytes = typeof digest === 'string' ? fromBase64url(digest) : undefined;
      const chainId = typeof chain === 'string' ? /^eip155:([1-9][0-9]{0,15})$/.exec(chain)?.[1] : undefined;
      if (type !== 'request.permitted' || digestBytes?.length !== 32 || chainId === undefined) return undefined;
      if (!isForm(form) || typeof grant !== 'string') return undefined;
      const text = typeof payload === 'string' ? payload : '';
      const meaning = meaningOf(form, text, { chainId, wallet, book, keccak, registry: registered(contracts) });
      const authorization = form === 'delegation' ? decodeAuthorization(fromHex(text) ?? new Uint8Array()) : undefined;
      return {
        ...{ seq, chainId: BigInt(chainId), form, grant, digest: `0x${toHex(digestBytes)}` as Hash32 },
        nonce: typeof nonce === 'number' ? BigInt(nonce) : null,
        atMs: typeof at === 'number' ? at : 0,
        ...meaning,
        delegate: authorization?.ok ? authorization.value.address : null,
      };
    },
  };
}

const FORMS = ['transaction', 'typed-data', 'message', 'delegation'] as const;
const isForm = (form: unknown): form is VaultPermit['form'] => FORMS.some((each) => each === form);

/** An entry of a later version, with a standard that is not known here, is left out: what it says is unread then. */
function lenientRegistry(book: StandardBook, contracts: readonly ContractEntry[], keccak: Keccak256): Registry {
  const fitting = contracts.filter((entry) => restored(book, [entry], keccak) !== undefined);
  return restored(book, fitting, keccak) ?? restoreRegistry(book, 0, [], keccak);
}

function restored(book: StandardBook, contracts: readonly ContractEntry[], keccak: Keccak256): Registry | undefined {
  try {
    const entries = contracts.map((entry, i) => ({ version: i + 1, entry }));
    return restoreRegistry(book, entries.length, entries, keccak);
  } catch {
    return undefined;
  }
}

interface Reading {
  readonly chainId: string;
  readonly wallet: Address;
  readonly book: StandardBook;
  readonly keccak: Keccak256;
  /** What the vault's operators registered. */
  readonly registry: Registry;
}

/** The same on every chain (Uniswap's list of deployments). */
const PERMIT2 = '0x000000000022d473030f116ddee9f6b43ac78ba3' as Address;
const TOKEN_STANDARDS = [['erc20', 'eip2612', 'eip3009'], ['erc20', 'dai-permit'], ['erc20']];

type Meaning = Pick<VaultPermit, 'rights' | 'unread'>;
const NOTHING: Meaning = { rights: [], unread: false };

function meaningOf(form: VaultPermit['form'], payload: string, reading: Reading): Meaning {
  if (form === 'transaction') {
    const decoded = decodeUnsigned(fromHex(payload) ?? new Uint8Array());
    if (!decoded.ok || decoded.value.to === null) return NOTHING;
    const { to } = decoded.value;
    const intent = clearest(to, reading, (context) => intentOfTransaction(decoded.value, context));
    // What it calls can allow nobody to take what is another contract's. Code that acts as the account itself can.
    return { rights: rightsOf(intent), unread: intent.opaque !== null && to === reading.wallet };
  }
  if (form !== 'typed-data') return NOTHING;
  const json = parseJsonBytes(utf8(payload));
  const read = json === undefined ? undefined : readTypedData(json as never, Number(reading.chainId), reading.keccak);
  const contract = read?.ok ? read.value.domain.verifyingContract : null;
  if (!read?.ok || contract === null) return { rights: [], unread: true };
  const chain = `eip155:${reading.chainId}`;
  const intent = clearest(contract, reading, (context) => intentOfTypedData(read.value, chain, context));
  return { rights: rightsOf(intent), unread: intent.opaque !== null };
}

type Context = Parameters<typeof intentOfTransaction>[1];

/** As the vault read it; where that is not all, by the first of the standards under which it can be read. */
function clearest(contract: Address, reading: Reading, read: (context: Context) => Intent): Intent {
  const { chainId, wallet, book, keccak, registry: known } = reading;
  // Whether the account runs code of its own only decides what its calls to itself mean.
  const asKnown = read({ wallet, registry: known, keccak, delegated: true });
  if (asKnown.opaque === null) return asKnown;
  const sets = contract === PERMIT2 ? [['permit2']] : TOKEN_STANDARDS;
  for (const standards of sets) {
    const entry: ContractEntry = {
      ...{ chain: `eip155:${chainId}`, address: contract, name: 'contract', standards, functions: [], symbol: 'T' },
      decimals: 0,
    };
    const registry = restored(book, [entry], keccak);
    if (!registry) continue;
    const intent = read({ wallet, registry, keccak, delegated: false });
    if (intent.opaque === null) return intent;
  }
  return asKnown;
}

const ASSET = /^erc(?:20|721|1155):(0x[0-9a-f]{40})/;
/** Signatures that are used up by their first use: EIP-3009, and Permit2's SignatureTransfer. */
const ONCE = /(?:WithAuthorization|TransferFrom)$/;

function rightsOf({ form, outflows, actions }: Intent): VaultRight[] {
  const signed = form === 'typed-data';
  const typed = actions.find((each) => each.kind === 'typed-data');
  // Calls that are signed as typed data are a Safe's transaction, which has a nonce of its own.
  const once = signed && (typed === undefined || ONCE.test(typed.primaryType));
  return outflows.flatMap(({ account, asset, amount, to, holds, route, untilMs }) => {
    const token = ASSET.exec(asset)?.[1] as Address | undefined;
    // An allowance to Permit2 lets nobody take anything without a signature of its own.
    if (account !== 'wallet' || token === undefined || to === PERMIT2 || !(signed || holds === 'allowance')) return [];
    const gets = holds === 'spent' || route === 'eip3009';
    return [{ token, to, gets, amount: amount === 'unlimited' ? null : amount, signed, once, untilMs }];
  });
}
