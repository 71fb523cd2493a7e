import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseConnectionString } from '@keepwatch/protocol';
import { createMemory, signerFromSeed } from '@keepwatch/sdk';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectMonitor } from '../access/remote.ts';
import { makeMonitor } from '../make.ts';
import type { OrderRow } from './order-rows.ts';

/** `kill -9` between the journal and the answer, by the monitor itself: the same order is answered as it was carried out. */

const PROGRAM = fileURLToPath(new URL('./fixtures/dying-monitor.ts', import.meta.url));
let dir: string;
const children = new Set<ChildProcess>();

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'keepwatch-killed-'));
  await makeMonitor(dir, { kind: 'file' }, 'main');
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

async function start(port: number, dieOn: string) {
  const child = spawn(process.execPath, [PROGRAM, dir, String(port), dieOn], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  const ended = once(child, 'exit');
  const { value } = (await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()) as {
    value: string;
  };
  const parsed = parseConnectionString(value);
  if (!parsed.ok) throw new Error(parsed.error.what);
  return { connection: value, port: parsed.value.port, ended };
}

it('carries an order out once, and answers it, through three kills', { timeout: 180_000 }, async () => {
  const first = await start(0, 'wallet.put');
  const remote = await connectMonitor({
    ...{ connectionString: first.connection, identity: signerFromSeed('EdDSA', randomBytes(32)), persistMs: 120_000 },
    ...{ role: 'operator', wish: 'register', memory: createMemory() },
  });
  let { ended } = first;
  for (let i = 1; i <= 3; i++) {
    const put = { name: `w${i}`, outpoints: [{ txid: '0'.repeat(64), vout: i }] };
    const answer = remote.order('wallet.put', put);
    expect(await ended).toEqual([null, 'SIGKILL']);
    ({ ended } = await start(first.port, i === 3 ? 'never' : 'wallet.put'));
    expect(await answer).toMatchObject({ version: i + 1, value: { id: `w${i}`, name: `w${i}` } });
  }
  const { orders } = (await remote.call('journal.orders')) as { readonly orders: readonly OrderRow[] };
  expect(orders.map(({ about }) => about)).toEqual([remote.peer, 'w1', 'w2', 'w3']);
  expect(await remote.call('findings.verify')).toMatchObject({ sameState: true, orders: { signed: 3, unsigned: 1 } });
  remote.close();
});
