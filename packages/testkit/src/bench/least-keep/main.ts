import { randomBytes } from 'node:crypto';
import { constants, openSync, writeSync } from 'node:fs';
import { createBareSignature } from '../bare-sign.ts';
import { answerFrames } from '../stand-in.ts';

// The least that a keep can do: one durable write and one signature for each request, one after the other in the rhythm
// of requests. A disk and a processor that were left alone for a millisecond take longer than in a loop.
const PAGE = 4_096;
/** Used again and again, as a write-ahead log is. */
const PAGES = 500;

const { O_CREAT, O_DSYNC, O_WRONLY } = constants;
// Each write is one with fdatasync: under the permission model that call itself is disabled.
const file = openSync('least-journal', O_WRONLY | O_CREAT | O_DSYNC, 0o600);
const page = randomBytes(PAGE);
for (let i = 0; i < PAGES; i++) writeSync(file, page, 0, PAGE, i * PAGE);
const sign = createBareSignature();
let at = 0;

answerFrames(() => {
  writeSync(file, page, 0, PAGE, (at++ % PAGES) * PAGE);
  sign();
});
