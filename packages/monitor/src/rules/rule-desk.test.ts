import type { Json } from '@keepwatch/base';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeMonitorHome, type MonitorHome } from '../home.fixture.ts';

let home: MonitorHome;

beforeEach(async () => {
  home = await makeMonitorHome();
  await home.open();
  for (const name of ['phone', 'mail']) {
    await home.api.call('channel.put', { channel: { name, kind: 'command', program: '/bin/true' } });
  }
});
afterEach(async () => {
  await home.remove();
});

/** The watch loses its sources, or has them again: each a finding, the loss a critical one. */
async function quorum(able: boolean): Promise<void> {
  await home.monitor.engine.submit({ room: 'watch', input: { kind: 'quorum', able } });
}
const apply = (...rules: readonly object[]) => home.api.call('rules.apply', { rules: { rules } });
const waiting = (name: string) => home.monitor.engine.state.outbox.lanes.get(name)?.waiting ?? [];
const rule = { name: 'all', when: 'true', tell: ['phone'] };

it('tells whom the rules name, with their severity, and the others nothing', async () => {
  await apply({ ...rule, when: 'finding.over', severity: 'warning' });
  await quorum(false);
  await quorum(true);
  expect(waiting('mail')).toEqual([]);
  expect(waiting('phone')).toMatchObject([{ post: { severity: 'warning' }, notBeforeMs: 0 }]);
});

it('keeps what goes into the digest over a start, and lets nothing critical wait', async () => {
  await apply({ ...rule, when: 'true', digest: true });
  for (const able of [false, true, false, true]) await quorum(able);
  const before = waiting('phone');
  const held = before.filter(({ notBeforeMs }) => notBeforeMs > Date.now());
  expect(held).toMatchObject([{ post: { severity: 'notice' }, more: { count: 1 } }]);
  expect(before.filter(({ post }) => post.severity === 'critical').map(({ notBeforeMs }) => notBeforeMs)).toEqual([
    0, 0,
  ]);
  await home.reopen();
  expect(waiting('phone')).toEqual(before);
  expect(await home.api.call('findings.verify')).toMatchObject({ sameState: true });
});

it('counts a limit over a start, and anew where other rules are applied', async () => {
  const limited = { ...rule, when: 'finding.over', limit: { count: 1, seconds: 3_600 } };
  const held = () => waiting('phone').map(({ notBeforeMs }) => notBeforeMs > 0);
  await apply(limited);
  await quorum(false);
  await quorum(true);
  await home.reopen();
  await quorum(false);
  await quorum(true);
  expect(held()).toEqual([false, true]);
  expect(await home.api.call('findings.verify')).toMatchObject({ sameState: true });
  await apply(limited);
  await quorum(false);
  await quorum(true);
  expect(held()).toEqual([false, true, false]);
});

it('tells as without rules where it cannot read those in the journal', async () => {
  const event = { kind: 'rules-set', rules: { rules: [{ later: 'version' }] } as Json } as const;
  await home.monitor.engine.submit({ room: 'desk', event });
  await quorum(false);
  expect([waiting('mail').length, waiting('phone').length]).toEqual([1, 1]);
});

it('tells what is critical by a rule about what is at least a warning, applied now or by an earlier version', async () => {
  const when = 'finding.severity >= "warning"';
  await apply({ ...rule, when });
  await quorum(false);
  await quorum(true);
  expect(waiting('phone')).toMatchObject([{ post: { severity: 'critical' } }]);
  // What is refused today, and was taken once, still holds as it did.
  const stored = { rules: [{ ...rule, when: `${when} || finding.kind > "quorum"` }] } as unknown as Json;
  await home.monitor.engine.submit({ room: 'desk', event: { kind: 'rules-set', rules: stored } });
  await home.reopen();
  await quorum(false);
  await quorum(true);
  expect(waiting('phone').map(({ post }) => post.severity)).toEqual(['critical', 'critical', 'notice']);
  await expect(home.api.call('rules.apply', { rules: stored })).rejects.toMatchObject({ code: 'rule_bad_condition' });
});

it('refuses rules as a whole, says where they are wrong, and keeps the ones before', async () => {
  await apply(rule);
  await expect(apply(rule, { ...rule, name: 'b', when: '(' })).rejects.toMatchObject({
    ...{ code: 'rule_bad_condition', details: { path: 'rules[1].when' } },
  });
  // It can be read, and would tell either everything or nothing.
  for (const when of ['finding.knd == "spent"', 'finding.kind == "spnt"']) {
    await expect(apply({ ...rule, when })).rejects.toMatchObject({
      ...{ code: 'rule_bad_condition', details: { path: 'rules[0].when' } },
    });
  }
  await expect(apply({ ...rule, tell: ['phone', 'fax'] })).rejects.toMatchObject({
    ...{ code: 'rule_channel_unknown', details: { path: 'rules[0].tell[1]' } },
  });
  await expect(home.api.call('rules.apply', { rules: null })).rejects.toMatchObject({ code: 'rules_malformed' });
  await expect(home.api.call('channel.remove', { name: 'phone' })).rejects.toMatchObject({ code: 'channel_in_rules' });
  expect(await home.api.call('rules.show')).toMatchObject({ rules: { rules: [rule] } });
  await home.api.call('rules.clear');
  expect(await home.api.call('channel.remove', { name: 'phone' })).toEqual({ removed: 'phone' });
});

it('tries rules on the past and changes nothing', async () => {
  await quorum(false);
  await quorum(true);
  const seq = home.monitor.engine.seq();
  const rules = {
    rules: [
      { ...rule, when: '1 / finding.depth == 1' },
      { ...rule, name: 'over', when: 'finding.over', tell: ['mail'] },
    ],
  };
  const { findings } = (await home.api.call('rules.dryRun', { rules })) as { findings: object[] };
  expect(findings).toMatchObject([
    { rules: [{ rule: 'all', failed: 'error' }], told: [{ to: 'phone', severity: 'critical', when: 'now' }] },
    { rules: [{ rule: 'all' }, { rule: 'over', failed: null }], told: [{ to: 'phone' }, { to: 'mail' }] },
  ]);
  expect(home.monitor.engine.seq()).toBe(seq);
});
