import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex, utf8, type Instant, type Json, createZones } from '@keepwatch/base';
import { encodeUnsigned, type Eip1559Transaction } from '@keepwatch/evm';
import { createMemoryStore } from '@keepwatch/journal';
import type {
  CommandName,
  CommandParams,
  EntryPurpose,
  MethodParams,
  MethodResult,
  SignatureAnswer,
} from '@keepwatch/protocol';
import {
  createReceiptReader,
  sealEntry,
  signCommand,
  uuidV7,
  type EntryCrypto,
  type IdentitySigner,
} from '@keepwatch/wire';
import { loadBootKey } from '../boot/boot-key.ts';
import { createKeccak256 } from '../crypto/keccak.ts';
import { createWireCrypto, sha256 } from '../crypto/wire-crypto.ts';
import { createRegistration } from '../methods/proposals.ts';
import { createSigning, type Signing } from '../methods/sign.ts';
import { textOf, type JsonText } from '../peers/json-text.ts';
import { peerId, toPeerKey } from '../peers/peer-id.ts';
import type { PeerSession } from '../peers/sessions.ts';
import { createSecureMemory } from '../secure/index.ts';
import { sodium } from '../secure/native.ts';
import { createCommands, versionOf } from './commands.ts';
import type { KeepStore, VaultContext } from './context.ts';
import { identityOf } from './lifecycle.ts';
import type { TlsEdge } from './tls-edge.ts';
import { openVault } from './vault.ts';
import { createRegistries } from '../step/registries.ts';

/** A vault without its process: the real keep room, engine and journal, with a clock and a store that tests hold. */

const crypto = createWireCrypto();

const entryCrypto: EntryCrypto = {
  x25519: crypto.x25519,
  mlkem768: crypto.mlkem768,
  randomBytes: (length) => randomBytes(length),
  blake2b256(bytes) {
    const out = new Uint8Array(32);
    sodium.crypto_generichash(out, bytes);
    return out;
  },
  xchacha20poly1305: {
    seal(key, nonce, aad, plaintext) {
      const box = new Uint8Array(plaintext.length + 16);
      sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(box, plaintext, aad, null, nonce, key);
      return box;
    },
    open: () => undefined,
  },
};

/** Signing with its answers as a peer reads them. */
function readAnswers({ transaction, typedData, message, authorization, unjournaled }: Signing) {
  const read =
    <P, R>(method: (session: PeerSession, params: P) => Promise<JsonText>) =>
    async (session: PeerSession, params: P): Promise<R> =>
      createReceiptReader().complete(JSON.parse(textOf(await method(session, params), null)) as Json) as R;
  return {
    transaction: read<MethodParams<'transaction.sign'>, MethodResult<'transaction.sign'>>(transaction),
    typedData: read<MethodParams<'typed-data.sign'>, SignatureAnswer>(typedData),
    message: read<MethodParams<'message.sign'>, SignatureAnswer>(message),
    authorization: read<MethodParams<'authorization.sign'>, SignatureAnswer>(authorization),
    unjournaled,
  };
}

type EtherTransferDraft = Extract<CommandParams<'grant.create'>['grant'], { kind: 'ether-transfer' }>;

export interface TestPeer {
  readonly signer: IdentitySigner;
  readonly session: PeerSession;
}

export function makePeer(caller: PeerSession['caller']): TestPeer {
  const pair = generateKeyPairSync('ed25519');
  const publicKey = Buffer.from(pair.publicKey.export({ format: 'jwk' }).x!, 'base64url');
  const signer: IdentitySigner = {
    alg: 'EdDSA',
    publicKey,
    sign: (bytes) => sign(null, bytes, pair.privateKey),
  };
  const key = { alg: 'EdDSA' as const, publicKey };
  const session = { peer: peerId(sha256, key), caller, key, crowd: 'home', id: randomBytes(32), scratch: new Map() };
  return { signer, session };
}

