// Stands for `vitest` in a process that runs the same tests many times: `describe` and `it` only collect, `expect` is
// vitest's own. Hooks and modifiers are not here because the tests of the pure packages use none; importing one of them
// fails, so that a test is never left out silently.
import { format } from 'node:util';

export { expect } from 'vitest';

let titles = [];
let collected = [];

/** Runs `load`, which imports one test file, and returns its tests: `{ name, run }`, names numbered where they repeat. */
export async function collectTests(load) {
  titles = [];
  collected = [];
  await load();
  const seen = new Map();
  return collected.map(({ name, run }) => {
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return { name: times === 1 ? name : `${name} (${times})`, run };
  });
}

export const describe = (title, body) => {
  titles.push(title);
  body();
  titles.pop();
};

export const it = (title, run) => {
  collected.push({ name: [...titles, title].join(' > '), run });
};

const each = (register) => (table) => (title, body) => {
  // As vitest has it: rows are spread where all of them are lists.
  const areLists = table.every(Array.isArray);
  for (const row of table) {
    const values = areLists ? row : [row];
    const named = String(title).replaceAll(/\$(\w+)/g, (all, key) =>
      row?.[key] === undefined ? all : String(row[key]),
    );
    register(format(named, ...values.slice(0, (named.match(/%[a-z]/g) ?? []).length)), () => body(...values));
  }
};

describe.each = each(describe);
it.each = each(it);
