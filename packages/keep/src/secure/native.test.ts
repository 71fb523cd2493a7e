import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { loadNative } from './native.ts';

const require = createRequire(import.meta.url);

describe('loadNative', () => {
  it('fails with a remedy where an add-on is missing, instead of falling back to JavaScript', () => {
    const asked: string[] = [];
    const withoutSecp = (id: string) => {
      asked.push(id);
      if (id.startsWith('secp256k1')) throw new Error('No native build was found');
      return require(id) as unknown;
    };
    expect(() => loadNative(withoutSecp)).toThrow(
      expect.objectContaining({ code: 'native_addon_missing', remedy: expect.stringContaining('npm ci') }),
    );
    expect(asked).toEqual(['sodium-native', 'secp256k1/bindings.js']);
  });

  it.each(['sodium-native', 'secp256k1/bindings.js'])('refuses %s when it computes something else', (broken) => {
    const wrong = {
      'sodium-native': { crypto_hash_sha512: (out: Uint8Array) => out.fill(1) },
      'secp256k1/bindings.js': { publicKeyCreate: () => new Uint8Array(33) },
    };
    const load = (id: string) => (id === broken ? wrong[broken as keyof typeof wrong] : (require(id) as unknown));
    expect(() => loadNative(load)).toThrow(expect.objectContaining({ code: 'native_addon_broken' }));
  });
});

describe('calls past the wrapper of the add-on', () => {
  const { sodium } = loadNative();
  const message = new Uint8Array(3);

  // The add-on itself ends the process at a wrong length.
  it.each([
    ['a short signature', () => sodium.crypto_sign_detached(new Uint8Array(63), message, new Uint8Array(64))],
    [
      'a seed in place of a signing key',
      () => sodium.crypto_sign_detached(new Uint8Array(64), message, new Uint8Array(32)),
    ],
  ])('refuse %s', (_, call) => expect(call).toThrow(RangeError));

  it('refuse what is no view of bytes', () => {
    expect(() => sodium.randombytes_buf([] as unknown as Uint8Array)).toThrow(TypeError);
    expect(() => sodium.crypto_sign_detached(new Uint8Array(64), 'text' as never, new Uint8Array(64))).toThrow(
      TypeError,
    );
  });

  it('fill just the view that they are given', () => {
    const bytes = new Uint8Array(96);
    sodium.randombytes_buf(bytes.subarray(32, 64));
    expect(bytes.subarray(0, 32)).toEqual(new Uint8Array(32));
    expect(bytes.subarray(64)).toEqual(new Uint8Array(32));
    expect(bytes.subarray(32, 64)).not.toEqual(new Uint8Array(32));
  });
});

describe('the room', () => {
  it('loads and works under the flags of the keep', () => {
    const script = `
      const room = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)});
      const memory = room.createSecureMemory({ allowUnlockedMemory: true });
      room.randomizeSigner(memory);
      const key = memory.allocRandom(32);
      const ring = room.createKeyRing({ memory: room.createSecureMemory({ allowUnlockedMemory: true }) });
      await ring.initialise(key, room.KDF_PRESETS.interactive, memory.allocRandom(32));
      const sealed = room.sealBytes(key, 1, new Uint8Array(3), new Uint8Array(9));
      const entries = room.createEntryKeys(memory, { lifetimeMs: 1000, limit: 1 });
      const { key: entryKey } = entries.begin('test', new Uint8Array(32), 0).value;
      const box = room.sealTo(memory, entryKey, 'test', new Uint8Array(32), key).value;
      const opened = entries.open(box, 'test', new Uint8Array(32), 1).value;
      const text = room.generateMnemonic(memory, 12);
      const seed = room.seedFromMnemonic(memory, text).value;
      const child = room.derivePrivateKey(memory, seed, room.parseDerivationPath("m/44'/60'/0'/0/0").value);
      const [signature] = room.signApprovedDigests([{ key: child, digest: new Uint8Array(32) }]);
      console.log([room.openBytes(key, 1, new Uint8Array(3), sealed).length, opened.size, signature.rs.length].join());
    `;
    const flags = [
      '--permission',
      '--allow-addons',
      '--allow-fs-read=*',
      '--disable-proto=throw',
      '--disallow-code-generation-from-strings',
      '--frozen-intrinsics',
      '--no-warnings',
    ];
    const output = execFileSync(process.execPath, [...flags, '--input-type=module', '-e', script], { env: {} });
    expect(output.toString().trim()).toBe('9,32,64');
  });
});
