import { randomBytes, sign } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { CodedError, fromBase64url, toBase64url } from '@keepwatch/base';
import { isObject, parseStrictJson, type IdentitySigner, type SignatureAlg } from '@keepwatch/wire';
import { ed25519PrivateKey, ed25519PublicKeyOf } from './crypto-node.ts';
import { mldsa65FromSeed } from './post-quantum.ts';

/**
 * A peer's long-term key as a file. It holds the 32-byte seed from which both algorithms make their key, and the
 * public key, so that a damaged seed is noticed. Only its owner can read it; it is never overwritten.
 */

const FORMAT = 'keepwatch-identity/1';
const SEED_BYTES = 32;
const MAX_FILE_BYTES = 8_192;

/** A signer from a seed of 32 bytes. */
export function signerFromSeed(alg: SignatureAlg, seed: Uint8Array): IdentitySigner {
  switch (alg) {
    case 'EdDSA': {
      const key = ed25519PrivateKey(seed);
      return { alg, publicKey: ed25519PublicKeyOf(key), sign: (bytes) => sign(null, bytes, key) };
    }
    case 'ML-DSA-65':
      return { alg, ...mldsa65FromSeed(seed) };
  }
}

/**
 * Makes a new key and its file (mode 0600). Throws a CodedError: `identity_exists` where there is a file already,
 * `identity_unwritable`.
 */
export async function createIdentity(path: string, alg: SignatureAlg = 'EdDSA'): Promise<IdentitySigner> {
  const seed = randomBytes(SEED_BYTES);
  const signer = signerFromSeed(alg, seed);
  const text = `${JSON.stringify({
    format: FORMAT,
    alg,
    publicKey: toBase64url(signer.publicKey),
    seed: toBase64url(seed),
  })}\n`;
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'wx', 0o600);
    await file.writeFile(text);
    await file.sync();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new CodedError('identity_exists', `There is a file at ${path} already.`, {
        cause,
        remedy: 'Use it, or choose another path. A key is never overwritten.',
      });
    }
    // A file that was begun and not finished is no key.
    if (file) await rm(path, { force: true });
    throw new CodedError('identity_unwritable', `The key cannot be written to ${path}.`, {
      cause,
      remedy: 'Choose a path in a directory that you may write to.',
    });
  } finally {
    await file?.close();
  }
  return signer;
}

/**
 * The key in a file. Throws a CodedError: `identity_missing`, `identity_exposed` where others than the owner may read
 * or write it, `identity_malformed`.
 */
export async function loadIdentity(path: string): Promise<IdentitySigner> {
  const bytes = await readPrivateFile(path);
  const value = bytes.length <= MAX_FILE_BYTES ? parseStrictJson(bytes) : undefined;
  const malformed = new CodedError('identity_malformed', `${path} is not a Keepwatch key, or it is damaged.`, {
    remedy: 'Restore the file from a copy, or make a new key and have it registered.',
  });
  if (!isObject(value) || value['format'] !== FORMAT) throw malformed;
  const { alg, seed, publicKey } = value;
  if ((alg !== 'EdDSA' && alg !== 'ML-DSA-65') || typeof seed !== 'string') throw malformed;
  const seedBytes = fromBase64url(seed);
  if (seedBytes?.length !== SEED_BYTES) throw malformed;
  const signer = signerFromSeed(alg, seedBytes);
  if (toBase64url(signer.publicKey) !== publicKey) throw malformed;
  return signer;
}

async function readPrivateFile(path: string): Promise<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, constants.O_RDONLY);
    // Asked of the open file and not of the path, which could be exchanged between the two.
    const { mode, uid } = await file.stat();
    const owned = process.getuid === undefined || uid === process.getuid();
    if ((mode & 0o077) !== 0 || !owned) {
      throw new CodedError('identity_exposed', `Others than you may read or change the key in ${path}.`, {
        remedy: `Run \`chmod 600 ${path}\` as its owner. If somebody may have read it, make a new key.`,
      });
    }
    return await file.readFile();
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    throw new CodedError('identity_missing', `There is no readable key at ${path}.`, {
      cause,
      remedy: 'Check the path, or make a key first.',
    });
  } finally {
    await file?.close();
  }
}
