import { randomBytes } from 'node:crypto';
import type { Json } from '@keepwatch/base';
import { makeMonitor, openLock, openMonitor } from '@keepwatch/monitor';
import { watchedWallet } from '@keepwatch/watch';

/** How many wallets a monitor has, and how many scripts each. */
export interface Watched {
  readonly wallets: number;
  readonly scriptsEach: number;
}

const SCRIPT_BYTES = 22;
/** Wallets that are put in at once. */
const AT_ONCE = 500;

/** Any public key of a test network: nothing is derived from it. */
const KEY =
  'tpubD6NzVbkrYhZ4WZaiWHz59q5EQ61bd6dUYfU4ggRWAtNAyyYRNWT6ktJ7UHJEXURvTfTfskFQmK7Ff4FRkiRN5wQH8nkGAb6aKB4Yyeqsw5m';

/**
 * Makes the data of a monitor that watches wallets whose scripts were derived before: P2WPKH of random hashes, journaled as
 * derivation journals them. Gives the scripts of the first index of each wallet.
 */
export async function prepareMonitor(
  dataDir: string,
  { wallets, scriptsEach }: Watched,
  channel: Json,
): Promise<readonly Uint8Array[]> {
  await makeMonitor(dataDir, { kind: 'file' }, 'regtest');
  const rootKey = await openLock(dataDir, { credentials: undefined });
  const monitor = await openMonitor({ dataDir, rootKey, network: 'regtest' });
  const first: Uint8Array[] = [];
  try {
    const name = (channel as { readonly name: string }).name;
    await monitor.engine.submit({ room: 'desk', event: { kind: 'channel-put', name, channel } });
    const read = watchedWallet({ id: 'w', descriptors: [`wpkh(${KEY}/0/*)`] }, 'regtest');
    if (!read.ok) throw new Error(read.error.message);
    for (let start = 0; start < wallets; start += AT_ONCE) {
      const done: Promise<unknown>[] = [];
      for (let n = start; n < Math.min(wallets, start + AT_ONCE); n++) {
        const id = `wallet-${n}`;
        const bytes = randomScripts(scriptsEach);
        first.push(bytes.slice(0, SCRIPT_BYTES));
        const wallet = { ...read.value, id, name: id };
        const range = { wallet: id, descriptor: 0, branch: 0, from: 0, to: scriptsEach };
        done.push(
          monitor.engine.submit({ room: 'watch', input: { kind: 'wallet', wallet } }),
          monitor.engine.submit({
            room: 'watch',
            input: { kind: 'scripts', ...range, lengths: [SCRIPT_BYTES], bytes },
          }),
        );
      }
      await Promise.all(done);
    }
  } finally {
    await monitor.close();
  }
  return first;
}

function randomScripts(count: number): Uint8Array {
  const bytes = new Uint8Array(randomBytes(count * SCRIPT_BYTES));
  for (let at = 0; at < bytes.length; at += SCRIPT_BYTES) bytes.set([0x00, 0x14], at);
  return bytes;
}
