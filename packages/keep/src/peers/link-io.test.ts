import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createLinkDecoder, encodeLinkFrames } from '@keepwatch/protocol';
import { expect, it, vi } from 'vitest';

const KEEP = fileURLToPath(new URL('./fixtures/answering-link/main.ts', import.meta.url));
const REQUESTS = 2_000;

it('hears no more requests while gate does not take the answers, and goes on when it does', async () => {
  const child = spawn(process.execPath, ['--no-warnings', KEEP], { stdio: ['pipe', 'pipe', 'inherit', 'pipe'] });
  const link = child.stdio[3] as Socket;
  const heard = async () => {
    child.stdin!.write('?');
    const [text] = (await once(child.stdout!, 'data')) as [Buffer];
    return Number(text.toString());
  };
  link.pause();
  // Each request is half as long as a read, so that the keep could stop after any of them.
  const payload = new Uint8Array(32 * 1024);
  for (let connection = 1; connection <= REQUESTS; connection++) {
    link.write(encodeLinkFrames([{ type: 'data', connection, payload }]));
  }
  await vi.waitFor(async () => expect(await heard()).toBeGreaterThan(200), { timeout: 10_000 });
  await new Promise((resolve) => setTimeout(resolve, 300));
  // 16 MiB and what was under way, of 125 MiB.
  expect(await heard()).toBeLessThan(600);

  let answered = 0;
  const decoder = createLinkDecoder();
  link.on('data', (chunk: Uint8Array) => void decoder.push(chunk, () => void answered++));
  link.resume();
  await vi.waitFor(() => expect(answered).toBe(REQUESTS), { timeout: 10_000 });
  link.end();
  expect(await once(child, 'exit')).toEqual([0, null]);
});
