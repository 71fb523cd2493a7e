import { readFile } from 'node:fs/promises';
import { CodedError, fromUtf8 } from '@keepwatch/base';

/** The bytes of a file that somebody names. Error code `file_unreadable`. */
export async function readBytesFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new CodedError('file_unreadable', `${path} cannot be read.`, {
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
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new CodedError('file_malformed', `${path} holds no JSON.`, { cause, remedy: 'Correct the file.' });
  }
}
