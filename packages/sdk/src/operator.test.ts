import { CodedError, utf8 } from '@keepwatch/base';
import { createEntryRecipient, openCommand, sealEntry } from '@keepwatch/wire';
import { describe, expect, it } from 'vitest';
import { entryCrypto, wireCrypto } from './crypto-node.ts';
import { createAnsweringVault, type AnsweringVault } from './fixtures/answering-vault.ts';
import { signerFromSeed } from './identity.ts';
import { createOperator } from './operator.ts';

const identity = signerFromSeed('EdDSA', new Uint8Array(32).fill(3));
const PEER = 'A'.repeat(22);

interface Options {
  readonly versions?: readonly number[];
  /** The entry's `command`, where it is not the one that was sent. */
  readonly receiptFor?: string;
  readonly value?: (params: Readonly<Record<string, unknown>>, vault: AnsweringVault) => unknown;
}

/** A vault that accepts a command if it expects the newest of `versions`. */
function createVault({ versions = [7], receiptFor, value = () => null }: Options = {}) {
  const commands: ReturnType<typeof read>[] = [];
  let looks = 0;
  const vault: AnsweringVault = createAnsweringVault({
    'vault.status': () => ({ version: versions[Math.min(looks++, versions.length - 1)] }),
    command: ({ jws }) => {
      const command = read(String(jws));
      commands.push(command);
      if (command.expects !== versions.at(-1)) throw new CodedError('version_conflict', 'The vault changed.');
      const receipt = vault.receipt({ type: 'x', command: receiptFor ?? String(jws) });
      return { version: command.expects + 1, receipt, value: value(command.params, vault) };
    },
    'entry.begin': ({ purpose }) => {
      recipient = createEntryRecipient(entryCrypto, String(purpose));
      return { key: recipient.key, expires: 1 };
    },
  });
  let recipient: ReturnType<typeof createEntryRecipient> | undefined;
  const open = (sealed: unknown) => recipient!.open(sealed as never, vault.connection.sessionId);
  return { vault, commands, open, operator: createOperator(vault.connection, identity) };
}

function read(jws: string) {
  const nowMs = Date.now();
  const opened = openCommand(wireCrypto, identity, jws, {
    vault: createAnsweringVault({}).connection.info.vault,
    nowMs,
    maxLifetimeMs: 600_000,
  });
  if (!opened.ok) throw new TypeError(opened.error);
  return opened.value;
}

describe('command', () => {
  it('is signed for this vault and the version of now, and its receipt is checked', async () => {
    const { operator, commands } = createVault();
    const answer = await operator.command('peer.revoke', { peer: PEER });
    expect(commands).toMatchObject([{ method: 'peer.revoke', params: { peer: PEER }, expects: 7 }]);
    expect(answer).toMatchObject({ version: 8, value: null, receipt: { seq: 1 } });
  });

  it('believes no receipt of another command', async () => {
    const { operator } = createVault({ receiptFor: 'an earlier command' });
    await expect(operator.command('peer.revoke', { peer: PEER })).rejects.toMatchObject({
      code: 'receipt_other_command',
    });
  });

  it('is not repeated after a conflict, unless it was said how often', async () => {
    const once = createVault({ versions: [7, 8] });
    await expect(once.operator.command('grant.revoke', { grant: 'g1' })).rejects.toMatchObject({
      code: 'version_conflict',
    });
    expect(once.commands).toHaveLength(1);
    const twice = createVault({ versions: [7, 8] });
    await twice.operator.command('grant.revoke', { grant: 'g1' }, { retries: 1 });
    expect(twice.commands.map(({ expects }) => expects)).toEqual([7, 8]);
    expect(new Set(twice.commands.map(({ id }) => id)).size).toBe(2);
  });

  it('never replaces a version that the caller decided on', async () => {
    const { operator, commands } = createVault({ versions: [8] });
    const options = { expects: 7, retries: 3 };
    await expect(operator.command('grant.revoke', { grant: 'g1' }, options)).rejects.toMatchObject({
      code: 'version_conflict',
    });
    expect(commands).toHaveLength(1);
  });

  it('refuses a value that is not what was agreed', async () => {
    const wrong = createVault({ value: () => ({ grant: 1 }) });
    const grant = {
      client: PEER,
      wallet: PEER,
      chain: 'eip155:1',
      kind: 'ether-transfer' as const,
      recipients: [],
      constraints: [],
    };
    await expect(wrong.operator.command('grant.create', { grant })).rejects.toMatchObject({
      code: 'message_malformed',
    });
    const right = createVault({ value: () => ({ grant: 'g1', sentence: 'nothing' }) });
    await expect(right.operator.command('grant.create', { grant })).resolves.toMatchObject({ value: { grant: 'g1' } });
  });
});

