import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { acknowledge } from './acknowledge.ts';
import { applyLadderEvent } from './apply.ts';
import { decodeLadderEvent, decodeLadderState, encodeLadderEvent, encodeLadderState } from './codec.ts';
import type { LadderEvent, LadderInput, LadderOrder } from './event.ts';
import { handleAcknowledgement } from './page.ts';
import { checkLadder, createLadderState, LADDER_DEFAULTS, type Ladder, type LadderState } from './state.ts';
import { dueEscalations, ladderStep, nextLadderMs, type LadderOutcome } from './step.ts';

const MINUTE = 60_000;
const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest());
const OPTIONS = LADDER_DEFAULTS;
const PAGE = 'https://watch.example/a/';
const CODE_MS = 24 * 60 * MINUTE;
const LADDER: Ladder = {
  rungs: [
    { who: 'Ada', channels: ['mail', 'ntfy'], waitMs: 10 * MINUTE },
    { who: 'Bo', channels: ['telegram'], waitMs: 20 * MINUTE },
  ],
  rounds: 2,
  pageUrl: PAGE,
  codeMs: CODE_MS,
};
const CHANNELS = [
  { name: 'mail', kind: 'email', relies: ['mail.example'] },
  { name: 'ntfy', kind: 'ntfy', relies: ['ntfy.example'] },
  { name: 'telegram', kind: 'telegram', relies: ['api.telegram.org'] },
];

let state: LadderState;
let journal: Uint8Array[];
let orders: LadderOrder[];
let nowMs: number;
let draws = 0;
const entropy = () => sha256(Buffer.from(`draw ${draws++}`));

beforeEach(() => {
  state = createLadderState(OPTIONS);
  [journal, orders, nowMs] = [[], [], 1_000];
});

function take<T extends LadderOutcome>(outcome: T): T {
  for (const event of outcome.events) {
    journal.push(encodeLadderEvent(event));
    applyLadderEvent(state, event);
  }
  orders.push(...outcome.orders);
  return outcome;
}
const put = (input: LadderInput) => take(ladderStep(state, input, nowMs, sha256));
const open = (finding: string, group = 'savings spent') =>
  put({ kind: 'open', finding, entry: 7, group, severity: 'critical', ladder: LADDER, entropy: entropy() });
const tick = (dead: readonly string[] = []) => {
  const outcomes = dueEscalations(state, dead, nowMs).map((escalation) => {
    return put({ kind: 'tick', escalation, dead, entropy: entropy() });
  });
  return { events: outcomes.flatMap(({ events }) => events) };
};
const answer = (code: string, by: string | null = null, from = 'command') =>
  take(acknowledge(state, { code, by, from, way: 'code' }, nowMs, sha256)).answer;
const alertsOf = (step: number) =>
  orders.filter((each): each is Extract<LadderOrder, { kind: 'alert' }> => each.kind === 'alert' && each.step === step);
const codeOf = (step: number, channel: string) =>
  alertsOf(step).find((each) => each.channel === channel)!.acknowledgement.code;
const tokenOf = (step: number, channel: string) =>
  alertsOf(step)
    .find((each) => each.channel === channel)!
    .acknowledgement.url!.slice(PAGE.length);

