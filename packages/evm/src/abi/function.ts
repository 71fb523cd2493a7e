import { err, ok, toHex, utf8, type Keccak256, type Result } from '@keepwatch/base';
import {
  arraysOf,
  checkParameters,
  elementaryType,
  tupleType,
  type AbiParameter,
  type AbiType,
  type AbiTypeErrorCode,
} from './type.ts';

/** A function of a contract: what its calldata looks like. */
export interface AbiFunction {
  readonly name: string;
  readonly inputs: readonly AbiParameter[];
  /** Canonical: `transfer(address,uint256)`. */
  readonly signature: string;
  /** The first four bytes of its Keccak-256: `0x` and eight hex digits. */
  readonly selector: string;
}

export type SignatureErrorCode = AbiTypeErrorCode | 'abi_malformed_signature' | 'abi_too_large';

const MAX_SIGNATURE_LENGTH = 4096;
const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/;

export function isIdentifier(text: string): boolean {
  return text.length <= 128 && IDENTIFIER.test(text);
}

export function createFunction(
  name: string,
  inputs: readonly AbiParameter[],
  keccak: Keccak256,
): Result<AbiFunction, AbiTypeErrorCode> {
  const fault = checkParameters(inputs);
  if (fault) return err(fault);
  const signature = `${name}(${inputs.map(({ type }) => type.text).join(',')})`;
  return ok({ name, inputs, signature, selector: `0x${toHex(keccak(utf8(signature)).subarray(0, 4))}` });
}

/**
 * The function that a line such as `transfer(address to, uint256 amount)` declares; tuples are `(type name, …)`. The form in
 * which this package keeps ABIs; names may be left out.
 */
export function parseFunction(line: string, keccak: Keccak256): Result<AbiFunction, SignatureErrorCode> {
  if (line.length > MAX_SIGNATURE_LENGTH) return err('abi_too_large');
  const open = line.indexOf('(');
  const name = line.slice(0, Math.max(open, 0));
  if (!isIdentifier(name)) return err('abi_malformed_signature');
  const reader: Reader = { line, at: open, depth: 0 };
  const inputs = readParameters(reader);
  if (!inputs.ok) return inputs;
  if (reader.at !== line.length) return err('abi_malformed_signature');
  return createFunction(name, inputs.value, keccak);
}

/** The line that {@link parseFunction} reads. */
export function formatFunction({ name, inputs }: AbiFunction): string {
  return `${name}(${formatParameters(inputs)})`;
}

function formatParameters(parameters: readonly AbiParameter[]): string {
  return parameters
    .map(({ name, type }, index) => (name === String(index) ? formatType(type) : `${formatType(type)} ${name}`))
    .join(', ');
}

function formatType(type: AbiType): string {
  if (type.kind === 'tuple') return `(${formatParameters(type.members)})`;
  if (type.kind === 'array') return `${formatType(type.item)}[${type.length ?? ''}]`;
  return type.text;
}

interface Reader {
  readonly line: string;
  at: number;
  depth: number;
}

/** `(type name, type name)`, from the opening to behind the closing parenthesis. */
function readParameters(reader: Reader): Result<AbiParameter[], SignatureErrorCode> {
  const parameters: AbiParameter[] = [];
  if (++reader.depth > 10) return err('abi_type_too_deep');
  reader.at++;
  if (reader.line[reader.at] !== ')') {
    for (;;) {
      const type = readType(reader);
      if (!type.ok) return type;
      const name = /^(?: ([A-Za-z_$][A-Za-z0-9_$]{0,127}))?/.exec(reader.line.slice(reader.at))!;
      reader.at += name[0].length;
      parameters.push({ name: name[1] ?? String(parameters.length), type: type.value });
      if (reader.line[reader.at] !== ',') break;
      reader.at++;
      if (reader.line[reader.at] === ' ') reader.at++;
    }
  }
  if (reader.line[reader.at] !== ')') return err('abi_malformed_signature');
  reader.at++;
  reader.depth--;
  return ok(parameters);
}

function readType(reader: Reader): Result<AbiType, SignatureErrorCode> {
  let item: AbiType | undefined;
  if (reader.line[reader.at] === '(') {
    const members = readParameters(reader);
    if (!members.ok) return members;
    const tuple = tupleType(members.value);
    if (!tuple.ok) return tuple;
    item = tuple.value;
  } else {
    const word = /^[a-z0-9]*/.exec(reader.line.slice(reader.at))![0];
    item = elementaryType(word);
    reader.at += word.length;
  }
  if (!item) return err('abi_unknown_type');
  const suffix = /^[[\]0-9]*/.exec(reader.line.slice(reader.at))![0];
  reader.at += suffix.length;
  return arraysOf(item, suffix);
}