describe('secrets', () => {
  it('are sealed to a one-time key of the vault and wiped here', async () => {
    const { operator, open } = createVault();
    const secret = utf8('correct horse');
    const sealed = await operator.sealSecret('vault.unseal', secret);
    expect(secret).toEqual(new Uint8Array(13));
    expect(open(sealed)).toEqual({ ok: true, value: utf8('correct horse') });
  });

  it('are wiped where sealing fails as well, and never sealed for another purpose', async () => {
    const { vault } = createVault();
    const key = createEntryRecipient(entryCrypto, 'wallet.backup').key;
    const turned = createAnsweringVault({ 'entry.begin': () => ({ key, expires: 1 }) });
    const secret = utf8('correct horse');
    await expect(createOperator(turned.connection, identity).sealSecret('vault.unseal', secret)).rejects.toMatchObject({
      code: 'entry_malformed',
    });
    expect(secret).toEqual(new Uint8Array(13));
    expect(vault.calls).toEqual([]);
  });

  it('that the vault hands out open here alone', async () => {
    const { operator } = createVault({
      value: ({ recipient }, vault) => {
        const sealed = sealEntry(
          entryCrypto,
          recipient as Parameters<typeof sealEntry>[1],
          vault.connection.sessionId,
          utf8('zoo zoo wrong'),
        );
        return { kind: 'mnemonic', path: 'm', sealed: sealed.ok ? sealed.value : null };
      },
    });
    const password = utf8('correct horse');
    const { kind, secret } = await operator.backupWallet(PEER, password);
    expect([kind, secret]).toEqual(['mnemonic', utf8('zoo zoo wrong')]);
    expect(password).toEqual(new Uint8Array(13));
  });
});

describe('backups', () => {
  it('come whole, piece by piece, and go up in the same bytes', async () => {
    const bytes = Uint8Array.from({ length: 250_000 }, (_, i) => (i * 7919) % 251);
    const uploaded: Uint8Array[] = [];
    const vault: AnsweringVault = createAnsweringVault({
      'vault.status': () => ({ version: 1 }),
      'entry.begin': ({ purpose }) => ({ key: createEntryRecipient(entryCrypto, String(purpose)).key, expires: 1 }),
      command: ({ jws }) => {
        const receipt = vault.receipt({ command: String(jws) });
        const restored = read(String(jws)).method === 'vault.restore';
        const hash = 'A'.repeat(43);
        return { version: 2, receipt, value: restored ? { identity: hash, vault: hash } : { bytes: bytes.length } };
      },
      'backup.read': ({ offset }) => {
        const piece = bytes.subarray(offset as number, (offset as number) + 98_304);
        return { bytes: wireCrypto.codec.toBase64url(piece), total: bytes.length };
      },
      'backup.write': ({ bytes: piece }) => {
        uploaded.push(wireCrypto.codec.fromBase64url(String(piece))!);
        return { received: uploaded.reduce((sum, { length }) => sum + length, 0) };
      },
    });
    const operator = createOperator(vault.connection, identity);
    const seen: number[] = [];
    const pieces: Uint8Array[] = [];
    for await (const piece of operator.backup(utf8('correct horse'), { onProgress: (done) => seen.push(done) })) {
      pieces.push(piece);
    }
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
    expect(seen).toEqual([98_304, 196_608, 250_000]);
    await operator.restore(bytes, utf8('correct horse'));
    expect(Buffer.concat(uploaded).equals(bytes)).toBe(true);
    for (const { params } of vault.calls.filter(({ method }) => method === 'backup.write')) {
      expect(String(params['bytes']).length).toBeLessThanOrEqual(180_000);
    }
  });

  it('that stop in the middle are an error, not a short file', async () => {
    const vault: AnsweringVault = createAnsweringVault({
      'vault.status': () => ({ version: 1 }),
      'entry.begin': ({ purpose }) => ({ key: createEntryRecipient(entryCrypto, String(purpose)).key, expires: 1 }),
      command: ({ jws }) => ({ version: 2, receipt: vault.receipt({ command: String(jws) }), value: { bytes: 9 } }),
      'backup.read': () => ({ bytes: '', total: 9 }),
    });
    const pieces = createOperator(vault.connection, identity).backup(utf8('correct horse'), {});
    await expect(pieces.next()).rejects.toMatchObject({ code: 'backup_malformed' });
  });

  it('of no byte are none, and the vault is not asked for anything', async () => {
    const vault = createAnsweringVault({});
    const password = utf8('correct horse');
    const restoring = createOperator(vault.connection, identity).restore(new Uint8Array(), password);
    await expect(restoring).rejects.toMatchObject({ code: 'backup_malformed' });
    expect(vault.calls).toEqual([]);
    expect(password).toEqual(new Uint8Array(13));
  });
});
