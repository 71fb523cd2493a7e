import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalBytes, CodedError, fromUtf8, toBase64url, utf8, type Json } from '@keepwatch/base';
import {
  decodeLinkClose,
  decodeLinkControl,
  decodeLinkOpen,
  encodeLinkClose,
  encodeLinkControl,
  encodeLinkOpen,
  formatConnectionString,
  METHODS,
  parseConnectionString,
} from '@keepwatch/protocol';
import { createIdentity, entryCrypto, fileMemory, loadIdentity, signerFromSeed, wireCrypto } from '@keepwatch/sdk';
import {
  createEntryRecipient,
  createMerkleTree,
  decodeRpc,
  encodeHead,
  joinRpc,
  rpcText,
  type RpcMessage,
  openCommand,
  openTlsStatement,
  parseHead,
  parseReceipt,
  parseStrictJson,
  receiptToJson,
  sealEntry,
  signCommand,
  signTlsStatement,
  uuidV7,
  verifyHead,
  verifyReceipt,
  type Head,
  type SignedHead,
} from '@keepwatch/wire';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeHeader, decodeItems, encodeHeader, encodeItem, readFrames } from '../../../keep/src/backup/format.ts';
import { createTestVault } from '../wire-ends.ts';
import { mutation } from './mutation.ts';

// Every parser that takes bytes from outside, fed with damaged copies of what it accepts. None may throw anything but
// an error with a code, none may accept a damaged message that was authenticated, and what the others accept must be
// what they would write themselves: one meaning for one text. The framing of the link, the handshake, sessions and
// transactions have such tests in their own packages.

interface Parser {
  readonly valid: Uint8Array;
  /** Undefined where it refuses; else the bytes that it would write for what it has read, or true. */
  readonly read: (bytes: Uint8Array) => Uint8Array | true | undefined | Promise<Uint8Array | true | undefined>;
  /** What is signed or sealed must not be accepted with any byte changed. */
  readonly authenticated?: true;
  readonly runs?: number;
}

const { codec } = wireCrypto;
const vault = createTestVault();
const signer = signerFromSeed('EdDSA', randomBytes(32));
const postQuantum = signerFromSeed('ML-DSA-65', randomBytes(32));
const id = toBase64url(vault.identity);
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
const json = (value: unknown) => canonicalBytes(value as Json);
const parsed = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(fromUtf8(bytes) ?? '');
  } catch {
    return undefined;
  }
};
const pin = toBase64url(new Uint8Array(32).fill(4));
const directory = mkdtempSync(join(tmpdir(), 'keepwatch-parsers-'));
afterAll(() => rmSync(directory, { recursive: true }));

const nowMs = 1_700_000_000_000;
const command = {
  vault: id,
  method: 'grant.revoke',
  params: { grant: 'g1' },
  expires: nowMs + 1_000,
  expects: 7,
  id: uuidV7(nowMs, randomBytes),
};
const statement = signTlsStatement(codec, vault.boot, {
  receipt: vault.receipt.publicKey,
  counter: 2,
  previous: new Uint8Array(32).fill(1),
  current: new Uint8Array(32).fill(2),
  issuedAt: nowMs,
});

const entries = [utf8('{"type":"a"}'), utf8('{"type":"b"}'), utf8('{"type":"c"}')];
const tree = createMerkleTree(wireCrypto.sha256, entries);
const head: Head = {
  version: 1,
  vault: id,
  epoch: 1,
  firstSeq: 5,
  lastSeq: 7,
  root: tree.root,
  prev: new Uint8Array(32).fill(9),
  timeMs: nowMs,
};
const signedHead: SignedHead = { ...head, signature: vault.receipt.sign(encodeHead(head)) as Uint8Array };
const receipt = receiptToJson({ seq: 6, entry: entries[1]!, index: 1, path: tree.path(1), head: signedHead });

const recipient = () => createEntryRecipient(entryCrypto, 'vault.unseal');
const session = new Uint8Array(32).fill(6);

