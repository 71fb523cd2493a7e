import { readFile } from 'node:fs/promises';
import { CodedError } from '@keepwatch/base';

/** The text of a file that somebody names. Error code `file_unreadable`. */
export async function readTextFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new CodedError('file_unreadable', `${path} cannot be read.`, {
      cause,
      remedy: 'Check the path, and that you may read the file.',
    });
  }
}

/** JSON in a file. Error codes `file_unreadable` and `file_malformed`. */
export async function readJsonFile(path: string): Promise<unknown> {
  const text = await readTextFile(path);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new CodedError('file_malformed', `${path} holds no JSON.`, { cause, remedy: 'Correct the file.' });
  }
}
