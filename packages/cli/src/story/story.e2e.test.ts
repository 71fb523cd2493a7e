import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBitcoind } from '@keepwatch/testkit';
import { afterAll, describe, expect, it } from 'vitest';
import { environmentOf } from '../fixtures/command-line.ts';

/** The story, as `npm start` plays it. */

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'keepwatch-story-test-'));
afterAll(() => rmSync(directory, { recursive: true }));

interface Play {
  readonly process: ChildProcess;
  readonly seen: () => string;
  /** Waits until the text was printed. */
  until(text: string): Promise<void>;
  readonly ended: Promise<number | null>;
}

function start(...args: readonly string[]): Play {
  const env = { ...environmentOf(directory), TMPDIR: directory };
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let seen = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  return {
    process: child,
    seen: () => seen,
    async until(text) {
      while (!seen.includes(text)) {
        const over = await Promise.race([ended.then(() => true), once(child.stdout, 'data').then(() => false)]);
        if (over) throw new Error(`the story ended before “${text}”:\n${seen}`);
      }
    },
    ended,
  };
}

/** Nothing is left behind: no directory, and no process that was started. */
function expectTidy(children: readonly number[]): void {
  expect(readdirSync(directory).filter((name) => name.startsWith('keepwatch-story-'))).toEqual([]);
  for (const pid of children) expect(() => process.kill(pid, 0), `process ${pid}`).toThrow();
}

/** Processes that the story has started, by their names (proc(5)). */
function childrenOf(play: Play): { readonly pid: number; readonly name: string }[] {
  const { pid } = play.process;
  const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  return pids.map((child) => ({ pid: child, name: readFileSync(`/proc/${child}/comm`, 'utf8').trim() }));
}

const found = await findBitcoind();
const FORMS = [
  {
    node: 'the small node',
    args: ['--devnet'],
    says: /chain {3}no bitcoind, but a small node of our own, which speaks/,
  },
  ...('missing' in found ? [] : [{ node: 'bitcoind', args: [], says: /chain {3}Bitcoin .*version v[0-9]/ }]),
];

describe('the story', { timeout: 400_000 }, () => {
  it.each(FORMS)('is played to its end with $node, and ends with 0', async ({ args, says }) => {
    const play = start('--once', ...args);
    expect(await play.ended, play.seen()).toBe(0);
    const text = play.seen();
    for (const line of [
      /^ 6 {2}The bot pays 0\.5 ETH to Alice\n.*\n.*✔ signed under g1; left today: 1\.4999\d* ETH of 2 ETH\n.*block 2, 0x/m,
      /^ 8 {2}The bot wants 0\.5 ETH more\n.*\n.*✘ Denied: grant g1 lets at most 2 ETH a day leave/m,
      /✘ The vault is sealed\./,
      /✔ holds: entry \d+ of the journal/,
      says,
      /A coin arrives\n.*Carol {3}pays 1\.5 BTC[^]*in block 102\n.*✔ webhook and mail: “savings: received 1\.50000000 BTC/,
      /monitor [0-9a-f]{12}… is replaced by [0-9a-f]{12}…\n.*✔ webhook and mail: “savings: a transaction was replaced/,
      /monitor spent 0\.4000\d+ BTC by [0-9a-f]{12}… in block 103\n.*✔ webhook and mail: “savings: spent 0\.4000\d+ BTC/,
      /is in no block any more: the chain was reorganised\n.*✔ webhook and mail: “savings: .*reorganised”/,
      /thief   takes 1 ETH[^]*THE VAULT DID NOT SIGN THIS SPEND/,
      /told {4}✔ 12 findings by webhook and by mail, each of them once/,
      /Everything went as it must\./,
    ]) {
      expect(text).toMatch(line);
    }
    expect(text).not.toContain('\u001b');
    expectTidy([]);
  });

  const linux = process.platform === 'linux';

  it.runIf(linux)('stays up and says how to go on; a signal ends everything that it started', async () => {
    const play = start('--devnet');
    await play.until('vault unseal --password-file');
    const children = childrenOf(play);
    // anvil, vault, client, node, monitor, receivers, and who follows the findings.
    expect(children.length).toBeGreaterThanOrEqual(7);
    play.process.kill('SIGTERM');
    expect(await play.ended).toBe(0);
    expectTidy(children.map(({ pid }) => pid));
  });

  it.runIf(linux)('names the step that failed, and still leaves nothing behind', async () => {
    const play = start('--once');
    await play.until('The owner grants it something');
    const children = childrenOf(play);
    process.kill(children.find(({ name }) => name === 'anvil')!.pid, 'SIGKILL');
    expect(await play.ended).toBe(1);
    expect(play.seen()).toMatch(/The story failed at “The (owner grants it something|bot pays 0\.5 ETH to Alice)”/);
    expectTidy(children.map(({ pid }) => pid));
  });
});
