/**
 * sdk: how programs reach a vault. Connections that pin TLS, prove both ends and remember what the vault has signed;
 * peers' keys as files; the cryptography of the wire on Node 20 and later. What it holds is a client's: it signs no
 * transaction and never sees a wallet's key.
 */
export { entryCrypto, wireCrypto } from './crypto-node.ts';
export { createIdentity, loadIdentity, signerFromSeed } from './identity.ts';