const record = { kind: 'record' as const, space: 'wallet-key', key: 'abc', value: new Uint8Array(70).fill(3) };
const item = encodeItem(record);
const header = encodeHeader({
  format: 'keepwatch-backup/1',
  created: nowMs,
  vault: id,
  epoch: 1,
  lastSeq: 7,
  kdf: { opsLimit: 2, memLimitBytes: 67_108_864, salt: toBase64url(new Uint8Array(16)) },
  wrapped: toBase64url(new Uint8Array(60)),
});

function commandParser(by: typeof signer, valid: Uint8Array): Parser {
  const context = { vault: id, nowMs, maxLifetimeMs: 60_000 };
  return {
    valid,
    authenticated: true,
    read: (bytes) => (openCommand(wireCrypto, by, text(bytes), context).ok ? true : undefined),
  };
}

/** A file that a program reads: its errors are coded. */
function fileParser(name: string, valid: Uint8Array, read: (path: string) => Promise<unknown>): Parser {
  const path = join(directory, name);
  return {
    valid,
    runs: 150,
    async read(bytes) {
      writeFileSync(path, bytes, { mode: 0o600 });
      try {
        await read(path);
        return true;
      } catch (error) {
        if (error instanceof CodedError) return undefined;
        throw error;
      }
    },
  };
}

const identityFile = join(directory, 'valid.json');
await createIdentity(identityFile);
const memoryFile = join(directory, 'memory.json');
await fileMemory(memoryFile).set(id, { tls: pin, tlsCounter: 1, head: null });

const signRequest = {
  wallet: toBase64url(new Uint8Array(16)),
  chain: 'eip155:1',
  transaction: '0x02c0',
  key: command.id,
  expires: nowMs,
};

