import { CodedError, type Json, type Zones } from '@keepwatch/base';
import type { Journal } from '@keepwatch/journal';
import {
  dryRunRules,
  judgeFinding,
  mistakeIn,
  readRules,
  tellingsOf,
  type Finding,
  type Rules,
  type Telling,
} from '@keepwatch/watch';
import type { z } from 'zod';
import type { Methods } from '../api/server.ts';
import { none, rulesDryRun, type rulesGiven } from '../api/shapes.ts';
import type { DeskEvent } from '../desk/desk.ts';
import type { Engine } from '../engine/engine.ts';
import type { MonitorState } from '../engine/state.ts';
import type { Changes } from '../orders/order-desk.ts';
import { ownedWallet } from '../evm/owned-wallet.ts';
import { newestFindings } from '../findings.ts';

/** The owner's rules: kept in the journal as they were written, and asked about each finding. */
export interface RuleDesk {
  /**
   * Whom a finding is told and when; null where no rules are applied, or none that this version can read: then it is told
   * as without them, rather once too often. `notes`: what counts towards limits, to be journaled with the finding.
   */
  tellings(
    finding: Finding,
    state: MonitorState,
  ): { readonly tellings: readonly Telling[]; readonly notes: readonly DeskEvent[] } | null;
  /** The first rule that tells by a channel; undefined where none does. */
  ruleThatTells(channel: string): string | undefined;
  readonly methods: Methods;
  readonly changes: Changes;
}

/** Findings that are judged before others get their turn: a hundred rules about each take some milliseconds. */
const AT_ONCE = 32;

export interface RuleDeskDeps {
  readonly engine: Engine;
  readonly journal: Journal;
  readonly zones: Zones;
}

export function createRuleDesk({ engine, journal, zones }: RuleDeskDeps): RuleDesk {
  let current: { readonly document: Json; readonly rules: Rules | null } = { document: null, rules: null };

  function rulesOf({ desk }: MonitorState): Rules | null {
    if (current.document !== desk.rules) {
      const read = desk.rules === null ? null : readRules(desk.rules, zones);
      current = { document: desk.rules, rules: read?.ok ? read.value : null };
    }
    return current.rules;
  }

  /**
   * Throws the codes of `readRules`, `rule_bad_condition` for what {@link mistakeIn} sees as well, and
   * `rule_channel_unknown` for a rule that tells by no channel there is.
   */
  function checked(document: Json): Rules {
    const read = readRules(document, zones);
    if (!read.ok) throw refused(read.error.code, read.error.path, read.error.message);
    // Of what is in the journal nothing of this kind is asked: rules that were taken once hold as they did.
    for (const [i, { when }] of (
      document as { readonly rules: readonly { readonly when: string }[] }
    ).rules.entries()) {
      const mistake = mistakeIn(when);
      if (mistake !== null) throw refused('rule_bad_condition', `rules[${i}].when`, mistake);
    }
    for (const [i, { tell }] of read.value.rules.entries()) {
      const stranger = tell.findIndex((name) => !engine.state.desk.channels.has(name));
      if (stranger < 0) continue;
      throw refused('rule_channel_unknown', `rules[${i}].tell[${stranger}]`, 'There is no channel of this name.');
    }
    return read.value;
  }

  const walletOf = (id: string) => ownedWallet(engine.state, id);

  return {
    tellings(finding, state) {
      const rules = rulesOf(state);
      if (!rules) return null;
      const wallet = finding.wallet === null ? null : ownedWallet(state, finding.wallet);
      const { ruleTimes } = state.desk;
      const { times, verdicts } = judgeFinding(rules, ruleTimes, finding, wallet, finding.atMs, zones);
      const notes = rules.rules.flatMap(({ name, limit }): DeskEvent[] => {
        if (!limit || times.get(name) === ruleTimes.get(name)) return [];
        return [{ kind: 'rule-told', rule: name, keep: limit.count, atMs: finding.atMs }];
      });
      return { tellings: tellingsOf(rules, finding, verdicts, zones), notes };
    },
    ruleThatTells: (channel) => rulesOf(engine.state)?.rules.find(({ tell }) => tell.includes(channel))?.name,
    methods: {
      'rules.show': {
        params: none,
        call: () => Promise.resolve({ rules: engine.state.desk.rules, version: engine.state.orders.version }),
      },
      /** The newest findings as these rules would have told them. Changes nothing. */
      'rules.dryRun': {
        params: rulesDryRun,
        async call({ rules: document, limit = 1_000, sinceMs }: z.infer<typeof rulesDryRun>, signal: AbortSignal) {
          const rules = checked(document);
          const found = await newestFindings(journal, { sinceMs }, limit);
          const rows: object[] = [];
          for (const { finding, verdicts } of dryRunRules(
            rules,
            found.map((row) => row.finding),
            walletOf,
            zones,
          )) {
            const { seq } = found[rows.length]!;
            const matched = verdicts.map(({ rule, failed }) => ({ rule, failed }));
            rows.push({ seq, finding, rules: matched, told: tellingsOf(rules, finding, verdicts, zones) });
            if (rows.length % AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
            signal.throwIfAborted();
          }
          return { findings: rows };
        },
      },
    },
    changes: {
      'rules.apply': {
        plan:
          ({ rules: document }: z.infer<typeof rulesGiven>) =>
          () => {
            const { rules } = checked(document);
            const event = { kind: 'rules-set', rules: document } as const;
            return { inputs: [{ room: 'desk', event }], answer: () => ({ rules: rules.length }) };
          },
      },
      'rules.clear': {
        plan: () => () => ({
          inputs: [{ room: 'desk', event: { kind: 'rules-set', rules: null } }],
          answer: () => ({ rules: null }),
        }),
      },
    },
  };
}

const refused = (code: string, path: string, message: string) =>
  new CodedError(code, `${path || 'the document'}: ${message}`, { details: { path } });
