import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressGroup, createAdmission, isLoopback, networkOf } from './admission.ts';

describe('admission', () => {
  it('takes the place of the oldest stranger when the table is full', () => {
    const table = createAdmission<string>({ connections: 2, connectionsPerAddress: 9 });
    table.admit('a', '1.1.1.1');
    table.admit('b', '1.1.1.2');
    expect(table.admit('c', '1.1.1.3')).toEqual({ admitted: true, evicted: ['a'] });
    expect([...table.strangers()]).toEqual(['b', 'c']);
  });

  it('makes an address pay for its own crowd first', () => {
    const table = createAdmission<string>({ connections: 9, connectionsPerAddress: 2 });
    table.admit('old', '1.1.1.1');
    for (const name of ['a', 'b', 'c']) table.admit(name, '2.2.2.2');
    expect([...table.strangers()]).toEqual(['old', 'b', 'c']);
  });

  it('never touches who is shaking hands beneath a flood of half-open connections', () => {
    const table = createAdmission<string>({ connections: 100, connectionsPerAddress: 50 });
    table.admit('good', '1.1.1.1');
    table.shookHands('good');
    for (let i = 0; i < 10_000; i++) expect(table.admit(`flood ${i}`, '1.1.1.1').evicted).not.toContain('good');
  });

  it('does not starve newcomers behind a crowd that sits on finished handshakes', () => {
    const table = createAdmission<string>({ connections: 100, connectionsPerAddress: 100 });
    for (let i = 0; i < 100; i++) {
      table.admit(`sitter ${i}`, '1.1.1.1');
      table.shookHands(`sitter ${i}`);
    }
    table.admit('good', '2.2.2.2');
    for (let i = 0; i < 40; i++) expect(table.admit(`more ${i}`, '1.1.1.1').evicted).not.toContain('good');
  });

  it('refuses when only known peers are left', () => {
    const table = createAdmission<string>({ connections: 2, connectionsPerAddress: 2 });
    for (const name of ['a', 'b']) {
      table.admit(name, '1.1.1.1');
      table.known(name);
    }
    expect(table.admit('c', '1.1.1.1')).toEqual({ admitted: false, evicted: [] });
    expect(table.admit('c', '2.2.2.2')).toEqual({ admitted: false, evicted: [] });
    table.leave('a');
    expect(table.admit('c', '1.1.1.1').admitted).toBe(true);
  });

  it('keeps its bounds and never evicts a known peer, whatever happens', () => {
    const limits = { connections: 8, connectionsPerAddress: 3 };
    const step = fc.record({
      what: fc.constantFrom('admit', 'shake', 'know', 'leave'),
      who: fc.nat(30),
      from: fc.nat(4),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const table = createAdmission<number>(limits);
        const present = new Map<number, { from: number; known: boolean }>();
        for (const { what, who, from } of steps) {
          if (what === 'admit' && !present.has(who)) {
            const { admitted, evicted } = table.admit(who, `10.0.0.${from}`);
            for (const other of evicted) {
              expect(present.get(other)?.known).toBe(false);
              present.delete(other);
            }
            if (admitted) present.set(who, { from, known: false });
            // Refusal means that known peers fill the table or the address.
            const known = [...present.values()].filter((peer) => peer.known);
            const own = known.filter((peer) => peer.from === from).length;
            if (!admitted) expect(known.length >= 8 || own >= 3).toBe(true);
          } else if (what === 'shake') table.shookHands(who);
          else if (what === 'know') {
            table.known(who);
            const peer = present.get(who);
            if (peer) peer.known = true;
          } else if (what === 'leave') {
            table.leave(who);
            present.delete(who);
          }
          expect(table.size()).toBe(present.size);
          expect(table.size()).toBeLessThanOrEqual(8);
          const strangers = [...present].filter(([, peer]) => !peer.known).map(([name]) => name);
          expect([...table.strangers()].sort()).toEqual(strangers.sort());
          for (let a = 0; a <= 4; a++) {
            expect([...present.values()].filter((peer) => peer.from === a).length).toBeLessThanOrEqual(3);
          }
        }
      }),
    );
  });
});

describe('addresses', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('counts %s as %s', (address, group) => expect(addressGroup(address)).toBe(group));

  it('knows loopback', () => {
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) expect(isLoopback(address)).toBe(true);
    for (const address of ['10.0.0.1', '::', '0.0.0.0', '::2', '1127.0.0.1']) expect(isLoopback(address)).toBe(false);
  });
});

describe('networks', () => {
  it.each([
    ['203.0.113.7', '203.0.113'],
    ['::ffff:203.0.113.250', '203.0.113'],
    ['2001:db8:1:2::7', '2001:db8:1'],
    ['2001:db8:1:ffff:1:2:3:4', '2001:db8:1'],
    ['2001:db8:2::', '2001:db8:2'],
    ['fe80::1%eth0', 'fe80:0:0'],
    ['127.0.0.1', 'loopback'],
    ['::1', 'loopback'],
  ])('count %s as of %s', (address, network) => expect(networkOf(address)).toBe(network));
});
