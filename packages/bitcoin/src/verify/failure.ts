/** Why a script failed, by the names that Bitcoin Core has for it (script/script_error.h), in lower case. */
export type ScriptFailureName =
  | 'eval_false'
  | 'op_return'
  | 'script_size'
  | 'push_size'
  | 'op_count'
  | 'stack_size'
  | 'sig_count'
  | 'pubkey_count'
  | 'verify'
  | 'equalverify'
  | 'checkmultisigverify'
  | 'checksigverify'
  | 'numequalverify'
  | 'scriptnum'
  | 'bad_opcode'
  | 'disabled_opcode'
  | 'invalid_stack_operation'
  | 'invalid_altstack_operation'
  | 'unbalanced_conditional'
  | 'negative_locktime'
  | 'unsatisfied_locktime'
  | 'sig_hashtype'
  | 'sig_der'
  | 'minimaldata'
  | 'sig_pushonly'
  | 'sig_high_s'
  | 'sig_nulldummy'
  | 'pubkeytype'
  | 'cleanstack'
  | 'minimalif'
  | 'nullfail'
  | 'discourage_upgradable_nops'
  | 'discourage_upgradable_witness_program'
  | 'discourage_upgradable_taproot_version'
  | 'discourage_op_success'
  | 'discourage_upgradable_pubkeytype'
  | 'witness_program_wrong_length'
  | 'witness_program_witness_empty'
  | 'witness_program_mismatch'
  | 'witness_malleated'
  | 'witness_malleated_p2sh'
  | 'witness_unexpected'
  | 'witness_pubkeytype'
  | 'schnorr_sig_size'
  | 'schnorr_sig_hashtype'
  | 'schnorr_sig'
  | 'taproot_wrong_control_size'
  | 'tapscript_validation_weight'
  | 'tapscript_checkmultisig'
  | 'tapscript_minimalif'
  | 'tapscript_empty_pubkey'
  | 'op_codeseparator'
  | 'sig_findanddelete';

/** Leaves a running script at once; caught where it was started. */
export class ScriptFailure extends Error {
  readonly code: ScriptFailureName;

  constructor(code: ScriptFailureName) {
    super(code);
    this.code = code;
  }
}

/** A taproot signature commits to every coin that is spent, and not all of them are known. */
export class PrevoutsMissing extends Error {}

export function fail(code: ScriptFailureName): never {
  throw new ScriptFailure(code);
}
