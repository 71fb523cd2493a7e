import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { blocks, createToldMonitors, type ToldMonitors } from './fixtures/told-findings.ts';

/**
 * What waits for an hour of its owner: the daemon is started shortly before it, on a machine whose clock was set there, and
 * killed in between. Its clock then goes as clocks go.
 */

const SLOW = { timeout: 150_000, interval: 100 };
const DAY_MS = 86_400_000;
/** The last Sunday of March (3) or October (10), when the clocks of Berlin change: the next that is more than a week ahead. */
function change(month: 3 | 10): number {
  for (let year = new Date().getUTCFullYear(); ; year++) {
    const last = new Date(Date.UTC(year, month, 0));
    const sunday = last.getTime() - last.getUTCDay() * DAY_MS;
    if (sunday > Date.now() + 7 * DAY_MS) return sunday;
  }
}
/** By UTC, so many days after the day of the change. */
const on = (month: 3 | 10, days: number, time: string) =>
  change(month) + days * DAY_MS + Date.parse(`1970-01-01T${time}Z`);

interface Told {
  /** When it was sent, by the clock of the daemon. */
  readonly atMs: number;
  readonly subject: string;
  readonly body: string;
}

describe('what is told at an hour of its owner', { timeout: 600_000 }, () => {
  let monitors: ToldMonitors;
  let lost = false;

  beforeAll(async () => {
    monitors = await createToldMonitors();
  }, 120_000);
  afterAll(() => monitors?.stop());

  /** Two channels: one that is told what waits, and one that is told what is critical. */
  async function make(name: string, rules: object): Promise<void> {
    lost = false;
    const { cli, receivers, at } = monitors;
    await monitors.make(name);
    for (const [channel, service] of [
      ['paid', receivers.hooks],
      ['lost', receivers.others],
    ] as const) {
      await cli.ask('channel', 'add', channel, ...receivers.hook(service, name), '--untested', ...at(name));
    }
    await monitors.apply(name, 'rules', rules);
  }
  /** As a receiver keeps them: what a kill made come twice has the same id. */
  const told = (service: 'hooks' | 'others', name: string): Told[] => {
    const byId = new Map<unknown, Told>();
    for (const { method, path, headers, body } of monitors.receivers[service].calls) {
      if (method !== 'POST' || path !== `/${name}` || byId.has(headers['webhook-id'])) continue;
      const { data } = JSON.parse(body) as { data: { subject: string; body: string } };
      byId.set(headers['webhook-id'], { ...data, atMs: Number(headers['webhook-timestamp']) * 1_000 });
    }
    return [...byId.values()];
  };
  /** What a source would say now; the time of it is the last that the daemon knew. */
  const found = (name: string, ...inputs: readonly object[]) => monitors.say(name, ...inputs);
  const turn = () => ({ kind: 'quorum', able: !(lost = !lost) });

  /** Runs from a time on until something critical was told, which never waits; and ends by a kill. */
  async function passes(name: string, from: number): Promise<void> {
    if (lost) await found(name, turn());
    await found(name, turn());
    const before = told('others', name).length;
    const child = await monitors.runs.start(name, undefined, from);
    await vi.waitFor(() => expect(told('others', name).length).toBeGreaterThan(before), SLOW);
    await monitors.runs.end(child, 'SIGKILL');
    expect(told('others', name).at(-1)!.atMs).toBeLessThan(from + 150_000);
  }
  const isWhole = (name: string) =>
    expect(monitors.cli.json('findings', 'verify', ...monitors.at(name))).toMatchObject({ sameState: true });

  const critical = { name: 'lost', when: 'finding.severity == "critical" && !finding.over', tell: ['lost'] };

  it('gathers a day into one summary at eight o’clock, though that morning is an hour shorter', async () => {
    const paid = { name: 'paid', when: 'finding.kind == "received"', tell: ['paid'], digest: true };
    await make('digest', { rules: [paid, critical], digestAt: '08:00', zone: 'Europe/Berlin' });
    // The evening before: it is winter, and eight in the morning is seven by UTC. At two, the clocks go to three.
    await passes('digest', on(3, -1, '19:00:00'));
    await found('digest', ...blocks(2, [50_000, 60_000]));
    await passes('digest', on(3, -1, '23:00:00'));
    await found('digest', ...blocks(4, [70_000]));
    await passes('digest', on(3, 0, '05:50:00'));
    expect(told('hooks', 'digest')).toEqual([]);

    let child = await monitors.runs.start('digest', undefined, on(3, 0, '05:59:48'));
    await vi.waitFor(() => expect(told('hooks', 'digest')).toHaveLength(1), SLOW);
    await monitors.runs.end(child, 'SIGKILL');
    const [summary] = told('hooks', 'digest');
    expect(summary!.subject).toBe('Keepwatch: a summary of 3 findings');
    for (const amount of ['0.00050000', '0.00060000', '0.00070000']) expect(summary!.body).toContain(amount);
    expect(summary!.atMs).toBeGreaterThanOrEqual(on(3, 0, '06:00:00'));
    expect(summary!.atMs).toBeLessThan(on(3, 0, '06:03:00'));

    // Told once, over the kill; what comes now waits for the next morning, and a monitor that slept tells it late.
    await found('digest', ...blocks(5, [80_000]));
    await passes('digest', on(3, 0, '06:10:00'));
    expect(told('hooks', 'digest')).toHaveLength(1);
    child = await monitors.runs.start('digest', undefined, on(3, 2, '12:00:00'));
    await vi.waitFor(() => expect(told('hooks', 'digest')).toHaveLength(2), SLOW);
    await monitors.runs.end(child, 'SIGTERM');
    expect(told('hooks', 'digest')[1]!.body).toContain('0.00080000');
    isWhole('digest');
  });

  it('is quiet at night, an hour longer in autumn, but never about what is critical', async () => {
    const paid = { name: 'paid', when: 'finding.kind == "received"', tell: ['paid'] };
    const quiet = { from: '22:00', to: '07:00' };
    await make('quiet', { rules: [paid, critical], quiet, zone: 'Europe/Berlin' });
    // Summer still: eleven in the evening is nine by UTC. At three, the clocks go to two; seven is then six by UTC.
    await passes('quiet', on(10, -1, '21:00:00'));
    await found('quiet', ...blocks(2, [50_000]));
    await passes('quiet', on(10, 0, '00:30:00'));
    await passes('quiet', on(10, 0, '05:50:00'));
    expect(told('hooks', 'quiet')).toEqual([]);

    const child = await monitors.runs.start('quiet', undefined, on(10, 0, '05:59:48'));
    await vi.waitFor(() => expect(told('hooks', 'quiet')).toHaveLength(1), SLOW);
    await monitors.runs.end(child, 'SIGKILL');
    expect(told('hooks', 'quiet')[0]!.atMs).toBeGreaterThanOrEqual(on(10, 0, '06:00:00'));
    expect(told('hooks', 'quiet')[0]!.body).toContain('0.00050000');

    // By day nothing waits.
    await found('quiet', ...blocks(3, [60_000]));
    await passes('quiet', on(10, 0, '12:00:00'));
    await vi.waitFor(() => expect(told('hooks', 'quiet').length).toBeGreaterThanOrEqual(1), SLOW);
    isWhole('quiet');
  });
});
