/**
 * chain: sources of what happens on a chain, all behind one port. It says what was seen, by whom, and with which grade
 * of certainty. What that means for an owner is not for this package to say.
 */
export type {
  BlockRef,
  BroadcastResult,
  ChainEvent,
  ChainSource,
  Cursor,
  FeerateEstimate,
  Grade,
  Health,
  MatchedTx,
  Outpoint,
  Received,
  ScanEvent,
  ScanRequest,
  Spent,
  WatchSet,
} from './source.ts';
