import type { BlockHash } from '@keepwatch/bitcoin';
import type { Health } from '@keepwatch/chain';
import { afterEach, expect, it } from 'vitest';
import { applyEvent, emptyState, type MonitorState } from '../engine/state.ts';
import type { EvmChainHealth } from '../evm/run.ts';
import { figuresOf, NO_FIGURES, type Figures } from './figures.ts';
import { metricsText, serveHttp, type HttpServer } from './http.ts';

const NOW = 1_800_000_000_000;
const LIVE: Health = { state: 'live', tip: null, peers: 3, problem: null };
const at = (height: number): Health => ({
  ...LIVE,
  tip: { height, hash: '00'.repeat(32) as BlockHash, timeSeconds: 0 },
});

let server: HttpServer | undefined;
afterEach(() => server?.close());

const figures = (state: MonitorState, more: Partial<Parameters<typeof figuresOf>[0]> = {}): Figures =>
  figuresOf({ state, entries: 7, findings: {}, able: true, sources: [], evm: [], nowMs: NOW, ...more });
const fresh = () => emptyState('00'.repeat(16));

function queue(state: MonitorState, key: string, atMs: number, notBeforeMs = atMs): void {
  const post = {
    ...{ key, group: null, severity: 'notice' as const, subject: 'Treasury', body: 'Treasury', data: null },
    ...{ acknowledgement: null, atMs },
  } as const;
  const event = { kind: 'queued', channel: 'phone', post, place: 'alone', atMs, notBeforeMs } as const;
  applyEvent(state, { room: 'outbox', event });
}

it('says how far each source is behind the highest, and nothing of one that told no tip', () => {
  const sources = [
    { name: 'node', health: at(900) },
    { name: 'peers', health: at(897) },
    { name: 'server', health: { ...LIVE, state: 'starting' as const } },
  ];
  const behind = figures(fresh(), { sources }).sources.map((source) => source.behind);
  expect(behind).toEqual([0, 3, null]);
  const text = metricsText(figures(fresh(), { sources }));
  expect(text).toContain('keepwatch_monitor_source_blocks_behind{source="peers"} 3\n');
  expect(text).not.toContain('source_blocks_behind{source="server"}');
});

it('measures sources by the chain that is followed too', () => {
  const state = fresh();
  state.watch.tip = { height: 905, hash: '11'.repeat(32) as BlockHash, timeSeconds: 0 };
  expect(figures(state, { sources: [{ name: 'node', health: at(900) }] }).sources[0]!.behind).toBe(5);
});

it('says how far each upstream of an EVM chain is behind', () => {
  const upstream = (name: string, head: number | null) =>
    ({ name, health: { state: 'live', head, problem: null }, pending: [] }) as const;
  const chain: EvmChainHealth = {
    ...{ chainId: 1n, all: { state: 'live', head: 50, problem: null } },
    upstreams: [upstream('one', 52), upstream('two', 40), upstream('three', null)],
  };
  const text = metricsText(figures(fresh(), { evm: [chain] }));
  expect(text).toContain('evm_upstream_blocks_behind{upstream="eip155:1/one"} 0\n');
  expect(text).toContain('evm_upstream_blocks_behind{upstream="eip155:1/two"} 12\n');
  expect(text).not.toContain('evm_upstream_blocks_behind{upstream="eip155:1/three"}');
});

it('tells the age of the oldest message that is due, and of none that waits on purpose', () => {
  const state = fresh();
  queue(state, 'night', NOW - 3_600_000, NOW + 1_000);
  expect(figures(state)).toMatchObject({ messagesWaiting: 1, oldestMessageSeconds: 0 });
  queue(state, 'late', NOW - 90_000);
  queue(state, 'later', NOW - 20_000);
  // Due for a minute alone, whenever it was queued.
  queue(state, 'morning', NOW - 3_600_000, NOW - 60_000);
  expect(figures(state)).toMatchObject({ messagesWaiting: 4, oldestMessageSeconds: 90 });
  const text = metricsText(figures(state));
  expect(text).toContain('keepwatch_monitor_oldest_message_seconds 90\n');
  expect(text).not.toMatch(/Treasury|phone/);
});

it('counts vaults by phase and names none', () => {
  const state = fresh();
  const put = (name: string) => applyEvent(state, { room: 'desk', event: { kind: 'vault-put', name, vault: {} } });
  const quiet = { downSinceMs: null, words: '', conditions: {}, unseenMs: null, seal: null, lost: [] };
  const record = { place: null, lastSeq: 0, ...quiet };
  for (const name of ['alpha', 'beta', 'gamma', 'delta']) put(name);
  state.vault.vaults.set('alpha', { vault: 'alpha', ...record, phase: 'unsealed' });
  state.vault.vaults.set('beta', { vault: 'beta', ...record, phase: 'sealed' });
  state.vault.vaults.set('gamma', { vault: 'gamma', ...record, phase: 'unsealed', downSinceMs: NOW - 1 });
  expect(figures(state).vaults).toEqual({ unsealed: 1, sealed: 1, silent: 2 });
  const text = metricsText(figures(state));
  expect(text).toContain('keepwatch_monitor_vaults{phase="silent"} 2\n');
  expect(text).not.toMatch(/alpha|beta|gamma|delta/);
});

it('is ready when it is unlocked, able, and at the tip of every EVM chain, and says why it is not', async () => {
  let now: Figures = NO_FIGURES;
  server = await serveHttp({ host: '127.0.0.1', port: 0 }, () => now);
  const readiness = async () => {
    const answer = await fetch(`${server!.url}/readyz`);
    return `${answer.status} ${await answer.text()}`;
  };
  expect(await readiness()).toBe('503 locked\n');
  now = figures(fresh(), { able: false });
  expect(await readiness()).toBe('503 no set of sources that suffices speaks\n');
  const down: EvmChainHealth = { chainId: 1n, all: { state: 'down', head: null, problem: null }, upstreams: [] };
  now = figures(fresh(), { evm: [down] });
  expect(await readiness()).toBe('503 chain eip155:1 is down\n');
  now = figures(fresh());
  expect(await readiness()).toBe('200 ready\n');
  // Each metric is described once, and each line is of one.
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const described = [...text.matchAll(/^# TYPE (\S+) (gauge|counter)$/gm)].map(([, name]) => name);
  expect(new Set(described).size).toBe(described.length);
  for (const line of text
    .trim()
    .split('\n')
    .filter((each) => !each.startsWith('#'))) {
    expect(described).toContain(/^[a-z_]+/.exec(line)![0]);
  }
});
