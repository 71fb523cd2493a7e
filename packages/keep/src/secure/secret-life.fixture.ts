import { withWritable } from './access.ts';
import { mnemonicFromEntropy } from './bip39.ts';
import {
  createEntryKeys,
  createKeyRing,
  createSecureMemory,
  derivePrivateKey,
  KDF_PRESETS,
  parseDerivationPath,
  sealTo,
  seedFromMnemonic,
  signApprovedDigests,
} from './index.ts';
import type { KeyRecordReader, KeyRecordWrite } from './key-records.ts';
import type { Slot } from './memory.ts';

// A process that does with known secrets what the keep does with real ones, and then waits to be searched. The secrets
// are written into locked memory byte by byte: nothing in this program may hold one of them elsewhere.

const memory = createSecureMemory();
const ring = createKeyRing({ memory: createSecureMemory() });
const store = new Map<string, Uint8Array>();
const reader: KeyRecordReader = {
  get: (space, key) => store.get(`${space}/${key}`),
  list: (space, { after }) =>
    [...store]
      .filter(([id]) => id.startsWith(`${space}/`))
      .map(([id, value]) => ({ key: id.slice(space.length + 1), value }))
      .filter(({ key }) => after === undefined || key > after),
};

function commit(writes: readonly KeyRecordWrite[]): void {
  for (const write of writes) {
    if (write.op === 'put') store.set(`${write.space}/${write.key}`, write.value);
  }
}

/** The bytes of the test's `knownBytes`. */
function known(size: number, which: number): Slot {
  const slot = memory.alloc(size);
  withWritable(slot, (bytes) => {
    for (let i = 0; i < size; i++) bytes[i] = i * 73 + which * 29 + 11 + ((i * i) % 251);
  });
  return slot;
}

function value<T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T {
  if (!result.ok) throw new Error(String(result.error));
  return result.value;
}

const password = known(24, 1);
commit(await ring.initialise(password, KDF_PRESETS.interactive, known(32, 2)));
commit([ring.putSecret('wallet-key', 'a', known(32, 3))]);
commit([ring.putSecret('seed', 'b', mnemonicFromEntropy(memory, known(32, 4)))]);
ring.lock();
value(await ring.unlock(password, reader)).adopt();

const wallet = ring.openSecret('wallet-key', { key: 'a', value: store.get('wallet-key/a')! });
const seed = value(seedFromMnemonic(memory, ring.openSecret('seed', { key: 'b', value: store.get('seed/b')! })));
const child = derivePrivateKey(memory, seed, value(parseDerivationPath("m/44'/60'/0'/0/0")));
const digest = new Uint8Array(32);
for (let i = 0; i < 20; i++) {
  signApprovedDigests([wallet, child].map((key) => ({ key, digest })));
  ring.signReceipt(digest);
}
const entryKeys = createEntryKeys(memory, { lifetimeMs: 1000, limit: 1 });
const { key } = value(entryKeys.begin('vault.unseal', digest, 0));
value(entryKeys.open(value(sealTo(memory, key, 'vault.unseal', digest, password)), 'vault.unseal', digest, 1));
const rotation = value(await ring.rotateRoot(password, reader));
commit(rotation.writes);
rotation.adopt();
commit((await ring.rewrapChunk(reader, 100)).writes);

if (!process.send) throw new Error('this runs as a child');
process.send([...store].map(([id, bytes]) => [id, Buffer.from(bytes).toString('hex')]));
// Until then the ring is held: what nobody refers to is wiped and freed.
process.on('message', () => process.exit(ring.unlocked() ? 0 : 1));
