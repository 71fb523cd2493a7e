import type { MaybePromise } from '@keepwatch/base';
import type { SignedHeadJson } from '@keepwatch/protocol';
import { parseHead, verifyHead } from '@keepwatch/wire';
import { wireCrypto } from './crypto-node.ts';
import { isNewerHead } from './memory.ts';

/**
 * Keeps the newest journal head that a connection has seen. Heads come with every receipt, many thousand a second, so
 * they are only compared as they come; the newest is verified and stored at most every so often, and at the end.
 */
export interface HeadKeeper {
  offer(head: SignedHeadJson): void;
  /** Stores what is not stored yet; fulfilled when it is. */
  flush(): Promise<void>;
}

/** What a crash of this process may forget, in ms. */
const STORE_EVERY_MS = 250;

export interface HeadKeeperDeps {
  /** Name of the vault's journal (`vaultId`), base64url. */
  readonly vault: string;
  readonly receiptPublicKey: Uint8Array;
  store(head: SignedHeadJson): MaybePromise<void>;
  /** The vault showed a head that it has not signed. */
  onForged(): void;
  /** Storing failed. */
  onError(error: unknown): void;
}

export function createHeadKeeper(deps: HeadKeeperDeps): HeadKeeper {
  let newest: SignedHeadJson | null = null;
  let stored: SignedHeadJson | null = null;
  let timer: NodeJS.Timeout | undefined;
  let storing: Promise<void> = Promise.resolve();

  async function store(): Promise<void> {
    const head = newest;
    if (head === null || head === stored) return;
    const parsed = parseHead(head);
    const signed =
      parsed.ok &&
      head.vault === deps.vault &&
      verifyHead(parsed.value, deps.receiptPublicKey, wireCrypto.ed25519Verify);
    stored = head;
    if (!signed) return deps.onForged();
    try {
      await deps.store(head);
    } catch (error) {
      deps.onError(error);
    }
  }

  /** One after another, so that whoever waits for a flush waits for the one under way as well. */
  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    storing = storing.then(store);
    return storing;
  }

  return {
    flush,
    offer(head) {
      if (!isNewerHead(head, newest)) return;
      newest = head;
      timer ??= setTimeout(() => void flush(), STORE_EVERY_MS).unref();
    },
  };
}
