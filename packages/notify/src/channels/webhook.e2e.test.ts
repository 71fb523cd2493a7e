import { createHmac, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import type { Json } from '@keepwatch/base';
import { channelContract, startHttpService, type HttpCall } from '@keepwatch/testkit';
import { describe, expect, it } from 'vitest';
import { sampleMessage } from '../message.fixture.ts';
import { dueEffects } from '../outbox/due.ts';
import { createOutboxWorld, post } from '../outbox/world.fixture.ts';
import { createWebhook } from './webhook.ts';

const KEY = Buffer.from('a key of four and twenty');
const SECRET = `whsec_${KEY.toString('base64')}`;

const textOf = ({ body }: HttpCall) => (JSON.parse(body) as { data: { body: string } }).data.body;
const posts = (calls: readonly HttpCall[]) => calls.filter(({ method }) => method === 'POST');

channelContract('webhook', async () => {
  const service = await startHttpService(({ method }) => ({ status: method === 'POST' ? 200 : 405 }));
  const url = `${service.url}/hook/token-in-the-path`;
  return {
    channel: createWebhook({ name: 'hook', url, secrets: [SECRET], route: { proxy: null, ca: service.ca } }),
    ...{ service, taken: () => posts(service.calls).map(textOf), secrets: [SECRET, 'token-in-the-path'] },
  };
});

describe('a webhook', () => {
  async function sent(secrets: readonly string[], message = sampleMessage()): Promise<HttpCall> {
    const service = await startHttpService(() => ({ status: 204, body: '' }));
    const channel = createWebhook({ name: 'hook', url: service.url, secrets, route: { proxy: null, ca: service.ca } });
    try {
      expect(await channel.send(message, AbortSignal.timeout(60_000))).toMatchObject({ kind: 'delivered' });
      return service.calls[0]!;
    } finally {
      await channel.close();
      await service.stop();
    }
  }

  it('is signed so that its receiver can check it, by every secret', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const seed = Buffer.from(privateKey.export({ format: 'jwk' }).d!, 'base64url');
    const { headers, body } = await sent([SECRET, `whsk_${seed.toString('base64')}`]);
    expect(headers['webhook-id']).toBe('sample-1');
    const seconds = Number(headers['webhook-timestamp']);
    expect(Math.abs(seconds - Date.now() / 1_000)).toBeLessThan(120);
    const signed = `sample-1.${seconds}.${body}`;
    const [v1, v1a] = String(headers['webhook-signature']).split(' ');
    expect(v1).toBe(`v1,${createHmac('sha256', KEY).update(signed).digest('base64')}`);
    const signature = Buffer.from(v1a!.slice('v1a,'.length), 'base64');
    expect(
      verify(null, Buffer.from(signed), createPublicKey(publicKey.export({ format: 'pem', type: 'spki' })), signature),
    ).toBe(true);
    expect(JSON.parse(body)).toMatchObject({
      type: 'keepwatch.message',
      data: { number: 1, finding: { kind: 'received' } },
    });
  });

  it('has the same bytes in each try, though what the journal gave back has its members in another order', async () => {
    const messageOf = (data: Json) => {
      const world = createOutboxWorld();
      world.input({ kind: 'post', channel: 'hook', post: post('1', { data }) });
      world.input({ kind: 'begin', channel: 'hook', key: '1' });
      const [effect] = dueEffects(world.state, world.nowMs);
      if (effect?.kind !== 'send') throw new Error('nothing is due');
      return effect.message;
    };
    const first = await sent([SECRET], messageOf({ kind: 'received', id: 'a', at: { to: 2, from: 1 } }));
    const again = await sent([SECRET], messageOf({ at: { from: 1, to: 2 }, id: 'a', kind: 'received' }));
    expect(again.body).toBe(first.body);
  });

  it('signs what the published example of Standard Webhooks signs', async () => {
    // Example of the specification (standard-webhooks/standard-webhooks, spec/standard-webhooks.md, "Signature scheme").
    const secret = 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const text = 'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}';
    expect(createHmac('sha256', Buffer.from(secret, 'base64')).update(text).digest('base64')).toBe(
      'g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    );
    const { headers, body } = await sent([`whsec_${secret}`]);
    const signed = `sample-1.${headers['webhook-timestamp'] as string}.${body}`;
    const expected = createHmac('sha256', Buffer.from(secret, 'base64')).update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${expected}`);
  });

  it.each([
    ['whsec_short', 'too short'],
    ['MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'no prefix'],
    [`whpk_${Buffer.alloc(32).toString('base64')}`, 'a public key'],
  ])('refuses the secret %s: %s', (secret) => {
    expect(() => createWebhook({ name: 'hook', url: 'https://hook.example', secrets: [secret] })).toThrow(
      expect.objectContaining({ code: 'webhook_secret_malformed' }) as Error,
    );
  });

  it.each([
    [401, 'broken', 'denied'],
    [404, 'broken', 'not_there'],
    [307, 'broken', 'moved'],
    [413, 'refused', 'not_taken'],
    [429, 'later', 'busy'],
    [503, 'later', 'service_error'],
  ])('hears %i as %s', async (status, kind, code) => {
    const service = await startHttpService(() => ({ status }));
    const route = { proxy: null, ca: service.ca };
    const channel = createWebhook({ name: 'hook', url: service.url, secrets: [SECRET], route });
    expect(await channel.send(sampleMessage(), AbortSignal.timeout(60_000))).toMatchObject({ kind, code });
    await channel.close();
    await service.stop();
  });
});