/** A clock that only tests move. Wall and boot clock can be moved apart. */
export function makeClock(wallMs = Date.UTC(2026, 0, 1)) {
  let now: Instant = { wallMs, bootMs: 1_000_000, monotonicMs: 1_000_000 };
  return {
    now: () => now,
    pass: (ms: number) => {
      now = { wallMs: now.wallMs + ms, bootMs: now.bootMs + ms, monotonicMs: now.monotonicMs + ms };
    },
    jump: (ms: number) => {
      now = { ...now, wallMs: now.wallMs + ms };
    },
    sleep: (ms: number) => {
      now = { ...now, wallMs: now.wallMs + ms, bootMs: now.bootMs + ms };
    },
  };
}

export type TestClock = ReturnType<typeof makeClock>;
export const PASSWORD = 'correct horse battery staple';

export function memoryStore(): KeepStore {
  return { ...createMemoryStore(), checkpoint() {} };
}

export interface TestVaultOptions {
  readonly store?: KeepStore;
  readonly dataDir?: string;
  readonly clock?: TestClock;
  readonly scheme?: 1 | 2;
  readonly operator?: TestPeer;
  /** For tests of TLS; others have none. */
  readonly edge?: (vault: VaultContext) => TlsEdge;
}

export type TestVault = Awaited<ReturnType<typeof makeVault>>;

/** Vaults that a test makes as it goes; `removeAll` belongs in its `afterEach`. */
export function createVaults() {
  const made: TestVault[] = [];
  return {
    async newVault(options: TestVaultOptions = {}): Promise<TestVault> {
      const vault = await makeVault(options);
      made.push(vault);
      return vault;
    },
    removeAll() {
      for (const vault of made.splice(0)) vault.remove();
    },
  };
}

export async function makeVault(options: TestVaultOptions = {}) {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'keepwatch-vault-'));
  const clock = options.clock ?? makeClock();
  const store = options.store ?? memoryStore();
  const operator = options.operator ?? makePeer('operator');
  const happened: string[] = [];
  let diskLow = false;
  const memory = createSecureMemory({ allowUnlockedMemory: true });
  const keccak256 = await createKeccak256();
  const vault: VaultContext = await openVault({
    store,
    dataDir,
    memory,
    ringMemory: createSecureMemory({ allowUnlockedMemory: true }),
    boot: loadBootKey(memory, join(dataDir, 'boot.key')),
    crypto,
    sha256,
    keccak256,
    zones: createZones(process.versions.tz),
    registries: createRegistries(keccak256),
    clock: clock.now,
    entropy: (length) => randomBytes(length),
    soon: (run) => void setImmediate(run),
    reserve: { low: () => diskLow, release: () => happened.push('reserve released'), restore() {} },
    events: {
      log: (level, words) => happened.push(`${level}: ${words}`),
      phase: (phase, reason) => happened.push(`phase ${phase} (${reason})`),
      peerGone: (peer) => happened.push(`gone ${peer}`),
      peersChecked: () => happened.push('peers checked'),
      decided: (wallet) => happened.push(`decided ${wallet}`),
      proposed: (peer) => happened.push(`proposed ${peer}`),
      approvalAsked: ({ id }) => happened.push(`asked ${id}`),
      approvalDecided: (_client, { approval, state }) => happened.push(`${state} ${approval}`),
      fatal: (error) => happened.push(`fatal ${error.code}`),
    },
    ...(options.scheme ? { scheme: options.scheme } : {}),
  });
  if (vault.boot.peers.length === 0) {
    const { peer, key } = operator.session;
    vault.boot = { ...vault.boot, peers: [{ peer, role: 'operator', name: 'owner', key: toPeerKey(key) }] };
  }
  const edge = options.edge?.(vault) ?? ({} as TlsEdge);
  const commands = createCommands(vault, edge);
  const signing = readAnswers(createSigning(vault));

  async function command<N extends CommandName>(
    method: N,
    params: CommandParams<N>,
    more: { expects?: number; id?: string; expires?: number; by?: TestPeer } = {},
  ) {
    const by = more.by ?? operator;
    const jws = await signCommand(crypto.codec, by.signer, {
      vault: identityOf(vault),
      method,
      params: JSON.parse(JSON.stringify(params)),
      expires: more.expires ?? clock.now().wallMs + 60_000,
      expects: more.expects ?? versionOf(vault),
      id: more.id ?? uuidV7(clock.now().wallMs, (length) => randomBytes(length)),
    });
    return commands.run(by.session, jws);
  }

  function seal(purpose: EntryPurpose, secret: string | Uint8Array) {
    const begun = vault.entryKeys.begin(purpose, operator.session.id, clock.now().wallMs);
    if (!begun.ok) throw new Error(begun.error);
    const bytes = typeof secret === 'string' ? utf8(secret) : secret;
    const sealed = sealEntry(entryCrypto, begun.value.key, operator.session.id, bytes);
    if (!sealed.ok) throw new Error(sealed.error);
    return sealed.value;
  }

  const time = () => clock.now().wallMs;
  return {
    vault,
    clock,
    store,
    dataDir,
    operator,
    happened,
    command,
    seal,
    signing,
    keccak256,
    setDiskLow: (low: boolean) => {
      diskLow = low;
    },
    init: (password = PASSWORD) =>
      command('vault.init', { password: seal('vault.init', password), kdf: 'interactive', time: time() }),
    unseal: (password = PASSWORD, at = time()) =>
      command('vault.unseal', { password: seal('vault.unseal', password), time: at }),
    /** A registered client, by a proposal and its approval. */
    async client(name = 'bot') {
      const peer = makePeer('client');
      await createRegistration(vault)(peer.session, { name, role: 'client' });
      await command('peer.approve', { peer: peer.session.peer, role: 'client', name });
      return peer;
    },
    async wallet(name = 'main') {
      const made = await command('wallet.create', { kind: 'random', name, count: 1 });
      return (made.value as { wallets: { wallet: string; address: string }[] }).wallets[0]!;
    },
    grant: (client: TestPeer, wallet: string, more: Partial<EtherTransferDraft> = {}) =>
      command('grant.create', {
        grant: {
          client: client.session.peer,
          wallet,
          chain: 'eip155:1',
          kind: 'ether-transfer',
          recipients: [RECIPIENT],
          constraints: [
            { type: 'volume', asset: 'native', limit: (2n * ETHER).toString(), window: { seconds: 86_400 } },
          ],
          ...more,
        },
      }),
    sign: (client: TestPeer, wallet: string, more: TransferOptions = {}) =>
      signing.transaction(client.session, signParams(wallet, clock, more)),
    reopen: (changed: TestVaultOptions = {}) => makeVault({ store, dataDir, clock, operator, ...changed }),
    remove: () => rmSync(dataDir, { recursive: true, force: true }),
  };
}

