import { randomBytes } from 'node:crypto';
import { toHex, utf8 } from '@keepwatch/base';
import { MAX_NEW_WALLETS } from '@keepwatch/protocol';
import { encodeTransfer, signedTransaction, wireCrypto, type EtherTransfer } from '@keepwatch/sdk';
import { encodeRpc, joinRpc, MAX_BATCH, rpcText, signCommand, uuidV7, type RpcMessage } from '@keepwatch/wire';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { seatHonestParty, type HonestParty, type Ledger } from '../takeover/honest-party.ts';
import { startHostileGate, type HostileGate } from '../takeover/hostile-gate.ts';
import { openRawSession, type RawSession } from '../takeover/raw-peer.ts';
import { createWallets } from '../world/index.ts';
import { mutation } from './mutation.ts';

// A registered peer with a valid session that sends nonsense in it. Each message is answered by an error with a code,
// the session lives on, nothing is decided, and the honest client beside it goes on signing.

let gate: HostileGate;
let party: HonestParty;
let client: RawSession;
let operator: RawSession;
let before: Ledger;

beforeAll(async () => {
  gate = await startHostileGate();
  party = await seatHonestParty(gate);
  client = await openRawSession(gate, party.client.identity);
  operator = await openRawSession(gate, party.owner.person.identity, { role: 'operator' });
});
beforeEach(async () => {
  before = await party.ledger();
});
afterEach(async () => {
  expect(await party.ledger()).toEqual(before);
  await party.sign();
  for (const session of [client, operator])
    expect(await session.call('vault.status', {})).toMatchObject({ kind: 'result' });
});
afterAll(async () => {
  await party.close();
  await gate.stop();
});

function codeIn(message: RpcMessage): string {
  return message.kind === 'error' ? message.error.data.code : message.kind;
}

const STATUS = '{"jsonrpc":"2.0","id":1,"method":"vault.status","params":{}}';
const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

describe('what is no JSON-RPC', () => {
  it.each<[string, string | Uint8Array]>([
    ['nothing', ''],
    ['noise', randomBytes(300)],
    ['half a message', '{"jsonrpc":"2.0","id":1,"method":"vault.st'],
    ['a batch of nothing', '[]'],
    ['a batch in a batch', `[[${STATUS}]]`],
    ['a batch with something else in it', `[${STATUS},1]`],
    ['a batch with half a message in it', `[${STATUS},{"jsonrpc":"2.0","id":2}]`],
    [
      'a batch that is too long',
      `[${Array<string>(MAX_BATCH + 1)
        .fill(STATUS)
        .join()}]`,
    ],
    ['another version', '{"jsonrpc":"1.0","id":1,"method":"vault.status","params":{}}'],
    ['a member too many', '{"jsonrpc":"2.0","id":1,"method":"vault.status","params":{},"extra":1}'],
    ['parameters by position', '{"jsonrpc":"2.0","id":1,"method":"vault.status","params":[]}'],
    ['an object as id', '{"jsonrpc":"2.0","id":{},"method":"vault.status","params":{}}'],
    ['a number that is none', '{"jsonrpc":"2.0","id":1e999,"method":"vault.status","params":{}}'],
    ['a number that is rounded', '{"jsonrpc":"2.0","id":9007199254740993,"method":"vault.status","params":{}}'],
    ['half a character', '{"jsonrpc":"2.0","id":"\\ud800","method":"vault.status","params":{}}'],
    ['bytes that are no UTF-8', Buffer.from('{"jsonrpc":"2.0","id":"\xff"}', 'latin1')],
    ['__proto__', '{"jsonrpc":"2.0","id":1,"method":"vault.status","params":{"__proto__":{"admin":1}}}'],
    ['constructor', '{"jsonrpc":"2.0","id":1,"method":"vault.status","params":{"constructor":{"prototype":{}}}}'],
    ['__proto__ as the message', '{"__proto__":{"jsonrpc":"2.0","id":1,"method":"vault.seal","params":{}}}'],
    ['deep nesting', `{"jsonrpc":"2.0","id":1,"method":"vault.status","params":${nested(33)}}`],
    ['very deep nesting', nested(30_000)],
    ['very many brackets', '['.repeat(190_000)],
  ])('%s', async (_, message) => {
    const bytes = typeof message === 'string' ? utf8(message) : message;
    expect(codeIn(await client.ask(bytes))).toBe('message_malformed');
  });
});

