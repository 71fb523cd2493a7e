import { err, ok, type Keccak256, type Result } from '@keepwatch/base';
import { createFunction, isIdentifier, type AbiFunction } from './function.ts';
import {
  arraysOf,
  elementaryType,
  MAX_PARAMETERS,
  tupleType,
  type AbiParameter,
  type AbiType,
  type AbiTypeErrorCode,
} from './type.ts';

/** What an ABI file says of a contract's functions. Events, errors and constructors say nothing of calldata. */
export interface ContractAbi {
  /** The contract's name where the file has one. */
  readonly name: string | null;
  readonly functions: readonly AbiFunction[];
}

export type ArtefactErrorCode =
  | AbiTypeErrorCode
  | 'abi_too_large'
  | 'abi_not_json'
  | 'abi_missing'
  | 'abi_ambiguous_artefact'
  | 'abi_malformed_entry'
  | 'abi_duplicate_function'
  | 'abi_selector_collision';

/** A megabyte: ten times the largest artefact's ABI; the bytecode of an artefact stands in the same file. */
const MAX_TEXT = 1024 * 1024;
const MAX_ENTRIES = 1024;
const MAX_COMPONENT_DEPTH = 8;

type Json = Readonly<Record<string, unknown>>;

/**
 * The functions in a file that holds an ABI: the JSON ABI itself, an artefact of Foundry or Hardhat (`{"abi": […]}`), or the
 * compiler's output (`{"contracts": …}`, standard or combined JSON), where `contract` has to say which one if there are
 * several. Strict: an entry that is not understood is an error, and so are two functions that cannot be told apart.
 *
 * - `abi_not_json`, `abi_too_large` (1 MiB; 1024 entries)
 * - `abi_missing`: no ABI in it, or not of the contract asked for
 * - `abi_ambiguous_artefact`: several contracts, and none of them was named
 * - `abi_malformed_entry`, `abi_unknown_type`, `abi_type_too_deep`, `abi_type_too_large`, `abi_empty_tuple`,
 *   `abi_duplicate_name` (two arguments of one name)
 * - `abi_duplicate_function`, `abi_selector_collision`: one selector, the same signature or two
 */
export function parseArtefact(
  text: string,
  keccak: Keccak256,
  contract?: string,
): Result<ContractAbi, ArtefactErrorCode> {
  if (text.length > MAX_TEXT) return err('abi_too_large');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return err('abi_not_json');
  }
  const found = findAbi(json, contract);
  if (!found.ok) return found;
  const functions = readFunctions(found.value.entries, keccak);
  return functions.ok ? ok({ name: found.value.name, functions: functions.value }) : functions;
}

interface FoundAbi {
  readonly name: string | null;
  readonly entries: readonly unknown[];
}

function findAbi(json: unknown, contract: string | undefined): Result<FoundAbi, ArtefactErrorCode> {
  if (Array.isArray(json)) return contract === undefined ? ok({ name: null, entries: json }) : err('abi_missing');
  if (!isObject(json)) return err('abi_missing');
  if (Object.hasOwn(json, 'abi')) {
    const name = typeof json['contractName'] === 'string' ? json['contractName'] : null;
    if (contract !== undefined && name !== null && name !== contract) return err('abi_missing');
    const entries = entriesOf(json['abi']);
    return entries ? ok({ name: name ?? contract ?? null, entries }) : err('abi_missing');
  }
  const compiled = isObject(json['contracts']) ? contractsOf(json['contracts']) : [];
  const chosen = compiled.filter(({ name }) => contract === undefined || name === contract);
  if (chosen.length > 1) return err('abi_ambiguous_artefact');
  return chosen[0] ? ok(chosen[0]) : err('abi_missing');
}

/** Standard JSON has contracts[file][name].abi, combined JSON contracts["file:name"].abi. */
function contractsOf(contracts: Json): FoundAbi[] {
  const found: FoundAbi[] = [];
  const add = (name: string, compiled: unknown) => {
    const entries = isObject(compiled) ? entriesOf(compiled['abi']) : undefined;
    if (entries) found.push({ name, entries });
  };
  for (const [key, value] of Object.entries(contracts)) {
    if (!isObject(value)) continue;
    if (Object.hasOwn(value, 'abi')) add(key.slice(key.lastIndexOf(':') + 1), value);
    else for (const [name, compiled] of Object.entries(value)) add(name, compiled);
  }
  return found;
}

/** Older compilers write the ABI as a text in the JSON. */
function entriesOf(abi: unknown): readonly unknown[] | undefined {
  if (Array.isArray(abi)) return abi;
  if (typeof abi !== 'string') return undefined;
  try {
    const parsed: unknown = JSON.parse(abi);
    return Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function readFunctions(
  entries: readonly unknown[],
  keccak: Keccak256,
): Result<readonly AbiFunction[], ArtefactErrorCode> {
  if (entries.length > MAX_ENTRIES) return err('abi_too_large');
  const bySelector = new Map<string, AbiFunction>();
  for (const entry of entries) {
    if (!isObject(entry)) return err('abi_malformed_entry');
    switch (entry['type'] ?? 'function') {
      case 'event':
      case 'error':
      case 'constructor':
      case 'fallback':
      case 'receive':
        continue;
      case 'function':
        break;
      default:
        return err('abi_malformed_entry');
    }
    const { name, inputs } = entry;
    if (typeof name !== 'string' || !isIdentifier(name)) return err('abi_malformed_entry');
    const parameters = readParameters(inputs, 1);
    if (!parameters.ok) return parameters;
    const made = createFunction(name, parameters.value, keccak);
    if (!made.ok) return made;
    const other = bySelector.get(made.value.selector);
    if (other) {
      return err(other.signature === made.value.signature ? 'abi_duplicate_function' : 'abi_selector_collision');
    }
    bySelector.set(made.value.selector, made.value);
  }
  return ok([...bySelector.values()]);
}

function readParameters(json: unknown, depth: number): Result<AbiParameter[], ArtefactErrorCode> {
  if (!Array.isArray(json)) return err('abi_malformed_entry');
  if (json.length > MAX_PARAMETERS) return err('abi_type_too_large');
  if (depth > MAX_COMPONENT_DEPTH) return err('abi_type_too_deep');
  const parameters: AbiParameter[] = [];
  for (const entry of json as readonly unknown[]) {
    if (!isObject(entry)) return err('abi_malformed_entry');
    const name = entry['name'] ?? '';
    if (typeof name !== 'string' || (name !== '' && !isIdentifier(name))) return err('abi_malformed_entry');
    const type = readType(entry, depth);
    if (!type.ok) return type;
    parameters.push({ name: name === '' ? String(parameters.length) : name, type: type.value });
  }
  return ok(parameters);
}

function readType(entry: Json, depth: number): Result<AbiType, ArtefactErrorCode> {
  const { type, components } = entry;
  if (typeof type !== 'string' || type.length > 128) return err('abi_malformed_entry');
  const bracket = type.indexOf('[');
  const word = bracket < 0 ? type : type.slice(0, bracket);
  const suffix = bracket < 0 ? '' : type.slice(bracket);
  if (word !== 'tuple') {
    if (components !== undefined) return err('abi_malformed_entry');
    const item = elementaryType(word);
    return item ? arraysOf(item, suffix) : err('abi_unknown_type');
  }
  const members = readParameters(components, depth + 1);
  if (!members.ok) return members;
  const tuple = tupleType(members.value);
  return tuple.ok ? arraysOf(tuple.value, suffix) : tuple;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