export const ETHER = 10n ** 18n;
export const RECIPIENT = `0x${'22'.repeat(20)}`;

/** What every request to sign says besides what is to be signed: a new key, and a minute to live. */
export function askedOf(v: TestVault, wallet: string, chain = 'eip155:1') {
  const now = v.clock.now().wallMs;
  return { wallet, chain, key: uuidV7(now, (length) => randomBytes(length)), expires: now + 60_000 };
}

export interface TransferOptions {
  readonly to?: string;
  readonly value?: bigint;
  readonly nonce?: number;
  readonly key?: string;
  readonly chain?: string;
  readonly expires?: number;
}

export function signParams(wallet: string, clock: TestClock, more: TransferOptions): MethodParams<'transaction.sign'> {
  const now = clock.now().wallMs;
  const chain = more.chain ?? 'eip155:1';
  const transaction = {
    type: 'eip1559',
    chainId: Number(chain.slice('eip155:'.length)),
    nonce: more.nonce ?? 0,
    maxPriorityFeePerGas: 1n,
    maxFeePerGas: 1n,
    gasLimit: 21_000n,
    to: (more.to ?? RECIPIENT) as `0x${string}`,
    value: more.value ?? 1n,
    data: new Uint8Array(),
    accessList: [],
  } as unknown as Eip1559Transaction;
  return {
    wallet,
    chain,
    transaction: `0x${toHex(encodeUnsigned(transaction))}`,
    key: more.key ?? uuidV7(now, (length) => randomBytes(length)),
    expires: more.expires ?? now + 60_000,
  };
}
