import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CodedError } from '@keepwatch/base';
import { createJournalKeys, ed25519Verify, journalStoreContract, sha256 } from '@keepwatch/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createJournal, type Journal } from './journal.ts';
import { openConnection, permitOnlyJournalStatements } from './sqlite-connection.ts';
import { openSqliteStore } from './sqlite-store.ts';
import type { JournalStore } from './store.ts';

let dir: string;
let path: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'journal-'));
  path = join(dir, 'journal.db');
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

journalStoreContract(
  'the SQLite store',
  () => {
    let store = openSqliteStore({ path });
    const reopen = () => {
      store.close();
      return (store = openSqliteStore({ path }));
    };
    return { store, reopen };
  },
  { durable: true },
);

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof CodedError) return error.code;
    throw error;
  }
  return 'nothing was thrown';
}

describe('the SQLite file', () => {
  it('is readable by its owner alone, with its write-ahead log, whatever it was before', () => {
    writeFileSync(path, '', { mode: 0o644 });
    chmodSync(path, 0o644);
    const store = openSqliteStore({ path });
    store.commit([], [{ op: 'put', space: 's', key: 'k', value: new Uint8Array(1) }]);
    expect(readdirSync(dir).toSorted()).toEqual(['journal.db', 'journal.db-wal']);
    for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).mode & 0o777).toBe(0o600);
    store.close();
  });

  it('belongs to one process', () => {
    const store = openSqliteStore({ path });
    expect(codeOf(() => openSqliteStore({ path }))).toBe('storage_busy');
    const other = (open: string) =>
      spawnSync(process.execPath, ['--input-type=module', '-e', open], { encoding: 'utf8' });
    const module = JSON.stringify(new URL('./sqlite-store.ts', import.meta.url).href);
    const ours = other(`
      import { openSqliteStore } from ${module};
      try { openSqliteStore({ path: ${JSON.stringify(path)} }); console.log('opened'); }
      catch (error) { console.log(error.code); }`);
    expect(ours.stdout.trim()).toBe('storage_busy');
    const reader = other(`
      import { DatabaseSync } from 'node:sqlite';
      try { console.log(new DatabaseSync(${JSON.stringify(path)}, { readOnly: true }).prepare('SELECT * FROM record').all()); }
      catch (error) { console.log(error.message); }`);
    expect(reader.stdout.trim()).toBe('database is locked');
    store.close();
    openSqliteStore({ path }).close();
  });

  it('is not opened through a link, as a directory, or where there is no directory', () => {
    openSqliteStore({ path }).close();
    symlinkSync(path, join(dir, 'link'));
    expect(codeOf(() => openSqliteStore({ path: join(dir, 'link') }))).toBe('storage_corrupt');
    mkdirSync(join(dir, 'directory'));
    expect(codeOf(() => openSqliteStore({ path: join(dir, 'directory') }))).toBe('storage_corrupt');
    expect(codeOf(() => openSqliteStore({ path: join(dir, 'missing', 'journal.db') }))).toBe('storage_failed');
  });

  it.each([
    ['a trigger', 'CREATE TRIGGER t AFTER INSERT ON record BEGIN DELETE FROM batch; END'],
    ['a view', 'CREATE VIEW v AS SELECT * FROM record'],
    ['a table', 'CREATE TABLE t (a)'],
    ['an index', 'CREATE INDEX i ON batch (epoch)'],
    ['a column', 'ALTER TABLE record ADD COLUMN more TEXT'],
    ['a foreign owner', 'PRAGMA application_id = 7'],
  ])('is refused when %s was planted', (_, sql) => {
    openSqliteStore({ path }).close();
    const db = new DatabaseSync(path);
    db.exec(sql);
    db.close();
    expect(codeOf(() => openSqliteStore({ path }))).toBe('storage_corrupt');
  });

  it('is refused when it is another program’s, or no database, or damaged', () => {
    const db = new DatabaseSync(path);
    db.exec('CREATE TABLE notes (a)');
    db.close();
    expect(codeOf(() => openSqliteStore({ path }))).toBe('storage_corrupt');
    writeFileSync(path, 'This is not a database. '.repeat(100));
    expect(codeOf(() => openSqliteStore({ path }))).toBe('storage_corrupt');
    rmSync(path);
    const store = openSqliteStore({ path });
    const value = new Uint8Array(500).fill(1);
    store.commit(
      [],
      Array.from({ length: 50 }, (_, i) => ({ op: 'put', space: 's', key: `key ${i}`, value })),
    );
    store.close();
    const file = openSync(path, 'r+');
    writeSync(file, new Uint8Array(2048).fill(0xff), 0, 2048, 4 * 4096);
    closeSync(file);
    expect(codeOf(() => openSqliteStore({ path }))).toBe('storage_corrupt');
  });

  it('says so when a newer version wrote it', () => {
    openSqliteStore({ path }).close();
    const db = new DatabaseSync(path);
    db.exec('PRAGMA user_version = 2');
    db.close();
    expect(codeOf(() => openSqliteStore({ path }))).toBe('storage_format_unknown');
  });
});

