import { parseDescriptor, type Descriptor, type Network } from '@keepwatch/bitcoin';
import { usageError } from '../exit-codes.ts';
import { readTextFile } from '../json-file.ts';
import { parseCount, readTime } from '../values.ts';

/** What wallet is meant, and from when on, as people type it. */

/** Descriptors from the options, and from a file with one in each line; `#` alone begins a comment. */
export async function readDescriptors(
  given: readonly string[],
  file: string | undefined,
  network: Network,
): Promise<readonly Descriptor[]> {
  const lines = file === undefined ? [] : (await readTextFile(file)).split('\n').map((line) => line.trim());
  const texts = [...given, ...lines.filter((line) => line !== '' && !line.startsWith('#'))];
  if (texts.length === 0) {
    throw usageError(
      'option_missing',
      '--descriptor is missing.',
      "Name what is looked for, such as --descriptor 'wpkh([…]xpub…/<0;1>/*)' or --descriptor 'addr(bc1…)'.",
    );
  }
  return texts.map((text) => {
    const read = parseDescriptor(text, network);
    if (read.ok) return read.value;
    // Never the text itself: it may be a private key.
    const { code, message } = read.error;
    throw usageError(
      'descriptor',
      `--descriptor: ${message} (${code})`,
      'Give the public descriptor of the wallet, whole.',
    );
  });
}

/** Zones of the earth, and clocks that are not quite right. */
const DAY_MS = 86_400_000;

export type Beginning = { readonly height: number } | { readonly timeSeconds: number };

/** A height, or a day or time (UTC unless it says otherwise). */
export function readBeginning(text: string | undefined, option = '--from'): Beginning {
  if (text === undefined) {
    throw usageError(
      'option_missing',
      `${option} is missing.`,
      'Write the first height or day that may hold a payment, such as 800000 or 2024-05-01; 0 for all.',
    );
  }
  if (/^[0-9]+$/.test(text)) return { height: parseCount(text, option, 0x7fff_ffff) };
  const ms = readTime(text);
  if (ms !== undefined && ms > Date.now() + DAY_MS) {
    throw usageError(
      'beginning',
      `${option}: “${text}” has not come yet.`,
      'Write the first height or day that may hold a payment, such as 800000 or 2024-05-01; 0 for all.',
    );
  }
  if (ms !== undefined) return { timeSeconds: Math.max(0, Math.floor(ms / 1_000)) };
  throw usageError(
    'beginning',
    `${option}: “${text}” is no height and no day.`,
    'Write one such as 800000 or 2024-05-01.',
  );
}
