import type { Json } from '@keepwatch/base';
import { isCount, isObject, type JsonObject } from '../strict-json.ts';

/**
 * Receipts as answers carry them. Those of one batch have the same head and most of their paths in common, and the entries
 * of a client's requests differ in few places: what the receipt before had as well is not said again. In place of a head
 * stands `above`, the number of nodes that are taken over from the end of the path of the receipt before, and with them
 * its head. In place of an entry stands `fill`, what stands in the gaps of a `form`; without a form it is that of the
 * receipt before.
 */

/** An entry's exact text, cut in two: it is `form[0] fill[0] form[1] fill[1] …`, and ends with a piece of the form. */
export interface EntryText {
  /** What the entries of many requests have in common: one piece more than `fill` has. */
  readonly form: readonly string[];
  readonly fill: readonly string[];
}

/** A receipt in parts that are text already. */
export interface ReceiptParts {
  readonly entry: EntryText;
  readonly seq: number;
  readonly index: number;
  /** base64url, the lowest node first. */
  readonly path: readonly string[];
  /** As JSON. */
  readonly head: string;
}

/** More than any path has: a batch of 2^40 entries. */
const MAX_PATH = 40;

/** The entry in one piece. */
export function wholeText({ form, fill }: EntryText): string {
  let text = form[0]!;
  for (let i = 0; i < fill.length; i++) text += fill[i]! + form[i + 1]!;
  return text;
}

/** The receipt as JSON. `before`: the one that the reader had last, if it is to be referred to. */
export function receiptText(receipt: ReceiptParts, before: ReceiptParts | null): string {
  const { entry, seq, index, path, head } = receipt;
  const own = `{${entryMembers(entry, before === null ? null : before.entry)},"seq":${seq},"index":${index},"path":`;
  if (before === null || before.head !== head) return `${own}${nodesText(path, path.length)},"head":${head}}`;
  const above = sharedNodes(path, before.path);
  return `${own}${nodesText(path, path.length - above)},"above":${above}}`;
}

function entryMembers(entry: EntryText, before: EntryText | null): string {
  const { form, fill } = entry;
  if (fill.length === 0) return `"entry":${JSON.stringify(form[0])}`;
  const filled = `"fill":${JSON.stringify(fill)}`;
  return before !== null && isSameForm(form, before.form) ? filled : `"form":${JSON.stringify(form)},${filled}`;
}

function isSameForm(form: readonly string[], other: readonly string[]): boolean {
  if (form === other) return true;
  if (form.length !== other.length) return false;
  for (let i = 0; i < form.length; i++) if (form[i] !== other[i]) return false;
  return true;
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

/** What the next receipt may refer to. `form` is empty where the last one had none. */
interface Before {
  readonly form: readonly string[];
  readonly path: readonly Json[];
  readonly head: Json | undefined;
}

const NO_FORM: readonly string[] = [];

export function createReceiptReader(): ReceiptReader {
  let before: Before | null = null;

  function whole(receipt: JsonObject): JsonObject | undefined {
    const { fill, seq, index, path, above } = receipt;
    let { entry, head } = receipt;
    let members = 5;
    let form = NO_FORM;
    if (fill !== undefined) {
      if (entry !== undefined || !isTexts(fill)) return undefined;
      if (receipt['form'] !== undefined) {
        members++;
        if (!isTexts(receipt['form'])) return undefined;
        form = receipt['form'];
      } else if (before !== null) form = before.form;
      if (form.length !== fill.length + 1) return undefined;
      entry = wholeText({ form, fill });
    }
    if (!Array.isArray(path) || Object.keys(receipt).length !== members) return undefined;
    const nodes = path as Json[];
    if (above !== undefined) {
      if (before === null || head !== undefined || !isCount(above)) return undefined;
      const { path: last } = before;
      if (above > last.length || nodes.length + above > MAX_PATH) return undefined;
      for (let i = last.length - above; i < last.length; i++) nodes.push(last[i]!);
      head = before.head;
    }
    before = { form, path: nodes, head };
    return { entry, seq, index, path: nodes, head };
  }

  return {
    complete(result) {
      if (!isObject(result) || !isObject(result['receipt'])) return result;
      const { receipt } = result;
      const { above, fill, path, head } = receipt;
      if (above === undefined && fill === undefined) {
        before = Array.isArray(path) ? { form: NO_FORM, path: path as readonly Json[], head } : null;
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

function isTexts(value: Json): value is string[] {
  if (!Array.isArray(value)) return false;
  for (const item of value as readonly Json[]) if (typeof item !== 'string') return false;
  return true;
}
