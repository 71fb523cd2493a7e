import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sampleMessage } from '../message.fixture.ts';
import { encryptedMail, sealerOf } from './encrypted-mail.ts';

// GnuPG is what most readers have. Where it is not installed, the other tests of encrypted mail still hold.
const home = mkdtempSync(join(tmpdir(), 'keepwatch-gnupg-'));
const gpg = (args: readonly string[], input = '') =>
  execFileSync('gpg', ['--homedir', home, '--batch', '--quiet', '--no-tty', ...args], {
    input,
    stdio: ['pipe', 'pipe', 'ignore'],
  });

function isThere(): boolean {
  try {
    gpg(['--version']);
    return true;
  } catch {
    return false;
  }
}

describe.runIf(isThere())('encrypted mail', () => {
  afterAll(() => {
    try {
      execFileSync('gpgconf', ['--homedir', home, '--kill', 'all'], { stdio: 'ignore' });
    } catch {
      // The agent ends by itself when its directory is gone.
    }
    rmSync(home, { recursive: true, force: true });
  });

  it('is opened by GnuPG with a key that GnuPG made', async () => {
    gpg(['--passphrase', '', '--quick-generate-key', 'Owner <owner@channel.test>', 'default', 'default', 'never']);
    const armoredKey = gpg(['--armor', '--export', 'owner@channel.test']).toString();
    const seal = await sealerOf({ kind: 'openpgp', armoredKey });
    const addresses = { from: 'monitor@channel.test', to: 'owner@channel.test', messageId: '<1@channel.test>' };
    const mail = await encryptedMail({ seal, ...addresses, message: sampleMessage() });
    const armored = /-----BEGIN PGP MESSAGE-----[\s\S]*-----END PGP MESSAGE-----/.exec(mail)![0];
    const part = gpg(['--decrypt'], armored).toString();
    const words = Buffer.from(part.split('\r\n\r\n')[1]!, 'base64').toString();
    expect(words).toBe(`${sampleMessage().subject}\n\n${sampleMessage().body}\n`);
  });
});
