import { err, ok, type Keccak256, type Result } from '@keepwatch/base';
import { parseFunction, type AbiFunction, type SignatureErrorCode } from '../abi/function.ts';
import type { Address } from '../address.ts';
import type { CallRoute, Standard } from '../routes/route.ts';

/**
 * What an operator says of one contract: a claim, which nothing here can check. Plain JSON, as it stands in the journal.
 */
export interface ContractEntry {
  /** CAIP-2, for instance `eip155:1`. */
  readonly chain: string;
  readonly address: Address;
  readonly name: string;
  /** Which of the known standards it follows. Their functions have a meaning; nothing else gives a function one. */
  readonly standards: readonly string[];
  /** Its further functions, each as a line such as `vote(uint256 id, bool yes)`. */
  readonly functions: readonly string[];
  readonly symbol?: string;
  /** Base units of one token, as a power of ten. */
  readonly decimals?: number;
  /** The token that a vault, wrapper, lending token or debt token stands for. */
  readonly underlying?: Address;
  /** The pool that issued a lending token. */
  readonly issuer?: Address;
  /** What its code was when the operator looked (Keccak-256), and where a proxy pointed then. */
  readonly codeHash?: string;
  readonly implementation?: Address;
}

/** A function of a registered contract, and what a call of it does where a standard says so. */
export interface KnownFunction {
  readonly abi: AbiFunction;
  readonly route: CallRoute | null;
}

export interface RegisteredContract {
  readonly entry: ContractEntry;
  /** The registry's version since when it is there. */
  readonly version: number;
  readonly functions: ReadonlyMap<string, KnownFunction>;
}

/**
 * The contracts that are known. A value: each change gives another, with the next version, and what shares it is not
 * disturbed.
 */
export interface Registry {
  readonly version: number;
  readonly standards: StandardBook;
  readonly contracts: ReadonlyMap<string, ReadonlyMap<Address, RegisteredContract>>;
}

/** The standards with their selectors, which take a hash function to know. */
export interface StandardBook {
  readonly byName: ReadonlyMap<string, { readonly standard: Standard; readonly functions: readonly KnownFunction[] }>;
  /** Every function of every standard: what a selector may mean, unverified. */
  readonly hints: ReadonlyMap<string, readonly string[]>;
}

export type RegistryErrorCode =
  | SignatureErrorCode
  | 'registry_entry_malformed'
  | 'registry_entry_exists'
  | 'registry_entry_missing'
  | 'registry_unknown_standard'
  | 'registry_standards_conflict'
  | 'registry_function_conflict'
  | 'registry_function_needs_standard'
  | 'registry_decimals_missing'
  | 'registry_underlying_missing'
  | 'registry_too_large';

/** Which line of the entry it was, where it was one. */
export interface RegistryError {
  readonly code: RegistryErrorCode;
  readonly about: string;
}

const MAX_FUNCTIONS = 1024;

/** The standards' selectors. Throws where two functions of one standard cannot be told apart: a mistake in a table. */
export function createStandardBook(standards: readonly Standard[], keccak: Keccak256): StandardBook {
  const byName = new Map<string, { standard: Standard; functions: KnownFunction[] }>();
  const hints = new Map<string, string[]>();
  for (const standard of standards) {
    const functions = standard.calls.map((route) => ({ abi: mustParse(route.line, keccak), route }));
    if (new Set(functions.map(({ abi }) => abi.selector)).size !== functions.length || byName.has(standard.name)) {
      throw new TypeError(`ambiguous standard: ${standard.name}`);
    }
    byName.set(standard.name, { standard, functions });
    for (const { abi } of functions) {
      const known = hints.get(abi.selector) ?? [];
      if (!known.includes(abi.signature)) hints.set(abi.selector, [...known, abi.signature]);
    }
  }
  return { byName, hints };
}

function mustParse(line: string, keccak: Keccak256): AbiFunction {
  const parsed = parseFunction(line, keccak);
  if (!parsed.ok) throw new TypeError(`${parsed.error}: ${line}`);
  return parsed.value;
}

export function emptyRegistry(standards: StandardBook): Registry {
  return { version: 0, standards, contracts: new Map() };
}

/**
 * The registry with one contract more. An entry is never edited: it is removed and another added.
 *
 * - `registry_entry_exists`: that address of that chain is registered
 * - `registry_unknown_standard`
 * - `registry_standards_conflict`: two of its standards give one function two meanings (ERC-20 and ERC-721 do)
 * - `registry_function_conflict`: two functions of one selector, or one of another signature than its standard's
 * - `registry_function_needs_standard`: the ABI has a function that moves tokens or credit by some standard (`transfer`,
 *   `approve`, …). Without that standard among the entry's it would be a call like any other, past every budget
 * - `registry_decimals_missing`, `registry_underlying_missing`: what one of its standards needs
 * - `registry_too_large`: more than 1024 functions; and the codes of a malformed line
 */
export function addEntry(registry: Registry, entry: ContractEntry, keccak: Keccak256): Result<Registry, RegistryError> {
  if (lookup(registry, entry.chain, entry.address)) return refuse('registry_entry_exists', entry.address);
  const functions = functionsOf(registry.standards, entry, keccak);
  if (!functions.ok) return functions;
  const version = registry.version + 1;
  const contracts = new Map(registry.contracts);
  const onChain = new Map(contracts.get(entry.chain));
  onChain.set(entry.address, { entry, version, functions: functions.value });
  contracts.set(entry.chain, onChain);
  return ok({ ...registry, version, contracts });
}

