import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { channelContract, findAge, startSmtpService, type Age } from '@keepwatch/testkit';
import { bech32 } from '@scure/base';
import { armor, Decrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, describe, expect, it } from 'vitest';
import { sampleMessage } from '../message.fixture.ts';
import { AGE_VECTORS } from './age-vectors.fixture.ts';
import { createEmail } from './email.ts';
import { encryptedMail, sealerOf } from './encrypted-mail.ts';

const ACCOUNT = { user: 'monitor', password: 'mail-password-1234' };
const ADDRESSES = { from: 'monitor@channel.test', to: 'owner@channel.test', messageId: '<1@channel.test>' };
const WORDS = `${sampleMessage().subject}\n\n${sampleMessage().body}\n`;
const bodyOf = (mail: string) => mail.slice(mail.indexOf('\r\n\r\n') + 4);

async function mailTo(recipients: readonly string[]): Promise<string> {
  return encryptedMail({
    seal: await sealerOf({ kind: 'age', recipients }),
    ...ADDRESSES,
    message: sampleMessage(),
  });
}

async function opened(text: string, identity: string): Promise<string> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return decrypter.decrypt(armor.decode(text.trim()), 'text');
}

const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);

channelContract('email encrypted with age', async () => {
  const service = await startSmtpService('tls', ACCOUNT);
  const { port, ca } = service;
  return {
    channel: await createEmail({
      ...{ name: 'mail', host: '127.0.0.1', port, security: 'tls', ...ACCOUNT, ...ADDRESSES },
      ...{ keys: { kind: 'age', recipients: [recipient] }, route: { proxy: null, ca } },
    }),
    taken: () => Promise.all(service.mails.map((mail) => opened(bodyOf(mail), identity))),
    ...{ service, secrets: [ACCOUNT.password], asksToWait: false },
  };
});

describe('a mail encrypted with age', () => {
  it('shows neither subject nor words nor readers, and is opened by each of them', async () => {
    const other = await generateX25519Identity();
    const mail = await mailTo([recipient, await identityToRecipient(other), ` ${recipient}\n`]);
    expect(mail).toMatch(/^Subject: Message from Keepwatch\r$/m);
    expect(mail).not.toMatch(/Received|Savings|00012345/);
    const plain = Buffer.from(armor.decode(bodyOf(mail).trim())).toString('latin1');
    expect(plain.match(/^-> X25519 /gm)).toHaveLength(2);
    for (const each of [identity, other]) expect(await opened(bodyOf(mail), each)).toBe(WORDS);
    await expect(opened(bodyOf(mail), await generateX25519Identity())).rejects.toThrow();
  });

  it.each([
    ['one of a plugin', 'age1yubikey1qg8jkxtq3v5m5d3w4t7v0', 'age_recipient_unsupported'],
    ['a post-quantum one', `age1pq1${'q'.repeat(1_900)}`, 'age_recipient_unsupported'],
    ['one of a hardware key', `age1tag1${'q'.repeat(58)}`, 'age_recipient_unsupported'],
    ['a key of SSH', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ', 'age_recipient_unsupported'],
    ['a secret key', identity, 'age_recipient_malformed'],
    ['a letter changed', recipient.replace(/.$/, (last) => (last === 'q' ? 'p' : 'q')), 'age_recipient_malformed'],
    ['a letter missing', recipient.slice(0, -1), 'age_recipient_malformed'],
    ['a point that shares nothing', bech32.encodeFromBytes('age', new Uint8Array(32)), 'age_recipient_malformed'],
    ['nothing', '', 'age_recipient_malformed'],
  ])('is refused to %s, and says none of it', async (_name, wrong, code) => {
    const error = await sealerOf({ kind: 'age', recipients: [recipient, wrong] }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code });
    const said = `${String(error)}${JSON.stringify(error)}${String((error as Error).cause)}`;
    if (wrong.length > 20) expect(said).not.toContain(wrong.slice(12, 30));
    await expect(sealerOf({ kind: 'age', recipients: [] })).rejects.toMatchObject({ code: 'age_recipient_malformed' });
  });
});

/** What a published vector expects, and its file. */
function vector(name: string) {
  const bytes = Buffer.from(AGE_VECTORS[name]!, 'base64');
  const at = bytes.indexOf('\n\n');
  const head = Object.fromEntries(
    bytes
      .subarray(0, at)
      .toString()
      .split('\n')
      .map((line) => line.split(': ') as [string, string]),
  );
  return { head, file: bytes.subarray(at + 2) };
}

const age = await findAge();
const directory = mkdtempSync(join(tmpdir(), 'keepwatch-age-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The program of age: throws where it opens nothing. */
function openedByProgram({ age: { command, leading } }: Age, file: Uint8Array | string, key: string): Buffer {
  const path = join(directory, 'key.txt');
  writeFileSync(path, `${key}\n`, { mode: 0o600 });
  return execFileSync(command, [...leading, '--decrypt', '--identity', path], {
    ...{ input: file, stdio: ['pipe', 'pipe', 'ignore'], timeout: 60_000 },
  });
}

describe('the library that encrypts mails', () => {
  it.each(Object.keys(AGE_VECTORS))('agrees with the published vector %s', async (name) => {
    const { head, file } = vector(name);
    const decrypt = async () => {
      const decrypter = new Decrypter();
      decrypter.addIdentity(head['identity']!);
      return decrypter.decrypt(head['armored'] === 'yes' ? armor.decode(file.toString()) : file);
    };
    if (head['expect'] === 'success') {
      expect(
        createHash('sha256')
          .update(await decrypt())
          .digest('hex'),
      ).toBe(head['payload']);
    } else {
      await expect(decrypt()).rejects.toThrow();
    }
  });
});

describe.skipIf('missing' in age)(`age itself${'missing' in age ? ` (skipped: ${age.missing})` : ''}`, () => {
  const program = age as Age;

  it('opens a mail to a key that it made', async () => {
    const { command, leading } = program.keygen;
    const made = execFileSync(command, leading, { stdio: ['ignore', 'pipe', 'ignore'], timeout: 60_000 }).toString();
    const [, publicKey] = /^# public key: (age1\S+)$/m.exec(made)!;
    const [secretKey] = /^AGE-SECRET-KEY-1\S+$/m.exec(made)!;
    const mail = await mailTo([publicKey!]);
    expect(openedByProgram(program, bodyOf(mail), secretKey).toString()).toBe(WORDS);
    // A mailbox that writes line ends in its own way changes nothing.
    expect(openedByProgram(program, bodyOf(mail).replaceAll('\r\n', '\n'), secretKey).toString()).toBe(WORDS);
    expect(() => openedByProgram(program, bodyOf(mail), identity)).toThrow();
  });

  it.each(Object.keys(AGE_VECTORS))('agrees with the published vector %s', (name) => {
    const { head, file } = vector(name);
    const decrypt = () => openedByProgram(program, file, head['identity']!);
    if (head['expect'] === 'success') {
      expect(createHash('sha256').update(decrypt()).digest('hex')).toBe(head['payload']);
    } else {
      expect(decrypt).toThrow();
    }
  });
});
