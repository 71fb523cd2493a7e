import { addEntry, lookup, parseEntry, type Address } from '@keepwatch/evm';
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
  const added = parsed.ok ? addEntry(deps.registries.of(state.contracts), parsed.value, deps.keccak256) : parsed;
  if (!parsed.ok || !added.ok) {
    const { code, about } = (parsed.ok ? (added as { error: { code: string; about: string } }) : parsed).error;
    return refuse('contract_invalid', `The contract cannot be registered: ${code} (${about}).`, undefined, {
      reason: code,
      about,
    });
  }
  return accept(
    { type: 'contract.registered', entry: parsed.value, ...by },
    { functions: lookup(added.value, parsed.value.chain, parsed.value.address)!.functions.size },
  );
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