/** The registry without that contract. `registry_entry_missing`: it is not there. */
export function removeEntry(registry: Registry, chain: string, address: Address): Result<Registry, RegistryError> {
  if (!lookup(registry, chain, address)) return refuse('registry_entry_missing', address);
  const contracts = new Map(registry.contracts);
  const onChain = new Map(contracts.get(chain));
  onChain.delete(address);
  contracts.set(chain, onChain);
  return ok({ ...registry, version: registry.version + 1, contracts });
}

export function lookup(registry: Registry, chain: string, address: Address): RegisteredContract | undefined {
  return registry.contracts.get(chain)?.get(address);
}

/** Every entry with the version since when it is there, in the order in which they came. */
export function entriesOf(registry: Registry): readonly { readonly version: number; readonly entry: ContractEntry }[] {
  const all = [...registry.contracts.values()].flatMap((onChain) => [...onChain.values()]);
  return all.sort((a, b) => a.version - b.version).map(({ version, entry }) => ({ version, entry }));
}

/**
 * The registry that had these entries at these versions: how a snapshot comes back. Throws a TypeError where they do not
 * fit each other: they were checked when they were added.
 */
export function restoreRegistry(
  standards: StandardBook,
  version: number,
  entries: readonly { readonly version: number; readonly entry: ContractEntry }[],
  keccak: Keccak256,
): Registry {
  const contracts = new Map<string, Map<Address, RegisteredContract>>();
  for (const { version: since, entry } of entries) {
    const functions = functionsOf(standards, entry, keccak);
    if (!functions.ok) throw new TypeError(`${functions.error.code}: ${functions.error.about}`);
    const onChain = contracts.get(entry.chain) ?? new Map<Address, RegisteredContract>();
    if (onChain.has(entry.address) || since > version) throw new TypeError('not the entries of that version');
    onChain.set(entry.address, { entry, version: since, functions: functions.value });
    contracts.set(entry.chain, onChain);
  }
  return { version, standards, contracts };
}

function functionsOf(
  book: StandardBook,
  entry: ContractEntry,
  keccak: Keccak256,
): Result<ReadonlyMap<string, KnownFunction>, RegistryError> {
  const functions = new Map<string, KnownFunction>();
  for (const name of entry.standards) {
    const known = book.byName.get(name);
    if (!known) return refuse('registry_unknown_standard', name);
    const needs = known.standard.needs ?? [];
    if (needs.includes('decimals') && entry.decimals === undefined) return refuse('registry_decimals_missing', name);
    if (needs.includes('underlying') && entry.underlying === undefined) {
      return refuse('registry_underlying_missing', name);
    }
    for (const each of known.functions) {
      const other = functions.get(each.abi.selector);
      if (other && other.route !== each.route) return refuse('registry_standards_conflict', each.abi.signature);
      functions.set(each.abi.selector, each);
    }
  }
  if (entry.functions.length > MAX_FUNCTIONS) return refuse('registry_too_large', entry.name);
  const own = new Set<string>();
  for (const line of entry.functions) {
    const parsed = parseFunction(line, keccak);
    if (!parsed.ok) return refuse(parsed.error, line);
    const abi = parsed.value;
    if (own.has(abi.selector)) return refuse('registry_function_conflict', line);
    own.add(abi.selector);
    const standard = functions.get(abi.selector);
    if (standard && standard.abi.signature !== abi.signature) return refuse('registry_function_conflict', line);
    if (standard) continue;
    if (GUARDED.has(abi.signature)) return refuse('registry_function_needs_standard', abi.signature);
    functions.set(abi.selector, { abi, route: null });
  }
  return ok(functions);
}

function refuse(code: RegistryErrorCode, about: string): { readonly ok: false; readonly error: RegistryError } {
  return err({ code, about });
}

/**
 * Functions whose meaning everybody knows: tokens or credit leave by them. They come into an entry by a standard only.
 * Others that standards have (`deposit()`, `withdraw(uint256)`, …) are named so in contracts of every kind.
 */
const GUARDED: ReadonlySet<string> = new Set([
  'transfer(address,uint256)',
  'transferFrom(address,address,uint256)',
  'approve(address,uint256)',
  'increaseAllowance(address,uint256)',
  'increaseApproval(address,uint256)',
  'permit(address,address,uint256,uint256,uint8,bytes32,bytes32)',
  'permit(address,address,uint256,uint256,bytes)',
  'permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)',
  'transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)',
  'transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)',
  'receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)',
  'receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)',
  'send(address,uint256,bytes)',
  'operatorSend(address,address,uint256,bytes,bytes)',
  'authorizeOperator(address)',
  'transferAndCall(address,uint256)',
  'transferAndCall(address,uint256,bytes)',
  'transferFromAndCall(address,address,uint256)',
  'transferFromAndCall(address,address,uint256,bytes)',
  'approveAndCall(address,uint256)',
  'approveAndCall(address,uint256,bytes)',
  'safeTransferFrom(address,address,uint256)',
  'safeTransferFrom(address,address,uint256,bytes)',
  'safeTransferFrom(address,address,uint256,uint256,bytes)',
  'safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)',
  'setApprovalForAll(address,bool)',
  'transferShares(address,uint256)',
  'transferSharesFrom(address,address,uint256)',
  'approveDelegation(address,uint256)',
  'delegationWithSig(address,address,uint256,uint256,uint8,bytes32,bytes32)',
  'allow(address,bool)',
  'allowBySig(address,address,bool,uint256,uint256,uint8,bytes32,bytes32)',
  'multicall(bytes[])',
  'multicall(uint256,bytes[])',
  'multicall(bytes32,bytes[])',
  'multiSend(bytes)',
  'execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)',
  'execTransactionFromModule(address,uint256,bytes,uint8)',
  'approveHash(bytes32)',
]);
