import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// What the hand-written pages name has to exist: files that they link to, files of the source, npm scripts.
const root = fileURLToPath(new URL('../../..', import.meta.url));

function filesBelow(...folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile())
      .map((file) => relative(root, join(file.parentPath, file.name)))
      .filter((path) => !path.includes('node_modules')),
  );
}

const sources = filesBelow('packages', 'scripts', 'deploy', 'docs', 'vendor');
const topLevel = readdirSync(root).filter((name) => name.endsWith('.md'));
const pages = [...topLevel, ...sources.filter((path) => /^(docs|deploy)\/.*\.md$/.test(path))];
const scripts = Object.keys(
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }).scripts,
);

/** Inline code that is a path into the source: it has a folder and an ending. */
const SOURCE_PATH = /`((?:[\w.-]+\/)+[\w.-]+\.(?:ts|mjs|cjs|md|json))`/g;

describe.each(pages)('%s', (page) => {
  const text = readFileSync(join(root, page), 'utf8');

  it('links to files that are there', () => {
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target]) => target!);
    expect(links.filter((target) => !existsSync(join(root, dirname(page), target)))).toEqual([]);
  });

  it('names files of the source that are there', () => {
    const named = [...text.matchAll(SOURCE_PATH)].map(([, path]) => path!);
    const isThere = (path: string) => sources.some((source) => source === path || source.endsWith(`/${path}`));
    expect(named.filter((path) => !isThere(path))).toEqual([]);
  });

  it('names npm scripts that are there', () => {
    const named = [...text.matchAll(/\bnpm (?:run )?([a-z][a-z:]*)/g)].map(([, name]) => name!);
    const ours = named.filter((name) => !['ci', 'rebuild', 'install', 'and', 'is', 'scripts'].includes(name));
    expect(ours.filter((name) => !scripts.includes(name))).toEqual([]);
  });
});

it('finds pages and what they name', () => {
  expect(pages).toContain('docs/adr/0001-journal-first.md');
  const architecture = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  expect([...architecture.matchAll(SOURCE_PATH)].length).toBeGreaterThan(30);
});