describe('the ladder', () => {
  it('tells the first rung by all its channels, each with a code of its own', () => {
    open('f1');
    expect(orders).toMatchObject([
      { kind: 'alert', key: 'f1 step 0', channel: 'mail', who: 'Ada', step: 0 },
      { kind: 'alert', key: 'f1 step 0', channel: 'ntfy', who: 'Ada', step: 0 },
    ]);
    const all = alertsOf(0).flatMap(({ acknowledgement: { code, url } }) => [code, url]);
    expect(new Set(all).size).toBe(4);
    expect(codeOf(0, 'mail')).toMatch(/^[0-9A-HJKMNP-TV-Z]{8}$/);
  });

  it('climbs when nobody answers in time, round by round, and says when nobody is left', () => {
    open('f1');
    const climbed: number[] = [];
    for (let i = 0; i < 70; i++) {
      expect(nextLadderMs(state)).not.toBe(null);
      nowMs += MINUTE;
      for (const event of tick().events) if (event.kind === 'climbed') climbed.push((nowMs - 1_000) / MINUTE);
    }
    expect(climbed).toEqual([10, 30, 40]);
    expect(alertsOf(1)).toMatchObject([{ channel: 'telegram', who: 'Bo' }]);
    const last = orders.filter(({ kind }) => kind === 'exhausted').map(({ channel }) => channel);
    expect(last.sort()).toEqual(['mail', 'ntfy', 'telegram']);
    // It can still be answered.
    expect(answer(codeOf(2, 'ntfy'))).toBe('acknowledged');
  });

  it('climbs at once where no channel of the rung can deliver, but not when one did, nor where all are dead', () => {
    open('f1');
    expect(tick(['mail']).events).toEqual([]);
    expect(tick(['mail', 'ntfy', 'telegram']).events).toEqual([]);
    expect(tick(['mail', 'ntfy']).events).toMatchObject([{ kind: 'climbed', step: 1, why: 'unreachable' }]);
    open('f2', 'other');
    put({ kind: 'delivered', escalation: 'f2', step: 0, channel: 'mail' });
    expect(tick(['mail', 'ntfy']).events).toEqual([]);
  });

  it('journals whom each delivery reached', () => {
    open('f1');
    put({ kind: 'delivered', escalation: 'f1', step: 0, channel: 'ntfy' });
    put({ kind: 'delivered', escalation: 'unknown', step: 0, channel: 'ntfy' });
    expect(state.escalations.get('f1')!.deliveries).toEqual([{ who: 'Ada', channel: 'ntfy', step: 0, atMs: 1_000 }]);
  });

  it('lets findings of the same wallet and kind join one that is open, and opens anew after an answer', () => {
    open('f1');
    open('f1');
    orders.length = 0;
    open('f2');
    expect(orders.map(({ kind, channel }) => `${kind} ${channel}`)).toEqual(['joined mail', 'joined ntfy']);
    open('f2');
    expect(state.escalations.get('f1')).toMatchObject({ findings: ['f1', 'f2'], joined: 1 });
    expect([...state.escalations.keys()]).toEqual(['f1']);
    tick();
    open('f3', 'other');
    expect(answer(codeOf(0, 'mail') as string)).toBe('acknowledged');
    expect([...state.escalations.keys()]).toEqual(['f1', 'f3']);
  });

  it('forgets what is over after its time', () => {
    open('f1');
    answer(codeOf(0, 'mail'));
    nowMs += LADDER_DEFAULTS.keepMs;
    tick();
    expect(state.escalations.size).toBe(0);
    expect(nextLadderMs(state)).toBe(null);
  });
});

