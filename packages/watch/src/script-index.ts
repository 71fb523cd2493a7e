import { equalBytes } from '@keepwatch/base';

/** Scripts that stand in a row of a wallet's descriptor: the indices `from` up to, not including, `to` of one branch. */
export interface ScriptRange {
  readonly wallet: string;
  readonly descriptor: number;
  readonly branch: number;
  readonly from: number;
  readonly to: number;
  /** The length of each script of an index. */
  readonly lengths: readonly number[];
  readonly bytes: Uint8Array;
}

/** Where a script belongs. */
export interface ScriptPlace {
  readonly wallet: string;
  readonly descriptor: number;
  readonly branch: number;
  readonly index: number;
  /** Which of the scripts of its index: a descriptor may give several (`combo`). */
  readonly nth: number;
}

/**
 * Which wallet a script belongs to, and where. A script costs its own bytes and some 8 in a table of numbers; wallets that
 * share a script are all found. Only watched scripts are ever put in, so nobody outside can choose what collides.
 */
export interface ScriptIndex {
  readonly size: number;
  add(range: ScriptRange): void;
  removeWallet(wallet: string): void;
  find(script: Uint8Array): readonly ScriptPlace[];
  ranges(): Iterable<ScriptRange>;
}

interface Row {
  readonly range: ScriptRange;
  /** The number of its first script among all. */
  readonly first: number;
  readonly stride: number;
}

const MIN_SLOTS = 64;
const NOTHING: readonly ScriptPlace[] = [];

/** `room`: how many scripts it is to hold at least, where that is known. */
export function createScriptIndex(room = 0): ScriptIndex {
  let rows: Row[] = [];
  let total = 0;
  /** Number of a script plus one; 0: free. */
  let slots = new Uint32Array(slotsFor(room));

  function place(script: Uint8Array, at: number, length: number, ordinal: number): void {
    const mask = slots.length - 1;
    let slot = hash(script, at, length) & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = ordinal + 1;
  }

  function fill(row: Row): void {
    const { bytes, lengths } = row.range;
    let ordinal = row.first;
    for (let at = 0; at < bytes.length;) {
      for (const length of lengths) {
        place(bytes, at, length, ordinal++);
        at += length;
      }
    }
  }

  function rebuild(room: number): void {
    slots = new Uint32Array(slotsFor(room));
    for (const row of rows) fill(row);
  }

  function rowOf(ordinal: number): Row {
    let low = 0;
    let high = rows.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (rows[middle]!.first <= ordinal) low = middle;
      else high = middle - 1;
    }
    return rows[low]!;
  }

  return {
    get size() {
      return total;
    },
    add(range) {
      const { from, to, lengths } = range;
      const stride = lengths.reduce((sum, length) => sum + length, 0);
      const row: Row = { range, first: total, stride };
      const count = (to - from) * lengths.length;
      if (stride * (to - from) !== range.bytes.length) throw new RangeError('a range has the bytes of all its scripts');
      rows.push(row);
      total += count;
      if (total > slots.length * 0.6) rebuild(total + (total >> 1));
      else fill(row);
    },
    removeWallet(wallet) {
      if (!rows.some(({ range }) => range.wallet === wallet)) return;
      const kept = rows.filter(({ range }) => range.wallet !== wallet);
      rows = [];
      total = 0;
      for (const { range, stride } of kept) {
        rows.push({ range, first: total, stride });
        total += (range.to - range.from) * range.lengths.length;
      }
      rebuild(total);
    },
    find(script) {
      const mask = slots.length - 1;
      let found: ScriptPlace[] | undefined;
      for (let slot = hash(script, 0, script.length) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
        const ordinal = slots[slot]! - 1;
        const { range, first, stride } = rowOf(ordinal);
        const perIndex = range.lengths.length;
        const row = Math.floor((ordinal - first) / perIndex);
        let at = row * stride;
        const inRow = (ordinal - first) % perIndex;
        for (let i = 0; i < inRow; i++) at += range.lengths[i]!;
        const length = range.lengths[inRow]!;
        if (length !== script.length || !equalBytes(range.bytes.subarray(at, at + length), script)) continue;
        const { wallet, descriptor, branch, from } = range;
        (found ??= []).push({ wallet, descriptor, branch, index: from + row, nth: inRow });
      }
      return found ?? NOTHING;
    },
    *ranges() {
      for (const { range } of rows) yield range;
    },
  };
}

function slotsFor(room: number): number {
  let count = MIN_SLOTS;
  while (count * 0.6 < room) count *= 2;
  return count;
}

/** FNV-1a (32 bits), its high bits folded in. */
function hash(bytes: Uint8Array, start: number, length: number): number {
  let value = 0x811c9dc5;
  for (let i = start; i < start + length; i++) value = Math.imul(value ^ bytes[i]!, 0x0100_0193);
  return (value ^ (value >>> 15)) >>> 0;
}
