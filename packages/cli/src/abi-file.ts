import { usageError } from './exit-codes.ts';
import { readJsonFile } from './json-file.ts';

/** What fits a command: the vault reads no more. */
const MAX_CHARS = 60_000;

/**
 * The ABI in a file, as the vault takes it: whatever stands in an artefact besides ABIs and names is left out, for it is
 * long and says nothing of functions. What the ABI means, and whether it is one, is for the vault to say.
 */
export async function readAbi(
  path: string,
  contract: string | undefined,
): Promise<{ readonly text: string; readonly contract?: string }> {
  const text = JSON.stringify(withoutCode(await readJsonFile(path)));
  if (text.length > MAX_CHARS) {
    throw usageError(
      'abi',
      `--abi: the ABI of ${path} is longer than ${MAX_CHARS} characters.`,
      'Leave out what is not called.',
    );
  }
  return contract === undefined ? { text } : { text, contract };
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function withoutCode(json: unknown): unknown {
  if (!isObject(json)) return json;
  if (Object.hasOwn(json, 'abi')) return only(json, ['abi', 'contractName']);
  const { contracts } = json;
  if (!isObject(contracts)) return json;
  return { contracts: mapValues(contracts, (file) => (isObject(file) ? compiledOf(file) : file)) };
}

/** Combined JSON names contracts at once, standard JSON by their files. */
function compiledOf(value: Json): Json {
  if (Object.hasOwn(value, 'abi')) return only(value, ['abi']);
  return mapValues(value, (compiled) => (isObject(compiled) ? only(compiled, ['abi']) : compiled));
}

const only = (json: Json, members: readonly string[]): Json =>
  Object.fromEntries(Object.entries(json).filter(([member]) => members.includes(member)));

const mapValues = (json: Json, change: (value: unknown) => unknown): Json =>
  Object.fromEntries(Object.entries(json).map(([member, value]) => [member, change(value)]));
