import type { VaultEvent } from '../state/events.ts';
import type { refuse } from './step.ts';

export type CommandOutcome =
  | ReturnType<typeof refuse>
  | { readonly kind: 'accepted'; readonly events: readonly VaultEvent[]; readonly value: unknown };

export const accept = (event: VaultEvent, value: unknown = null): CommandOutcome => ({
  kind: 'accepted',
  events: [event],
  value,
});
