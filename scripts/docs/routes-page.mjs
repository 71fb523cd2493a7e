// docs/routes.md: the table of the routes, written from the code that judges by it.
import { createStandards } from '../../packages/evm/src/index.ts';

/** Without the types that it refers to. */
const shortened = (type) => (type.endsWith(',') ? `${type} …)` : type.slice(0, type.indexOf(')') + 1));

const cell = (text) => text.replaceAll('|', '\\|');

export function routesPage() {
  // The table needs no selectors, and the routers' commands are parsed with any hash.
  const standards = createStandards(() => new Uint8Array(32));
  const lines = [];
  for (const { name, title, needs = [], calls, types = [] } of standards) {
    lines.push(`### \`${name}\`: ${title}`, '');
    if (needs.length > 0)
      lines.push(`An entry says its ${needs.map((each) => `\`${each}\``).join(' and ')} besides.`, '');
    if (calls.length > 0) lines.push('| call | route | what leaves at most |', '| --- | --- | --- |');
    for (const { line, route, says } of calls) {
      lines.push(`| \`${cell(line)}\` | ${route === null ? '' : `\`${route}\``} | ${cell(says)} |`);
    }
    if (types.length > 0)
      lines.push('', '| signature of typed data | route | what leaves at most |', '| --- | --- | --- |');
    for (const { type, route, says } of types) {
      lines.push(`| \`${shortened(type)}\` | ${route === null ? '' : `\`${route}\``} | ${cell(says)} |`);
    }
    lines.push('');
  }
  return lines.join('\n');
}
