import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { toHex } from '@keepwatch/base';
import {
  encodeTransaction,
  layoutTransaction,
  toDisplay,
  txidAt,
  type InternalHash,
  type Txid,
} from '@keepwatch/bitcoin';
import { afterEach, describe, expect, it } from 'vitest';
import { createBitcoindSource } from '../bitcoind/source.ts';
import { createEsploraSource } from '../esplora/esplora.ts';
import type { ChainSource, TransactionAnswer } from '../source.ts';
import { fetchTransaction } from './transaction.ts';

const made = (sats: bigint, witness: readonly Uint8Array[] = []) =>
  encodeTransaction({
    version: 2,
    inputs: [
      {
        previous: new Uint8Array(32).fill(7) as InternalHash,
        ...{ vout: 1, scriptSig: new Uint8Array(), sequence: 0xffff_fffd, witness },
      },
    ],
    outputs: [{ sats, script: Uint8Array.of(0, 20, ...new Uint8Array(20).fill(9)) }],
    lockTime: 0,
  });
const idOf = (raw: Uint8Array): Txid => {
  const read = layoutTransaction(raw);
  if (!read.ok) throw new Error(read.error);
  return toDisplay<Txid>(txidAt(read.value, 0));
};

const wanted = made(5_000n, [new Uint8Array(71).fill(1)]);
const txid = idOf(wanted);
/** What the id commits to. */
const stripped = made(5_000n);
const other = made(6_000n);

const signal = () => AbortSignal.timeout(60_000);
type Asked = Pick<ChainSource, 'name' | 'kind' | 'transaction'>;
const saying = (kind: ChainSource['kind'], answer: () => Promise<TransactionAnswer>, asked?: string[]): Asked => ({
  name: kind,
  kind,
  transaction() {
    asked?.push(kind);
    return answer();
  },
});
const found = (raw: Uint8Array) => () => Promise.resolve<TransactionAnswer>({ kind: 'found', raw });
const unknown = () => Promise.resolve<TransactionAnswer>({ kind: 'unknown', why: 'it has none' });

describe('a transaction by its id', () => {
  it('is asked of one source after another, of one’s own first, and of none that need not know', async () => {
    const asked: string[] = [];
    const sources = [
      saying('esplora', found(wanted), asked),
      saying('electrum', found(wanted), asked),
      saying('bitcoind', unknown, asked),
      saying('p2p', unknown, asked),
    ];
    expect(await fetchTransaction(sources, txid, signal())).toEqual({ kind: 'found', stripped, source: 'electrum' });
    expect(asked).toEqual(['p2p', 'bitcoind', 'electrum']);
  });

  it('comes without a witness, which its id does not cover and a liar could change', async () => {
    const padded = made(5_000n, [new Uint8Array(900_000).fill(1)]);
    expect(idOf(padded)).toBe(txid);
    expect(await fetchTransaction([saying('esplora', found(padded))], txid, signal())).toMatchObject({ stripped });
  });

  it.each<[string, Uint8Array]>([
    ['another transaction', other],
    ['nothing', new Uint8Array()],
    ['noise', new Uint8Array(300).fill(0xff)],
    ['a part of it', wanted.subarray(0, -1)],
    ['more than it', Uint8Array.of(...wanted, 0)],
    ['more than a block holds', new Uint8Array(5_000_000)],
  ])('is never %s: who sends that is named, and the next one is asked', async (_, raw) => {
    const liar = saying('bitcoind', found(raw));
    expect(await fetchTransaction([liar, saying('esplora', found(wanted))], txid, signal())).toMatchObject({
      kind: 'found',
      source: 'esplora',
    });
    expect(await fetchTransaction([liar, saying('esplora', unknown)], txid, signal())).toMatchObject({
      kind: 'missing',
      answers: [
        { source: 'bitcoind', kind: 'lied' },
        { source: 'esplora', kind: 'unknown' },
      ],
    });
  });

  it('is not waited for without end, nor lost by a source that breaks', async () => {
    const silent = saying('p2p', () => new Promise(() => undefined));
    const broken = saying('bitcoind', () => Promise.reject(new Error('it broke')));
    const sources = [silent, broken, saying('esplora', found(wanted))];
    expect(await fetchTransaction(sources, txid, signal(), 20)).toMatchObject({ source: 'esplora' });
    expect(await fetchTransaction(sources.slice(0, 2), txid, signal(), 20)).toMatchObject({
      answers: [{ kind: 'failed' }, { kind: 'failed', why: 'it broke' }],
    });
    expect(await fetchTransaction([], txid, signal())).toEqual({ kind: 'missing', answers: [] });
  });

  it('is asked of nobody any more when whoever asked has gone', async () => {
    const asked: string[] = [];
    const gone = new AbortController();
    const first = saying('p2p', () => {
      gone.abort();
      return new Promise(() => undefined);
    });
    await fetchTransaction([first, saying('esplora', found(wanted), asked)], txid, gone.signal);
    expect(asked).toEqual([]);
  });
});

