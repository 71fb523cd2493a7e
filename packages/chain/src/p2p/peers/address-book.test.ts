import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SERVICES } from '@keepwatch/bitcoin/p2p';
import { afterAll, describe, expect, it } from 'vitest';
import { openAddressBook } from './address-book.ts';
import { netgroup, parsePeerAddress, type PeerAddress } from './peer-address.ts';

const WANTED = SERVICES.network | SERVICES.witness;
const dir = mkdtempSync(join(tmpdir(), 'keepwatch-book-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const address = (text: string): PeerAddress => parsePeerAddress(text, 8_333)!;

/** The same row of numbers in each run. */
function numbers(): () => number {
  let state = 1;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

describe('the address book', () => {
  it('keeps what it knows over a restart: addresses, bans, and who speaks the first transport only', () => {
    const file = join(dir, 'peers.json');
    const book = openAddressBook(file, numbers());
    book.add(address('9.1.2.3'), WANTED, 'seed');
    book.add(address('[2a00::1]:18333'), WANTED, 'seed');
    book.notV2(address('9.1.2.3'));
    book.ban(address('9.9.9.9'), 5_000);
    book.save();
    const again = openAddressBook(file, numbers());
    expect(again.size).toBe(2);
    expect(again.transportFor(address('9.1.2.3'))).toBe('v1');
    expect(again.banned(address('9.9.9.9:1'), 4_999)).toBe(true);
    expect(again.banned(address('9.9.9.9:1'), 5_001)).toBe(false);
  });

  it.each(['', '{', '{"version":1}', '{"version":2,"entries":[],"bans":[]}', '[1]', '\0'.repeat(100)])(
    'begins anew where its file holds %j',
    (text) => {
      const file = join(dir, 'broken.json');
      writeFileSync(file, text);
      const book = openAddressBook(file, numbers());
      expect(book.size).toBe(0);
      book.add(address('9.1.2.3'), WANTED, 'seed');
      book.save();
      expect(openAddressBook(file, numbers()).size).toBe(1);
    },
  );

  it('takes no more than a share from one group of those who tell, and is bounded in all', () => {
    const book = openAddressBook(null, numbers());
    for (let i = 0; i < 5_000; i++) book.add(address(`9.${i >> 8}.${i & 255}.1`), WANTED, 'liar');
    expect(book.size).toBe(256);
    for (let source = 0; source < 40; source++) {
      for (let i = 0; i < 300; i++) book.add(address(`${11 + source}.${i >> 8}.${i & 255}.1`), WANTED, `s${source}`);
    }
    expect(book.size).toBe(4_096);
  });

  it('is not ruled by whoever has many addresses in few networks, nor does a flood displace those who were met', () => {
    const book = openAddressBook(null, numbers());
    for (let i = 0; i < 12; i++) {
      const good = address(`${20 + i}.1.1.1`);
      book.add(good, WANTED, 'seed');
      book.connected(good, WANTED, 'v2', 1);
    }
    // Sixteen groups that tell, each of as much as it may: all addresses in three networks.
    for (let source = 0; source < 16; source++) {
      for (let i = 0; i < 256; i++) book.add(address(`66.${i % 3}.${source}.${i}`), WANTED, `liar${source}`);
    }
    let good = 0;
    for (let i = 0; i < 300; i++) if (!book.pick(WANTED, new Set(), 2)!.host.startsWith('66.')) good++;
    // Half of the picks are of those that were met, the others by network: 12 of 15.
    expect(good).toBeGreaterThan(240);
  });

  it('tries a dead node ever more seldom, and never one that is banned or of a group that is taken', () => {
    const book = openAddressBook(null, numbers());
    const only = address('9.1.2.3');
    book.add(only, WANTED, 'seed');
    expect(book.pick(WANTED, new Set([netgroup(only)]), 0)).toBeUndefined();
    book.tried(only, 1_000);
    expect(book.pick(WANTED, new Set(), 30_000)).toBeUndefined();
    expect(book.pick(WANTED, new Set(), 31_000)).toEqual(only);
    book.tried(only, 31_000);
    expect(book.pick(WANTED, new Set(), 90_000)).toBeUndefined();
    expect(book.pick(WANTED, new Set(), 91_000)).toEqual(only);
    book.ban(only, 200_000);
    expect(book.pick(WANTED, new Set(), 199_999)).toBeUndefined();
  });
});
