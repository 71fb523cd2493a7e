import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { uuidV7 } from '@keepwatch/wire';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FOLD_VERSION } from '../state/state.ts';
import { sealVault } from './lifecycle.ts';
import { makeVault, type TestVault } from './test-vault.fixture.ts';
import { saveSnapshot } from './unsealed.ts';

let v: TestVault;
beforeEach(async () => {
  v = await makeVault();
  await v.init();
});
afterEach(() => v.remove());

/** Denials that are journaled with the text that was to be signed; a client has 60 of them at once. */
async function journalBytes(length: number): Promise<void> {
  const wallet = await v.wallet();
  const message = 'I agree. '.repeat(1_700);
  for (let written = 0, client = await v.client('0'), asked = 0; written < length; written += message.length) {
    if (asked++ % 50 === 0) client = await v.client(String(asked));
    const now = v.clock.now().wallMs;
    const key = uuidV7(now, (bytes) => randomBytes(bytes));
    const request = { wallet: wallet.wallet, chain: 'eip155:1', message, key, expires: now + 60_000 };
    await expect(v.signing.message(client.session, request)).rejects.toMatchObject({ code: 'denied' });
  }
}

async function snapshotAfterUnseal(): Promise<number | undefined> {
  await v.command('vault.seal', {});
  await v.unseal();
  const { journal } = v.vault.unsealed!;
  await setImmediate();
  await setImmediate();
  return (await journal.latestSnapshot(FOLD_VERSION))?.seq;
}

it('takes a snapshot when an unseal had to read much', async () => {
  await journalBytes(5 << 20);
  await snapshotAfterUnseal();
  const { journal } = v.vault.unsealed!;
  await expect.poll(async () => (await journal.latestSnapshot(FOLD_VERSION))?.seq).toBe(journal.head()!.lastSeq);
});

it('takes none when it had to read little', async () => {
  await journalBytes(100_000);
  expect(await snapshotAfterUnseal()).toBeUndefined();
});

it('saves the last state when another snapshot is under way', async () => {
  await v.wallet();
  const first = saveSnapshot(v.vault);
  await setImmediate();
  await v.wallet('other');
  const { journal } = v.vault.unsealed!;
  await sealVault(v.vault, 'shutdown');
  await first;
  const last = journal.head()!.lastSeq;
  await v.unseal();
  expect((await v.vault.unsealed!.journal.latestSnapshot(FOLD_VERSION))?.seq).toBe(last);
});