describe('over HTTP', () => {
  const deps = { entropy: (length: number) => new Uint8Array(randomBytes(length)), nowMs: Date.now };
  let server: Server | undefined;
  let source: ChainSource | undefined;
  afterEach(async () => {
    await source?.close();
    server?.closeAllConnections();
    server?.close();
  });

  /** Answers each request as it is told. */
  async function serving(answer: (path: string, body: string) => { status: number; body: Uint8Array | string }) {
    server = createServer((request, response) => {
      void (async () => {
        let text = '';
        for await (const chunk of request) text += String(chunk);
        const { status, body } = answer(request.url ?? '', text);
        response.statusCode = status;
        response.end(body);
      })();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const esplora = async (status: number, body: Uint8Array | string) => {
    const url = await serving((path) => (path === `/tx/${txid}/raw` ? { status, body } : { status: 404, body: '' }));
    return (source = createEsploraSource(deps, { name: 'esplora', network: 'regtest', endpoint: { url } }));
  };
  const bitcoind = async (answers: Readonly<Record<string, object>>) => {
    const url = await serving((_, body) => {
      const { id, method } = JSON.parse(body) as { id: number; method: string };
      return { status: 200, body: JSON.stringify({ id, result: null, error: null, ...answers[method] }) };
    });
    const auth = { user: 'u', password: 'p' };
    return (source = createBitcoindSource(deps, { name: 'node', network: 'regtest', access: { url, auth } }));
  };

  it.each<[string, number, Uint8Array | string, string]>([
    ['its bytes', 200, wanted, 'found'],
    ['other bytes', 200, other, 'lied'],
    ['a page', 200, '<html>welcome</html>', 'lied'],
    ['more than a block holds', 200, new Uint8Array(4_000_001), 'lied'],
    ['that there is none', 404, 'Transaction not found', 'unknown'],
    ['that it is busy', 503, '', 'failed'],
  ])('a server that sends %s', async (_, status, body, kind) => {
    const fetched = await fetchTransaction([await esplora(status, body)], txid, signal());
    if (kind === 'found') expect(fetched).toEqual({ kind, stripped, source: 'esplora' });
    else expect(fetched).toMatchObject({ kind: 'missing', answers: [{ kind }] });
  });

  const nothing = { error: { code: -5, message: 'No such mempool transaction.' } };
  it.each<[string, Readonly<Record<string, object>>, string, RegExp]>([
    ['its bytes', { getrawtransaction: { result: toHex(wanted) } }, 'found', /./],
    ['other bytes', { getrawtransaction: { result: toHex(other) } }, 'lied', /something else/],
    ['no hex', { getrawtransaction: { result: 'zz' } }, 'lied', /no hex/],
    ['no text', { getrawtransaction: { result: { hex: toHex(wanted) } } }, 'lied', /no hex/],
    ['that it starts', { getrawtransaction: { error: { code: -28, message: 'Loading' } } }, 'failed', /Loading/],
    ['none, of its mempool', { getrawtransaction: nothing, getindexinfo: { result: {} } }, 'unknown', /-txindex/],
    [
      'none, before its index is made',
      { getrawtransaction: nothing, getindexinfo: { result: { txindex: { synced: false } } } },
      'unknown',
      /still being made/,
    ],
    [
      'none at all',
      { getrawtransaction: nothing, getindexinfo: { result: { txindex: { synced: true } } } },
      'unknown',
      /nor in its blocks/,
    ],
  ])('a node that sends %s', async (_, answers, kind, why) => {
    const fetched = await fetchTransaction([await bitcoind(answers)], txid, signal());
    if (fetched.kind === 'found') expect(fetched).toEqual({ kind, stripped, source: 'node' });
    else expect(fetched.answers).toMatchObject([{ kind, why: expect.stringMatching(why) as string }]);
  });
});
