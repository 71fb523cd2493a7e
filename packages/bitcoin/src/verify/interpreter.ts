import { equalBytes } from '@keepwatch/base';
import { ripemd160, sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { hash160 } from '../script/hashes.ts';
import { decodeScriptNumber, encodeScriptNumber, isTrue } from '../script/number.ts';
import { sha256d } from '../sha256d.ts';
import { fail } from './failure.ts';
import type { Rules } from './rules.ts';
import { isMinimalPush, OP_16, OP_CODESEPARATOR, operationAt } from './walk.ts';

/**
 * Runs one script, as consensus has it: every opcode, the limits, and the peculiarities. What a signature or a time
 * lock means it asks `Checks`; whose script it is, and what must be left on the stack, is for `spend.ts` to say.
 */
export type ScriptVersion = 'base' | 'witness_v0' | 'tapscript';

export interface Checks {
  /** Before tapscript: one signature, and several keys. `script`: what was executed since the last OP_CODESEPARATOR. */
  signature(signature: Uint8Array, key: Uint8Array, script: Uint8Array): boolean;
  /** The keys and signatures of CHECKMULTISIG, the first of each first. */
  multisig(signatures: readonly Uint8Array[], keys: readonly Uint8Array[], script: Uint8Array): boolean;
  /** Tapscript: throws where a signature that is there does not hold. */
  tapscript(signature: Uint8Array, key: Uint8Array, codeSeparator: number): boolean;
  lockTime(value: number): boolean;
  sequence(value: number): boolean;
}

const MAX_SCRIPT = 10_000;
const MAX_ELEMENT = 520;
const MAX_OPERATIONS = 201;
const MAX_STACK = 1000;
const MAX_KEYS = 20;

/** OP_CAT to OP_RSHIFT: gone since 2010, even in a branch that is not taken. */
const DISABLED = new Set([0x7e, 0x7f, 0x80, 0x81, 0x83, 0x84, 0x85, 0x86, 0x8d, 0x8e, 0x95, 0x96, 0x97, 0x98, 0x99]);

const TRUE = Uint8Array.of(1);
const FALSE = new Uint8Array(0);

/** Changes `stack`. Throws `ScriptFailure`. */
export function runScript(
  stack: Uint8Array[],
  script: Uint8Array,
  version: ScriptVersion,
  rules: Rules,
  checks: Checks,
): void {
  const tapscript = version === 'tapscript';
  const minimal = rules.has('MINIMALDATA');
  if (!tapscript && script.length > MAX_SCRIPT) fail('script_size');
  const alt: Uint8Array[] = [];
  /** One for each IF that is open: whether its present branch runs. */
  const branches: boolean[] = [];
  let idle = 0;
  let operations = 0;
  let codeStart = 0;
  let codeSeparator = 0xffff_ffff;

  const need = (count: number) => {
    if (stack.length < count) fail('invalid_stack_operation');
  };
  const pop = () => stack.pop() ?? fail('invalid_stack_operation');
  const top = (depth: number) => stack[stack.length - depth]!;
  const toNumber = (bytes: Uint8Array, maxBytes = 4) =>
    decodeScriptNumber(bytes, minimal, maxBytes) ?? fail('scriptnum');
  const push = (value: number) => stack.push(encodeScriptNumber(value));
  const pushBool = (value: boolean) => stack.push(value ? TRUE : FALSE);
  const unary = (compute: (a: number) => number) => {
    need(1);
    push(compute(toNumber(pop())));
  };
  const binary = (compute: (a: number, b: number) => number | boolean) => {
    need(2);
    const a = toNumber(top(2));
    const b = toNumber(top(1));
    stack.length -= 2;
    push(Number(compute(a, b)));
  };
  const verify = (code: 'verify' | 'equalverify' | 'numequalverify' | 'checksigverify' | 'checkmultisigverify') => {
    if (!isTrue(pop())) fail(code);
  };
  const hash = (compute: (bytes: Uint8Array) => Uint8Array) => {
    need(1);
    stack.push(compute(pop()));
  };
  const code = () => script.subarray(codeStart);
  const checkSignature = () => {
    need(2);
    const [signature, key] = [top(2), top(1)];
    const holds = tapscript
      ? checks.tapscript(signature, key, codeSeparator)
      : checks.signature(signature, key, code());
    stack.length -= 2;
    pushBool(holds);
  };
  const checkMultisig = () => {
    if (tapscript) fail('tapscript_checkmultisig');
    need(1);
    const keyCount = toNumber(top(1));
    if (keyCount < 0 || keyCount > MAX_KEYS) fail('pubkey_count');
    operations += keyCount;
    if (operations > MAX_OPERATIONS) fail('op_count');
    need(keyCount + 2);
    const signatureCount = toNumber(top(keyCount + 2));
    if (signatureCount < 0 || signatureCount > keyCount) fail('sig_count');
    const used = keyCount + signatureCount + 2;
    // One element too many is taken, and always was.
    need(used + 1);
    const keys = Array.from({ length: keyCount }, (_, i) => top(2 + i));
    const signatures = Array.from({ length: signatureCount }, (_, i) => top(keyCount + 3 + i));
    const holds = checks.multisig(signatures, keys, code());
    if (rules.has('NULLDUMMY') && top(used + 1).length > 0) fail('sig_nulldummy');
    stack.length -= used + 1;
    pushBool(holds);
  };
  const noOperation = () => {
    if (rules.has('DISCOURAGE_UPGRADABLE_NOPS')) fail('discourage_upgradable_nops');
  };
  const condition = (opcode: number) => {
    if (idle > 0) {
      branches.push(false);
      idle++;
      return;
    }
    if (stack.length < 1) fail('unbalanced_conditional');
    const value = top(1);
    const isMinimal = value.length === 0 || (value.length === 1 && value[0] === 1);
    if (tapscript && !isMinimal) fail('tapscript_minimalif');
    if (version === 'witness_v0' && rules.has('MINIMALIF') && !isMinimal) fail('minimalif');
    const taken = isTrue(pop()) === (opcode === 0x63);
    branches.push(taken);
    if (!taken) idle++;
  };

  let position = 0;
  for (let at = 0; at < script.length; position++) {
    const operation = operationAt(script, at);
    const { opcode, data } = operation;
    at = operation.next;
    if (operation.truncated) fail('bad_opcode');
    if (data && data.length > MAX_ELEMENT) fail('push_size');
    if (!tapscript && opcode > OP_16 && ++operations > MAX_OPERATIONS) fail('op_count');
    if (DISABLED.has(opcode)) fail('disabled_opcode');
    if (opcode === OP_CODESEPARATOR && version === 'base' && rules.has('CONST_SCRIPTCODE')) fail('op_codeseparator');
    const runs = idle === 0;
    if (data) {
      if (runs) {
        if (minimal && !isMinimalPush(opcode, data)) fail('minimaldata');
        stack.push(data);
      }
    } else if (runs || (opcode >= 0x63 && opcode <= 0x68)) {
      switch (opcode) {
        case 0x4f: // OP_1NEGATE
          push(-1);
          break;
        case 0x61: // OP_NOP
          break;
        case 0xb1: {
          if (!rules.has('CHECKLOCKTIMEVERIFY')) {
            noOperation();
            break;
          }
          need(1);
          const value = toNumber(top(1), 5);
          if (value < 0) fail('negative_locktime');
          if (!checks.lockTime(value)) fail('unsatisfied_locktime');
          break;
        }
        case 0xb2: {
          if (!rules.has('CHECKSEQUENCEVERIFY')) {
            noOperation();
            break;
          }
          need(1);
          const value = toNumber(top(1), 5);
          if (value < 0) fail('negative_locktime');
          // BIP112: with this bit set the operand asks for nothing.
          if (Math.floor(value / 2 ** 31) % 2 === 0 && !checks.sequence(value)) fail('unsatisfied_locktime');
          break;
        }
        case 0xb0: // OP_NOP1, OP_NOP4 to OP_NOP10
        case 0xb3:
        case 0xb4:
        case 0xb5:
        case 0xb6:
        case 0xb7:
        case 0xb8:
        case 0xb9:
          noOperation();
          break;
        case 0x63: // OP_IF
        case 0x64: // OP_NOTIF
          condition(opcode);
          break;
        case 0x67: {
          // OP_ELSE
          const last = branches.pop() ?? fail('unbalanced_conditional');
          branches.push(!last);
          idle += last ? 1 : -1;
          break;
        }
        case 0x68: // OP_ENDIF
          if (!(branches.pop() ?? fail('unbalanced_conditional'))) idle--;
          break;
        case 0x69: // OP_VERIFY
          need(1);
          verify('verify');
          break;
        case 0x6a:
          fail('op_return');
          break;
        case 0x6b: // OP_TOALTSTACK
          need(1);
          alt.push(pop());
          break;
        case 0x6c: // OP_FROMALTSTACK
          stack.push(alt.pop() ?? fail('invalid_altstack_operation'));
          break;
        case 0x6d: // OP_2DROP
          need(2);
          stack.length -= 2;
          break;
        case 0x6e: // OP_2DUP
          need(2);
          stack.push(top(2), top(1));
          break;
        case 0x6f: // OP_3DUP
          need(3);
          stack.push(top(3), top(2), top(1));
          break;
        case 0x70: // OP_2OVER
          need(4);
          stack.push(top(4), top(3));
          break;
        case 0x71: // OP_2ROT
          need(6);
          stack.push(...stack.splice(-6, 2));
          break;
        case 0x72: // OP_2SWAP
          need(4);
          stack.push(...stack.splice(-4, 2));
          break;
        case 0x73: // OP_IFDUP
          need(1);
          if (isTrue(top(1))) stack.push(top(1));
          break;
        case 0x74: // OP_DEPTH
          push(stack.length);
          break;
        case 0x75: // OP_DROP
          pop();
          break;
        case 0x76: // OP_DUP
          need(1);
          stack.push(top(1));
          break;
        case 0x77: // OP_NIP
          need(2);
          stack.splice(-2, 1);
          break;
        case 0x78: // OP_OVER
          need(2);
          stack.push(top(2));
          break;
        case 0x79: // OP_PICK
        case 0x7a: {
          // OP_ROLL
          need(2);
          const depth = toNumber(pop());
          if (depth < 0 || depth >= stack.length) fail('invalid_stack_operation');
          const value = top(depth + 1);
          if (opcode === 0x7a) stack.splice(stack.length - depth - 1, 1);
          stack.push(value);
          break;
        }
        case 0x7b: // OP_ROT
          need(3);
          stack.push(...stack.splice(-3, 1));
          break;
        case 0x7c: // OP_SWAP
          need(2);
          stack.push(...stack.splice(-2, 1));
          break;
        case 0x7d: // OP_TUCK
          need(2);
          stack.splice(-2, 0, top(1));
          break;
        case 0x82: // OP_SIZE
          need(1);
          push(top(1).length);
          break;
        case 0x87: // OP_EQUAL
        case 0x88: // OP_EQUALVERIFY
          need(2);
          pushBool(equalBytes(pop(), pop()));
          if (opcode === 0x88) verify('equalverify');
          break;
        case 0x8b:
          unary((a) => a + 1);
          break;
        case 0x8c:
          unary((a) => a - 1);
          break;
        case 0x8f: // OP_NEGATE
          unary((a) => (a === 0 ? 0 : -a));
          break;
        case 0x90: // OP_ABS
          unary(Math.abs);
          break;
        case 0x91: // OP_NOT
          unary((a) => Number(a === 0));
          break;
        case 0x92: // OP_0NOTEQUAL
          unary((a) => Number(a !== 0));
          break;
        case 0x93:
          binary((a, b) => a + b);
          break;
        case 0x94:
          binary((a, b) => a - b);
          break;
        case 0x9a:
          binary((a, b) => a !== 0 && b !== 0);
          break;
        case 0x9b:
          binary((a, b) => a !== 0 || b !== 0);
          break;
        case 0x9c:
          binary((a, b) => a === b);
          break;
        case 0x9d:
          binary((a, b) => a === b);
          verify('numequalverify');
          break;
        case 0x9e:
          binary((a, b) => a !== b);
          break;
        case 0x9f:
          binary((a, b) => a < b);
          break;
        case 0xa0:
          binary((a, b) => a > b);
          break;
        case 0xa1:
          binary((a, b) => a <= b);
          break;
        case 0xa2:
          binary((a, b) => a >= b);
          break;
        case 0xa3:
          binary(Math.min);
          break;
        case 0xa4:
          binary(Math.max);
          break;
        case 0xa5: {
          // OP_WITHIN
          need(3);
          const [value, low, high] = [toNumber(top(3)), toNumber(top(2)), toNumber(top(1))];
          stack.length -= 3;
          pushBool(low <= value && value < high);
          break;
        }
        case 0xa6:
          hash(ripemd160);
          break;
        case 0xa7:
          hash(sha1);
          break;
        case 0xa8:
          hash(sha256);
          break;
        case 0xa9:
          hash(hash160);
          break;
        case 0xaa:
          hash(sha256d);
          break;
        case OP_CODESEPARATOR:
          codeStart = at;
          codeSeparator = position;
          break;
        case 0xac:
          checkSignature();
          break;
        case 0xad:
          checkSignature();
          verify('checksigverify');
          break;
        case 0xae:
          checkMultisig();
          break;
        case 0xaf:
          checkMultisig();
          verify('checkmultisigverify');
          break;
        case 0xba: {
          // OP_CHECKSIGADD (BIP342)
          if (!tapscript) fail('bad_opcode');
          need(3);
          const [signature, count, key] = [top(3), toNumber(top(2)), top(1)];
          const holds = checks.tapscript(signature, key, codeSeparator);
          stack.length -= 3;
          push(count + Number(holds));
          break;
        }
        default:
          if (opcode < 0x51 || opcode > OP_16) fail('bad_opcode');
          push(opcode - 0x50);
      }
    }
    if (stack.length + alt.length > MAX_STACK) fail('stack_size');
  }
  if (branches.length > 0) fail('unbalanced_conditional');
}
