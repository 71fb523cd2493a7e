import { channelContract, startSmtpService, type SmtpService } from '@keepwatch/testkit';
import { decrypt, generateKey, readMessage, readPrivateKey } from 'openpgp';
import { describe, expect, it } from 'vitest';
import { sampleMessage } from '../message.fixture.ts';
import { createEmail, type EmailOptions } from './email.ts';

const ACCOUNT = { user: 'monitor', password: 'mail-password-1234' };

function optionsFor({ port, ca }: SmtpService, security: 'tls' | 'starttls'): EmailOptions {
  return {
    ...{ name: 'mail', host: '127.0.0.1', port, security, ...ACCOUNT },
    ...{ from: 'monitor@channel.test', to: 'owner@channel.test', route: { proxy: null, ca } },
  };
}

/** The text of a mail as its reader sees it: quoted-printable (RFC 2045 §6.7) or base64 undone. */
function readable(mail: string): string {
  const [head = '', ...rest] = mail.split('\r\n\r\n');
  const body = rest.join('\r\n\r\n');
  if (/transfer-encoding: base64/i.test(head)) return Buffer.from(body, 'base64').toString();
  const bytes = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}

for (const security of ['tls', 'starttls'] as const) {
  channelContract(`email over ${security}`, async () => {
    const service = await startSmtpService(security, ACCOUNT);
    return {
      channel: await createEmail(optionsFor(service, security)),
      ...{ service, taken: () => service.mails.map(readable), secrets: [ACCOUNT.password], asksToWait: false },
    };
  });
}

describe('a mail', () => {
  const send = async (service: SmtpService, over: Partial<EmailOptions>, message = sampleMessage()) => {
    const channel = await createEmail({ ...optionsFor(service, 'starttls'), ...over });
    return channel.send(message, AbortSignal.timeout(60_000));
  };

  it('keeps its Message-ID from try to try, and asks for no automatic answer', async () => {
    const service = await startSmtpService('starttls', ACCOUNT);
    await send(service, {});
    await send(service, {});
    expect(service.mails).toHaveLength(2);
    for (const mail of service.mails) {
      expect(mail).toMatch(/^Message-ID: <sample-1@channel\.test>\r$/m);
      expect(mail).toMatch(/^Auto-Submitted: auto-generated\r$/m);
      expect(mail).toMatch(/^Subject: Received 0\.00012345 BTC\r$/m);
    }
    await service.stop();
  });

  it('cannot be given headers by what it says', async () => {
    const service = await startSmtpService('starttls', ACCOUNT);
    await send(service, {}, sampleMessage({ subject: 'Hello\r\nBcc: thief@channel.test\r\n\r\nand a body' }));
    expect(service.mails[0]).not.toMatch(/^Bcc:/m);
    await service.stop();
  });

  it('is not sent with a wrong password, nor where STARTTLS is not to be had', async () => {
    const service = await startSmtpService('starttls', ACCOUNT);
    expect(await send(service, { password: 'wrong' })).toMatchObject({ kind: 'broken', code: 'denied' });
    await service.stop();
    const { createServer } = await import('node:net');
    const said: string[] = [];
    const plain = createServer((socket) => {
      socket.write('220 channel.test ESMTP\r\n');
      socket.on('error', () => undefined);
      socket.on('data', (line: Buffer) => {
        said.push(line.toString());
        // It offers no STARTTLS, as one does from which somebody in the middle took it.
        socket.write(/^EHLO/i.test(line.toString()) ? '250-channel.test\r\n250 AUTH PLAIN\r\n' : '454 no\r\n');
      });
    });
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const { port } = plain.address() as { port: number };
    expect(await send({ ...service, port }, {})).toMatchObject({ kind: 'later' });
    expect(said.join('')).not.toMatch(/AUTH|MAIL FROM/);
    plain.close();
  });

  it('is encrypted to the reader’s key, subject and all, where there is one', async () => {
    const service = await startSmtpService('starttls', ACCOUNT);
    const pair = await generateKey({ userIDs: [{ email: 'owner@channel.test' }], format: 'armored' });
    await send(service, { keys: { kind: 'openpgp', armoredKey: pair.publicKey } });
    const mail = service.mails[0]!;
    expect(mail).not.toMatch(/Received|Savings|00012345/);
    expect(mail).toMatch(/^Content-Type: multipart\/encrypted; protocol="application\/pgp-encrypted";/m);
    const armored = /-----BEGIN PGP MESSAGE-----[\s\S]*-----END PGP MESSAGE-----/.exec(mail)![0];
    const { data } = await decrypt({
      message: await readMessage({ armoredMessage: armored }),
      decryptionKeys: await readPrivateKey({ armoredKey: pair.privateKey }),
      format: 'binary',
    });
    expect(readable(Buffer.from(data as Uint8Array).toString())).toBe(
      'Received 0.00012345 BTC\n\nSavings received 0.00012345 BTC.\n\nMessage 1; …\n',
    );
    await expect(send(service, { keys: { kind: 'openpgp', armoredKey: pair.privateKey } })).rejects.toMatchObject({
      code: 'openpgp_key_malformed',
    });
    await service.stop();
  });
});