describe('an acknowledgement', () => {
  it('counts once, stops the ladder, and is told on the other channels', () => {
    open('f1');
    nowMs += 10 * MINUTE;
    tick();
    orders = orders.filter(({ kind }) => kind === 'alert');
    expect(answer(codeOf(0, 'mail'), 'Ada\u202e L.')).toBe('acknowledged');
    expect(orders.filter(({ kind }) => kind === 'acknowledged')).toMatchObject([
      { channel: 'ntfy', by: 'Ada L.', viaChannel: 'mail' },
      { channel: 'telegram', by: 'Ada L.', viaChannel: 'mail' },
    ]);
    expect(state.escalations.get('f1')!.over).toMatchObject({ how: 'acknowledged', who: 'Ada', by: 'Ada L.' });
    expect(answer(codeOf(0, 'mail'))).toBe('already');
    expect(answer(tokenOf(1, 'telegram'))).toBe('already');
    nowMs += 600 * MINUTE;
    expect(tick().events).toEqual([]);
  });

  it('works by the link too, and by a code as people type it', () => {
    open('f1');
    open('f2', 'other');
    expect(answer(tokenOf(0, 'ntfy'))).toBe('acknowledged');
    const typed = alertsOf(0).find(({ escalation }) => escalation === 'f2')!.acknowledgement.code;
    expect(
      answer(` ${typed.slice(0, 4).toLowerCase()}-${typed.slice(4)} `.replaceAll('0', 'o').replaceAll('1', 'l')),
    ).toBe('acknowledged');
  });

  it('is bound to its finding: a code of one does nothing for another', () => {
    open('f1');
    open('f2', 'other');
    answer(codeOf(0, 'mail'));
    expect(state.escalations.get('f1')!.over).not.toBe(null);
    expect(state.escalations.get('f2')!.over).toBe(null);
  });

  it('expires, while a later rung’s code still works', () => {
    open('f1');
    nowMs += 10 * MINUTE;
    tick();
    nowMs = 1_000 + CODE_MS;
    expect(answer(codeOf(0, 'mail'))).toBe('expired');
    expect(answer(codeOf(1, 'telegram'))).toBe('acknowledged');
  });

  it('cannot be guessed: after some wrong codes only links are looked at, for a while', () => {
    open('f1');
    for (let i = 0; i < LADDER_DEFAULTS.wrongCodes; i++) expect(answer(`GUESS${i}`)).toBe('unknown');
    const written = journal.length;
    expect(answer(codeOf(0, 'mail'))).toBe('busy');
    expect(journal.length).toBe(written);
    // Whoever guesses in one place closes no other.
    expect(answer('GUESS', null, 'reply ntfy')).toBe('unknown');
    nowMs += LADDER_DEFAULTS.wrongWindowMs;
    expect(answer(codeOf(0, 'mail'))).toBe('acknowledged');
    open('f2', 'other');
    for (let i = 0; i < 30; i++) answer(`GUESS${i}`);
    const link = alertsOf(0).find(({ escalation }) => escalation === 'f2')!.acknowledgement.url!;
    expect(answer(link.slice(PAGE.length))).toBe('acknowledged');
  });

  it('stands in the journal and the state as a hash only', () => {
    open('f1');
    const kept = `${Buffer.concat(journal).toString()}${Buffer.from(encodeLadderState(state)).toString()}`;
    for (const { acknowledgement } of alertsOf(0)) {
      expect(kept).not.toContain(acknowledgement.code);
      expect(kept).not.toContain(acknowledgement.url!.slice(PAGE.length));
    }
  });
});

describe('what is stored of the ladder', () => {
  it('is the same by fold and by snapshot, whatever happens', () => {
    const act = fc.oneof(
      fc.record({ kind: fc.constant('open' as const), finding: fc.nat(5), group: fc.nat(2) }),
      fc.record({ kind: fc.constant('tick' as const), afterMs: fc.nat(40 * MINUTE) }),
      fc.record({ kind: fc.constant('answer' as const), which: fc.nat(20) }),
    );
    fc.assert(
      fc.property(fc.array(act, { maxLength: 30 }), (acts) => {
        state = createLadderState(OPTIONS);
        [journal, orders, nowMs] = [[], [], 1_000];
        let answered = 0;
        for (const each of acts) {
          if (each.kind === 'open') open(`f${each.finding}`, `g${each.group}`);
          if (each.kind === 'tick') {
            nowMs += each.afterMs;
            tick();
          }
          if (each.kind === 'answer') {
            const alerts = orders.filter((order) => order.kind === 'alert');
            const code = alerts[each.which % Math.max(1, alerts.length)]?.acknowledgement.code;
            if (answer(code ?? 'NOTHING') === 'acknowledged') answered++;
          }
        }
        const folded = createLadderState(OPTIONS);
        for (const bytes of journal) {
          const event = decodeLadderEvent(bytes) as { ok: true; value: LadderEvent };
          applyLadderEvent(folded, event.value);
        }
        expect(folded).toEqual(state);
        expect(decodeLadderState(encodeLadderState(state), OPTIONS)).toEqual({ ok: true, value: state });
        const over = journal.filter((bytes) => Buffer.from(bytes).includes('"kind":"acknowledged"'));
        expect(over).toHaveLength(answered);
      }),
    );
  });

  it('is refused where it is not what it should be', () => {
    expect(decodeLadderEvent(Buffer.from('{"version":1,"event":{"kind":"joined"}}'))).toMatchObject({ ok: false });
    expect(decodeLadderState(Buffer.from('nonsense'), OPTIONS)).toMatchObject({ ok: false });
  });
});

