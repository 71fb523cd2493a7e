import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Context } from '../command.ts';
import { createPaint } from '../terminal.ts';
import { createProgress, createRate, progressBar, progressWords, showSpan } from './progress.ts';

const step = { what: 'headers', done: 474_111, total: 911_000, perSecond: 31_200.4, etaSeconds: 14.2 };

function on(terminal: { isTTY?: boolean; columns?: number }, json = false) {
  const errors = Object.assign(new PassThrough(), terminal);
  const context = { json, terminal: { errors, paintErrors: createPaint(false) } } as unknown as Context;
  let now = 0;
  const progress = createProgress(context, () => now);
  return { progress, later: (ms: number) => (now += ms), text: () => String(errors.read() ?? '') };
}

describe('progress', () => {
  it('says percent, how much, the rate and the time that is left', () => {
    expect(progressWords(step)).toBe('headers  52%  474,111 of 911,000  31,200/s  14s left');
    expect(progressWords({ ...step, perSecond: null, etaSeconds: null })).toBe('headers  52%  474,111 of 911,000');
    expect(progressWords({ what: 'blocks', done: 5, total: 5, perSecond: 0.25, etaSeconds: 0 })).toBe(
      'blocks  100%  5 of 5  0.3/s',
    );
  });

  it('draws a bar of one width, whatever it is given', () => {
    for (const share of [0, 0.001, 0.5, 0.999, 1, 1.5, -1, NaN]) expect([...progressBar(share)]).toHaveLength(24);
    expect(progressBar(0.5)).toBe('█'.repeat(12) + '░'.repeat(12));
    expect(progressBar(1 / 48)).toBe('▌' + '░'.repeat(23));
  });

  it('redraws one line on a terminal, not too often, and takes it off', () => {
    const { progress, later, text } = on({ isTTY: true, columns: 100 });
    progress.show(step);
    expect(text()).toBe(`\r\x1b[2K${progressBar(step.done / step.total)} ${progressWords(step)}`);
    later(50);
    progress.show({ ...step, done: 474_112 });
    expect(text()).toBe('');
    later(60);
    progress.show({ ...step, done: 474_113 });
    expect(text()).toContain('474,113');
    progress.clear();
    progress.clear();
    expect(text()).toBe('\r\x1b[2K');
  });

  it('says what is done before it is known how far, once, and only where somebody looks', () => {
    const { progress, text } = on({ isTTY: true, columns: 100 });
    progress.say('reading what is kept');
    progress.say('reading what is kept');
    expect(text()).toBe('\r\x1b[2Kreading what is kept …');
    progress.show(step);
    expect(text()).toContain('headers  52%');
    progress.clear();
    expect(text()).toBe('\r\x1b[2K');
    for (const { progress: quiet, text: said } of [on({}), on({ isTTY: true }, true)]) {
      quiet.say('reading what is kept');
      expect(said()).toBe('');
    }
  });

  it('never draws more than the line holds', () => {
    for (const columns of [20, 60, 79, 200]) {
      const { progress, text } = on({ isTTY: true, columns });
      progress.show(step);
      expect([...text().replace('\r\x1b[2K', '')].length).toBeLessThan(columns);
    }
  });

  it('writes a line every half minute elsewhere, and nothing with JSON', () => {
    const { progress, later, text } = on({});
    progress.show(step);
    expect(text()).toBe('');
    later(30_000);
    progress.show(step);
    later(10_000);
    progress.show(step);
    expect(text()).toBe(`${progressWords(step)}\n`);
    const silent = on({ isTTY: true }, true);
    silent.progress.show(step);
    expect(silent.text()).toBe('');
  });

  it('shows a span by its two largest units', () => {
    expect([0, 14.4, 60, 3_700, 90_061, 200_000].map(showSpan)).toEqual(['0s', '14s', '1m', '1h 1m', '1d 1h', '2d 7h']);
  });

  it('measures a rate over the last half minute', () => {
    let now = 0;
    const rate = createRate(() => now);
    expect(rate(0)).toBeNull();
    now = 1_000;
    expect(rate(500)).toBe(500);
    for (now = 2_000; now <= 60_000; now += 1_000) rate(500);
    expect(rate(500)).toBe(0);
  });
});
