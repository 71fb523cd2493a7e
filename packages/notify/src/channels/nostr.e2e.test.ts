import { channelContract, startNostrRelay } from '@keepwatch/testkit';
import { generateSecretKey, getPublicKey, nip19, nip44, type Event } from 'nostr-tools';
import { unwrapEvent } from 'nostr-tools/nip59';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleMessage } from '../message.fixture.ts';
import { conversationKey, encrypt } from './nip44.ts';
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

describe('NIP-44', () => {
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
