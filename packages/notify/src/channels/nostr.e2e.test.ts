import { channelContract, startNostrRelay } from '@keepwatch/testkit';
import { generateSecretKey, getPublicKey, nip19, nip44, type Event } from 'nostr-tools';
import { wrapEvent as wrapMessage } from 'nostr-tools/nip17';
import { createRumor, createSeal, createWrap, unwrapEvent } from 'nostr-tools/nip59';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { sampleMessage } from '../message.fixture.ts';
import { unwrap } from './gift-wrap.ts';
import { NIP17_EXAMPLE } from './nip17-example.fixture.ts';
import { conversationKey, decrypt, encrypt } from './nip44.ts';
import { createNostr } from './nostr.ts';

// The reader is another implementation (nostr-tools): what it can open, others can.
const monitor = generateSecretKey();
const reader = generateSecretKey();
const nsec = nip19.nsecEncode(monitor);
const npub = nip19.npubEncode(getPublicKey(reader));
const read = (event: Event) => unwrapEvent(event, reader);

channelContract('nostr', async () => {
  const service = await startNostrRelay();
  const route = { proxy: null, ca: service.ca };
  return {
    channel: createNostr({ name: 'nostr', relays: [service.url], secretKey: nsec, to: npub, route }),
    ...{ service, taken: () => service.events.map((each) => read(each).content) },
    ...{ secrets: [nsec, Buffer.from(monitor).toString('hex')], asksToWait: false },
  };
});

describe('a nostr message', () => {
  it('tells relays neither sender nor time nor words, and readers who sent it', async () => {
    const relay = await startNostrRelay();
    const route = { proxy: null, ca: relay.ca };
    const channel = createNostr({ name: 'nostr', relays: [relay.url], secretKey: nsec, to: npub, route });
    await channel.send(sampleMessage(), AbortSignal.timeout(60_000));
    await channel.send(sampleMessage(), AbortSignal.timeout(60_000));
    await channel.close();
    const [wrap, again] = relay.events as [Event, Event];
    expect(again).toEqual(wrap);
    expect(wrap).toMatchObject({ kind: 1_059, tags: [['p', getPublicKey(reader)]] });
    expect(wrap.pubkey).not.toBe(getPublicKey(monitor));
    expect(wrap.created_at).toBeLessThanOrEqual(Date.now() / 1_000);
    expect(wrap.created_at).toBeGreaterThan(Date.now() / 1_000 - 172_900);
    expect(read(wrap)).toMatchObject({
      ...{ kind: 14, pubkey: getPublicKey(monitor), created_at: 1_790_000_000 },
      content: `${sampleMessage().subject}\n\n${sampleMessage().body}`,
    });
    await relay.stop();
  });

  it('is delivered when one relay of several takes it', async () => {
    const [dead, alive] = [await startNostrRelay(), await startNostrRelay()];
    await dead.fail('hung');
    const relays = [dead.url, alive.url];
    const channel = createNostr({
      name: 'nostr',
      relays,
      secretKey: nsec,
      to: npub,
      route: { proxy: null, ca: dead.ca },
    });
    expect(await channel.send(sampleMessage(), AbortSignal.timeout(60_000))).toMatchObject({ kind: 'delivered' });
    await alive.fail('refused');
    await dead.fail('error');
    expect(await channel.send(sampleMessage(), AbortSignal.timeout(60_000))).toMatchObject({ kind: 'later' });
    await channel.close();
    await dead.stop();
    await alive.stop();
  });

  it.each([
    ['npub for nsec', npub, npub],
    ['nsec for npub', nsec, nsec],
    ['a letter missing', nsec.slice(0, -1), npub],
    ['nothing', '', npub],
  ])('is refused with wrong keys: %s, and says none of it', (_name, secretKey, to) => {
    try {
      createNostr({ name: 'nostr', relays: [], secretKey, to });
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'nostr_key_malformed' });
      if (secretKey) expect(`${String(error)}${JSON.stringify(error)}`).not.toContain(secretKey.slice(6, 30));
    }
  });
});

