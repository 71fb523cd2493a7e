import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { createP2pSource } from '@keepwatch/chain';
import { generateHeaders, startHeaderPeer } from '@keepwatch/testkit';
import { expect, it } from 'vitest';
import type { Context } from '../command.ts';
import { createPaint } from '../terminal.ts';
import { synchronise } from './sync.ts';

/** Several times what comes within the second from which on a rate is known, on a fast machine too. */
const HEADERS = 200_000;

it(
  'shows a person how far a synchronisation is: percent, rate and the time that is left',
  { timeout: 300_000 },
  async () => {
    const peer = await startHeaderPeer(generateHeaders(HEADERS), { filter: Uint8Array.of(0) });
    const dataDir = mkdtempSync(join(tmpdir(), 'keepwatch-sync-'));
    const errors = Object.assign(new PassThrough(), { isTTY: true, columns: 100 });
    let shown = '';
    errors.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    const context = { json: false, terminal: { errors, paintErrors: createPaint(false) } } as unknown as Context;
    const source = createP2pSource(
      { entropy: randomBytes, nowMs: Date.now },
      { name: 'p2p', network: 'regtest', dataDir, peers: [`127.0.0.1:${peer.port}`] },
    );
    try {
      await synchronise(context, source, 120_000, new AbortController().signal);
      const drawn = shown.split('\r\x1b[2K');
      expect(drawn[1]).toBe('looking for a node of the network …');
      expect(
        drawn.some((line) =>
          /^[█▏▎▍▌▋▊▉░]{24} headers {2}\d+% {2}[\d,]+ of 200,000 {2}[\d,.]+\/s {2}\d+.* left$/u.test(line),
        ),
      ).toBe(true);
      // Filter headers come beside the headers, and may have nothing left to show. In the end the line is taken off.
      expect(drawn.at(-1)).toBe('');
      expect(source.progress()).toMatchObject({ headers: HEADERS, filterHeaders: HEADERS, synced: true });
    } finally {
      await source.close();
      await peer.stop();
      rmSync(dataDir, { recursive: true, force: true });
    }
  },
);
