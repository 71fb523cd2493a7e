import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { keyOf, netgroup, parsePeerAddress, type PeerAddress } from './peer-address.ts';

/** Nodes that we know of, on disk, so that a start needs no seed, and what was learnt of them. */
export interface AddressBook {
  /** `source`: the group that told us. One group can fill only a share of the book. */
  add(address: PeerAddress, services: bigint, source: string): void;
  /** A node to try: by random group first, so that many addresses of one party count once. `taken`: groups not wanted. */
  pick(wanted: bigint, taken: ReadonlySet<string>, nowMs: number): PeerAddress | undefined;
  tried(address: PeerAddress, nowMs: number): void;
  connected(address: PeerAddress, services: bigint, transport: 'v1' | 'v2', nowMs: number): void;
  /** Which transport to try first. */
  transportFor(address: PeerAddress): 'v1' | 'v2';
  notV2(address: PeerAddress): void;
  ban(address: PeerAddress, untilMs: number): void;
  banned(address: PeerAddress, nowMs: number): boolean;
  /** Who is banned at this time, and until when. */
  bans(nowMs: number): readonly Ban[];
  readonly size: number;
  save(): void;
}

/** `host`: an address, or on this machine itself one with its port. */
export interface Ban {
  readonly host: string;
  readonly untilMs: number;
}

const MAX_ENTRIES = 4_096;
const MAX_PER_SOURCE = 256;
const FIRST_RETRY_MS = 30_000;
const MAX_RETRY_MS = 6 * 3_600_000;

const entrySchema = z.object({
  key: z.string().max(300),
  services: z.string().regex(/^\d{1,20}$/),
  source: z.string().max(300),
  triedMs: z.number(),
  metMs: z.number(),
  failures: z.number().int().nonnegative(),
  v1Only: z.boolean(),
});
const fileSchema = z.object({
  version: z.literal(1),
  entries: z.array(entrySchema).max(MAX_ENTRIES),
  bans: z.array(z.object({ host: z.string().max(300), untilMs: z.number() })).max(MAX_ENTRIES),
});

interface Entry {
  readonly address: PeerAddress;
  services: bigint;
  source: string;
  triedMs: number;
  metMs: number;
  failures: number;
  v1Only: boolean;
}

/** `file`: null keeps the book in memory alone. A file that cannot be read is begun anew: it is a cache, not a truth. */
export function openAddressBook(file: string | null, random: () => number): AddressBook {
  const entries = new Map<string, Entry>();
  const bans = new Map<string, number>();
  const perSource = new Map<string, number>();
  const v1Only = new Set<string>();

  function put(entry: Entry): void {
    entries.set(keyOf(entry.address), entry);
    perSource.set(entry.source, (perSource.get(entry.source) ?? 0) + 1);
  }
  function drop(key: string): void {
    const entry = entries.get(key);
    if (!entry) return;
    entries.delete(key);
    perSource.set(entry.source, perSource.get(entry.source)! - 1);
  }
  /** Loopback is many hosts in one: there a ban is one of a port. */
  const banKey = (address: PeerAddress) =>
    /^(127\.|localhost$|::1$)/.test(address.host) ? keyOf(address) : address.host;
  const restMs = ({ failures }: Entry) =>
    failures === 0 ? 0 : Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1));

  load();
  function load(): void {
    if (file === null || !existsSync(file)) return;
    let read;
    try {
      read = fileSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    } catch {
      return;
    }
    if (!read.success) return;
    for (const { key, services, ...rest } of read.data.entries) {
      const address = parsePeerAddress(key, 0);
      if (address) put({ address, services: BigInt(services), ...rest });
    }
    for (const { host, untilMs } of read.data.bans) bans.set(host, untilMs);
  }

  return {
    get size() {
      return entries.size;
    },
    add(address, services, source) {
      const key = keyOf(address);
      const known = entries.get(key);
      if (known) return;
      if ((perSource.get(source) ?? 0) >= MAX_PER_SOURCE) return;
      if (entries.size >= MAX_ENTRIES) {
        // The one that failed most goes, if any did; a full book of good nodes needs no stranger.
        let worst: Entry | undefined;
        for (const entry of entries.values()) if (entry.failures > (worst?.failures ?? 0)) worst = entry;
        if (worst === undefined) return;
        drop(keyOf(worst.address));
      }
      put({ address, services, source, triedMs: 0, metMs: 0, failures: 0, v1Only: false });
    },
    pick(wanted, taken, nowMs) {
      const groups = new Map<string, Entry[]>();
      for (const entry of entries.values()) {
        if ((entry.services & wanted) !== wanted || nowMs - entry.triedMs < restMs(entry)) continue;
        if ((bans.get(banKey(entry.address)) ?? 0) > nowMs) continue;
        const group = netgroup(entry.address);
        if (taken.has(group)) continue;
        const those = groups.get(group);
        if (those) those.push(entry);
        else groups.set(group, [entry]);
      }
      if (groups.size === 0) return undefined;
      // Half of the time one that we have met, so that a flood of new ones never takes all places.
      const met = [...groups.values()]
        .map((each) => each.filter(({ metMs }) => metMs > 0))
        .filter((each) => each.length > 0);
      const from = met.length > 0 && random() < 0.5 ? met : [...groups.values()];
      const group = from[Math.floor(random() * from.length)]!;
      return group[Math.floor(random() * group.length)]!.address;
    },
    tried(address, nowMs) {
      const entry = entries.get(keyOf(address));
      if (!entry) return;
      entry.triedMs = nowMs;
      entry.failures++;
    },
    connected(address, services, transport, nowMs) {
      const entry = entries.get(keyOf(address));
      if (!entry) return;
      Object.assign(entry, { services, metMs: nowMs, failures: 0, v1Only: transport === 'v1' && entry.v1Only });
    },
    transportFor: (address) => (v1Only.has(keyOf(address)) || entries.get(keyOf(address))?.v1Only ? 'v1' : 'v2'),
    notV2(address) {
      const entry = entries.get(keyOf(address));
      if (entry) entry.v1Only = true;
      else if (v1Only.size < MAX_ENTRIES) v1Only.add(keyOf(address));
    },
    ban(address, untilMs) {
      if (bans.size >= MAX_ENTRIES) bans.delete(bans.keys().next().value!);
      bans.set(banKey(address), untilMs);
    },
    banned: (address, nowMs) => (bans.get(banKey(address)) ?? 0) > nowMs,
    bans: (nowMs) => [...bans].flatMap(([host, untilMs]) => (untilMs > nowMs ? [{ host, untilMs }] : [])),
    save() {
      if (file === null) return;
      const text = JSON.stringify({
        version: 1,
        entries: [...entries].map(([key, { address: _, services, ...rest }]) => ({
          key,
          services: String(services),
          ...rest,
        })),
        bans: [...bans].map(([host, untilMs]) => ({ host, untilMs })),
      });
      writeFileSync(`${file}.new`, text, { mode: 0o600 });
      renameSync(`${file}.new`, file);
    },
  };
}
