import type { Json } from '@keepwatch/base';
import { isCount, isObject, type JsonObject } from '../strict-json.ts';

/**
 * Receipts as answers carry them. Those of one batch have the same head and most of their paths in common, and a batch
 * answers many requests of a session: what the receipt before had as well is not said again. In its place stands `above`,
 * the number of nodes that are taken over from the end of the path of the receipt before, and with them its head.
 */

/** A receipt in parts that are text already. */
export interface ReceiptParts {
  /** The entry's exact text. */
  readonly entry: string;
  readonly seq: number;
  readonly index: number;
  /** base64url, the lowest node first. */
  readonly path: readonly string[];
  /** As JSON. */
  readonly head: string;
}

/** More than any path has: a batch of 2^40 entries. */
const MAX_PATH = 40;

/** The receipt as JSON. `before`: the one that the reader had last, if it is to be referred to. */
export function receiptText(receipt: ReceiptParts, before: ReceiptParts | null): string {
  const { entry, seq, index, path, head } = receipt;
  const own = `{"entry":${JSON.stringify(entry)},"seq":${seq},"index":${index},"path":`;
  if (before === null || before.head !== head) return `${own}${nodesText(path, path.length)},"head":${head}}`;
  const above = sharedNodes(path, before.path);
  return `${own}${nodesText(path, path.length - above)},"above":${above}}`;
}

/** How many nodes two paths have in common at their ends. */
function sharedNodes(path: readonly string[], other: readonly string[]): number {
  const most = Math.min(path.length, other.length);
  let shared = 0;
  while (shared < most && path[path.length - 1 - shared] === other[other.length - 1 - shared]) shared++;
  return shared;
}

function nodesText(path: readonly string[], count: number): string {
  let text = '[';
  for (let i = 0; i < count; i++) text += i === 0 ? `"${path[i]!}"` : `,"${path[i]!}"`;
  return `${text}]`;
}

/** The reader's side of one session. */
export interface ReceiptReader {
  /**
   * The result, and its receipt made whole in it, for every result in the order in which they came. `undefined` where a
   * receipt refers to something that was not there. What a receipt says is not looked at. Receipts that share a head have
   * the same object for it.
   */
  complete(result: Json): Json | undefined;
}

export function createReceiptReader(): ReceiptReader {
  let before: { readonly path: readonly Json[]; readonly head: Json | undefined } | null = null;

  function whole(receipt: JsonObject): JsonObject | undefined {
    const { entry, seq, index, path, above } = receipt;
    if (before === null || !Array.isArray(path) || !isCount(above!) || Object.keys(receipt).length !== 5)
      return undefined;
    const { path: last, head } = before;
    const nodes = path as Json[];
    if (above > last.length || nodes.length + above > MAX_PATH) return undefined;
    for (let i = last.length - above; i < last.length; i++) nodes.push(last[i]!);
    before = { path: nodes, head };
    return { entry, seq, index, path: nodes, head };
  }

  return {
    complete(result) {
      if (!isObject(result) || !isObject(result['receipt'])) return result;
      const { receipt } = result;
      const { above, path, head } = receipt;
      if (above === undefined) {
        before = Array.isArray(path) ? { path: path as readonly Json[], head } : null;
        return result;
      }
      const completed = whole(receipt);
      if (completed === undefined) return undefined;
      // In place: a copy of each of thousands of results a second costs more than all the rest here.
      (result as { receipt: Json }).receipt = completed as Json;
      return result;
    },
  };
}
