import { startHttpService, startNostrRelay, startSmtpService } from '@keepwatch/testkit';
import { generateSecretKey, getPublicKey } from 'nostr-tools';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTestProxy, type TestProxy } from '../../../chain/src/net/socks.fixture.ts';
import type { Channel } from '../channel.ts';
import { sampleMessage } from '../message.fixture.ts';
import type { Route } from '../net/dial.ts';
import { createEmail } from './email.ts';
import { createNostr } from './nostr.ts';
import { createTelegram } from './telegram.ts';

// `channel.test` exists nowhere: it is reached only where the proxy resolves it, as Tor does.
describe('through a SOCKS5 proxy', () => {
  let proxy: TestProxy;
  let route: Route;
  beforeEach(async () => {
    proxy = await startTestProxy();
  });
  afterEach(() => proxy.stop());

  const through = (ca: string): Route => ({
    proxy: { host: '127.0.0.1', port: proxy.port, isolation: 'circuit-7' },
    ca,
  });
  const check = async (channel: Channel) => {
    expect(await channel.send(sampleMessage(), AbortSignal.timeout(60_000))).toMatchObject({ kind: 'delivered' });
    await channel.close();
    expect(proxy.asked).toMatchObject([{ host: 'channel.test', user: 'circuit-7' }]);
  };
  const portOf = (url: string) => new URL(url).port;

  it('HTTPS goes, and the name is resolved there', async () => {
    const service = await startHttpService(() => ({ status: 200 }));
    route = through(service.ca);
    const url = `https://channel.test:${portOf(service.url)}`;
    await check(createTelegram({ name: 'telegram', url, token: 'token', chatId: '1', route }));
    expect(service.calls).toHaveLength(1);
    await service.stop();
  });

  it.each(['tls', 'starttls'] as const)('mail over %s goes', async (security) => {
    const account = { user: 'monitor', password: 'password' };
    const service = await startSmtpService(security, account);
    route = through(service.ca);
    const addresses = { from: 'monitor@channel.test', to: 'owner@channel.test' };
    await check(
      await createEmail({
        name: 'mail',
        host: 'channel.test',
        port: service.port,
        security,
        ...account,
        ...addresses,
        route,
      }),
    );
    expect(service.mails).toHaveLength(1);
    await service.stop();
  });

  it('nostr goes', async () => {
    const relay = await startNostrRelay();
    route = through(relay.ca);
    const secretKey = Buffer.from(generateSecretKey()).toString('hex');
    const relays = [`wss://channel.test:${portOf(relay.url)}`];
    await check(createNostr({ name: 'nostr', relays, secretKey, to: getPublicKey(generateSecretKey()), route }));
    expect(relay.events).toHaveLength(1);
    await relay.stop();
  });

  it('a proxy that is down is trouble for another time, and nothing goes around it', async () => {
    const service = await startHttpService(() => ({ status: 200 }));
    route = through(service.ca);
    await proxy.stop();
    const channel = createTelegram({ name: 'telegram', url: service.url, token: 'token', chatId: '1', route });
    expect(await channel.send(sampleMessage(), AbortSignal.timeout(60_000))).toMatchObject({ kind: 'later' });
    expect(service.calls).toEqual([]);
    await channel.close();
    await service.stop();
    proxy = await startTestProxy();
  });
});
