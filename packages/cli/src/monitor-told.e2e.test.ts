import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLock, openMonitor } from '@keepwatch/monitor';
import { startMatrixHomeserver, type ChannelFault, type HttpService } from '@keepwatch/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CommandLine } from './fixtures/command-line.ts';
import type { MonitorRuns } from './fixtures/monitor-runs.ts';
import { blocks, createToldMonitors, type ToldMonitors } from './fixtures/told-findings.ts';
import type { TestReceivers } from './receivers.fixture.ts';

/**
 * Ladder, rules and schedules by the real command and the running daemon, with a real SMTP receiver and real HTTP endpoints.
 * What is found is put into the journal while the daemon is down, as a source would have said it: no chain is needed.
 */

const SLOW = { timeout: 150_000, interval: 250 };

interface Hooked {
  readonly subject: string;
  readonly body: string;
  readonly severity: string;
  readonly number: number;
  readonly acknowledgement: { readonly code: string; readonly url: string | null } | null;
  readonly finding: { readonly id?: string; readonly kind?: string } | null;
}
interface Row {
  readonly seq: number;
  readonly finding: { readonly id: string; readonly detail: { readonly kind: string } };
  readonly answer: { readonly state: string; readonly by?: string } | null;
}

describe('what the running monitor tells', { timeout: 600_000 }, () => {
  let monitors: ToldMonitors;
  let cli: CommandLine;
  let receivers: TestReceivers;
  let runs: MonitorRuns;
  let hooks: HttpService;
  let others: HttpService;

  beforeAll(async () => {
    monitors = await createToldMonitors();
    ({ cli, receivers, runs } = monitors);
    ({ hooks, others } = receivers);
  }, 120_000);
  afterAll(() => monitors?.stop());

  const at = (name: string) => monitors.at(name);

  /** The receivers live in this process: it must not wait for a command with its eyes shut. */
  const ask = <T>(...args: readonly string[]) => cli.ask<T>(...args);
  const apply: ToldMonitors['apply'] = (...args) => monitors.apply(...args);
  async function make(name: string): Promise<void> {
    await monitors.make(name);
    const add = (channel: string, ...more: readonly string[]) =>
      ask('channel', 'add', channel, ...more, '--untested', ...at(name));
    await add('hook', ...receivers.hook(hooks, name), '--from', 'info');
    await add('other', ...receivers.hook(others, name), '--from', 'info', '--privacy', 'look');
    await add('mail', ...receivers.mail(`${name}@channel.test`));
  }
  const say: ToldMonitors['say'] = (...args) => monitors.say(...args);
  const start = (name: string) => runs.start(name);
  const end: MonitorRuns['end'] = (child, signal) => runs.end(child, signal);
  const told = (service: HttpService, name: string) =>
    service.calls
      .filter(({ method, path }) => method === 'POST' && path === `/${name}`)
      .map(({ body }) => (JSON.parse(body) as { data: Hooked }).data);
  const mailed = (name: string) =>
    receivers.mails.mails
      .filter((text) => text.includes(`${name}@channel.test`))
      .map((text) => text.replaceAll('=\r\n', ''));
  const findings = async (name: string) =>
    (await ask<{ findings: Row[] }>('findings', 'list', '--limit', '1000', ...at(name))).findings;
  const post = async (url: string, body = 'confirm=yes&by=Ada') =>
    (await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded' } }))
      .status;
  const isWhole = (name: string) =>
    expect(cli.json('findings', 'verify', ...at(name))).toMatchObject({ sameState: true });

  it('climbs until somebody answers by the link, over kills at any time', async () => {
    await make('climb');
    await apply('climb', 'ladder', {
      rungs: [
        { who: 'Ada', tell: ['hook', 'mail'], wait: '15s' },
        { who: 'Bo', tell: ['other'], wait: '1h' },
      ],
      page: 'http://127.0.0.1:7410',
    });
    await say('climb', { kind: 'quorum', able: false });
    const asked = (service: HttpService) => told(service, 'climb').filter(({ acknowledgement }) => acknowledgement);
    let child = await start('climb');
    await vi.waitFor(() => {
      expect(asked(hooks)).toHaveLength(1);
      expect(mailed('climb').some((text) => text.includes('findings acknowledge'))).toBe(true);
    }, SLOW);
    const [alert] = asked(hooks);
    expect(child.log()).not.toContain(alert!.acknowledgement!.code);
    const { url } = alert!.acknowledgement!;
    const token = url!.replace('http://127.0.0.1:7410/a/', '');
    // A scanner opens what it finds in a mail.
    for (const method of ['GET', 'HEAD', 'OPTIONS']) await fetch(`${child.http}/a/${token}`, { method });
    const [row] = (await findings('climb')).filter(({ finding }) => finding.detail.kind === 'quorum-lost');
    expect(row!.answer).toMatchObject({ state: 'awaited' });
    await end(child, 'SIGKILL');
    child = await start('climb');
    await vi.waitFor(() => expect(asked(others)).toHaveLength(1), SLOW);
    const next = asked(others)[0]!;
    expect(next.body).toContain('Nobody has answered this yet.');
    expect(next.body).not.toContain('sources');
    expect(await ask('monitor', 'status', ...at('climb'))).toMatchObject({ answersAwaited: 1 });
    await end(child, 'SIGKILL');
    child = await start('climb');
    expect(await Promise.all([post(`${child.http}/a/${token}`), post(`${child.http}/a/${token}`)])).toEqual(
      expect.arrayContaining([200, 409]),
    );
    await vi.waitFor(() => {
      expect(mailed('climb').some((text) => text.includes('Answered by Ada'))).toBe(true);
      expect(told(others, 'climb').some(({ subject }) => subject.startsWith('Answered'))).toBe(true);
    }, SLOW);
    const shown = await ask<Row & { history: object[] }>('findings', 'show', String(row!.seq), ...at('climb'));
    expect(shown.answer).toMatchObject({ state: 'answered', by: 'Ada' });
    expect(shown.history).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ what: 'told', channel: 'mail' }),
        expect.objectContaining({ what: 'asked', who: ['Bo'] }),
        expect.objectContaining({ what: 'answered', way: 'link', channel: 'hook' }),
      ]),
    );
    const metrics = await (await fetch(`${child.http}/metrics`)).text();
    expect(metrics).toContain('keepwatch_monitor_answers_awaited 0');
    await end(child, 'SIGTERM');
    // Each message once: the kills came between them.
    expect(asked(hooks)).toHaveLength(1);
    isWhole('climb');
  });

  it('is answered in a room by its owner alone, over a kill between code and code', async () => {
    await make('room');
    const [ada, mallory, roomId] = ['@ada:channel.test', '@mallory:channel.test', '!room:channel.test'];
    const room = await startMatrixHomeserver({ accessToken: 'a token', user: '@keepwatch:channel.test', roomId });
    const file = join(cli.directory, 'room.json');
    const channel = { kind: 'matrix', url: room.url, accessToken: 'a token', roomId, answersBy: [ada] };
    writeFileSync(file, JSON.stringify({ ...channel, ca: readFileSync(join(cli.directory, 'ca.pem'), 'utf8') }));
    await ask('channel', 'add', 'room', '--file', file, '--untested', ...at('room'));
    await apply('room', 'ladder', { rungs: [{ who: 'Ada', tell: ['room', 'hook'], wait: '1h' }] });
    await say('room', { kind: 'quorum', able: false });
    let child = await start('room');
    const asked = () => /send back the code ([0-9A-Z]{8})/.exec(room.written.join('\n'))?.[1];
    await vi.waitFor(() => expect(asked()).toBeDefined(), SLOW);
    const syncs = () =>
      room.calls
        .filter(({ path }) => path.includes('/sync?'))
        .map(({ path }) => new URL(path, room.url).searchParams.get('since'));
    room.say(ada, 'WRNG0001');
    const before = syncs().length;
    // What was read is journaled before the next question.
    await vi.waitFor(() => expect(syncs().length).toBeGreaterThan(before + 1), SLOW);
    await end(child, 'SIGKILL');
    room.say(mallory, asked()!);
    for (let i = 0; i < 30; i++) room.say(mallory, `WRNG00${10 + i}`);
    room.say(ada, 'who is awake?');
    const killedAt = syncs().length;
    child = await start('room');
    await vi.waitFor(() => expect(syncs().length).toBeGreaterThan(killedAt + 1), SLOW);
    expect(syncs()[killedAt]).toMatch(/^s0_\d+$/);
    const answer = async () =>
      (await findings('room')).find(({ finding }) => finding.detail.kind === 'quorum-lost')?.answer;
    expect(await answer()).toMatchObject({ state: 'awaited' });
    room.say(ada, asked()!.toLowerCase());
    await vi.waitFor(async () => expect(await answer()).toMatchObject({ state: 'answered', by: ada }), SLOW);
    await vi.waitFor(
      () => expect(told(hooks, 'room').some(({ subject }) => subject.startsWith(`Answered by ${ada}`))).toBe(true),
      SLOW,
    );
    await end(child, 'SIGTERM');
    await room.stop();
    const dataDir = join(cli.directory, 'room');
    const monitor = await openMonitor({ dataDir, rootKey: await openLock(dataDir, { credentials: undefined }) });
    // The one wrong code was counted once, over the kill, and none of those that a stranger wrote.
    expect(monitor.engine.state.ladder.wrong).toMatchObject([{ from: 'reply room' }]);
    await monitor.close();
    isWhole('room');
  });

  it('holds limits over a start, digests and quiet hours, tells what fails, and never lets a storm delay what is critical', async () => {
    await make('rules');
    const hour = (ahead: number) => new Date(Date.now() + ahead * 3_600_000).toISOString().slice(11, 16);
    const rules = [
      { name: 'paid', when: 'finding.kind == "received"', tell: ['hook'], limit: { count: 2, seconds: 3_600 } },
      { name: 'odd', when: '1 / (finding.depth - finding.depth) == 1', tell: ['other'], severity: 'warning' },
      { name: 'lost', when: 'finding.severity == "critical"', tell: ['mail'] },
    ];
    await apply('rules', 'rules', { rules, digestAt: hour(3), zone: 'UTC' });
    await say('rules', ...blocks(2, [50_000]));
    // The limit counts what was told before the start.
    await say('rules', ...blocks(3, [60_000, 70_000, 80_000]));
    const paid = () => told(hooks, 'rules').filter(({ subject }) => subject.includes('received'));
    let child = await start('rules');
    await vi.waitFor(() => {
      expect(paid()).toHaveLength(2);
      // A condition that fails counts as met.
      expect(told(others, 'rules').length).toBeGreaterThanOrEqual(1);
    }, SLOW);
    const waiting = async () => {
      const { channels } = await ask<{ channels: { name: string; waiting: number }[] }>(
        'channel',
        'list',
        ...at('rules'),
      );
      return Object.fromEntries(channels.map(({ name, waiting: count }) => [name, count]));
    };
    expect(await waiting()).toMatchObject({ hook: 1 });
    await end(child, 'SIGTERM');

    // From now on it is night: what is not critical waits, what is critical does not.
    await apply('rules', 'rules', { rules: [rules[0], rules[2]], quiet: { from: hour(-1), to: hour(2) } });
    const before = told(hooks, 'rules').length;
    await say('rules', ...blocks(6, [90_000]), { kind: 'quorum', able: false });
    child = await start('rules');
    await vi.waitFor(() => expect(mailed('rules')).toHaveLength(1), SLOW);
    expect(mailed('rules')[0]).toContain('too few sources speak');
    expect(told(hooks, 'rules')).toHaveLength(before);
    expect(await waiting()).toMatchObject({ hook: 2, mail: 0 });
    await end(child, 'SIGTERM');
    isWhole('rules');
  });

  it('gathers a storm, and tells what is critical before it', async () => {
    await make('storm');
    await say(
      'storm',
      ...blocks(
        2,
        Array.from({ length: 300 }, () => 300),
      ),
      { kind: 'quorum', able: false },
    );
    const child = await start('storm');
    await vi.waitFor(() => {
      expect(told(hooks, 'storm').some(({ severity }) => severity === 'critical')).toBe(true);
      expect(told(hooks, 'storm').filter(({ subject }) => subject.includes('dust'))).toHaveLength(3);
    }, SLOW);
    expect(told(hooks, 'storm')[0]!.severity).toBe('critical');
    // 300 of them are three messages by themselves, and one that waits for the rest of the window.
    const shown = await ask<{ channels: { name: string; waiting: number }[] }>('channel', 'list', ...at('storm'));
    const hook = shown.channels.find(({ name }) => name === 'hook')!;
    expect(hook.waiting).toBeLessThan(10);
    // Logs name no wallet, and nobody who is told.
    await vi.waitFor(() => expect(child.log()).toContain('the past of a wallet could not be read'), SLOW);
    for (const secret of ['savings', 'channel.test', 'a secret of']) expect(child.log()).not.toContain(secret);
    await end(child, 'SIGTERM');
    isWhole('storm');
  });

  it('says that it lives, numbered and signed, and goes on beside a channel that fails in any way', async () => {
    await make('beat');
    await apply('beat', 'schedule', { heartbeat: { every: '5s', tell: ['hook', 'other', 'mail'] } });
    const child = await start('beat');
    await vi.waitFor(() => expect(told(hooks, 'beat').length).toBeGreaterThan(0), SLOW);
    // The other ways to fail are tried on every adapter by its contract.
    const faults: readonly ChannelFault[] = ['refused', 'hung', 'error', 'busy', 'tls', 'slow'];
    for (const fault of faults) {
      const [hook, mail, other] = [told(hooks, 'beat').length, mailed('beat').length, told(others, 'beat').length];
      await hooks.fail(fault);
      await receivers.mails.fail(fault);
      await vi.waitFor(() => expect(told(others, 'beat').length).toBeGreaterThan(other + 1), SLOW);
      if (fault === 'refused') {
        await vi.waitFor(async () => {
          const { channels } = await ask<{ channels: { name: string; failing: object | null }[] }>(
            ...(['channel', 'list', ...at('beat')] as const),
          );
          expect(channels.map(({ name, failing }) => [name, failing !== null])).toEqual([
            ...[
              ['hook', true],
              ['other', false],
              ['mail', true],
            ],
          ]);
        }, SLOW);
      }
      await hooks.fail(null);
      await receivers.mails.fail(null);
      await vi.waitFor(() => {
        expect(told(hooks, 'beat').length).toBeGreaterThan(hook);
        expect(mailed('beat').length).toBeGreaterThan(mail);
      }, SLOW);
    }
    await end(child, 'SIGTERM');
    for (const service of [hooks, others]) {
      const numbers = told(service, 'beat').map(({ number }) => number);
      const most = Math.max(...numbers);
      // None is missing. What matters more may overtake what waits.
      expect([...new Set(numbers)].sort((a, b) => a - b)).toEqual(Array.from({ length: most }, (_, i) => i + 1));
    }
    const [beat] = told(others, 'beat');
    expect(beat!.subject).toBe('Keepwatch: the monitor is alive');
    const file = join(cli.directory, 'message.txt');
    writeFileSync(file, `${beat!.subject}\n\n${beat!.body}`);
    expect(cli.json('channel', 'verify', file, ...at('beat'))).toMatchObject({
      channel: 'other',
      number: beat!.number,
    });
    writeFileSync(file, beat!.body.replace('block', 'blocks'));
    expect(cli.fails('channel', 'verify', file, ...at('beat')).error).toBe('message_forged');
    isWhole('beat');
  });
});
