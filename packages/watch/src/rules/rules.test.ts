import { createZones } from '@keepwatch/base';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../finding.ts';
import { START_MS, blockOf, createWatch, paymentOf, scriptsWallet, txidOf } from '../watch.fixture.ts';
import { readCondition } from './condition.ts';
import { dryRunRules, judgeFinding, tellingsOf } from './judge.ts';
import { readRules } from './rules.ts';

const zones = createZones();
const EXAMPLE = 'finding.kind == "spent" && finding.sats > 10000000 && !wallet.tags.exists(t, t == "hot")';

function rulesOf(value: object) {
  const read = readRules(value, zones);
  if (!read.ok) throw new Error(`${read.error.path}: ${read.error.message}`);
  return read.value;
}

const cold = scriptsWallet('savings', [1], { tags: ['cold'] });
const hot = scriptsWallet('till', [2], { tags: ['shop', 'hot'] });

function spend(sats: bigint, atMs = START_MS): Finding {
  const watch = createWatch();
  watch.add(cold, [1]);
  watch.connect(100, [paymentOf(txidOf(1), [[1, sats]])]);
  const [finding] = watch.connect(101, [paymentOf(txidOf(2), [], [{ txid: txidOf(1), vout: 0 }])]);
  return { ...finding!, atMs };
}

describe('words that have an order of their own', () => {
  const SEVERITIES = ['info', 'notice', 'warning', 'critical'];
  const meeting = (when: string) => {
    const condition = readCondition(when);
    if (!condition.ok) throw new Error(condition.error.words);
    return SEVERITIES.filter((severity) => condition.value({ ...spend(5n), severity } as Finding, cold).holds);
  };

  it.each([
    ['>=', [[0, 1, 2, 3], [1, 2, 3], [2, 3], [3]]],
    ['>', [[1, 2, 3], [2, 3], [3]]],
    ['<', [undefined, [0], [0, 1], [0, 1, 2]]],
    ['<=', [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3]]],
  ] as const)('are compared by it: severities with %s', (operator, expected) => {
    const mirrored = { '>=': '<=', '>': '<', '<': '>', '<=': '>=' }[operator];
    for (const [i, met] of expected.entries()) {
      if (!met) continue;
      const words = met.map((at) => SEVERITIES[at]);
      expect(meeting(`finding.severity ${operator} "${SEVERITIES[i]}"`)).toEqual(words);
      expect(meeting(`"${SEVERITIES[i]}" ${mirrored} finding.severity`)).toEqual(words);
    }
  });

  it('are compared by it wherever the comparison stands', () => {
    const all = ['warning', 'critical'];
    expect(meeting('!(finding.severity < "warning")')).toEqual(all);
    expect(meeting('wallet.tags.exists(t, t == "cold" && finding.severity >= "warning")')).toEqual(all);
    expect(meeting('finding.late ? false : finding.severity >= "warning"')).toEqual(all);
    expect(meeting('[finding.severity >= "warning"].all(x, x)')).toEqual(all);
    expect(meeting('{"yes": finding.severity >= "warning"}["yes"]')).toEqual(all);
    expect(meeting('[{"severity": "a"}].exists(finding, finding.severity >= "warning")')).toEqual([]);
  });

  it('are grades as well', () => {
    const condition = readCondition('finding.grade >= "relayed"');
    const graded = ['', 'claimed', 'valid', 'relayed', 'confirmed'].filter((grade) => {
      const { grade: _, ...evidence } = spend(5n).evidence;
      const finding = { ...spend(5n), evidence: grade === '' ? evidence : { ...evidence, grade } } as Finding;
      return condition.ok && condition.value(finding, cold).holds;
    });
    expect(graded).toEqual(['relayed', 'confirmed']);
  });

  it('leave what nothing can meet as it was, for rules that were taken before may not fall silent', () => {
    expect(meeting('finding.severity > "critical"')).toEqual(['info', 'notice', 'warning']);
  });
});