describe('the SQLite connection', () => {
  let db: DatabaseSync;
  beforeEach(() => {
    db = openConnection(path);
  });
  afterEach(() => db.close());

  it('reaches no other file, even before statements are restricted', () => {
    const target = join(dir, 'other.db');
    expect(() => db.exec(`ATTACH '${target}' AS other`)).toThrow(/too many attached/);
    expect(() => db.exec(`VACUUM INTO '${target}'`)).toThrow(/too many attached/);
    expect(() => db.exec('VACUUM')).toThrow(/too many attached/);
    expect(() => db.exec(`SELECT load_extension('${target}')`)).toThrow(/not authorized/);
    expect(() => db.enableLoadExtension(true)).toThrow();
    expect(existsSync(target)).toBe(false);
    expect(db.prepare('PRAGMA secure_delete').get()).toEqual({ secure_delete: 1 });
    expect(db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
    expect(db.prepare('PRAGMA trusted_schema').get()).toEqual({ trusted_schema: 0 });
  });

  it.each([
    "ATTACH ':memory:' AS other",
    'DELETE FROM batch',
    'UPDATE batch SET epoch = 9',
    'DROP TABLE batch',
    'CREATE TABLE t (a)',
    'CREATE TEMP TABLE t (a)',
    'ALTER TABLE batch RENAME TO gone',
    'CREATE TRIGGER t AFTER INSERT ON batch BEGIN SELECT 1; END',
    'CREATE VIRTUAL TABLE t USING fts5(a)',
    'SELECT sql FROM sqlite_schema',
    'SELECT * FROM pragma_database_list',
    'PRAGMA synchronous = OFF',
    'PRAGMA locking_mode = NORMAL',
    'PRAGMA journal_mode = DELETE',
    'PRAGMA writable_schema = ON',
    'SELECT randomblob(10)',
    'REINDEX',
    'ANALYZE',
    'SAVEPOINT s',
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n',
  ])('does not compile %s once restricted', (sql) => {
    permitOnlyJournalStatements(db);
    expect(() => db.prepare(sql)).toThrow(/not authorized|prohibited|too many attached/);
  });
});

describe('overwritten and deleted records', () => {
  it('are in no file after a checkpoint, nor is anything else lost by it', () => {
    const store = openSqliteStore({ path });
    const secret = (i: number, length: number) => Buffer.from(`OLD-SECRET-${i}-`.repeat(200).slice(0, length));
    const key = (i: number) => `key ${i}`;
    const found = () => readdirSync(dir).filter((name) => readFileSync(join(dir, name)).includes('OLD-SECRET'));
    // Lengths from a wrapped key to several overflow pages, replaced by others: every way in which pages are rebuilt.
    const length = (i: number, round: number) => 20 + ((i * 37 + round * 911) % 3) * ((i * 131) % 2_900);
    const count = 400;
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < count; i++) {
        store.commit([], [{ op: 'put', space: 's', key: key(i), value: secret(i, length(i, round)) }]);
      }
    }
    // A lock-breaking read of our own file is harmless here: no other process is about.
    expect(found().length).toBeGreaterThan(0);
    for (let i = 0; i < count; i++) {
      const value = new Uint8Array(length(i, i)).fill(0x2e);
      store.commit(
        [],
        [i % 5 === 0 ? { op: 'delete', space: 's', key: key(i) } : { op: 'put', space: 's', key: key(i), value }],
      );
    }
    const before = store.list('s');
    store.checkpoint();
    expect(store.list('s')).toEqual(before);
    expect(found()).toEqual([]);
    expect(statSync(`${path}-wal`).size).toBe(0);
    expect(store.count('s')).toBe(320);
    store.close();
  });
});

