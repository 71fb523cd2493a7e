import { concat, equalBytes } from '@keepwatch/base';
import { sha256 } from '@noble/hashes/sha2.js';
import { compactSize, compactSizeLength } from '../compact-size.ts';
import { p2pkhScript, scriptKind, witnessProgram } from '../script/kinds.ts';
import { isTrue } from '../script/number.ts';
import { pushBytes } from '../script/push.ts';
import { branchHash, leafHash, TAPSCRIPT_VERSION, tweakedKey } from '../script/taproot.ts';
import type { Transaction } from '../transaction.ts';
import { fail } from './failure.ts';
import { runScript, type Checks, type ScriptVersion } from './interpreter.ts';
import type { Rules } from './rules.ts';
import type { SignatureHashes, TaprootExtension } from './sighash.ts';
import { checkKeyEncoding, checkSignatureEncoding, ecdsaHolds, schnorrHolds } from './signature.ts';
import { findAndDelete, isPushOnly, operationAt } from './walk.ts';

/** One input and the coin that it spends. */
export interface Spend {
  readonly transaction: Transaction;
  readonly input: number;
  readonly script: Uint8Array;
  readonly sats: bigint;
  readonly hashes: SignatureHashes;
}

const ANNEX_TAG = 0x50;
/** BIP342: what each signature that is checked costs of the budget that the witness brings. */
const SIGNATURE_WEIGHT = 50;

/** Runs an input against the script of its coin (Bitcoin Core, `VerifyScript`). Throws `ScriptFailure`. */
export function runSpend(spend: Spend, rules: Rules): void {
  const { scriptSig, witness } = spend.transaction.inputs[spend.input]!;
  if (rules.has('SIGPUSHONLY') && !isPushOnly(scriptSig)) fail('sig_pushonly');
  const base = checksOf(spend, rules, 'base', null);
  let stack: Uint8Array[] = [];
  runScript(stack, scriptSig, 'base', rules, base);
  const afterScriptSig = [...stack];
  runScript(stack, spend.script, 'base', rules, base);
  if (!isTrue(stack.at(-1) ?? new Uint8Array())) fail('eval_false');

  let hadWitness = false;
  const segwit = rules.has('WITNESS');
  const native = segwit ? witnessProgram(spend.script) : undefined;
  if (native) {
    hadWitness = true;
    if (scriptSig.length > 0) fail('witness_malleated');
    runWitnessProgram(spend, native.version, native.program, witness, rules, false);
    stack = stack.slice(0, 1);
  }
  if (rules.has('P2SH') && scriptKind(spend.script).kind === 'p2sh') {
    if (!isPushOnly(scriptSig)) fail('sig_pushonly');
    stack = afterScriptSig;
    // The script of the coin has just taken this very element.
    const redeem = stack.pop()!;
    runScript(stack, redeem, 'base', rules, base);
    if (!isTrue(stack.at(-1) ?? new Uint8Array())) fail('eval_false');
    const nested = segwit ? witnessProgram(redeem) : undefined;
    if (nested) {
      hadWitness = true;
      if (!equalBytes(scriptSig, pushBytes(redeem))) fail('witness_malleated_p2sh');
      runWitnessProgram(spend, nested.version, nested.program, witness, rules, true);
      stack = stack.slice(0, 1);
    }
  }
  if (rules.has('CLEANSTACK') && stack.length !== 1) fail('cleanstack');
  if (segwit && !hadWitness && witness.length > 0) fail('witness_unexpected');
}

function runWitnessProgram(
  spend: Spend,
  version: number,
  program: Uint8Array,
  witness: readonly Uint8Array[],
  rules: Rules,
  nested: boolean,
): void {
  if (version === 0 && program.length === 32) {
    const script = witness.at(-1) ?? fail('witness_program_witness_empty');
    if (!equalBytes(sha256(script), program)) fail('witness_program_mismatch');
    runWitnessScript(spend, witness.slice(0, -1), script, 'witness_v0', rules, null);
  } else if (version === 0 && program.length === 20) {
    if (witness.length !== 2) fail('witness_program_mismatch');
    runWitnessScript(spend, witness, p2pkhScript(program), 'witness_v0', rules, null);
  } else if (version === 0) {
    fail('witness_program_wrong_length');
  } else if (version === 1 && program.length === 32 && !nested) {
    if (rules.has('TAPROOT')) runTaproot(spend, program, witness, rules);
  } else if (!nested && scriptKind(spend.script).kind === 'p2a') {
    // BIP433: anyone may spend it.
  } else if (rules.has('DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM')) {
    fail('discourage_upgradable_witness_program');
  }
}

