// The generated part of docs/monitor-api.md: the methods of a monitor, from the very table by which it judges rights and reads
// parameters.
import { createRequire } from 'node:module';
import { MONITOR_METHODS } from '../../packages/monitor/src/api/contract.ts';
import { createNotation } from './notation.mjs';

const { z } = createRequire(new URL('../../packages/monitor/package.json', import.meta.url))('zod');
const { schemaOf, notation } = createNotation(z, {}, { io: 'input' });

const CALLERS = {
  owner: 'nobody over a network',
  operator: 'operators',
  reader: 'operators, readers',
  candidate: 'everybody who proved a key',
};
const EFFECTS = {
  asks: '',
  changes: 'signed; the version is compared',
  tightens: 'signed; at once, whatever the version',
  answers: 'signed; sets nothing',
};

export function monitorPage() {
  const methods = Object.entries(MONITOR_METHODS);
  const rows = methods.map(([name, { summary, callers, effect }]) => {
    // What nobody may send over a network is signed by nobody.
    const order = callers === 'owner' ? '' : EFFECTS[effect];
    return `| [\`${name}\`](#${name.replaceAll('.', '').toLowerCase()}) | ${CALLERS[callers]} | ${order} | ${summary} |`;
  });
  const lines = ['## Methods', '', '| method | who | order | what it does |', '| --- | --- | --- | --- |', ...rows, ''];
  lines.push('## Parameters', '');
  for (const [name, { params }] of methods) {
    lines.push(`### \`${name}\``, '', '```ts', `params ${notation(schemaOf(params))}`, '```', '');
  }
  return lines.join('\n');
}
