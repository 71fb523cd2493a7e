export {
  createTestVault,
  createWireEnds,
  joinWireEnds,
  TEST_TLS_PIN,
  type TestVault,
  type WireEnds,
  type WireEndsOptions,
} from './wire-ends.ts';
export { journalStoreContract } from './contracts/journal-store.ts';
export { createJournalKeys, ed25519Verify, sha256, type JournalKeys } from './journal-keys.ts';
