import { toBase64url, createZones } from '@keepwatch/base';
import { METHODS } from '@keepwatch/protocol';
import { DEFAULT_SESSION_LIMITS, parseReceipt, vaultId, verifyReceipt } from '@keepwatch/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWireCrypto, sha256 } from '../crypto/wire-crypto.ts';
import { createNonceDesk } from '../methods/nonces.ts';
import { readJournal, readReceipts } from '../methods/journal.ts';
import { visibleWallets, listGrants } from '../methods/queries.ts';
import { askedOf, ETHER, makeVault, RECIPIENT, type TestPeer } from './test-vault.fixture.ts';

/** What a client that is registered, and hostile, may send: it harms nobody else, and what is journaled can be read. */

const CHAIN = 'eip155:1';
type Vault = Awaited<ReturnType<typeof makeVault>>;

let v: Vault;
let client: TestPeer;
let wallet: { wallet: string; address: string };

beforeEach(async () => {
  v = await makeVault();
  await v.init();
  client = await v.client();
  wallet = await v.wallet();
});
afterEach(() => v.remove());

const ask = () => askedOf(v, wallet.wallet);

/** Until the command is in the engine's queue, which is decided as one batch when this turn of the event loop ends. */
const queued = () => new Promise<void>((resolve) => process.nextTick(resolve));

describe('nonces', () => {
  beforeEach(() => v.grant(client, wallet.wallet));

  it('are given out up to the last that is exact, and no further', () => {
    const next = createNonceDesk(v.vault);
    const params = { wallet: wallet.wallet, chain: CHAIN, atLeast: Number.MAX_SAFE_INTEGER };
    expect(next(client.session, params).nonce).toBe(Number.MAX_SAFE_INTEGER);
    for (let i = 0; i < 3; i++) expect(() => next(client.session, params)).toThrow(/parameters/);
  });

  it('are given out on chains alone where the client may have something signed', () => {
    const next = createNonceDesk(v.vault);
    expect(() => next(client.session, { wallet: wallet.wallet, chain: 'eip155:2' })).toThrow();
    expect(next(client.session, { wallet: wallet.wallet, chain: CHAIN }).nonce).toBe(0);
  });
});

