import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ERRORS } from '@keepwatch/protocol';
import { expect, it } from 'vitest';
import { COMMON_OPTIONS } from './common-options.ts';
import { COMMANDS } from './commands/index.ts';

// Pages and remedies tell people what to type. Whatever they name has to be a command, with options that it has.
const root = fileURLToPath(new URL('../../..', import.meta.url));
const pages = ['README.md', 'ARCHITECTURE.md', 'SECURITY.md', 'CONTRIBUTING.md'].concat(
  readdirSync(join(root, 'docs'), { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && file.name.endsWith('.md'))
    .map((file) => relative(root, join(file.parentPath, file.name))),
);
const sources = readdirSync(join(root, 'packages'), { recursive: true, withFileTypes: true })
  .filter((file) => file.isFile() && /\.ts$/.test(file.name) && !/\.test\.ts$/.test(file.name))
  .map((file) => relative(root, join(file.parentPath, file.name)))
  .filter((path) => !path.includes('node_modules') && !path.includes('/testkit/'));

interface Mention {
  readonly where: string;
  readonly line: string;
}

/** `keepwatch vault unseal …` in inline code, and whole lines of a console. */
function mentionsIn(where: string): Mention[] {
  const text = readFileSync(join(root, where), 'utf8').replaceAll('\\\n', ' ');
  const inline = [...text.matchAll(/`(?:npx )?keepwatch ([^`\n]+)`/g)];
  const typed = [...text.matchAll(/^\$ (?:npx )?keepwatch (.+)$/gm)];
  return [...inline, ...typed].map(([, line]) => ({ where, line: line! }));
}

function faultOf({ line }: Mention): string | undefined {
  const words = line.replace(/^--json /, '').split(/\s+/);
  if (words[0] === 'help' || /^[-$…]/.test(words[0] ?? '')) return undefined;
  const names = [3, 2, 1].map((length) => words.slice(0, length).join(' '));
  const command = COMMANDS.find(({ name }) => names.includes(name));
  if (!command) return 'no such command';
  const known = [...Object.keys(command.options), ...Object.keys(COMMON_OPTIONS)];
  const options = [...line.matchAll(/(?<=\s)--([a-z-]+)/g)].map(([, name]) => name!);
  const unknown = options.find((name) => !known.includes(name));
  return unknown === undefined ? undefined : `no option --${unknown}`;
}

it.each([
  ['the pages', pages, 25],
  ['the source', sources, 15],
])('%s name commands and options that there are', (_, files, atLeast) => {
  const mentions = files.flatMap(mentionsIn);
  expect(mentions.length).toBeGreaterThanOrEqual(atLeast);
  const faults = mentions.map((mention) => ({ ...mention, fault: faultOf(mention) })).filter(({ fault }) => fault);
  expect(faults).toEqual([]);
});

it('every remedy in the table of errors is one sentence or more, and says something else than what happened', () => {
  for (const [code, { message, remedy }] of Object.entries(ERRORS)) {
    expect(message, code).toMatch(/[.:]$/);
    expect(remedy, code).toMatch(/[.]$/);
    expect(remedy, code).not.toBe(message);
  }
});
