import { fromHex, toHex, utf8 } from '@keepwatch/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entryCrypto, sha256, wireCrypto } from './crypto-node.ts';
import { mldsa65FromSeed, mldsa65Verify, mlkem768 } from './post-quantum.ts';

const hex = (text: string) => fromHex(text.replace(/\s/g, ''))!;

describe('published vectors', () => {
  it('SHA-256 (FIPS 180-4, "abc")', () => {
    expect(toHex(sha256(utf8('abc')))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it('Ed25519 (RFC 8032 §7.1, TEST 3)', () => {
    const publicKey = hex('fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025');
    const signature = hex(
      `6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
       18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a`,
    );
    expect(wireCrypto.ed25519Verify(publicKey, hex('af82'), signature)).toBe(true);
    expect(wireCrypto.ed25519Verify(publicKey, hex('af83'), signature)).toBe(false);
    expect(wireCrypto.ed25519Verify(publicKey.subarray(1), hex('af82'), signature)).toBe(false);
  });

  it('HKDF-SHA-256 (RFC 5869 A.1)', () => {
    const okm = wireCrypto.hkdfSha256(
      hex('0b'.repeat(22)),
      hex('000102030405060708090a0b0c'),
      hex('f0f1f2f3f4f5f6f7f8f9'),
      42,
    );
    expect(toHex(okm)).toBe('3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865');
  });

  it('AES-256-GCM (McGrew & Viega, test case 16)', () => {
    const aes = wireCrypto.aesGcm.create(hex('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308'));
    const nonce = hex('cafebabefacedbaddecaf888');
    const aad = hex('feedfacedeadbeeffeedfacedeadbeefabaddad2');
    const plaintext = hex(
      `d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657
       ba637b39`,
    );
    const { ciphertext, tag } = aes.seal(nonce, aad, plaintext);
    expect(toHex(tag)).toBe('76fc6ece0f4e1768cddf8853bb2d551b');
    expect(toHex(ciphertext)).toBe(
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662',
    );
    expect(toHex(aes.open(nonce, aad, ciphertext, tag)!)).toBe(toHex(plaintext));
    expect(aes.open(nonce, utf8('other'), ciphertext, tag)).toBe(undefined);
  });

  it('BLAKE2b-256 of nothing (RFC 7693 reference code)', () => {
    expect(toHex(entryCrypto.blake2b256(new Uint8Array(0)))).toBe(
      '0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8',
    );
  });

  it('XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03 A.3.1)', () => {
    const key = hex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f');
    const nonce = hex('404142434445464748494a4b4c4d4e4f5051525354555657');
    const aad = hex('50515253c0c1c2c3c4c5c6c7');
    const plaintext = utf8(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    );
    const box = entryCrypto.xchacha20poly1305.seal(key, nonce, aad, plaintext);
    expect(toHex(box.subarray(0, 16))).toBe('bd6d179d3e83d43b9576579493c0e939');
    expect(toHex(box.subarray(-16))).toBe('c0875924c1c7987947deafd8780acf49');
    expect(entryCrypto.xchacha20poly1305.open(key, nonce, aad, box)).toEqual(plaintext);
    box[0]! ^= 1;
    expect(entryCrypto.xchacha20poly1305.open(key, nonce, aad, box)).toBe(undefined);
  });
});

describe('X25519', () => {
  it('agrees at both ends and refuses every point of low order (RFC 7748 §6.1)', () => {
    const [a, b] = [wireCrypto.x25519.generate(), wireCrypto.x25519.generate()];
    expect(wireCrypto.x25519.derive(a.secret, b.publicKey)).toEqual(wireCrypto.x25519.derive(b.secret, a.publicKey));
    for (const point of [
      '00'.repeat(32),
      `01${'00'.repeat(31)}`,
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
      '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
      `ec${'ff'.repeat(30)}7f`,
      `ed${'ff'.repeat(30)}7f`,
      `ee${'ff'.repeat(30)}7f`,
    ]) {
      expect(wireCrypto.x25519.derive(a.secret, hex(point)), point).toBe(undefined);
    }
  });
});

describe('post-quantum algorithms, native and portable', () => {
  const pairs = [
    [true, false],
    [false, true],
  ] as const;

  it.each(pairs)('ML-KEM-768: generated native=%s, encapsulated native=%s', (ours, theirs) => {
    const key = mlkem768(ours).generate();
    const { shared, ciphertext } = mlkem768(theirs).encapsulate(key.publicKey)!;
    expect([key.publicKey.length, ciphertext.length, shared.length]).toEqual([1184, 1088, 32]);
    expect(toHex(mlkem768(ours).decapsulate(key.secret, ciphertext))).toBe(toHex(shared));
    ciphertext[0]! ^= 1;
    expect(toHex(mlkem768(ours).decapsulate(key.secret, ciphertext))).not.toBe(toHex(shared));
    // FIPS 203 §7.2: coefficients at or above q are no key.
    expect(mlkem768(theirs).encapsulate(new Uint8Array(1184).fill(255))).toBe(undefined);
  });

  it.each(pairs)('ML-DSA-65: signed native=%s, verified native=%s', (ours, theirs) => {
    const seed = new Uint8Array(32).fill(5);
    const key = mldsa65FromSeed(seed, ours);
    expect(toHex(key.publicKey)).toBe(toHex(mldsa65FromSeed(seed, theirs).publicKey));
    const signature = key.sign(utf8('message'));
    expect(mldsa65Verify(key.publicKey, utf8('message'), signature, theirs)).toBe(true);
    expect(mldsa65Verify(key.publicKey, utf8('massage'), signature, theirs)).toBe(false);
    expect(mldsa65Verify(key.publicKey.subarray(1), utf8('message'), signature, theirs)).toBe(false);
  });
});

describe('base64url', () => {
  it('takes back what it made and nothing that is not canonical', () => {
    const { toBase64url, fromBase64url } = wireCrypto.codec;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), fc.string({ maxLength: 8 }), (bytes, text) => {
        expect(fromBase64url(toBase64url(bytes))).toEqual(Buffer.from(bytes));
        const decoded = fromBase64url(text);
        if (decoded) expect(toBase64url(decoded)).toBe(text);
      }),
    );
    for (const text of ['A', 'AB', 'AA==', 'A+AA', 'A/AA', 'AA\n', 'AAé']) expect(fromBase64url(text)).toBe(undefined);
  });
});
