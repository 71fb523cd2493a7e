import { randomBytes } from 'node:crypto';
import { wireCrypto, signerFromSeed } from '@keepwatch/sdk';
import {
  createKeepHandshake,
  createPeerHandshake,
  keepIdentity,
  type AcceptedKeep,
  type AcceptedPeer,
  type Admission,
  type BootSigner,
  type IdentitySigner,
  type KeepHandshake,
  type KeepHandshakeDeps,
  type KeepHandshakeOptions,
  type PeerHandshake,
  type PeerHandshakeOptions,
  type WireCrypto,
} from '@keepwatch/wire';

/** Both ends of a connection in one process, for tests: real cryptography, no socket. */

export interface TestVault {
  readonly boot: BootSigner;
  readonly receipt: IdentitySigner;
  readonly identity: Uint8Array;
}

/** A vault's public face. With `seed` it is the same vault every time. */
export function createTestVault(seed?: Uint8Array): TestVault {
  const boot = signerFromSeed('EdDSA', seed ?? randomBytes(32));
  const receipt = signerFromSeed('EdDSA', seed ? wireCrypto.sha256(seed) : randomBytes(32));
  return {
    boot: { publicKey: boot.publicKey, sign: (bytes) => boot.sign(bytes) as Uint8Array },
    receipt,
    identity: keepIdentity(wireCrypto.sha256, boot.publicKey, receipt.publicKey),
  };
}

/** What a test may change of two ends that would agree. */
export interface WireEndsOptions {
  readonly vault?: TestVault;
  readonly signer?: IdentitySigner;
  readonly crypto?: WireCrypto;
  readonly admission?: Admission;
  readonly keep?: Partial<KeepHandshakeOptions>;
  readonly keepDeps?: Partial<KeepHandshakeDeps>;
  readonly peer?: Partial<PeerHandshakeOptions>;
}

export interface WireEnds {
  readonly vault: TestVault;
  readonly signer: IdentitySigner;
  readonly keep: KeepHandshake;
  readonly peer: PeerHandshake;
}

export const TEST_TLS_PIN: Uint8Array = new Uint8Array(32).fill(0x71);

export function createWireEnds(options: WireEndsOptions = {}): WireEnds {
  const vault = options.vault ?? createTestVault();
  const signer = options.signer ?? signerFromSeed('EdDSA', randomBytes(32));
  const crypto = options.crypto ?? wireCrypto;
  let nonce = 0;
  const keep = createKeepHandshake(
    {
      crypto,
      boot: vault.boot,
      receiptPublicKey: vault.receipt.publicKey,
      admit: () => options.admission ?? { admit: true },
      advanceNonce: () => ++nonce,
      ...options.keepDeps,
    },
    { tlsPins: [TEST_TLS_PIN], lifetimeMs: 30_000, ...options.keep },
  );
  const peer = createPeerHandshake(
    { crypto, signer },
    { role: 'client', wish: 'session', vault: vault.identity, tls: TEST_TLS_PIN, head: null, ...options.peer },
  );
  return { vault, signer, keep, peer };
}

/** Runs a handshake to its end; a failure at any step is the test's. */
export async function joinWireEnds(ends: WireEnds, nowMs = 1_000): Promise<{ peer: AcceptedKeep; keep: AcceptedPeer }> {
  const challenge = ends.keep.receiveHello(await ends.peer.hello(), nowMs);
  if (!challenge.ok) throw new Error(`hello: ${challenge.error.code}`);
  const peer = await ends.peer.receiveChallenge(challenge.value);
  if (!peer.ok) throw new Error(`challenge: ${peer.error.code}`);
  const keep = ends.keep.receiveProof(peer.value.message, nowMs);
  if (!keep.ok) throw new Error(`proof: ${keep.error.code}`);
  return { peer: peer.value, keep: keep.value };
}
