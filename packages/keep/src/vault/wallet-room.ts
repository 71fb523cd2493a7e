import { CodedError, toBase64url, toHex, type Keccak256, type Sha256 } from '@keepwatch/base';
import { addressOfPublicKey } from '@keepwatch/evm';
import type { RecordWrite } from '@keepwatch/journal';
import {
  derivePrivateKey,
  generateMnemonic,
  generatePrivateKey,
  isPrivateKey,
  parseDerivationPath,
  secp256k1PublicKey,
  seedFromMnemonic,
  type SecureMemory,
  type Slot,
} from '../secure/index.ts';
import type { NewWallet } from '../state/events.ts';

/**
 * Makes wallets: keys come about in locked memory, leave it encrypted, and only public keys and addresses are seen
 * here. Whether the vault takes a new wallet is decided afterwards, by the pure step.
 */

/** Record spaces of wallets' secrets. */
export const WALLET_KEY_SPACE = 'wallet-key';
export const MNEMONIC_SPACE = 'seed';

export interface MadeWallets {
  readonly wallets: readonly NewWallet[];
  /** The keys, in the order of `wallets`. Free them where the vault does not take the wallets. */
  readonly keys: readonly Slot[];
  readonly writes: readonly RecordWrite[];
}

export interface WalletRoom {
  random(name: string, count: number): MadeWallets;
  mnemonic(name: string, words: 12 | 24): MadeWallets;
  /** The next accounts of a mnemonic, whose text is `text`; `seed` is its id. */
  derived(name: string, seed: string, text: Slot, prefix: string, first: number, count: number): MadeWallets;
  /** `secret` and `text` stay the caller's. Error code `secret_malformed`. */
  importKey(name: string, secret: Slot): MadeWallets;
  importMnemonic(name: string, text: Slot, path: string): MadeWallets;
}

export interface WalletRoomDeps {
  readonly memory: SecureMemory;
  readonly sha256: Sha256;
  readonly keccak256: Keccak256;
  /** The secret of a record, in the memory of the keys. */
  readonly open: (space: typeof WALLET_KEY_SPACE, record: { key: string; value: Uint8Array }) => Slot;
  readonly seal: (space: typeof WALLET_KEY_SPACE | typeof MNEMONIC_SPACE, id: string, secret: Slot) => RecordWrite;
}

/** The first account of a new mnemonic (BIP-44, coin type 60 of SLIP-44). */
const FIRST_PATH = "m/44'/60'/0'/0/0";

export function createWalletRoom(deps: WalletRoomDeps): WalletRoom {
  const { memory } = deps;

  function make(
    name: string,
    origin: NewWallet['origin'],
    key: Slot,
    hd: { seed: string | null; path: string | null },
  ) {
    const publicKey = secp256k1PublicKey(key, 'compressed');
    const wallet: NewWallet = {
      wallet: walletId(publicKey),
      name,
      publicKey: toHex(publicKey),
      address: addressOfPublicKey(secp256k1PublicKey(key, 'uncompressed'), deps.keccak256),
      origin,
      ...hd,
    };
    return { wallet, key, write: deps.seal(WALLET_KEY_SPACE, wallet.wallet, key) };
  }

  /** Follows from the public key, so that one key is one wallet. */
  function walletId(publicKey: Uint8Array): string {
    return toBase64url(deps.sha256(publicKey).subarray(0, 16));
  }

  function gather(made: readonly ReturnType<typeof make>[], extra: readonly RecordWrite[] = []): MadeWallets {
    return {
      wallets: made.map(({ wallet }) => wallet),
      keys: made.map(({ key }) => key),
      writes: [...made.map(({ write }) => write), ...extra],
    };
  }

  function derive(text: Slot, paths: readonly string[]): Slot[] {
    const seed = seedFromMnemonic(memory, text);
    if (!seed.ok) throw malformed(seed.error);
    try {
      return paths.map((path) => {
        const parsed = parseDerivationPath(path);
        if (!parsed.ok) throw malformed(parsed.error);
        return derivePrivateKey(memory, seed.value, parsed.value);
      });
    } finally {
      memory.free(seed.value);
    }
  }

  function fromMnemonic(name: string, origin: NewWallet['origin'], text: Slot, path: string): MadeWallets {
    const [key] = derive(text, [path]);
    const publicKey = secp256k1PublicKey(key!, 'compressed');
    const seed = walletId(publicKey);
    return gather([make(name, origin, key!, { seed, path })], [deps.seal(MNEMONIC_SPACE, seed, text)]);
  }

  return {
    random(name, count) {
      const none = { seed: null, path: null };
      return gather(numbered(name, count).map((each) => make(each, 'random', generatePrivateKey(memory), none)));
    },
    mnemonic(name, words) {
      const text = generateMnemonic(memory, words);
      try {
        return fromMnemonic(name, 'mnemonic', text, FIRST_PATH);
      } finally {
        memory.free(text);
      }
    },
    derived(name, seed, text, prefix, first, count) {
      const paths = Array.from({ length: count }, (_, i) => `${prefix}/${first + i}`);
      const keys = derive(text, paths);
      const names = numbered(name, count);
      return gather(keys.map((key, i) => make(names[i]!, 'derived', key, { seed, path: paths[i]! })));
    },
    importKey(name, secret) {
      if (!isPrivateKey(secret)) throw malformed('not a private key');
      const made = make(name, 'imported-key', secret, { seed: null, path: null });
      if (made.write.op !== 'put') throw new TypeError('a sealed key is put');
      // The secret came in memory that is for passing through; the key that stays is opened from its record.
      return gather([{ ...made, key: deps.open(WALLET_KEY_SPACE, made.write) }]);
    },
    importMnemonic: (name, text, path) => fromMnemonic(name, 'imported-mnemonic', text, path),
  };
}

function numbered(name: string, count: number): readonly string[] {
  return count === 1 ? [name] : Array.from({ length: count }, (_, i) => `${name}-${i + 1}`);
}

function malformed(reason: string): CodedError {
  return new CodedError('secret_malformed', 'The secret is no private key or no valid mnemonic.', {
    details: { reason },
  });
}
