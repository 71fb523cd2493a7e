import { parseDescriptor, type Network } from '@keepwatch/bitcoin';
import { refuse } from './imported.ts';

/** A descriptor, checked and in its own spelling. */
export function checked(text: string, network: Network): string {
  const read = parseDescriptor(text, network);
  if (read.ok) return `${read.value.text}#${read.value.checksum}`;
  const { code, message } = read.error;
  if (code === 'descriptor_private_key') refuse('import_private_key', message);
  if (code === 'descriptor_wrong_network') refuse('import_wrong_network', message);
  refuse('import_malformed', `A descriptor in the file is not one: ${message} (${code})`);
}

/** What comes twice is once: a tuple (BIP389) and its two halves beside it are the same scripts. */
export function checkedAll(texts: readonly string[], network: Network): readonly string[] {
  const all = [...new Set(texts.map((text) => checked(text, network)))];
  const halves = new Set(
    all.filter(isTuple).flatMap((text) => branchesOf(withoutChecksum(text)).map((half) => checked(half, network))),
  );
  return all.filter((text) => isTuple(text) || !halves.has(text));
}

const isTuple = (text: string) => /<[^<>]*>/.test(text);
export const withoutChecksum = (text: string) => text.replace(/#[a-z0-9]{8}$/, '');

/** Every key takes the same place of its tuple (BIP389). */
function branchesOf(text: string): readonly string[] {
  const count = /<([^<>]*)>/.exec(text)![1]!.split(';').length;
  return Array.from({ length: count }, (_, i) =>
    text.replaceAll(/<([^<>]*)>/g, (_whole, values: string) => values.split(';')[i] ?? ''),
  );
}

/** Lines with one descriptor each; what begins with `#` is a remark. */
export function descriptorLines(text: string): readonly string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/**
 * The receiving and the change branch of a descriptor of which a program exports the first alone: with `/0/*` at the end of
 * its keys. Any other descriptor stays what it is.
 */
export function bothBranches(text: string): string {
  const plain = withoutChecksum(text);
  const ends = plain.match(/\/\*/g)?.length ?? 0;
  const zeros = plain.match(/\/0\/\*/g)?.length ?? 0;
  return ends > 0 && ends === zeros ? plain.replaceAll('/0/*', '/<0;1>/*') : text;
}