describe('what comes back by nostr', () => {
  const us = getPublicKey(monitor);
  const author = getPublicKey(reader);
  const stranger = generateSecretKey();
  const now = Math.floor(Date.now() / 1_000);
  const rumorOf = (over: object = {}, key = reader) =>
    createRumor({ kind: 14, content: 'ABCD1234', tags: [['p', us]], created_at: now, ...over }, key);
  const wrapped = (rumor: ReturnType<typeof rumorOf>, key = reader) => createWrap(createSeal(rumor, key, us), us);
  const opened = (event: unknown) => unwrap(event, monitor, author)?.text;

  it('is opened where another implementation wrapped it, and only where it is by the reader', () => {
    const good = wrapped(rumorOf());
    expect(opened(good)).toBe('ABCD1234');
    expect(opened(wrapMessage(reader, { publicKey: us }, 'words'))).toBe('words');
    // Another seals what says that it is by the reader (NIP-17).
    expect(opened(wrapped(rumorOf({ pubkey: author }, stranger), stranger))).toBe(undefined);
    expect(opened(wrapped(rumorOf({}, stranger), stranger))).toBe(undefined);
    // The reader seals what another said.
    expect(opened(wrapped({ ...rumorOf({}, stranger) }))).toBe(undefined);
    expect(opened(wrapped({ ...rumorOf(), content: 'EFGH5678' }))).toBe(undefined);
    expect(opened(wrapped(rumorOf({ kind: 1 })))).toBe(undefined);
    // A seal whose signature is not of it.
    const seal = createSeal(rumorOf(), reader, us);
    expect(opened(createWrap({ ...seal, created_at: seal.created_at + 1 }, us))).toBe(undefined);
    expect(opened(createWrap({ ...seal, sig: '0'.repeat(128) }, us))).toBe(undefined);
    expect(opened({ ...good, tags: [['p', author]] })).toBe(undefined);
    expect(opened({ ...good, content: good.content.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')) })).toBe(
      undefined,
    );
    expect(opened({ ...good, pubkey: 'f'.repeat(64) })).toBe(undefined);
  });

  it('opens the example of NIP-17', () => {
    // nips/17.md, “Examples”: from nsec1w8ud… to nsec12ywt…, the first of both gift wraps.
    const [sender, receiver] = [
      'nsec1w8udu59ydjvedgs3yv5qccshcj8k05fh3l60k9x57asjrqdpa00qkmr89m',
      'nsec12ywtkplvyq5t6twdqwwygavp5lm4fhuang89c943nf2z92eez43szvn4dt',
    ].map((key) => nip19.decode(key as `nsec1${string}`).data) as [Uint8Array, Uint8Array];
    expect(unwrap(NIP17_EXAMPLE, receiver, getPublicKey(sender))?.text).toBe('Hola, que tal?');
    expect(unwrap(NIP17_EXAMPLE, receiver, author)).toBe(undefined);
  });

  it('is never more than nothing, whatever anybody sends', () => {
    const good = wrapped(rumorOf());
    fc.assert(
      fc.property(fc.anything(), fc.json(), fc.string(), (junk, json, text) => {
        for (const each of [
          junk,
          json,
          { ...good, content: text },
          { ...good, pubkey: text },
          { ...good, tags: junk },
        ]) {
          expect(opened(each)).toBe(undefined);
        }
        const shared = nip44.v2.utils.getConversationKey(stranger, us);
        if (json !== '') {
          const content = nip44.v2.encrypt(json, shared);
          expect(opened({ ...good, pubkey: getPublicKey(stranger), content })).toBe(undefined);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('is read once, from all relays, while nothing old or sent again counts', async () => {
    const [one, two] = [await startNostrRelay(), await startNostrRelay({ asksWho: true })];
    const open = () => {
      const route = { proxy: null, ca: one.ca };
      return createNostr({ name: 'nostr', relays: [one.url, two.url], secretKey: nsec, to: npub, route });
    };
    const both = wrapped(rumorOf({ content: 'by both' }));
    one.put(both as Event);
    two.put(both as Event);
    one.put(wrapped(rumorOf({ content: 'of last week', created_at: now - 7 * 86_400 })) as Event);
    const texts: string[] = [];
    let cursor: string | null = null;
    const read = async (channel: ReturnType<typeof open>) => {
      const found = await channel.replies!(cursor, AbortSignal.timeout(60_000));
      texts.push(...found!.replies.map(({ text }) => text));
      cursor = found!.cursor;
    };
    let channel = open();
    await vi.waitFor(async () => (await read(channel), expect(texts).toEqual(['by both'])), { timeout: 60_000 });
    two.put(wrapped(rumorOf({ content: 'by one' })) as Event);
    await vi.waitFor(async () => (await read(channel), expect(texts).toEqual(['by both', 'by one'])), {
      timeout: 60_000,
    });
    await channel.close();
    // After a start all is shown again; the same words in another wrap are the same words.
    channel = open();
    one.put(wrapped(rumorOf({ content: 'by one' })) as Event);
    one.put(wrapped(rumorOf({ content: 'the last' })) as Event);
    await vi.waitFor(async () => (await read(channel), expect(texts).toContain('the last')), { timeout: 60_000 });
    expect(texts).toEqual(['by both', 'by one', 'the last']);
    // Clients write to those of whom they find this.
    for (const relay of [one, two]) {
      const [list] = relay.events.filter(({ kind }) => kind === 10_050);
      expect(list).toMatchObject({
        pubkey: us,
        tags: [
          ['relay', one.url],
          ['relay', two.url],
        ],
      });
    }
    await channel.close();
    await one.stop();
    await two.stop();
  });
});

describe('NIP-44', () => {
  it('opens what another implementation encrypts, and nothing that was changed', () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const key = conversationKey(monitor, Buffer.from(getPublicKey(reader), 'hex'));
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1_000 }),
        bytes,
        fc.nat(),
        (text, nonce, at) => {
          const payload = nip44.v2.encrypt(text, key, nonce);
          expect(decrypt(payload, key)).toBe(text.toWellFormed());
          const raw = Buffer.from(payload, 'base64');
          raw[at % raw.length]! ^= 1;
          expect(decrypt(raw.toString('base64'), key)).toBe(undefined);
          expect(decrypt(payload.slice(0, -4), key)).toBe(undefined);
        },
      ),
    );
  });

  it('encrypts to what another implementation opens, byte for byte', () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1_000 }), bytes, (text, nonce) => {
        const theirs = nip44.v2.utils.getConversationKey(reader, getPublicKey(monitor));
        const ours = conversationKey(monitor, Buffer.from(getPublicKey(reader), 'hex'));
        expect(ours).toEqual(theirs);
        expect(encrypt(text, ours, nonce)).toBe(nip44.v2.encrypt(text, theirs, nonce));
      }),
    );
  });
});