/** BIP341, “Script validation rules”. */
function runTaproot(spend: Spend, program: Uint8Array, witness: readonly Uint8Array[], rules: Rules): void {
  if (witness.length === 0) fail('witness_program_witness_empty');
  const last = witness.at(-1)!;
  const annex = witness.length >= 2 && last[0] === ANNEX_TAG ? last : null;
  const annexHash = annex && sha256(concat(compactSize(annex.length), annex));
  const stack = annex ? witness.slice(0, -1) : [...witness];
  if (stack.length === 1) {
    checkSchnorr(spend, stack[0]!, program, { annexHash, leaf: null });
    return;
  }
  const control = stack.pop()!;
  const script = stack.pop()!;
  if (control.length < 33 || control.length > 33 + 32 * 128 || (control.length - 33) % 32 !== 0) {
    fail('taproot_wrong_control_size');
  }
  const leafVersion = control[0]! & 0xfe;
  const hash = leafHash(script, leafVersion);
  if (!commitsTo(program, control, hash)) fail('witness_program_mismatch');
  if (leafVersion === TAPSCRIPT_VERSION) {
    const bytes = witness.reduce((sum, item) => sum + compactSizeLength(item.length) + item.length, 0);
    const budget = compactSizeLength(witness.length) + bytes + SIGNATURE_WEIGHT;
    runWitnessScript(spend, stack, script, 'tapscript', rules, { annexHash, leafHash: hash, budget });
  } else if (rules.has('DISCOURAGE_UPGRADABLE_TAPROOT_VERSION')) {
    fail('discourage_upgradable_taproot_version');
  }
}

function commitsTo(program: Uint8Array, control: Uint8Array, leaf: Uint8Array): boolean {
  let node = leaf;
  for (let at = 33; at < control.length; at += 32) node = branchHash(node, control.subarray(at, at + 32));
  try {
    const { key, odd } = tweakedKey(control.subarray(1, 33), node);
    return equalBytes(key, program) && odd === ((control[0]! & 1) === 1);
  } catch {
    // The internal key is no point, or the tweak no number below the order.
    return false;
  }
}

interface TapscriptContext {
  readonly annexHash: Uint8Array | null;
  readonly leafHash: Uint8Array;
  readonly budget: number;
}

function runWitnessScript(
  spend: Spend,
  arguments_: readonly Uint8Array[],
  script: Uint8Array,
  version: ScriptVersion,
  rules: Rules,
  tapscript: TapscriptContext | null,
): void {
  if (version === 'tapscript') {
    for (let at = 0; at < script.length;) {
      const operation = operationAt(script, at);
      if (operation.truncated) fail('bad_opcode');
      if (isOpSuccess(operation.opcode)) {
        if (rules.has('DISCOURAGE_OP_SUCCESS')) fail('discourage_op_success');
        return;
      }
      at = operation.next;
    }
    if (arguments_.length > 1000) fail('stack_size');
  }
  if (arguments_.some((item) => item.length > 520)) fail('push_size');
  const stack = [...arguments_];
  runScript(stack, script, version, rules, checksOf(spend, rules, version, tapscript));
  if (stack.length !== 1) fail('cleanstack');
  if (!isTrue(stack[0]!)) fail('eval_false');
}

/** BIP342: opcodes that make a script valid at once, until they are given a meaning. */
function isOpSuccess(opcode: number): boolean {
  return (
    opcode === 0x50 ||
    opcode === 0x62 ||
    (opcode >= 0x7e && opcode <= 0x81) ||
    (opcode >= 0x83 && opcode <= 0x86) ||
    (opcode >= 0x89 && opcode <= 0x8a) ||
    (opcode >= 0x8d && opcode <= 0x8e) ||
    (opcode >= 0x95 && opcode <= 0x99) ||
    (opcode >= 0xbb && opcode <= 0xfe)
  );
}