describe('what is journaled of a hostile request', () => {
  const typedData = (types: object, primaryType: string, message: object, name = 'App') =>
    JSON.stringify({
      types: {
        EIP712Domain: [
          { name: 'name', type: 'string' },
          { name: 'chainId', type: 'uint256' },
        ],
        ...types,
      },
      primaryType,
      domain: { name, chainId: 1 },
      message,
    });
  const deny = (json: string) =>
    v.signing.typedData(client.session, { ...ask(), typedData: json }).then(
      () => expect.fail('nothing grants this'),
      (error: { code: string }) => error.code,
    );
  const denyMessage = (message: string) =>
    v.signing.message(client.session, { ...ask(), message }).catch((error: { code: string }) => error.code);

  /** As an observer reads it, and checks it. */
  async function lastReceipt() {
    const { vault } = v;
    const from = vault.unsealed!.state.seq;
    const page = await readReceipts(vault, v.operator.session, { wallet: wallet.wallet, from });
    expect(JSON.stringify(page).length).toBeLessThan(DEFAULT_SESSION_LIMITS.maxPayload);
    expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThan(DEFAULT_SESSION_LIMITS.maxPayload);
    const journal = await readJournal(vault, { from });
    expect(Buffer.byteLength(JSON.stringify(journal))).toBeLessThan(DEFAULT_SESSION_LIMITS.maxPayload);
    expect(page.receipts).toHaveLength(1);
    const receipt = parseReceipt(page.receipts[0]);
    if (!receipt.ok) throw new Error(receipt.error);
    const receiptPublicKey = Buffer.from(vault.boot.receiptKey, 'base64url');
    const authority = { receiptPublicKey, vault: toBase64url(vaultId(sha256, receiptPublicKey)) };
    const { ed25519Verify } = createWireCrypto();
    const verified = verifyReceipt(receipt.value, authority, { sha256, ed25519Verify });
    if (!verified.ok) throw new Error(verified.error);
    return verified.value.entry as { asks: string; payload: string | null; sentences: string[] };
  }

  it('fits a frame, however large its fields are', async () => {
    const types = { Note: [{ name: 'text', type: 'string' }] };
    expect(await deny(typedData(types, 'Note', { text: '的'.repeat(63_700) }))).toBe('denied');
    await lastReceipt();
  });

  it('fits a frame with all that is said of it, up to the longest that is journaled', async () => {
    for (let i = 0; i < 33; i++) {
      await v.command('grant.create', {
        grant: {
          ...{ client: client.session.peer, wallet: wallet.wallet, chain: CHAIN, kind: 'typed-data' as const },
          ...{ contract: RECIPIENT, name: `App ${i}`, types: [{ primaryType: 'Note', where: [] }], constraints: [] },
        },
      });
    }
    const types = { Note: [{ name: 'text', type: 'string' }] };
    const journaled: boolean[] = [];
    for (const text of [
      '"'.repeat(11_000),
      '"'.repeat(13_000),
      '"'.repeat(30_000),
      '的'.repeat(20_000),
      '的'.repeat(33_000),
      '的'.repeat(33_400),
    ]) {
      v.clock.pass(1_000);
      expect(await deny(typedData(types, 'Note', { text }))).toBe('denied');
      const { payload, sentences } = await lastReceipt();
      expect(sentences).toHaveLength(32);
      journaled.push(payload !== null);
    }
    expect(journaled).toEqual([true, false, false, true, true, false]);
  });

  it('fits a frame, however long the spelling of its types is', async () => {
    // A struct of many empty lists, within a struct within a struct: each level spells all that is below.
    const types: Record<string, { name: string; type: string }[]> = {
      S0: Array.from({ length: 45 }, (_, i) => ({ name: `m${i}`, type: `uint8${'[99999]'.repeat(20)}[]` })),
    };
    let value: object = Object.fromEntries(types['S0']!.map(({ name }) => [name, []]));
    for (let i = 1; i < 6; i++) {
      types[`S${i}`] = [{ name: 'm', type: `S${i - 1}` }];
      value = { m: value };
    }
    types['All'] = [{ name: 'list', type: 'S5[]' }];
    expect(await deny(typedData(types, 'All', { list: Array.from({ length: 8 }, () => value) }))).toBe('denied');
    await lastReceipt();
  });

  it('can be checked, however deep its fields are', async () => {
    const types: Record<string, { name: string; type: string }[]> = { S0: [{ name: 'm', type: 'uint256' }] };
    let value: object = { m: 1 };
    for (let i = 1; i < 26; i++) {
      types[`S${i}`] = [{ name: 'm', type: `S${i - 1}` }];
      value = { m: value };
    }
    expect(await deny(typedData(types, 'S25', value))).toBe('denied');
    await lastReceipt();
  });

  it('can be checked where a text is cut within a letter of two units', async () => {
    await v.command('grant.create', {
      grant: {
        ...{ client: client.session.peer, wallet: wallet.wallet, chain: CHAIN, kind: 'message' as const },
        ...{ messages: [{ prefix: 'something else' }], constraints: [] },
      },
    });
    for (let before = 55; before < 84; before++) {
      v.clock.pass(1_000);
      expect(await denyMessage(`${'z'.repeat(before)}😀 and a rest that is longer than what is shown of it`)).toBe(
        'denied',
      );
      await lastReceipt();
    }
  });

  it.each([
    ['signs that are written as four', '"'],
    ['letters of three bytes', '的'],
  ])('fits a frame together with its neighbours: %s', async (_, letter) => {
    const { vault } = v;
    let from = vault.unsealed!.state.seq + 1;
    const first = from;
    for (let i = 0; i < 20; i++)
      expect(await denyMessage(letter.repeat(16_384 / Buffer.byteLength(letter) - 1))).toBe('denied');
    const { seq } = vault.unsealed!.state;
    expect(seq - first).toBe(19);
    for (const read of [readEntries, readReceiptsFrom]) {
      let seen = 0;
      for (from = first; from <= seq;) {
        const { page, count, next } = await read(from);
        expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThan(DEFAULT_SESSION_LIMITS.maxPayload - 1_000);
        expect(count).toBeGreaterThan(0);
        seen += count;
        from = next;
      }
      expect(seen).toBe(20);
    }
  });

  const readEntries = async (from: number) => {
    const page = await readJournal(v.vault, { from, limit: 200 });
    return { page, count: page.entries.length, next: page.entries.at(-1)!.seq + 1 };
  };
  const readReceiptsFrom = async (from: number) => {
    const page = await readReceipts(v.vault, v.operator.session, { wallet: wallet.wallet, from, limit: 200 });
    return { page, count: page.receipts.length, next: page.next };
  };

  it('fits a frame where the longest command is full of signs that are written as four', async () => {
    const longest = METHODS.command.params.shape.jws.maxLength!;
    const quotes = (count: number) => '"'.repeat(count);
    // In the signed text each of them is two letters of JSON, and three bytes are four letters of base64url.
    const room = Math.floor(((longest - 1_000) * 3) / 4 / 2);
    const messages = [
      ...Array.from({ length: Math.floor(room / 4_000) }, (_, i) => quotes(4_000 - i)),
      quotes(room % 4_000),
    ];
    const { receipt } = await v.command('grant.create', {
      grant: {
        ...{ client: client.session.peer, wallet: wallet.wallet, chain: CHAIN, kind: 'message' as const },
        ...{ messages: messages.map((prefix) => ({ prefix })), constraints: [] },
      },
    });
    const { command } = JSON.parse(receipt!.entry) as { command: string };
    expect(command.length).toBeGreaterThan(longest - 2_000);
    expect(command.length).toBeLessThanOrEqual(longest);
    for (const answer of [receipt, (await readEntries(receipt!.seq)).page]) {
      expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(DEFAULT_SESSION_LIMITS.maxPayload - 1_000);
    }
  });

  it('says nothing to a terminal but what can be seen', async () => {
    const types = { Note: [{ name: 'text', type: 'string' }] };
    const name = '\u001b[2K\u001b[1A\u009b31m\u202efake\nrow';
    const code = await deny(typedData(types, 'Note', { text: 'x' }, name));
    if (code !== 'denied') return expect(code).toBe('typed_data_refused');
    const { asks, sentences } = await lastReceipt();
    expect([asks, ...sentences].join(' ')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
  });
});

describe('a client of a group', () => {
  beforeEach(async () => {
    await v.command('peer.groups', { peer: client.session.peer, groups: ['bots'] });
    await v.command('grant.create', {
      grant: {
        ...{ client: { group: 'bots' }, wallet: wallet.wallet, chain: CHAIN, kind: 'ether-transfer' as const },
        recipients: [RECIPIENT],
        constraints: [{ type: 'volume', asset: 'native', limit: ETHER.toString(), window: { seconds: 86_400 } }],
      },
    });
  });

  it('sees the wallet and the grant of its group, and gets nonces for it', async () => {
    const { state } = v.vault.unsealed!;
    const peer = client.session.peer;
    expect([...visibleWallets(state, peer)]).toEqual([wallet.wallet]);
    expect(listGrants(state, peer, {}, state.time, createZones(process.versions.tz)).grants).toHaveLength(1);
    expect(createNonceDesk(v.vault)(client.session, { wallet: wallet.wallet, chain: CHAIN }).nonce).toBe(0);
    await v.command('peer.groups', { peer, groups: [] });
    expect([...visibleWallets(state, peer)]).toEqual([]);
    expect(listGrants(state, peer, {}, state.time, createZones(process.versions.tz)).grants).toEqual([]);
  });

  it('has nothing signed once it is revoked, though its request is on its way already', async () => {
    await v.sign(client, wallet.wallet, { nonce: 0 });
    const revoked = v.command('peer.revoke', { peer: client.session.peer });
    await queued();
    const late = v.sign(client, wallet.wallet, { nonce: 1 });
    await expect(late).rejects.toMatchObject({ code: 'denied' });
    await revoked;
  });
});

describe('sealing', () => {
  it('is the last that happens: what comes behind it is neither journaled nor signed', async () => {
    await v.grant(client, wallet.wallet);
    const sealed = v.command('vault.seal', {});
    await queued();
    await expect(v.sign(client, wallet.wallet)).rejects.toMatchObject({ code: 'vault_sealed' });
    await sealed;
    const last = await v.store.lastBatch();
    await v.unseal();
    const { entries } = await readJournal(v.vault, { from: last!.lastSeq });
    expect(entries.map(({ entry }) => (JSON.parse(entry) as { type: string }).type)).toEqual([
      'vault.sealed',
      'vault.unsealed',
    ]);
  });
});
