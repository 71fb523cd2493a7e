import { ok, type Result } from '@keepwatch/base';
import {
  addEntry,
  formatFunction,
  lookup,
  parseArtefact,
  parseEntry,
  type Address,
  type ArtefactErrorCode,
} from '@keepwatch/evm';
import type { CommandParams } from '@keepwatch/protocol';
import type { ByCommand } from '../state/events.ts';
import type { State } from '../state/state.ts';
import { accept, type CommandOutcome } from './command-outcome.ts';
import { refuse, type StepDeps } from './step.ts';

/** An operator says what a contract is. Nothing here can check the claim; that it fits the others is checked. */
export function registerContract(
  state: State,
  params: CommandParams<'contract.register'>,
  by: ByCommand,
  deps: StepDeps,
): CommandOutcome {
  const parsed = parseEntry(params.entry);
  if (!parsed.ok) return invalid(parsed.error);
  const listed = functionsOf(params.abi, deps);
  if (!listed.ok) return invalid({ code: listed.error, about: 'abi' });
  const entry = { ...parsed.value, functions: [...parsed.value.functions, ...listed.value] };
  const added = addEntry(deps.registries.of(state.contracts), entry, deps.keccak256);
  if (!added.ok) return invalid(added.error);
  return accept(
    { type: 'contract.registered', entry, ...by },
    { functions: lookup(added.value, entry.chain, entry.address)!.functions.size },
  );
}

/** The functions of an ABI as lines, as entries have them. */
function functionsOf(
  abi: CommandParams<'contract.register'>['abi'],
  { keccak256 }: StepDeps,
): Result<readonly string[], ArtefactErrorCode> {
  if (abi === undefined) return ok([]);
  const parsed = parseArtefact(abi.text, keccak256, abi.contract);
  return parsed.ok ? ok(parsed.value.functions.map(formatFunction)) : parsed;
}

function invalid({ code, about }: { readonly code: string; readonly about: string }): CommandOutcome {
  const message = `The contract cannot be registered: ${code} (${about}).`;
  return refuse('contract_invalid', message, undefined, { reason: code, about });
}

export function removeContract(
  state: State,
  { chain, address }: CommandParams<'contract.remove'>,
  by: ByCommand,
  deps: StepDeps,
): CommandOutcome {
  if (!lookup(deps.registries.of(state.contracts), chain, address as Address)) {
    return refuse('contract_unknown', `No contract ${address} is registered on ${chain}.`);
  }
  return accept({ type: 'contract.removed', chain, address, ...by });
}
