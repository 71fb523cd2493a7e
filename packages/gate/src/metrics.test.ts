import { expect, it } from 'vitest';
import { createCounters, renderMetrics } from './metrics.ts';

const gauges = {
  connections: 3,
  webSockets: 2,
  authenticated: 1,
  keepAvailable: true,
  bufferedToPeers: 10,
  bufferedToKeep: 20,
};

it('is what Prometheus reads: every sample after its HELP and TYPE, every name once', () => {
  const counters = createCounters();
  counters.ended.slow_reader = 7;
  const text = renderMetrics(counters, gauges);
  const declared: string[] = [];
  for (const line of text.trimEnd().split('\n')) {
    const type = /^# TYPE (\w+) (counter|gauge)$/.exec(line);
    if (type) {
      expect(declared).not.toContain(type[1]);
      declared.push(type[1]!);
      if (type[2] === 'counter') expect(type[1]).toMatch(/_total$/);
    } else if (!line.startsWith('# HELP ')) {
      expect(/^(\w+)(\{\w+="\w+"\})? \d+$/.exec(line)?.[1]).toBe(declared.at(-1));
    }
  }
  expect(text).toContain('keepwatch_gate_ended_total{reason="slow_reader"} 7\n');
  expect(text).toContain('keepwatch_gate_keep_available 1\n');
  expect(text).toContain('keepwatch_gate_buffered_bytes{by="keep"} 20\n');
});
