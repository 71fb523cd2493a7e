import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** Lines that are repeated of each failure. */
const WORDS = 30;

/** What failed in a vitest report (its JSON reporter's form), shortly: a log of which only the end is left must say it. */
export function failuresOf(project, { testResults }) {
  return testResults.flatMap((file) => {
    const where = `${project} ${relative('.', file.name)}`;
    const tests = file.assertionResults.filter(({ status }) => status === 'failed');
    if (tests.length > 0) {
      return tests.map(({ fullName, failureMessages }) => failure(`${where} ${fullName}`, failureMessages.join('\n')));
    }
    // A file that could not be loaded fails without a failed test.
    return file.status === 'failed' ? [failure(where, file.message)] : [];
  });
}

/** One failure of any kind, in the first lines of its words. */
export function failure(name, words) {
  const lines = stripVTControlCharacters(words).trimEnd().split('\n');
  return { name, lines: lines.length > WORDS ? [...lines.slice(0, WORDS), '…'] : lines };
}

export function tellFailure({ name, lines }) {
  return `FAILED ${name}\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