describe('conditions', () => {
  const rules = rulesOf({ rules: [{ name: 'big', when: EXAMPLE, tell: ['me'] }] });
  const told = (finding: Finding, wallet = cold) =>
    judgeFinding(rules, new Map(), finding, wallet, START_MS, zones).verdicts;

  it('ask about the finding and the wallet', () => {
    expect(told(spend(20_000_000n))).toMatchObject([{ rule: 'big', severity: 'warning', when: 'now', tell: ['me'] }]);
    expect(told(spend(10_000_000n))).toEqual([]);
    expect(told(spend(20_000_000n), hot)).toEqual([]);
  });

  it('that fail count as met, and say so', () => {
    for (const when of ['finding.nothing == 1', '1 / 0 == 1', 'finding.kind', 'finding.sats > "a"']) {
      const failing = rulesOf({ rules: [{ name: 'x', when, tell: ['me'] }] });
      const { verdicts } = judgeFinding(failing, new Map(), spend(5n), cold, START_MS, zones);
      expect(verdicts, when).toMatchObject([{ failed: 'error', when: 'now' }]);
    }
  });

  it('that would cost too much are refused, or count as met where the data make them so', () => {
    const nested = 'wallet.tags.all(a, wallet.tags.all(b, wallet.tags.all(c, a == b || b == c)))';
    expect(readRules({ rules: [{ name: 'x', when: nested }] }, zones)).toMatchObject({
      error: { code: 'rule_too_costly', path: 'rules[0].when' },
    });
    const many = { ...cold, tags: Array.from({ length: 65 }, (_, i) => `t${i}`) };
    const { verdicts } = judgeFinding(rules, new Map(), spend(5n), many, START_MS, zones);
    expect(verdicts).toMatchObject([{ failed: 'cost' }]);
  });
});

it('says where a configuration is wrong', () => {
  const errorOf = (value: unknown) => {
    const read = readRules(value, zones);
    return read.ok ? null : { code: read.error.code, path: read.error.path };
  };
  const rule = { name: 'a', when: 'true' };
  expect(errorOf({ rules: [rule] })).toBeNull();
  expect(errorOf({ rules: [rule, rule] })).toEqual({ code: 'rule_name_repeated', path: 'rules[1].name' });
  expect(errorOf({ rules: [{ ...rule, when: 'finding.kind ==' }] })).toEqual({
    code: 'rule_bad_condition',
    path: 'rules[0].when',
  });
  const wordsOf = (when: string) => {
    const read = readRules({ rules: [{ ...rule, when }] }, zones);
    return read.ok ? null : read.error.message;
  };
  expect(wordsOf('finding.kind = "spent"')).toBe('The condition is not valid CEL from character 14 on: “= "spent"”.');
  expect(wordsOf('finding.sats > 10_000')).toBe('The condition is not valid CEL from character 18 on: “_000”.');
  expect(errorOf({ rules: [rule, { ...rule, limit: { count: 0, seconds: 1 } }] })).toEqual({
    code: 'rules_malformed',
    path: 'rules[1].limit.count',
  });
  expect(errorOf({ rules: [{ ...rule, tel: [] }] })?.code).toBe('rules_malformed');
  expect(errorOf({ rules: [], quiet: { from: '24:00', to: '07:00' } })?.path).toBe('quiet.from');
  expect(errorOf({ rules: [], zone: 'Mars/Olympus' })).toEqual({ code: 'rules_malformed', path: 'zone' });
});

