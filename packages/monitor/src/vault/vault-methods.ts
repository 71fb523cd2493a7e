import { CodedError, type Json } from '@keepwatch/base';
import { connect } from '@keepwatch/sdk';
import type { z } from 'zod';
import type { Methods } from '../api/server.ts';
import { none, type vaultAdd, type vaultNamed, type vaultSet } from '../api/shapes.ts';
import type { Engine } from '../engine/engine.ts';
import type { Changes } from '../orders/order-desk.ts';
import { newVault, readVault, signerOf } from './settings.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/;

/** What can be asked and said of vaults whose receipts are followed. */
export function vaultMethods({ engine }: { readonly engine: Engine }): {
  readonly methods: Methods;
  readonly changes: Changes;
} {
  const { desk, vault: room } = engine.state;
  function isKnown(name: string): void {
    if (desk.vaults.has(name)) return;
    throw new CodedError('monitor_vault_unknown', `There is no vault “${name}”.`, {
      remedy: '`keepwatch monitor vault list` shows those that there are.',
    });
  }

  function isFree(name: string): void {
    if (!NAME.test(name)) {
      throw new CodedError('monitor_vault_refused', `“${name}” is no name for a vault.`, {
        remedy: 'Choose letters, digits, “.”, “_” and “-”.',
      });
    }
    if (desk.vaults.has(name)) {
      throw new CodedError('monitor_vault_exists', `There is a vault “${name}” already.`, {
        remedy: 'Choose another name, or remove that one first.',
      });
    }
  }

  return {
    methods: {
      'vault.list': {
        params: none,
        call: () =>
          Promise.resolve(
            [...desk.vaults].map(([name, json]) => {
              const record = room.vaults.get(name);
              return {
                ...{ name, peer: readVault(json)?.peer ?? null, phase: record?.phase ?? 'unknown' },
                unseenMs: record?.unseenMs ?? null,
                ...{ upTo: record?.lastSeq ?? 0, downSinceMs: record?.downSinceMs ?? null, words: record?.words ?? '' },
                wallets: [...room.wallets.entries()].flatMap(([key, { vault, wallet, address }]) =>
                  vault === name ? [{ wallet, address, permits: room.permits.get(key)?.count ?? 0 }] : [],
                ),
              };
            }),
          ),
      },
    },
    changes: {
      /** Makes a key of its own for this vault, and asks the vault to register it. */
      'vault.add': {
        async plan({ name, connection: text, as }: z.infer<typeof vaultAdd>) {
          isFree(name);
          const made = newVault(name, text);
          const wish = {
            connectionString: made.connection,
            identity: signerOf(made),
            role: 'client',
            wish: 'register',
          } as const;
          const connection = await connect(wish);
          let peer: string;
          let state: string;
          try {
            ({ peer, state } = await connection.call('peer.register', { name: as, role: 'client' }));
          } finally {
            await connection.close();
          }
          const vault = { ...made, peer } as unknown as Json;
          return () => {
            isFree(name);
            return {
              inputs: [
                { room: 'desk', event: { kind: 'vault-put', name, vault } },
                { room: 'vault', input: { kind: 'vault-put', vault: name } },
              ],
              answer: () => ({ name, peer, state, as }),
            };
          };
        },
      },
      /** After how long a signed transaction that is in no block is told; null: never. */
      'vault.set': {
        plan:
          ({ name, unseenMs }: z.infer<typeof vaultSet>) =>
          () => {
            isKnown(name);
            return {
              inputs: [{ room: 'vault', input: { kind: 'vault-set', vault: name, unseenMs } }],
              answer: () => ({ name, unseenMs }),
            };
          },
      },
      'vault.remove': {
        plan:
          ({ name }: z.infer<typeof vaultNamed>) =>
          () => {
            isKnown(name);
            return {
              inputs: [
                { room: 'desk', event: { kind: 'vault-dropped', name } },
                { room: 'vault', input: { kind: 'vault-removed', vault: name } },
              ],
              answer: () => ({ removed: name }),
            };
          },
      },
    },
  };
}