describe('a batch', () => {
  it('is answered message by message, whatever one of them is', async () => {
    const methods = ['vault.status', 'vault.unknown', 'command', ...Array<string>(MAX_BATCH - 3).fill('vault.status')];
    const texts = methods.map((method, id) => rpcText({ kind: 'request', id, method, params: {} }));
    const answers = new Map<unknown, string>();
    const note = (message: RpcMessage) => 'id' in message && answers.set(message.id, codeIn(message));
    note(await client.ask(joinRpc(texts)));
    while (answers.size < MAX_BATCH) note(await client.next());
    expect(methods.map((_, id) => answers.get(id)).slice(0, 4)).toEqual([
      ...['result', 'method_unknown', 'not_allowed', 'result'],
    ]);
  });
});

describe('methods', () => {
  it.each([
    'vault.unknown',
    'constructor',
    'toString',
    'hasOwnProperty',
    'valueOf',
    'isPrototypeOf',
    'sign',
    'eth_sign',
  ])('%s is none', async (method) => expect(codeIn(await client.call(method, {}))).toBe('method_unknown'));

  it('a client has no operator’s methods', async () => {
    for (const method of ['command', 'entry.begin', 'peer.list', 'journal.read', 'backup.read', 'doctor.report']) {
      expect(codeIn(await client.call(method, {}))).toBe('not_allowed');
    }
    expect(codeIn(await operator.call('transaction.sign', {}))).toBe('not_allowed');
  });

  it('as many wallets as one command makes, with the longest names, fit every answer that names them', async () => {
    // Four bytes a letter: the longest that a name can be.
    const letter = '𐍈';
    const names = [letter.repeat(60), `${letter.repeat(59)}x`];
    for (const name of names) await createWallets(party.owner.operator, name, MAX_NEW_WALLETS);
    before = await party.ledger();
    expect(codeIn(await operator.call('wallet.list', { limit: 200 }))).toBe('result');
  });

  it('a list that is larger than a frame comes in pages, and nothing of it is lost', async () => {
    const recipients = Array.from({ length: 1_000 }, (_, i) => `0x${i.toString(16).padStart(40, '0')}`);
    const draft = { client: party.client.peer, wallet: party.wallet.wallet, chain: 'eip155:7' };
    const constraints = [{ type: 'volume' as const, asset: 'native', limit: '1', window: { seconds: 1 } }];
    for (let i = 0; i < 4; i++) {
      const grant = { ...draft, kind: 'ether-transfer' as const, recipients, constraints };
      const { value } = await party.owner.operator.command('grant.create', { grant });
      revoked.push(value.grant);
    }
    const first = await party.owner.connection.call('grant.list', {});
    expect(first.next).toBe(first.grants.length);
    const all = (await party.owner.operator.grants()).map(({ grant }) => grant);
    expect(new Set(all).size).toBe(all.length);
    expect(all).toEqual(expect.arrayContaining(revoked));
    for (const grant of revoked) await party.owner.operator.command('grant.revoke', { grant });
    expect((await party.owner.connection.call('grant.list', {})).next).toBe(null);
    before = await party.ledger();
  });
  const revoked: string[] = [];
});

describe('a request to sign', () => {
  const transfer = (): EtherTransfer => ({
    chainId: 1,
    nonce: 1_000_000,
    to: party.wallet.address,
    value: 1n,
    maxFeePerGas: 1n,
    maxPriorityFeePerGas: 0n,
  });
  function request(changes: Record<string, unknown> = {}) {
    const now = Date.now();
    return {
      wallet: party.wallet.wallet,
      chain: 'eip155:1',
      transaction: `0x${toHex(encodeTransfer(transfer()))}`,
      key: uuidV7(now, randomBytes),
      expires: now + 60_000,
      ...changes,
    };
  }
  const ask = async (changes: Record<string, unknown>) =>
    codeIn(await client.call('transaction.sign', request(changes)));

  it.each<[string, Record<string, unknown>, string]>([
    ['no transaction', { transaction: undefined }, 'params_invalid'],
    ['a member too many', { gas: 1 }, 'params_invalid'],
    ['a transaction that is a number', { transaction: 7 }, 'params_invalid'],
    ['upper-case hex', { transaction: '0x02C0' }, 'params_invalid'],
    ['half a byte', { transaction: '0x02c' }, 'params_invalid'],
    ['nothing in it', { transaction: '0x' }, 'params_invalid'],
    ['a key that is no UUID', { key: 'constructor' }, 'params_invalid'],
    ['a UUID of another version', { key: '6ba7b810-9dad-11d1-80b4-00c04fd430c8' }, 'params_invalid'],
    ['a chain that is none', { chain: 'bip122:000000000019d6689c085ae165831e93' }, 'params_invalid'],
    ['a negative expiry', { expires: -1 }, 'params_invalid'],
    ['an expiry of the past', { expires: 1 }, 'request_expired'],
    ['an expiry in a year', { expires: Date.now() + 365 * 86_400_000 }, 'request_from_the_future'],
    ['another chain than the transaction', { chain: 'eip155:10' }, 'wrong_chain'],
    ['an empty list', { transaction: '0x02c0' }, 'transaction_malformed'],
    ['a transaction of another type', { transaction: '0x01c0' }, 'transaction_malformed'],
    ['a legacy transaction', { transaction: '0xe980018252089400' }, 'transaction_malformed'],
    ['a length that lies', { transaction: '0x02ff7fffffffffffffff' }, 'transaction_malformed'],
    ['lists in lists', { transaction: `0x02${'c1'.repeat(60_000)}` }, 'transaction_malformed'],
  ])('%s', async (_, changes, code) => {
    expect(await ask(changes)).toBe(code);
  });

  it('of a wallet that the client has no grant for is denied, whether it exists or not', async () => {
    const [other] = await createWallets(party.owner.operator, 'another', 1);
    for (const wallet of [other!.wallet, Buffer.alloc(16).toString('base64url')]) {
      expect(await ask({ wallet })).toBe('denied');
    }
    before = await party.ledger();
  });

  it('in any damaged form is refused, or is another transaction that the grant judges', async () => {
    const valid = encodeTransfer(transfer());
    const outcomes = new Set<string>();
    await fc.assert(
      fc.asyncProperty(mutation, async (mutate) => {
        const damaged = mutate(valid);
        if (damaged.length === 0 || Buffer.from(valid).equals(damaged)) return;
        const message = await client.call('transaction.sign', request({ transaction: `0x${toHex(damaged)}` }));
        const code = codeIn(message);
        outcomes.add(code);
        expect(['transaction_malformed', 'wrong_chain', 'denied', 'result']).toContain(code);
        // Where it was signed: these very bytes.
        if (message.kind !== 'result') return;
        const { signature } = message.result as { signature: string };
        expect(signedTransaction(damaged, signature, party.wallet.address)).toMatchObject({ ok: true });
      }),
      { numRuns: 600 },
    );
    expect([...outcomes]).toContain('transaction_malformed');
    before = await party.ledger();
  });
});

