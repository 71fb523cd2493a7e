import { describe, expect, it } from 'vitest';
import { createWatch, paymentOf, scriptsWallet, txidOf } from '../watch.fixture.ts';
import { readCondition } from './condition.ts';
import { mistakeIn } from './mistake.ts';

describe('a condition that can be read, and cannot be meant', () => {
  it.each([
    ['finding.knd == "spent"', 'finding has no “knd”: it has id, kind, severity'],
    ['wallet.tag == "hot"', 'wallet has no “tag”: it has id, name, owner, tags.'],
    ['wallet.tags.exists(t, finding.tgas == t)', 'finding has no “tgas”'],
    ['fidning.kind == "spent"', 'There is no “fidning”'],
    ['finding.kind == spent', 'There is no “spent”'],
    ['wallet.tags.exists(t, s == "hot")', 'There is no “s”'],
    ['finding.kind == "spnt"', 'finding.kind is never “spnt”.'],
    ['"Spent" == finding.kind', 'finding.kind is never “Spent”.'],
    ['finding.kind in ["spent", "stolen"]', 'finding.kind is never “stolen”.'],
    ['finding.severity != "crit"', 'finding.severity is never “crit”.'],
    ['finding.direction == "out"', 'finding.direction is never “out”.'],
    ['finding.grade == "seen"', 'finding.grade is never “seen”.'],
    ['finding.severity >= "crit"', 'finding.severity is never “crit”.'],
    ['finding.severity > "critical"', 'It never holds: finding.severity goes from “info” to “critical”.'],
    ['"info" > finding.severity', 'It never holds'],
    ['finding.severity >= wallet.name', 'as in finding.severity >= "warning"; or write finding.severity in ["warning"'],
    ['wallet.tags.exists(t, t <= finding.severity)', 'finding.severity in ["warning", "critical"]'],
    ['(finding.late ? "info" : finding.severity) > "info"', 'finding.severity in ["warning", "critical"]'],
    ['string(finding.severity) > "info"', 'finding.severity in ["warning", "critical"]'],
    [
      'finding.kind >= "spent"',
      'The words of finding.kind have no order: write which are meant, as in finding.kind in ["',
    ],
    ['finding.direction < "spent"', 'finding.direction in ["received", "spent"]'],
    ['finding.constructor == 1', 'finding has no “constructor”'],
    ['finding.kind == 3', 'a text is compared with a number'],
    ['finding.sats > "100"', 'a number is compared with a text'],
    ['wallet.tags == "hot"', 'a list is compared with a text'],
    ['finding.over == "true"', 'true or false is compared with a text'],
    ['finding.kind', 'It is a text, where true or false is expected.'],
    ['1 + 1', 'It is a number, where true or false is expected.'],
    ['!finding.sats', 'a number stands where true or false is expected.'],
    ['finding.kind == "spent" && finding.sats', 'a number stands where true or false is expected.'],
  ])('%s', (condition, words) => {
    expect(mistakeIn(condition)).toContain(words);
  });
});

it.each([
  'true',
  'finding.kind == "spent" && finding.sats > 10000000 && !wallet.tags.exists(t, t == "hot")',
  'wallet.tags.exists(finding, finding.matches("^h"))',
  'finding.kind in ["spent", "unsigned-spend", "evm-spent"] || finding.kind.startsWith("vault-")',
  'double(finding.sats) / 2.0 > 1.5 && finding.units >= 2',
  '1 / finding.depth == 1',
  'finding.severity == "critical" ? finding.late : wallet.name.size() > 3',
  'has(finding.sats) && finding.direction == "" && finding.grade != "claimed"',
  '(finding.kind + ":" + wallet.id) == "spent:savings"',
  'type(finding.sats) == int',
  'finding.severity >= "warning" && "notice" < finding.severity && finding.grade < "confirmed"',
  'size(finding.kind) > 3 && wallet.name > "m" && (finding.severity == "info" ? 1 : 2) > 1',
])('sees no mistake in %s', (condition) => {
  expect(mistakeIn(condition)).toBeNull();
});

it('knows the fields that conditions are asked about', () => {
  const watch = createWatch();
  watch.add(scriptsWallet('savings', [1]), [1]);
  const [finding] = watch.connect(100, [paymentOf(txidOf(1), [[1, 50_000n]])]);
  const listed = (of: string) => /it has (.*)\.$/.exec(mistakeIn(`${of}.nothing == 1`) ?? '')![1]!.split(', ');
  for (const [of, fields] of [
    ['finding', listed('finding')],
    ['wallet', listed('wallet')],
  ] as const) {
    for (const field of fields) {
      const condition = readCondition(`type(${of}.${field}) == type(${of}.${field})`);
      expect(condition.ok && condition.value(finding!, null), field).toEqual({ holds: true, failed: null });
    }
  }
});