function checkSchnorr(spend: Spend, signature: Uint8Array, key: Uint8Array, extension: TaprootExtension): void {
  if (signature.length !== 64 && signature.length !== 65) fail('schnorr_sig_size');
  const type = signature.length === 65 ? signature[64]! : 0;
  // BIP341: the default type has no byte of its own, so that there is one way to say it.
  if (signature.length === 65 && type === 0) fail('schnorr_sig_hashtype');
  const hash = spend.hashes.taproot(spend.input, type, extension) ?? fail('schnorr_sig_hashtype');
  if (!schnorrHolds(signature.subarray(0, 64), hash, key)) fail('schnorr_sig');
}

function checksOf(spend: Spend, rules: Rules, version: ScriptVersion, tapscript: TapscriptContext | null): Checks {
  const { transaction, input } = spend;
  const { sequence } = transaction.inputs[input]!;
  let budget = tapscript?.budget ?? 0;

  /** BIP143 commits to the code as it is; before it, a signature cannot be in what it signs. */
  const codeFor = (script: Uint8Array, signatures: readonly Uint8Array[]) => {
    let code = script;
    if (version !== 'base') return code;
    for (const signature of signatures) {
      const { script: without, found } = findAndDelete(code, pushBytes(signature));
      if (found && rules.has('CONST_SCRIPTCODE')) fail('sig_findanddelete');
      code = without;
    }
    return code;
  };
  const holds = (signature: Uint8Array, key: Uint8Array, code: Uint8Array): boolean => {
    checkSignatureEncoding(signature, rules);
    checkKeyEncoding(key, rules, version === 'witness_v0');
    if (signature.length === 0) return false;
    const type = signature[signature.length - 1]!;
    const hash =
      version === 'base' ? spend.hashes.legacy(input, code, type) : spend.hashes.segwit(input, code, spend.sats, type);
    return ecdsaHolds(signature, hash, key);
  };
  const nullFail = (success: boolean, signatures: readonly Uint8Array[]) => {
    if (!success && rules.has('NULLFAIL') && signatures.some(({ length }) => length > 0)) fail('nullfail');
    return success;
  };

  return {
    signature: (signature, key, script) => nullFail(holds(signature, key, codeFor(script, [signature])), [signature]),

    multisig: (signatures, keys, script) => {
      const code = codeFor(script, signatures);
      let next = 0;
      let key = 0;
      // In the order of the stack; as soon as more signatures than keys are left, the rest is not looked at.
      while (next < signatures.length && signatures.length - next <= keys.length - key) {
        if (holds(signatures[next]!, keys[key]!, code)) next++;
        key++;
      }
      return nullFail(next === signatures.length, signatures);
    },

    tapscript: (signature, key, codeSeparator) => {
      const present = signature.length > 0;
      if (present && (budget -= SIGNATURE_WEIGHT) < 0) fail('tapscript_validation_weight');
      if (key.length === 0) fail('tapscript_empty_pubkey');
      if (key.length === 32) {
        const leaf = { hash: tapscript!.leafHash, codeSeparator };
        if (present) checkSchnorr(spend, signature, key, { annexHash: tapscript!.annexHash, leaf });
      } else if (rules.has('DISCOURAGE_UPGRADABLE_PUBKEYTYPE')) {
        fail('discourage_upgradable_pubkeytype');
      }
      return present;
    },

    // BIP65: the same kind of lock, reached by the transaction's own, which this input must not switch off.
    lockTime: (value) =>
      value < LOCKTIME_THRESHOLD === transaction.lockTime < LOCKTIME_THRESHOLD &&
      value <= transaction.lockTime &&
      sequence !== 0xffff_ffff,

    // BIP112: as BIP68 reads the sequence of this input.
    sequence: (value) => {
      if (transaction.version >>> 0 < 2 || sequence >= 0x8000_0000) return false;
      const [asked, given] = [value & SEQUENCE_MASK, sequence & SEQUENCE_MASK];
      return (asked & SEQUENCE_TIME) === (given & SEQUENCE_TIME) && asked <= given;
    },
  };
}

/** Below it a lock counts blocks, from it on seconds since 1970. */
const LOCKTIME_THRESHOLD = 500_000_000;
const SEQUENCE_TIME = 0x0040_0000;
const SEQUENCE_MASK = SEQUENCE_TIME | 0xffff;
