import { randomBytes } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { toBase64url } from '@keepwatch/base';
import type { LinkControl } from '@keepwatch/protocol';
import type { KeepStore, VaultContext } from './context.ts';
import { makeVault, memoryStore, type TestVault } from './test-vault.fixture.ts';
import { createTlsEdge, type TlsEdge } from './tls-edge.ts';

const made: TestVault[] = [];
afterEach(() => {
  for (const vault of made.splice(0)) vault.remove();
});

const fingerprint = () => toBase64url(randomBytes(32));

/** A gate that makes keys as it is told, and serves them at once. */
function gateOf(next: string) {
  const sent: LinkControl[] = [];
  let edge: TlsEdge | undefined;
  const answer = (message: LinkControl) => void setImmediate(() => edge!.control(message));
  return {
    sent,
    edge(vault: VaultContext): TlsEdge {
      edge = createTlsEdge(vault, {
        send(message) {
          sent.push(message);
          if (message.type === 'tls_rotate') answer({ type: 'tls_rotated', tls: next });
          if (message.type === 'tls_statement') answer({ type: 'tls_commit', tls: next } as LinkControl);
        },
        rotated: () => undefined,
        ready: () => undefined,
        adopt: false,
      });
      return edge;
    },
    ready: (tls: string, pending?: string) =>
      edge!.control({ type: 'gate_ready', tls, ...(pending ? { next: pending } : {}) } as LinkControl),
  };
}

it('has rotated the key as soon as the journal says so: a kill in between leaves both or neither', async () => {
  const inner = memoryStore();
  // What a kill right after each commit would leave.
  const copies: KeepStore[] = [];
  const log: Parameters<KeepStore['commit']>[] = [];
  const store: KeepStore = {
    ...inner,
    commit(batches, writes) {
      void inner.commit(batches, writes);
      log.push([batches, writes]);
      const copy = memoryStore();
      for (const each of log) void copy.commit(...each);
      copies.push(copy);
    },
  };
  const [before, after] = [fingerprint(), fingerprint()];
  const gate = gateOf(after);
  const v = await makeVault({ store, edge: gate.edge });
  made.push(v);
  await v.init();
  gate.ready(before);
  copies.length = 0;
  await v.command('vault.rotate-tls', {});
  expect(v.vault.boot.tls).toMatchObject({ fingerprint: after, counter: 1 });

  expect(copies.length).toBeGreaterThan(0);
  for (const copy of copies) {
    const restarted = gateOf(after);
    const again = await makeVault({
      store: copy,
      dataDir: v.dataDir,
      clock: v.clock,
      operator: v.operator,
      edge: restarted.edge,
    });
    await again.unseal();
    const journaled = again.vault.unsealed!.state.tls;
    expect(again.vault.boot.tls).toMatchObject({ fingerprint: journaled ? after : before });
    // Gate had the key ready and not in use: it is told to go on.
    restarted.ready(before, after);
    const told = restarted.sent.filter(({ type }) => type === 'tls_statement');
    expect(told).toEqual(journaled ? [{ type: 'tls_statement', tls: after, jws: journaled.statement }] : []);
  }
});
