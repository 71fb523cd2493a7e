import { describe, expect, it } from 'vitest';
import { routeExamples } from './route-examples.fixture.ts';
import { calldata, contractOf, flowsOf, full, judged, standards, WALLET } from './world.fixture.ts';

const nameOf = ({ standard, line }: { readonly standard: string; readonly line: string }) => `${standard}: ${line}`;

it('has an example of every row of the table, and rows for every example', () => {
  const rows = standards.flatMap(({ name, calls }) => calls.map(({ line }) => nameOf({ standard: name, line })));
  const missing = rows.filter((row) => !routeExamples.some((example) => nameOf(example) === row));
  const foreign = routeExamples.filter((example) => !rows.includes(nameOf(example))).map(nameOf);
  expect({ missing, foreign }).toEqual({ missing: [], foreign: [] });
});

describe.each(standards.filter(({ calls }) => calls.length > 0).map(({ name }) => name))('%s', (name) => {
  const examples = routeExamples.filter(({ standard }) => standard === name);
  it.each(examples.map((example, i) => [`${i} ${example.line.slice(0, 50)}`, example] as const))('%s', (_, example) => {
    const { standard, line, args, value = 0n } = example;
    const intent = judged({ to: contractOf(standard), data: calldata(line, args), value });
    if (example.opaque !== undefined) {
      expect(intent.opaque).toBe(example.opaque);
      return;
    }
    expect(intent.opaque).toBeNull();
    expect(flowsOf(intent.outflows)).toEqual(example.flows!.map(full));
    expect(intent.actions.length).toBeGreaterThan(0);
    for (const action of intent.actions) expect(action).not.toMatchObject({ kind: 'opaque-call' });
  });
});

it('counts the value of every call that is not opaque, once', () => {
  for (const { standard, line, args } of routeExamples) {
    const intent = judged({ to: contractOf(standard), data: calldata(line, args), value: 1000n });
    const ether = intent.outflows.filter(
      (flow) => flow.account === 'wallet' && flow.asset === 'native' && flow.holds === 'spent',
    );
    const total = ether.reduce((sum, { amount }) => sum + (amount as bigint), 0n);
    if (!standard.startsWith('safe') || intent.opaque === null) expect(`${line} ${total}`).toBe(`${line} 1000`);
  }
});

it('refuses every example with a byte more, less, or changed in a padding', () => {
  for (const { standard, line, args } of routeExamples) {
    const data = calldata(line, args);
    const to = contractOf(standard);
    expect(judged({ to, data: Uint8Array.from([...data, 0]) }).opaque).not.toBeNull();
    if (data.length > 4) expect(judged({ to, data: data.subarray(0, -1) }).opaque).not.toBeNull();
  }
});

it('takes no account for the wallet but the wallet', () => {
  for (const { standard, line, args } of routeExamples) {
    const { outflows, actions } = judged({ to: contractOf(standard), data: calldata(line, args) });
    expect(outflows.map(({ account }) => account)).not.toContain(WALLET);
    for (const action of actions) if ('sender' in action) expect(action.sender).not.toBe(WALLET);
  }
});
