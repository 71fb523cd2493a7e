import { readFileSync } from 'node:fs';
import solc from 'solc';

/** A contract: its ABI as the compiler writes it, and its init code as `0x` and hex. */
export interface Compiled {
  readonly abi: readonly unknown[];
  readonly bytecode: `0x${string}`;
}

interface Output {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts?: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          { readonly abi: readonly unknown[]; readonly evm: { readonly bytecode: { readonly object: string } } }
        >
      >
    >
  >;
}

/** What the contracts of several files import. */
const SHARED = 'coin.sol';

/** The contracts of a file by name, what it may import among them, and the compiler's whole output for who wants to read it as a user would. */
export function compileContracts(file: string): {
  readonly output: string;
  readonly contracts: Readonly<Record<string, Compiled>>;
} {
  const read = (name: string) => ({ content: readFileSync(new URL(`./${name}`, import.meta.url), 'utf8') });
  const sources = { [file]: read(file), [SHARED]: read(SHARED) };
  const settings = { outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } } };
  const output = solc.compile(JSON.stringify({ language: 'Solidity', sources, settings }));
  const { errors = [], contracts = {} } = JSON.parse(output) as Output;
  const fatal = errors.filter(({ severity }) => severity === 'error');
  if (fatal.length > 0) throw new Error(fatal.map(({ formattedMessage }) => formattedMessage).join('\n'));
  const named = Object.values(contracts)
    .flatMap((ofFile) => Object.entries(ofFile))
    .map(([name, { abi, evm }]) => [name, { abi, bytecode: `0x${evm.bytecode.object}` }] as const);
  return { output, contracts: Object.fromEntries(named) };
}