describe('when it is told', () => {
  // 22:13:20 UTC.
  const quiet = { from: '22:00', to: '07:00' };

  it('waits for the end of the quiet hours, unless it is critical', () => {
    const verdict = (severity: string, nowMs: number) =>
      judgeFinding(
        rulesOf({ rules: [{ name: 'x', when: 'true', severity }], quiet }),
        new Map(),
        spend(5n),
        cold,
        nowMs,
        zones,
      ).verdicts[0]?.when;
    expect(verdict('warning', START_MS)).toBe('quiet');
    expect(verdict('critical', START_MS)).toBe('now');
    expect(verdict('warning', START_MS + 9 * 3_600_000)).toBe('now');
  });

  const whens = (judged: readonly { readonly verdicts: readonly { readonly when: string }[] }[]) =>
    judged.flatMap(({ verdicts }) => verdicts.map(({ when }) => when));

  it('puts what exceeds the limit into the digest, until time has passed', () => {
    const rules = rulesOf({ rules: [{ name: 'x', when: 'true', limit: { count: 2, seconds: 60 } }] });
    const findings = [0, 10, 20, 59, 61].map((seconds) => spend(5n, START_MS + seconds * 1_000));
    expect(whens([...dryRunRules(rules, findings, () => cold, zones)])).toEqual([
      ...['now', 'now', 'digest', 'digest', 'now'],
    ]);
  });
});

describe('whom it is told', () => {
  const rule = { when: 'true', tell: ['me'] };
  const tellings = (rules: object, finding = spend(5n)) => {
    const read = rulesOf(rules);
    const { verdicts } = judgeFinding(read, new Map(), finding, cold, finding.atMs, zones);
    return tellingsOf(read, finding, verdicts, zones);
  };
  const at = (text: string) => Date.parse(`2023-11-${text}:00Z`);

  it('is each once, by the severest and the earliest of what rules say', () => {
    const late = { ...rule, name: 'late', digest: true, tell: ['me', 'you'] };
    const told = tellings({ rules: [late, { ...rule, name: 'fire', severity: 'critical' }] });
    expect(told).toEqual([
      { to: 'me', severity: 'critical', when: 'now', atMs: START_MS },
      { to: 'you', severity: 'warning', when: 'digest', atMs: at('15T08:00') },
    ]);
  });

  it('waits for the hour of the digest, and for the end of the quiet hours', () => {
    const quiet = { from: '22:00', to: '09:30' };
    const name = 'x';
    expect(START_MS).toBe(Date.parse('2023-11-14T22:13:20Z'));
    expect(tellings({ rules: [{ ...rule, name }], quiet })[0]?.atMs).toBe(at('15T09:30'));
    expect(tellings({ rules: [{ ...rule, name, digest: true }], quiet })[0]?.atMs).toBe(at('15T09:30'));
    expect(tellings({ rules: [{ ...rule, name, digest: true }], digestAt: '23:00' })[0]?.atMs).toBe(at('14T23:00'));
  });

  it('is by the clock of the owner, whatever the clocks of others show', () => {
    const quiet = { from: '23:00', to: '07:00' };
    const zone = 'Europe/Berlin';
    // 23:13 in Berlin, and 22:13 in UTC.
    expect(tellings({ rules: [{ ...rule, name: 'x' }], quiet, zone })[0]).toMatchObject({
      when: 'quiet',
      atMs: at('15T06:00'),
    });
    expect(tellings({ rules: [{ ...rule, name: 'x' }], quiet })[0]?.when).toBe('now');
    const digest = { rules: [{ ...rule, name: 'x', digest: true }], zone: 'Asia/Kathmandu' };
    expect(tellings(digest)[0]?.atMs).toBe(at('15T02:15'));
  });

  it('is not the channel that is dead', () => {
    const dead = { ...spend(5n), detail: { kind: 'channel-dead', channel: 'me', over: false, words: '' } } as Finding;
    expect(tellings({ rules: [{ ...rule, name: 'x', tell: ['me', 'you'] }] }, dead).map(({ to }) => to)).toEqual([
      'you',
    ]);
  });
});

it('knows findings of the watch itself', () => {
  const rules = rulesOf({ rules: [{ name: 'x', when: 'finding.kind == "quorum-lost" && !finding.over' }] });
  const watch = createWatch();
  watch.connect(blockOf(100).height);
  const findings = [false, true].flatMap((able) => watch.tell({ kind: 'quorum', able }));
  expect(findings).toHaveLength(2);
  expect([...dryRunRules(rules, findings, () => null, zones)].map(({ verdicts }) => verdicts.length)).toEqual([1, 0]);
});
