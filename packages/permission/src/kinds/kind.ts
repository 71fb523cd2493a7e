import type { NotCoveredCode, PermissionRequest } from '../decision.ts';
import type { PermittingGrant } from '../grant.ts';
import type { Action, Outflow } from '../intent.ts';

/** What the engine has to know of a kind of grant. A new kind is one more of these. */
export interface KindRules<G extends PermittingGrant, A extends Action> {
  /**
   * Names of what the grant speaks of, each a way to find it. An action finds a grant that covers it by one of
   * `namesOfAction`.
   */
  readonly namesOfGrant: (grant: G) => readonly string[];
  readonly namesOfAction: (action: A) => readonly string[];
  /** Why the grant does not speak of an action of its own kind; `undefined` where it does. */
  readonly coverAction: (grant: G, action: A, request: PermissionRequest) => Mismatch | undefined;
  /** Why what leaves may not go where it goes. */
  readonly coverOutflow: (grant: G, outflow: Outflow, request: PermissionRequest) => Mismatch | undefined;
  /** Whether a grant may cover what is not understood. */
  readonly coversOpaque: (grant: G) => boolean;
}

export interface Mismatch {
  readonly code: NotCoveredCode;
  readonly asked: string;
  /** How many the grant names, where it has a list. */
  readonly permitted?: number;
}