describe('a command', () => {
  const send = async (jws: unknown) => codeIn(await operator.call('command', { jws }));

  it.each([
    ['nothing', ''],
    ['dots', '..'],
    ['many dots', '.'.repeat(72_000)],
    ['noise', randomBytes(300).toString('base64url')],
    ['no signature', 'e30.e30.'],
  ])('that is %s', async (_, jws) => expect(await send(jws)).toBe('command_invalid'));

  it('that would leave an entry too large to be read again is refused', async () => {
    expect(await send('x'.repeat(72_001))).toBe('params_invalid');
    // The largest that is taken: its receipt comes back, and the journal that holds it is read (by `party.ledger`).
    const wallets = Array.from({ length: 2_130 }, () => party.wallet.wallet);
    const params = { peer: party.client.peer, wallets };
    expect((await party.owner.operator.command('peer.observe', params)).receipt).not.toBeNull();
    await party.owner.operator.command('peer.observe', { ...params, wallets: [] });
    before = await party.ledger();
  });

  it.each<[string, string, Record<string, unknown>, string]>([
    ['unknown', 'vault.explode', {}, 'method_unknown'],
    ['a name of every object', 'constructor', {}, 'method_unknown'],
    ['a method, but no command', 'transaction.sign', {}, 'method_unknown'],
    ['without its parameters', 'grant.create', {}, 'params_invalid'],
    ['with parameters too many', 'vault.seal', { now: true }, 'params_invalid'],
    ['for a box that nobody opened', 'vault.rotate-root', { password: emptyBox() }, 'entry_key_unknown'],
    ['for another phase', 'vault.init', { password: emptyBox(), kdf: 'interactive', time: 1 }, 'vault_initialised'],
  ])('that is signed and %s', async (_, method, params, code) => {
    const now = Date.now();
    const jws = await signCommand(wireCrypto.codec, party.owner.person.identity, {
      vault: party.owner.connection.info.vault,
      method,
      params: params as never,
      expires: now + 60_000,
      expects: (await party.owner.operator.status()).version,
      id: uuidV7(now, randomBytes),
    });
    expect(await send(jws)).toBe(code);
  });
});

function emptyBox() {
  const zeros = (length: number) => Buffer.alloc(length).toString('base64url');
  return { keyId: zeros(16), x25519: zeros(32), kem: zeros(1088), nonce: zeros(24), box: zeros(32) };
}

it('a payload of the largest size is read, and one byte more is never sent', async () => {
  const { session } = client.accepted;
  const filler = (length: number) =>
    encodeRpc({ kind: 'request', id: 1, method: 'vault.status', params: { a: 'x'.repeat(length) } });
  const overhead = filler(0).length;
  expect(codeIn(await client.ask(filler(192_000 - overhead)))).toBe('params_invalid');
  expect(() => session.seal(filler(192_001 - overhead))).toThrow(/192001 bytes/);
});
