export {
  createTestVault,
  createWireEnds,
  joinWireEnds,
  TEST_TLS_PIN,
  type TestVault,
  type WireEnds,
  type WireEndsOptions,
} from './wire-ends.ts';