function open(store: JournalStore, keys: ReturnType<typeof createJournalKeys>): Journal {
  const journal = createJournal({ store, sha256, signHead: keys.signHead, cipher: keys.cipher }, { vault: keys.vault });
  if (journal instanceof Promise || !journal.ok) throw new Error('the journal did not open');
  return journal.value;
}

function mountSmallDisk(at: string): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  mkdirSync(at);
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', at]).status === 0;
}

describe('a full disk', () => {
  it('is told apart from failure, loses nothing, and ends when there is room again', async (context) => {
    const disk = join(dir, 'disk');
    if (!mountSmallDisk(disk)) return context.skip('a file system of limited size can be mounted by root alone');
    try {
      const store = openSqliteStore({ path: join(disk, 'journal.db') });
      const keys = createJournalKeys();
      const journal = open(store, keys);
      const ballast = join(disk, 'ballast');
      writeFileSync(ballast, new Uint8Array(300_000));
      const entry = new Uint8Array(3_000).fill(7);
      const append = () =>
        journal.append([entry], [{ op: 'put', space: 's', key: 'last', value: entry }], Date.now()) as { head: object };
      let appended = 0;
      const appendUntilFull = () => {
        for (;;) {
          const code = codeOf(() => {
            append();
            appended += 1;
          });
          if (code !== 'nothing was thrown') return code;
        }
      };
      expect(appendUntilFull()).toBe('storage_full');
      expect(codeOf(append)).toBe('storage_full');
      expect(appended).toBeGreaterThan(10);
      expect(journal.head()?.lastSeq).toBe(appended);
      expect(store.lastBatch()?.lastSeq).toBe(appended);
      rmSync(ballast);
      append();
      appended += 1;
      const verified = await journal.verify({ receiptPublicKey: keys.receiptPublicKey, ed25519Verify });
      expect(verified).toMatchObject({ ok: true, value: { entries: appended } });
      expect(appendUntilFull()).toBe('storage_full');
      store.close();
      expect(codeOf(() => openSqliteStore({ path: join(disk, 'journal.db') }))).toBe('storage_full');
      execFileSync('mount', ['-o', 'remount,size=4m', disk]);
      const again = openSqliteStore({ path: join(disk, 'journal.db') });
      expect(again.lastBatch()?.lastSeq).toBe(appended);
      again.close();
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});

describe('a failing disk', () => {
  it('ends all work of the store, and what was acknowledged is there when it is opened again', () => {
    // A limit on the size of files, its signal ignored, makes a write fail with EFBIG: to SQLite an I/O error.
    const store = JSON.stringify(new URL('./sqlite-store.ts', import.meta.url).href);
    const program = `
      import { openSqliteStore } from ${store};
      const store = openSqliteStore({ path: ${JSON.stringify(path)} });
      const codes = [];
      let done = 0;
      const attempt = (work) => { try { work(); return true; } catch (error) { codes.push(error.code); return false; } };
      const value = new Uint8Array(20_000);
      while (attempt(() => store.commit([], [{ op: 'put', space: 's', key: String(done), value }]))) done += 1;
      attempt(() => store.commit([], []));
      attempt(() => store.get('s', '0'));
      attempt(() => store.checkpoint());
      console.log(JSON.stringify({ done, codes }));`;
    const shell = 'trap "" XFSZ; ulimit -f 600; exec "$0" --input-type=module -e "$1"';
    const child = spawnSync('bash', ['-c', shell, process.execPath, program], { encoding: 'utf8' });
    const { done, codes } = JSON.parse(child.stdout) as { done: number; codes: string[] };
    expect(codes).toEqual(Array(4).fill('storage_failed'));
    expect(done).toBeGreaterThan(5);
    const again = openSqliteStore({ path });
    expect(again.count('s')).toBeGreaterThanOrEqual(done);
    expect(again.count('s')).toBeLessThanOrEqual(done + 1);
    again.close();
  });
});

describe('a value that cannot be stored', () => {
  it('is the caller’s mistake: nothing is written and the store goes on', () => {
    const store = openSqliteStore({ path });
    const good = { op: 'put', space: 's', key: 'good', value: new Uint8Array(1) } as const;
    const bad = { op: 'put', space: 's', key: 'bad', value: { length: 1 } as unknown as Uint8Array } as const;
    expect(() => store.commit([], [good, bad])).toThrow(TypeError);
    expect(store.count('s')).toBe(0);
    store.commit([], [good]);
    expect(store.count('s')).toBe(1);
    store.close();
  });
});

describe('a process that is killed while it commits', () => {
  it('leaves a whole prefix that holds all that it acknowledged', async () => {
    const here = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);
    // Its own keys cannot come back from the dead: it signs and seals by fixed stand-ins, the store and journal are real.
    const program = `
      import { writeSync } from 'node:fs';
      import { hash } from 'node:crypto';
      import { createJournal } from ${here('./journal.ts')};
      import { openSqliteStore } from ${here('./sqlite-store.ts')};
      const cipher = { currentKey: () => 1, seal: (_k, _p, bytes) => bytes, open: (_k, _p, bytes) => bytes };
      const deps = { store: openSqliteStore({ path: ${JSON.stringify(path)} }), cipher,
        sha256: (bytes) => hash('sha256', bytes, 'buffer'), signHead: () => new Uint8Array(64) };
      const journal = createJournal(deps, { vault: 'A'.repeat(43) }).value;
      for (let n = (journal.head()?.lastSeq ?? 0) + 1; ; n = journal.head().lastSeq + 1) {
        const entries = Array.from({ length: 1 + (n % 9) }, (_, i) => Buffer.from(JSON.stringify({ n: n + i }).padEnd(600)));
        const last = n + entries.length - 1;
        journal.append(entries, [{ op: 'put', space: 's', key: 'last', value: Buffer.from(String(last)) }], n);
        writeSync(1, last + '\\n');
      }`;
    let durable = 0;
    for (let round = 0; round < 5; round++) {
      const acknowledged = await runAndKill(program, 120 + round * 60);
      expect(acknowledged).toBeGreaterThan(durable);
      const store = openSqliteStore({ path });
      const last = store.lastBatch()!.lastSeq;
      expect(last).toBeGreaterThanOrEqual(acknowledged);
      expect(Buffer.from(store.get('s', 'last')!).toString()).toBe(String(last));
      const cipher = { currentKey: () => 1, seal: unchanged, open: unchanged };
      const deps = { store, cipher, sha256, signHead: () => new Uint8Array(64) };
      const opened = await createJournal(deps, { vault: 'A'.repeat(43) });
      expect(opened.ok).toBe(true);
      const entries = opened.ok ? await opened.value.read(1, last + 1) : opened;
      expect(
        entries.ok && entries.value.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as unknown),
      ).toEqual(Array.from({ length: last }, (_, i) => ({ n: i + 1 })));
      durable = last;
      store.close();
    }
    // Five starts of a process: on a busy machine each takes its time.
  }, 180_000);
});

const unchanged = (_keyId: number, _place: Uint8Array, bytes: Uint8Array) => bytes;

/** Runs the program until it has acknowledged something, and `ms` longer. Gives the last number that it printed. */
function runAndKill(program: string, ms: number): Promise<number> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  let timer: NodeJS.Timeout | undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    timer ??= setTimeout(() => child.kill('SIGKILL'), ms);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => {
      const whole = output.slice(0, output.lastIndexOf('\n') + 1).trimEnd();
      resolve(Number(whole.slice(whole.lastIndexOf('\n') + 1)));
    });
  });
}