const PARSERS: Record<string, Parser> = {
  'connection string': {
    valid: utf8(formatConnectionString({ host: 'vault.example', port: 7401, tls: pin, id, token: pin })),
    read(bytes) {
      const result = parseConnectionString(text(bytes));
      if (!result.ok) {
        expect(result.error.what).not.toContain(pin);
        return undefined;
      }
      return utf8(formatConnectionString(result.value));
    },
  },
  'link: control': {
    valid: encodeLinkControl({ type: 'tls_statement', tls: pin, jws: statement }),
    read: (bytes) => {
      const message = decodeLinkControl(bytes);
      return message && encodeLinkControl(message);
    },
  },
  'link: open': {
    valid: encodeLinkOpen({ remote: 'loopback', crowd: 'a' }),
    read: (bytes) => {
      const open = decodeLinkOpen(bytes);
      return open && encodeLinkOpen(open);
    },
  },
  'link: close': {
    valid: encodeLinkClose({ code: 4001, reason: 'frame_forged' }),
    read: (bytes) => {
      const close = decodeLinkClose(bytes);
      return close && encodeLinkClose(close);
    },
  },
  'strict JSON': {
    valid: json({ a: [1, 2, { b: 'text', c: null }], d: true }),
    read: (bytes) => {
      const value = parseStrictJson(bytes);
      return value === undefined ? undefined : json(value);
    },
  },
  'JSON-RPC request': rpcParser({ kind: 'request', id: 1, method: 'transaction.sign', params: signRequest }),
  'JSON-RPC batch': rpcParser(
    { kind: 'request', id: 1, method: 'transaction.sign', params: signRequest },
    { kind: 'request', id: 2, method: 'vault.status', params: {} },
  ),
  'JSON-RPC error': rpcParser({
    kind: 'error',
    id: 'x',
    error: { code: -32000, message: 'No.', data: { code: 'denied', remedy: 'Ask.', details: { a: 1 } } },
  }),
  'parameters of transaction.sign': {
    valid: json(signRequest),
    read: (bytes) => {
      const params = METHODS['transaction.sign'].params.safeParse(parsed(bytes));
      return params.success ? json(params.data) : undefined;
    },
  },
  'command (EdDSA)': commandParser(signer, utf8(await signCommand(codec, signer, command))),
  'command (ML-DSA-65)': {
    ...commandParser(postQuantum, utf8(await signCommand(codec, postQuantum, command))),
    runs: 200,
  },
  'TLS statement': {
    valid: utf8(statement),
    authenticated: true,
    read: (bytes) =>
      openTlsStatement(wireCrypto, text(bytes), { vault: vault.identity, after: 0 }).ok ? true : undefined,
  },
  'signed head': {
    valid: json(receipt.head),
    read: (bytes) => {
      const result = parseHead(parsed(bytes));
      if (!result.ok || !verifyHead(result.value, vault.receipt.publicKey, wireCrypto.ed25519Verify)) return undefined;
      return json(receiptToJson({ seq: 6, entry: entries[1]!, index: 1, path: [], head: result.value }).head);
    },
  },
  receipt: {
    valid: json(receipt),
    read: (bytes) => {
      const result = parseReceipt(parsed(bytes));
      const expected = { receiptPublicKey: vault.receipt.publicKey, vault: id };
      if (!result.ok || !verifyReceipt(result.value, expected, wireCrypto).ok) return undefined;
      // An accepted receipt says what the vault said, whatever the spaces between its members.
      expect(receiptToJson(result.value)).toEqual(receipt);
      return true;
    },
  },
  'sealed entry': {
    valid: (() => {
      const { key } = recipient();
      const box = sealEntry(entryCrypto, key, session, utf8('a password'));
      if (!box.ok) throw new Error(box.error);
      return json(box.value);
    })(),
    // Its one-time key is gone with the process that made it: whatever opens is a forgery.
    authenticated: true,
    runs: 200,
    read: (bytes) => {
      const to = recipient();
      const claimed = parsed(bytes) as { keyId?: unknown } | undefined;
      const box = typeof claimed === 'object' && claimed !== null ? { ...claimed, keyId: to.key.keyId } : claimed;
      return to.open(box as Json, session).ok ? true : undefined;
    },
  },
  'backup: header': {
    valid: header,
    read: (bytes) => {
      const result = decodeHeader(bytes);
      return result.ok ? true : undefined;
    },
  },
  'backup: frames': {
    valid: Buffer.concat([item, item]),
    read: (bytes) => {
      const frames = readFrames(bytes);
      if (!frames) return undefined;
      return Buffer.concat(frames.map((frame) => Buffer.concat([lengthOf(frame), frame])));
    },
  },
  'backup: items': {
    valid: Buffer.concat([item, encodeItem({ ...record, key: 'other' })]),
    read: (bytes) => {
      const items = decodeItems(bytes);
      if (!items.ok) return undefined;
      for (const each of items.value) if (each.kind === 'record') expect(each.value.length).toBeLessThan(1_000);
      return true;
    },
  },
  'key file': fileParser('identity.json', readFileSync(identityFile), loadIdentity),
  'memory file': fileParser('remembered.json', readFileSync(memoryFile), async (path) => fileMemory(path).get(id)),
};

function rpcParser(...messages: readonly RpcMessage[]): Parser {
  return {
    valid: joinRpc(messages.map(rpcText)),
    read: (bytes) => {
      const result = decodeRpc(bytes);
      return result.ok ? joinRpc(result.value.map(rpcText)) : undefined;
    },
  };
}

function lengthOf(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return length;
}

describe.each(Object.entries(PARSERS))('%s', (name, { valid, read, authenticated, runs = 2_000 }) => {
  it('accepts what is valid, so that the rest means something', async () => {
    if (name !== 'sealed entry') expect(await read(valid)).toBeDefined();
  });

  it('refuses damage in good order', async () => {
    let damagedBytes = 0;
    await fc.assert(
      fc.asyncProperty(mutation, async (mutate) => {
        const damaged = mutate(valid);
        if (Buffer.from(valid).equals(damaged)) return;
        damagedBytes++;
        const accepted = await read(damaged);
        expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
        if (accepted === undefined) return;
        if (authenticated) expect.fail(`accepted: ${text(damaged)}`);
        // What it would write for what it has read, it reads the same way again.
        if (accepted !== true) expect(await read(accepted)).toEqual(accepted);
      }),
      { numRuns: runs },
    );
    expect(damagedBytes).toBeGreaterThan(runs / 2);
  });

  it('refuses noise', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (noise) => {
        const accepted = await read(noise);
        if (authenticated) expect(accepted).toBeUndefined();
      }),
      { numRuns: Math.min(runs, 500) },
    );
  });
});
