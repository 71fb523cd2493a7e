import { readFile } from 'node:fs/promises';
import { CodedError, fromUtf8 } from '@keepwatch/base';

/** The bytes of a file that somebody names. Error code `file_unreadable`. */
export async function readBytesFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CodedError('file_unreadable', `${path} cannot be read${code === undefined ? '' : ` (${code})`}.`, {
      cause,
      remedy: 'Check the path, and that you may read the file.',
    });
  }
}

/** The text of a file that somebody names. Error codes `file_unreadable`, and `file_malformed` where it is not UTF-8. */
export async function readTextFile(path: string): Promise<string> {
  const text = fromUtf8(await readBytesFile(path));
  if (text !== undefined) return text;
  throw new CodedError('file_malformed', `${path} is no text in UTF-8.`, { remedy: 'Correct the file.' });
}

/** JSON in a file. Error codes `file_unreadable` and `file_malformed`. */
export async function readJsonFile(path: string): Promise<unknown> {
  const text = await readTextFile(path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CodedError('file_malformed', `${path} holds no JSON.`, { cause, remedy: 'Correct the file.' });
  }
  if (!isDeep(value, MAX_DEPTH)) return value;
  const words = `${path} has lists within lists, more than ${MAX_DEPTH} deep.`;
  throw new CodedError('file_malformed', words, { remedy: 'Correct the file.' });
}

/** Deeper than anything that is read here. What walks through a value by calling itself would end with a full stack. */
const MAX_DEPTH = 64;

function isDeep(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return left === 0 || Object.values(value).some((each) => isDeep(each, left - 1));
}
