import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { createHaystack, type Needle } from './needles.ts';

/**
 * Reads all the memory of another process, as root can on Linux, and looks for secrets in it. Pages that the kernel
 * does not hold (never touched, or dropped) have no content. Guarded pages are those that libsodium locked, kept from
 * dumps and closed: PROT_NONE with the flags `lo` and `dd` (proc_pid_smaps(5)). A secret belongs there and nowhere else.
 */
export interface Scan {
  readonly scannedBytes: number;
  readonly guardedBytes: number;
  /** Outside guarded pages. */
  readonly exposed: readonly Finding[];
  /** Within guarded pages. */
  readonly guarded: readonly Finding[];
}

export interface Finding {
  readonly secret: string;
  readonly form: string;
  /** Where: protection and name of the mapping, address in hex. */
  readonly place: string;
}

interface Mapping {
  readonly from: number;
  readonly to: number;
  readonly protection: string;
  readonly name: string;
  readonly resident: boolean;
  readonly guarded: boolean;
}

const PAGE = 4096;
const CHUNK = 8 * 1024 * 1024;
/** The kernel's own pages in every process: the same for all, and not readable this way. */
const KERNEL = /^\[(vvar|vvar_vclock|vdso|vsyscall)\]$/;

/** Stops the process while it is read, so that nothing moves from unread pages to pages already read. */
export function scanProcess(pid: number, needles: readonly Needle[]): Scan {
  process.kill(pid, 'SIGSTOP');
  try {
    return scanStopped(pid, needles);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

function scanStopped(pid: number, needles: readonly Needle[]): Scan {
  const haystack = createHaystack(needles);
  const overlap = haystack.longest - 1;
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const pagemap = openSync(`/proc/${pid}/pagemap`, 'r');
  const buffer = Buffer.alloc(overlap + CHUNK);
  const exposed: Finding[] = [];
  const guarded: Finding[] = [];
  let scannedBytes = 0;
  let guardedBytes = 0;

  function scanRun(mapping: Mapping, from: number, to: number): void {
    for (let at = from, kept = 0; at < to;) {
      const read = readSync(memory, buffer, kept, Math.min(CHUNK, to - at), at);
      if (read === 0) throw new Error(`/proc/${pid}/mem ends at ${at.toString(16)}`);
      const bytes = buffer.subarray(0, kept + read);
      const start = at - kept;
      haystack.search(bytes, (needle, offset) => {
        // What lies wholly in the part that was kept was found before.
        if (offset + needle.bytes.length <= kept) return;
        const place = `${mapping.protection} ${mapping.name || 'anonymous'} ${(start + offset).toString(16)}`;
        (mapping.guarded ? guarded : exposed).push({ secret: needle.secret, form: needle.form, place });
      });
      at += read;
      if (mapping.guarded) guardedBytes += read;
      else scannedBytes += read;
      kept = Math.min(overlap, bytes.length);
      buffer.copyWithin(0, bytes.length - kept, bytes.length);
    }
  }

  try {
    for (const mapping of mappingsOf(pid)) {
      if (!mapping.resident || KERNEL.test(mapping.name)) continue;
      for (const [from, to] of residentRuns(pagemap, mapping)) scanRun(mapping, from, to);
    }
  } finally {
    closeSync(memory);
    closeSync(pagemap);
  }
  return { scannedBytes, guardedBytes, exposed, guarded };
}

function mappingsOf(pid: number): Mapping[] {
  const mappings: Mapping[] = [];
  const text = readFileSync(`/proc/${pid}/smaps`, 'utf8');
  for (const part of text.split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/)) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ *(.*)/.exec(part);
    if (!head) continue;
    const [, from, to, protection, name] = head as unknown as [string, string, string, string, string];
    const size = (field: string) => Number(new RegExp(`^${field}: +(\\d+) kB`, 'm').exec(part)?.[1] ?? 0);
    const flags = /^VmFlags: (.*)$/m.exec(part)?.[1]?.trim().split(' ') ?? [];
    mappings.push({
      from: Number.parseInt(from, 16),
      to: Number.parseInt(to, 16),
      protection,
      name,
      resident: size('Rss') + size('Swap') > 0,
      guarded: protection.startsWith('---') && flags.includes('lo') && flags.includes('dd'),
    });
  }
  return mappings;
}

/** Stretches of pages that have content, in memory or in swap (pagemap bits 63 and 62, proc_pid_pagemap(5)). */
function* residentRuns(pagemap: number, { from, to }: Mapping): Generator<[from: number, to: number]> {
  const entries = Buffer.alloc(8 * 65_536);
  let run: number | undefined;
  for (let at = from; at < to;) {
    const wanted = Math.min(entries.length, ((to - at) / PAGE) * 8);
    const read = readSync(pagemap, entries, 0, wanted, (at / PAGE) * 8);
    if (read === 0) break;
    for (let i = 0; i < read; i += 8, at += PAGE) {
      const held = (entries[i + 7]! & 0xc0) !== 0;
      if (held) run ??= at;
      else if (run !== undefined) {
        yield [run, at];
        run = undefined;
      }
    }
  }
  if (run !== undefined) yield [run, to];
}
