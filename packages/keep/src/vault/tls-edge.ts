import { CodedError, fromBase64url } from '@keepwatch/base';
import type { LinkControl } from '@keepwatch/protocol';
import { signTlsStatement } from '@keepwatch/wire';
import { saveBootNow } from './boot-state.ts';
import { decideAt, type CarriedOut, type Order } from './order.ts';
import type { VaultContext } from './context.ts';

/**
 * The edge's TLS key under the keep's identity. Gate makes the keys; the keep says which one is the vault's, signs each
 * change with the boot key, and compares at every handshake what the peer saw with what it believes.
 */
export interface TlsEdge {
  readonly control: (message: LinkControl) => void;
  /** Fingerprints that a peer may have seen, 32 bytes each: the one in force, and during a rotation the next. */
  readonly pins: () => readonly Uint8Array[];
  rotate(order: Order): Promise<CarriedOut>;
  /** Gate is gone; what waits for its answer fails. */
  linkLost(): void;
}

export interface TlsEdgeDeps {
  readonly send: (message: LinkControl) => void;
  readonly rotated: (statement: string) => void;
  /** Gate is there and serves this fingerprint. */
  readonly ready: (fingerprint: string) => void;
  /** An operator on this machine said at the start that a lost TLS key may be replaced. */
  readonly adopt: boolean;
}

const ANSWER_WITHIN_MS = 10_000;

export function createTlsEdge(vault: VaultContext, deps: TlsEdgeDeps): TlsEdge {
  let waiting: {
    type: LinkControl['type'];
    resolve: (message: LinkControl) => void;
    reject: (e: Error) => void;
  } | null = null;
  let next: string | null = null;

  function expect(type: LinkControl['type']): Promise<LinkControl> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(() => reject(unavailable('did not answer'))), ANSWER_WITHIN_MS);
      const settle = (run: () => void) => {
        clearTimeout(timer);
        waiting = null;
        run();
      };
      waiting = {
        type,
        resolve: (message) => settle(() => resolve(message)),
        reject: (error) => settle(() => reject(error)),
      };
    });
  }

  function unavailable(why: string): CodedError {
    return new CodedError('gate_unavailable', `The edge ${why}; its TLS key stays as it was.`, {
      remedy: 'Look at the log of gate, then rotate again.',
    });
  }

  /** Signs, stores and hands over the statement that `fingerprint` is the vault's TLS key from now on. */
  function declare(fingerprint: string): { statement: string; counter: number; previous: string } {
    const before = vault.boot.tls ?? { fingerprint, counter: 0, statement: null };
    const counter = before.counter + 1;
    const statement = signTlsStatement(vault.deps.crypto.codec, vault.deps.boot.signer, {
      receipt: fromBase64url(vault.boot.receiptKey)!,
      counter,
      previous: fromBase64url(before.fingerprint)!,
      current: fromBase64url(fingerprint)!,
      issuedAt: vault.deps.clock().wallMs,
    });
    return { statement, counter, previous: before.fingerprint };
  }

  function gateReady(tls: string, pending: string | undefined): void {
    const known = vault.boot.tls;
    if (!known) {
      saveBootNow(vault, { tls: { fingerprint: tls, counter: 0, statement: null } });
    } else if (known.fingerprint === pending && known.statement !== null) {
      // The keep had decided on the next key when gate went down: finish the change.
      deps.send({ type: 'tls_statement', tls: pending, jws: known.statement });
    } else if (known.fingerprint !== tls) {
      if (!deps.adopt) {
        vault.deps.events.log('error', 'gate serves a TLS key that is not the vault’s: no peer will be let in', {
          remedy: 'Put gate’s data directory back, or start once with --adopt-tls.',
        });
      } else {
        const { statement, counter } = declare(tls);
        saveBootNow(vault, { tls: { fingerprint: tls, counter, statement } });
        deps.send({ type: 'tls_statement', tls, jws: statement });
      }
    } else if (known.statement !== null) {
      deps.send({ type: 'tls_statement', tls, jws: known.statement });
    }
    deps.ready(vault.boot.tls!.fingerprint);
  }

  return {
    control(message) {
      if (message.type === 'gate_ready') return gateReady(message.tls, message.next);
      if (!waiting) return;
      if (message.type === waiting.type) waiting.resolve(message);
      else if (message.type === 'tls_refused') waiting.reject(unavailable(`refused: ${message.reason}`));
    },

    pins() {
      const inForce = vault.boot.tls ? [vault.boot.tls.fingerprint] : [];
      return [...inForce, ...(next === null ? [] : [next])].map((pin) => fromBase64url(pin)!);
    },

    async rotate(order) {
      if (waiting) throw unavailable('is rotating already');
      deps.send({ type: 'tls_rotate' });
      const made = await expect('tls_rotated');
      if (made.type !== 'tls_rotated' || fromBase64url(made.tls)?.length !== 32) throw unavailable('talks nonsense');
      const { statement, counter, previous } = declare(made.tls);
      const carried = await decideAt(order, () => ({
        kind: 'accepted',
        events: [{ type: 'vault.tls-rotated', from: previous, to: made.tls, counter, statement, ...order.by }],
        value: { tls: made.tls, statement },
      }));
      // From here on the new key is the vault's, whatever happens to gate; until gate serves it, both are known.
      next = previous;
      deps.send({ type: 'tls_statement', tls: made.tls, jws: statement });
      await expect('tls_commit');
      next = null;
      deps.rotated(statement);
      return carried;
    },

    linkLost() {
      waiting?.reject(unavailable('is gone'));
    },
  };
}
