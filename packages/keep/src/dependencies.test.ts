import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// What the keep loads decides what can reach a key. docs/dependencies.md lists and justifies it; here the list is
// compared with what is installed, so that nothing is added, and nothing is exchanged, without somebody saying why.
const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const page = read('docs/dependencies.md');

interface LockedPackage {
  readonly version?: string;
  readonly link?: boolean;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}
const { packages: locked } = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockedPackage> };

/** Where `from` finds `name`: in its own node_modules or the nearest one above (Node's resolution, in the lock's terms). */
function resolve(from: string, name: string): string {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
    const path = join(at, 'node_modules', name);
    if (locked[path]) return path;
    if (at === '') throw new Error(`${from} depends on ${name}, which the lock file does not have`);
  }
}

interface Found {
  readonly name: string;
  readonly version: string;
  readonly path: string;
  readonly hasInstallScript: boolean;
}

/** Everything outside the workspace that a package brings along, by following `dependencies` from it. */
function closureOf(workspace: string): Found[] {
  const found = new Map<string, Found>();
  const seen = new Set<string>();
  const waiting = [`packages/${workspace}`];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const name of Object.keys(locked[at]!.dependencies ?? {})) {
      const path = resolve(at, name);
      if (seen.has(path)) continue;
      seen.add(path);
      const entry = locked[path]!;
      if (entry.link && entry.resolved?.startsWith('packages/')) {
        waiting.push(entry.resolved);
        continue;
      }
      const { version } = JSON.parse(read(join(path, 'package.json'))) as { version: string };
      found.set(name, { name, version, path, hasInstallScript: entry.hasInstallScript === true });
      if (!entry.link) waiting.push(path);
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The rows of a section's first table: `| \`name\` | version | …`. */
function listed(section: string): string[] {
  const text = page.split(`\n## ${section}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...text.matchAll(/^\| `([^`]+)` +\| (\d\S*) /gm)].map(([, name, version]) => `${name} ${version}`).sort();
}

const WHY =
  'docs/dependencies.md lists what this package brings along. Whatever is new needs a reason, a licence and a look at ' +
  'its install scripts there, before it is trusted';

describe('what each package brings along', () => {
  const closure = (workspace: string) => closureOf(workspace).map(({ name, version }) => `${name} ${version}`);

  it.each(['keep', 'gate', 'sdk'])('%s: the page and the lock file agree', (workspace) => {
    expect(listed(workspace), WHY).toEqual(closure(workspace));
  });

  it('bitcoin and chain: the page lists what the sdk does not', () => {
    const others = ['sdk'].flatMap(closure);
    const both = [...new Set(['bitcoin', 'chain'].flatMap(closure))].sort();
    expect(listed('bitcoin and chain'), WHY).toEqual(both.filter((each) => !others.includes(each)));
  });

  it('watch: the page lists what sdk, bitcoin and chain do not', () => {
    const others = ['sdk', 'bitcoin', 'chain'].flatMap(closure);
    expect(listed('watch'), WHY).toEqual(closure('watch').filter((each) => !others.includes(each)));
  });

  it('notify: the page lists what sdk, bitcoin, chain and watch do not', () => {
    const others = ['sdk', 'bitcoin', 'chain', 'watch'].flatMap(closure);
    expect(listed('notify'), WHY).toEqual(closure('notify').filter((each) => !others.includes(each)));
  });

  it('cli: the page lists what the others do not', () => {
    const others = ['keep', 'gate', 'sdk', 'bitcoin', 'chain', 'watch', 'notify'].flatMap(closure);
    expect(listed('cli'), WHY).toEqual(closure('cli').filter((each) => !others.includes(each)));
  });

  it('keep: the page names each package with an install script', () => {
    const withScript = closureOf('keep').filter(({ hasInstallScript }) => hasInstallScript);
    expect(withScript.map(({ name }) => name)).toEqual(['secp256k1']);
  });
});

/** Modules by which a process reaches others. Keep has one inherited socket and needs none of them. */
const TRANSPORTS = ['http', 'https', 'http2', 'tls', 'dgram', 'dns', 'child_process', 'cluster'];
const FORBIDDEN = [...TRANSPORTS, 'inspector', 'vm', 'repl'];
const FORBIDDEN_PACKAGES = /^(ws|undici|axios|node-fetch|got|socket\.io.*|viem|ethers|elliptic-.*|grpc.*|@grpc\/.*)$/;

const IMPORT = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*['"]([^'"]+)['"]/g;

function importsOf(path: string): { file: string; module: string }[] {
  const files = readdirSync(join(root, path), { recursive: true, withFileTypes: true }).filter(
    (file) =>
      file.isFile() && /\.(ts|js|mjs|cjs)$/.test(file.name) && !/\.(test|fixture)\.ts$|\.d\.ts$/.test(file.name),
  );
  return files.flatMap((file) => {
    const full = join(file.parentPath, file.name);
    if (full.includes('/fixtures/') || relative(join(root, path), full).includes('node_modules/')) return [];
    const text = readFileSync(full, 'utf8');
    return [...text.matchAll(IMPORT)].map(([, module]) => ({ file: relative(root, full), module: module! }));
  });
}

/** Files that come with a package and that nothing of ours loads: tools for whoever builds the add-on. */
const NOT_LOADED = /^node_modules\/(node-addon-api\/tools\/|node-gyp-build\/(bin|optional|build-test)\.js$)/;

describe('keep and all that it loads', () => {
  const own = ['keep', 'journal', 'wire', 'evm', 'permission', 'protocol', 'base'].map(
    (name) => `packages/${name}/src`,
  );
  const foreign = closureOf('keep').map(({ path }) => path);

  it('never names a module that opens a connection, starts a process or runs code from text', () => {
    const imports = [...own, ...foreign].flatMap(importsOf).filter(({ file }) => !NOT_LOADED.test(file));
    expect(imports.length).toBeGreaterThan(200);
    const bad = imports.filter(({ module }) => FORBIDDEN.includes(module.replace(/^node:/, '').split('/')[0]!));
    expect(bad).toEqual([]);
  });

  it('makes threads in one place: the one that signs, which may do nothing else', () => {
    const users = [...own, ...foreign].flatMap(importsOf).filter(({ module }) => module.endsWith('worker_threads'));
    const files = users.map(({ file }) => file.replace('packages/keep/src/secure/', '')).sort();
    expect(files).toEqual(['signing-thread.ts', 'signing-worker/main.ts']);
  });

  it('takes nothing of node:net but the socket that it inherits', () => {
    const users = own.flatMap(importsOf).filter(({ module }) => /^(node:)?net$/.test(module));
    expect(users.length).toBeGreaterThan(0);
    for (const { file } of users) {
      expect(read(file), `${file}: only Socket, over an inherited descriptor`).toMatch(
        /^import (type )?\{ Socket \} from 'node:net';$/m,
      );
      expect(read(file)).not.toMatch(/\.connect\(/);
    }
  });

  it('uses the modules of Node that the page lists, and no other', () => {
    const used = new Set(own.flatMap(importsOf).flatMap(({ module }) => (module.startsWith('node:') ? [module] : [])));
    const text = page.split('\n### Modules of Node\n')[1]?.split('\n#')[0] ?? '';
    expect([...text.matchAll(/^\| `(node:[a-z_/]+)` /gm)].map(([, name]) => name).sort()).toEqual([...used].sort());
  });

  it('brings no package that speaks to the network', () => {
    expect(closureOf('keep').filter(({ name }) => FORBIDDEN_PACKAGES.test(name))).toEqual([]);
  });

  it('gets stubs for the two packages that must not come along', () => {
    for (const name of ['elliptic', 'bare-assert']) {
      expect(locked[`node_modules/${name}`]?.link, `${name} is the stub in vendor/`).toBe(true);
      expect(read(`node_modules/${name}/index.js`)).toBe(read(`vendor/${name}/index.js`));
    }
  });
});
