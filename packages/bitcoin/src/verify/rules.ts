/**
 * Which rules a script runs under. Those of consensus decide whether a block may hold it; the others are what nodes ask
 * for besides before they relay it (Bitcoin Core, script/interpreter.h, `SCRIPT_VERIFY_…`, under the same names).
 */
export type Rule =
  | 'P2SH'
  | 'DERSIG'
  | 'NULLDUMMY'
  | 'CHECKLOCKTIMEVERIFY'
  | 'CHECKSEQUENCEVERIFY'
  | 'WITNESS'
  | 'TAPROOT'
  | 'STRICTENC'
  | 'LOW_S'
  | 'SIGPUSHONLY'
  | 'MINIMALDATA'
  | 'CLEANSTACK'
  | 'MINIMALIF'
  | 'NULLFAIL'
  | 'WITNESS_PUBKEYTYPE'
  | 'CONST_SCRIPTCODE'
  | 'DISCOURAGE_UPGRADABLE_NOPS'
  | 'DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM'
  | 'DISCOURAGE_UPGRADABLE_TAPROOT_VERSION'
  | 'DISCOURAGE_OP_SUCCESS'
  | 'DISCOURAGE_UPGRADABLE_PUBKEYTYPE';

export type Rules = ReadonlySet<Rule>;

const CONSENSUS: readonly Rule[] = [
  'P2SH',
  'DERSIG',
  'NULLDUMMY',
  'CHECKLOCKTIMEVERIFY',
  'CHECKSEQUENCEVERIFY',
  'WITNESS',
  'TAPROOT',
];

/** What has no meaning yet, and so would be valid for anybody until a soft fork gives it one. */
const UNKNOWN: readonly Rule[] = [
  'DISCOURAGE_UPGRADABLE_NOPS',
  'DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM',
  'DISCOURAGE_UPGRADABLE_TAPROOT_VERSION',
  'DISCOURAGE_OP_SUCCESS',
  'DISCOURAGE_UPGRADABLE_PUBKEYTYPE',
];

/** Consensus as it is today, and nothing that only a later one would define. */
export const KNOWN_CONSENSUS_RULES: Rules = new Set<Rule>([...CONSENSUS, ...UNKNOWN]);

/** What nodes relay. */
export const STANDARD_RULES: Rules = new Set<Rule>([
  ...CONSENSUS,
  ...UNKNOWN,
  'STRICTENC',
  'LOW_S',
  'MINIMALDATA',
  'CLEANSTACK',
  'MINIMALIF',
  'NULLFAIL',
  'WITNESS_PUBKEYTYPE',
  'CONST_SCRIPTCODE',
]);
