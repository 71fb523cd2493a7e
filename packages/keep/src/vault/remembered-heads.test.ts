import { afterEach, describe, expect, it } from 'vitest';
import { CodedError } from '@keepwatch/base';
import { verifyJournal } from '../methods/journal.ts';
import type { KeepStore } from './context.ts';
import { createVaults, ETHER, memoryStore, PASSWORD } from './test-vault.fixture.ts';
import { acceptPeer, statusOf } from './vault.ts';

const { newVault, removeAll } = createVaults();
afterEach(removeAll);

const code = (expected: string) => expect.objectContaining({ code: expected });

describe('remembered heads', () => {
  it('freezes signing when a peer remembers entries that are not here, until an operator resumes', async () => {
    const old = memoryStore();
    const v = await newVault({ store: old });
    await v.init();
    const client = await v.client();
    const { wallet } = await v.wallet();
    await v.grant(client, wallet);
    const quorum = { type: 'quorum', above: { asset: 'native', amount: ETHER.toString() }, approvals: 1 };
    const volume = { type: 'volume', asset: 'native', limit: (9n * ETHER).toString(), window: { seconds: 60 } };
    await v.grant(client, wallet, { chain: 'eip155:2', constraints: [volume, quorum] as never });
    const large = { chain: 'eip155:2', value: 2n * ETHER };
    await expect(v.sign(client, wallet, large)).rejects.toEqual(code('approval_needed'));
    const [waiting] = v.vault.unsealed!.state.approvals.values();
    const { id, digest, sentence } = waiting!;
    await v.command('approval.give', { approval: id, digest, asks: sentence });
    await v.command('vault.seal', {});
    const copy = copyOf(old);
    await v.unseal();
    await v.sign(client, wallet);
    const { head } = statusOf(v.vault);
    // The copy from before is put back.
    const back = await v.reopen({ store: copy });
    await back.unseal();
    await back.sign(client, wallet, { nonce: 7 });
    const claim = { role: 'client', wish: 'session', key: client.session.key } as const;
    acceptPeer(back.vault, { claim, nonce: 1, head: head as never, tokenProved: false, session: {} as never });
    await expect(back.sign(client, wallet, { nonce: 8 })).rejects.toEqual(code('signing_frozen'));
    expect(statusOf(back.vault).signingFrozen?.reason).toContain('another entry');
    // Who was revoked in the lost history is not known: nothing is widened or handed out before a resume.
    const refused = [
      () => back.command('vault.configure', { idleSealSeconds: 60 }),
      () => back.wallet('new'),
      () => back.grant(client, wallet),
      () => back.command('vault.backup', { password: back.seal('vault.backup', PASSWORD) }),
      () => back.command('vault.rotate-tls', {}),
    ];
    for (const command of refused) await expect(command()).rejects.toEqual(code('signing_frozen'));
    await back.command('vault.seal', {});
    expect(statusOf(back.vault).phase).toBe('sealed');
    // It is remembered over restarts, also while sealed.
    const sealed = await back.reopen();
    expect(statusOf(sealed.vault).signingFrozen).not.toBeNull();
    await sealed.unseal();
    await expect(sealed.sign(client, wallet, { nonce: 8 })).rejects.toEqual(code('signing_frozen'));
    await sealed.command('vault.resume', {
      peers: [sealed.operator.session.peer, client.session.peer],
      grants: [{ grant: 'g1', remaining: [{ constraint: 0, left: ETHER.toString() }] }],
      nonceFloors: [],
    });
    await expect(sealed.sign(client, wallet, { nonce: 8 })).rejects.toMatchObject({
      details: { reasons: [{ code: 'nonce_floor_unconfirmed' }] },
    });
    // An approval may have been used up, or taken back, in the history that is lost.
    expect(sealed.vault.unsealed!.state.approvals.size).toBe(0);
    await sealed.command('wallet.floor', { wallet, chain: 'eip155:1', floor: 20 });
    await expect(sealed.sign(client, wallet, { nonce: 20, value: ETHER })).rejects.toEqual(code('denied'));
    await expect(sealed.sign(client, wallet, { nonce: 20, value: ETHER / 2n })).resolves.toBeDefined();
    // The head of the lost history is superseded by the new epoch.
    acceptPeer(sealed.vault, { claim, nonce: 2, head: head as never, tokenProved: false, session: {} as never });
    expect(statusOf(sealed.vault).signingFrozen).toBeNull();
    expect((await verifyJournal(sealed.vault)).foldMatches).toBe(true);
  });

  it('still knows of a rollback whose freeze the full disk did not take, whatever is commanded next', async () => {
    const old = memoryStore();
    const v = await newVault({ store: old });
    await v.init();
    const client = await v.client();
    const { wallet } = await v.wallet();
    await v.grant(client, wallet);
    await v.command('vault.seal', {});
    const copy = copyOf(old);
    await v.unseal();
    const { head } = statusOf(v.vault);
    let full = false;
    const store: KeepStore = {
      ...copy,
      commit(batches, writes) {
        if (full && batches.length > 0) throw new CodedError('storage_full', 'full');
        return copy.commit(batches, writes);
      },
    };
    const back = await v.reopen({ store });
    await back.unseal();
    await back.sign(client, wallet, { nonce: 7 });
    full = true;
    const claim = { role: 'client', wish: 'session', key: client.session.key } as const;
    acceptPeer(back.vault, { claim, nonce: 1, head: head as never, tokenProved: false, session: {} as never });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(back.happened).toContain('reserve released');
    full = false;
    await back.command('vault.confirm-time', { time: back.clock.now().wallMs });
    await back.command('vault.seal', {});
    await back.unseal();
    await expect(back.sign(client, wallet, { nonce: 8 })).rejects.toEqual(code('signing_frozen'));
  });

  it('answers an unseal with the receipt of the unseal, where an old history comes to light with it', async () => {
    const old = memoryStore();
    const v = await newVault({ store: old });
    await v.init();
    const client = await v.client();
    await v.command('vault.seal', {});
    const copy = copyOf(old);
    await v.unseal();
    const { head } = statusOf(v.vault);
    const back = await v.reopen({ store: copy });
    const claim = { role: 'client', wish: 'session', key: client.session.key } as const;
    acceptPeer(back.vault, { claim, nonce: 1, head: head as never, tokenProved: false, session: {} as never });
    const { receipt } = await back.unseal();
    expect(JSON.parse(receipt!.entry)).toMatchObject({ type: 'vault.unsealed' });
    expect(statusOf(back.vault).signingFrozen).not.toBeNull();
  });

  function copyOf(store: KeepStore): KeepStore {
    const copy = memoryStore();
    const batches = [...(store.batches(1) as Iterable<never>)];
    const writes = ['boot', 'root', 'data-key', 'receipt-key', 'seed', 'wallet-key'].flatMap((space) =>
      [...(store.list(space) as Iterable<{ key: string; value: Uint8Array }>)].map(({ key, value }) => ({
        op: 'put' as const,
        space,
        key,
        value,
      })),
    );
    void copy.commit(batches, writes);
    return copy;
  }
});
