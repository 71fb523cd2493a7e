import { assertNever } from '@keepwatch/base';
import type { LinkControl } from '@keepwatch/protocol';
import type { TlsStore } from './tls-store.ts';

/**
 * Gate's part in a rotation of the TLS key (see LinkControl): answers each control message of the keep. `inForce` is
 * called when new connections are to see the new key. `undefined` means that the message is none that a keep may send.
 */
export function answerControl(store: TlsStore, message: LinkControl, inForce: () => void): LinkControl | undefined {
  switch (message.type) {
    case 'tls_rotate':
      return { type: 'tls_rotated', tls: store.prepare().fingerprint };
    case 'tls_statement': {
      // Keep may repeat the last step after a crash between our commit and its journal.
      if (message.tls === store.current().fingerprint && store.statements().at(-1) === message.jws) {
        return { type: 'tls_commit', tls: message.tls };
      }
      const committed = store.commit(message.tls, message.jws);
      if (!committed.ok) return { type: 'tls_refused', reason: committed.error };
      inForce();
      return { type: 'tls_commit', tls: message.tls };
    }
    case 'gate_ready':
    case 'tls_rotated':
    case 'tls_commit':
    case 'tls_refused':
      return undefined;
    default:
      return assertNever(message);
  }
}
