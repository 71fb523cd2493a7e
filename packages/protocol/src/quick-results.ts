import type { MethodName, MethodResult } from './methods.ts';

/**
 * Results that a busy client gets thousands of times a second, checked by hand: a schema costs several times as much.
 * True only of what the schema of `METHODS` takes; what is not is for the schema to judge, which also says what is wrong.
 */
export const QUICK_RESULTS: { readonly [N in MethodName]?: (result: unknown) => result is MethodResult<N> } = {
  'transaction.sign': isSignatureAnswer,
};

const HASH_32 = /^[A-Za-z0-9_-]{43}$/;
const SIGNATURE = /^[A-Za-z0-9_-]{86}$/;
const SIGNATURE_65 = /^0x[0-9a-f]{130}$/;

type Members = Readonly<Record<string, unknown>>;

function isSignatureAnswer(result: unknown): result is MethodResult<'transaction.sign'> {
  return isRecord(result, 2) && isText(result['signature'], SIGNATURE_65) && isReceipt(result['receipt']);
}

function isReceipt(value: unknown): boolean {
  if (!isRecord(value, 5)) return false;
  const { seq, entry, index, path, head } = value;
  if (!isCount(seq) || typeof entry !== 'string' || !isCount(index)) return false;
  return isPath(path) && isSignedHead(head);
}

/**
 * The receipts of a batch share their head, as one object, and the end of their paths. What was found right in the receipt
 * before is not looked at again: it is still what it was, for only whoever got that answer could have changed it.
 */
let rightPath: readonly unknown[] = [];
let rightHead: unknown;

function isPath(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const path = value as readonly unknown[];
  const shift = rightPath.length - path.length;
  for (let i = 0; i < path.length; i++) {
    const node = path[i];
    if (typeof node !== 'string' || (node !== rightPath[i + shift] && !HASH_32.test(node))) return false;
  }
  rightPath = path;
  return true;
}

function isSignedHead(value: unknown): boolean {
  if (value === rightHead && value !== undefined) return true;
  if (!isRecord(value, 9)) return false;
  const { version, vault, epoch, firstSeq, lastSeq, root, prev, timeMs, signature } = value;
  const counts = isCount(epoch) && isCount(firstSeq) && isCount(lastSeq) && isCount(timeMs);
  const hashes = isText(vault, HASH_32) && isText(root, HASH_32) && isText(prev, HASH_32);
  const right = version === 1 && counts && hashes && isText(signature, SIGNATURE);
  if (right) rightHead = value;
  return right;
}

/** An object with so many members: with each of those that are then looked at, it has no others. */
function isRecord(value: unknown, members: number): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === members;
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isText(value: unknown, form: RegExp): boolean {
  return typeof value === 'string' && form.test(value);
}
