import { describe, expect, it } from 'vitest';
import { readChainConfiguration } from './configuration.ts';

const node = { kind: 'bitcoind', url: 'http://127.0.0.1:8332', cookieFile: '/x/.cookie' };
const server = { kind: 'electrum', server: 'electrum.example:50002', certificate: 'first-use' };
const read = (more: object) => readChainConfiguration({ network: 'main', ...more });

describe('a configuration of sources', () => {
  it('names what is not named, and lets whoever looks into blocks suffice alone', () => {
    expect(read({ sources: [{ kind: 'p2p' }, node, server, server] })).toMatchObject({
      value: {
        sources: [{ name: 'p2p' }, { name: 'bitcoind' }, { name: 'electrum' }, { name: 'electrum-2' }],
        quorum: { suffices: [['p2p'], ['bitcoind']], graceMs: 120_000, lagBlocks: 2 },
        proxy: null,
      },
    });
  });

  it('wants all servers to agree where there are servers alone', () => {
    const sources = [server, { ...server, name: 'b' }];
    expect(read({ sources, proxy: '[::1]:9050' })).toMatchObject({
      value: {
        quorum: { suffices: [['electrum', 'b']] },
        proxy: { host: '::1', port: 9_050 },
      },
    });
  });

  it.each([
    ['nothing', { sources: [] }, 'sources'],
    ['another network', { network: 'test3', sources: [node] }, 'network'],
    ['a member without a meaning', { sources: [{ ...node, cookie: 'x' }] }, 'sources.0'],
    ['two of one name', { sources: [node, { ...server, name: 'bitcoind' }, { ...node, name: 'bitcoind' }] }, 'sources'],
    ['a set that names nobody', { sources: [node], suffices: [['p2p']] }, 'suffices'],
    ['no way in', { sources: [{ kind: 'bitcoind', url: 'http://127.0.0.1:1' }] }, 'sources.0'],
    ['half a way in', { sources: [{ kind: 'bitcoind', url: 'http://127.0.0.1:1', user: 'a' }] }, 'sources.0'],
    ['two ways in', { sources: [{ ...node, user: 'a', passwordFile: '/b' }] }, 'sources.0'],
    ['a server without a port', { sources: [{ ...server, server: 'host' }] }, 'sources.0.server'],
    ['a certificate that is none', { sources: [{ ...server, certificate: 'any' }] }, 'sources.0.certificate'],
    ['a file in place of a server', { sources: [{ kind: 'esplora', url: 'file:///etc' }] }, 'sources.0.url'],
  ])('refuses %s', (_, more, where) => {
    expect(read(more)).toMatchObject({ ok: false, error: { where } });
  });

  it('refuses what is no object at all', () => {
    for (const value of [null, 7, 'x', []]) expect(readChainConfiguration(value).ok).toBe(false);
  });
});