describe('a ladder as configured', () => {
  it('needs two channels on its first rung that do not fail together', () => {
    expect(checkLadder(LADDER, CHANNELS)).toEqual([]);
    const same = CHANNELS.map((each) => ({ ...each, relies: ['one.host'] }));
    expect(checkLadder(LADDER, same)).toEqual([{ kind: 'not-independent' }]);
    const kin = CHANNELS.map((each) => ({ ...each, kind: 'email' }));
    expect(checkLadder(LADDER, kin)).toEqual([{ kind: 'not-independent' }]);
  });

  it('is told what is wrong with it', () => {
    expect(checkLadder({ rungs: [], rounds: 1 }, CHANNELS)).toEqual([{ kind: 'no-rungs' }]);
    const rungs = [
      LADDER.rungs[0]!,
      { who: 'Bo', channels: [], waitMs: 0 },
      { who: 'Cy', channels: ['fax'], waitMs: 5_000 },
    ];
    expect(checkLadder({ rungs, rounds: 1 }, CHANNELS)).toEqual([
      { kind: 'bad-wait', rung: 1 },
      { kind: 'no-channel', rung: 1 },
      { kind: 'unknown-channel', rung: 2, channel: 'fax' },
    ]);
  });
});

describe('the page of a link', () => {
  const TOKEN = 'A'.repeat(32);
  const ask = (method: string, body = '', path = `/${TOKEN}`) => handleAcknowledgement({ method, path, body });

  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'get', 'post', ''])(
    'answers nothing by %s',
    (method) => {
      expect(ask(method, 'confirm=yes').kind).toBe('respond');
    },
  );

  it('answers by a POST of its own form, with the name that was given', () => {
    expect(ask('POST', 'confirm=yes&by=Ada+L.')).toMatchObject({ kind: 'acknowledge', code: TOKEN, by: 'Ada L.' });
    expect(ask('POST')).toMatchObject({ kind: 'respond', response: { status: 400 } });
    expect(ask('POST', 'x'.repeat(5_000))).toMatchObject({ response: { status: 413 } });
    expect(ask('POST', 'confirm=yes', '/../secret')).toMatchObject({ response: { status: 404 } });
  });

  it('shows neither token nor name nor anything from elsewhere, and is kept by nobody', () => {
    const outcome = ask('POST', `confirm=yes&by=${encodeURIComponent('<script>alert(1)</script>')}`);
    if (outcome.kind !== 'acknowledge') throw new Error('it should ask');
    const statuses = (['acknowledged', 'already', 'expired', 'unknown', 'busy'] as const).map((each) => {
      const answered = each === 'already' ? { by: '<script src="//evil.example">', atMs: 1_790_000_000_000 } : null;
      const { status, body, headers } = outcome.respond(each, answered);
      expect(body).not.toMatch(/<script|AAAA|https?:/);
      expect(body.includes('script')).toBe(each === 'already');
      expect(headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
      return status;
    });
    expect(statuses).toEqual([200, 409, 410, 404, 429]);
    const form = ask('GET');
    expect(form).toMatchObject({ response: { status: 200 } });
    expect(JSON.stringify(form)).not.toContain('AAAA');
  });

  it('says who was first, and lets its own style through the policy and nothing else', () => {
    const outcome = ask('POST', 'confirm=yes');
    if (outcome.kind !== 'acknowledge') throw new Error('it should ask');
    const { body, headers } = outcome.respond('already', { by: 'Ada & Bo', atMs: 1_790_000_000_000 });
    expect(body).toContain('<h1>Ada &#38; Bo was first</h1>');
    expect(body).toContain('It was answered at 2026-09-21 14:13:20 UTC.');
    const style = /<style>([^]*)<\/style>/.exec(body)![1]!;
    const hash = createHash('sha256').update(style).digest('base64');
    expect(headers['content-security-policy']).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
    );
  });
});
