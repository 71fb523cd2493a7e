/**
 * watch: what a chain's story means for the wallets that are watched. `step` takes one event and gives findings; state is
 * the fold of what it gave. Pure: no source, no clock, no channel. Whom a finding concerns, and how it reaches them, is
 * the business of rules and of notify.
 */
export type { BlockRef, ChainInput, Grade } from './chain-input.ts';
export {
  FINDING_VERSION,
  type Direction,
  type Evidence,
  type Finding,
  type FindingDetail,
  type FindingKind,
  type Movement,
  type Severity,
} from './finding.ts';
