/**
 * world: a vault as its users meet it, for tests and benchmarks. The processes are real and started as the product
 * starts them; operators and clients speak through the SDK. Nothing here reaches into keep or gate.
 */
export { startVault, type VaultProcess } from './vault-process.ts';
export {
  addClient,
  connectAs,
  connectOperator,
  createPerson,
  createWallet,
  createWallets,
  grant,
  setUpOperator,
  unseal,
  type Person,
  type SeatedOperator,
  type Wallet,
} from './people.ts';
