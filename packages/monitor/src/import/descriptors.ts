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

/** The expressions that it stands for, without what only says where a key comes from: two that are alike give the same scripts. */
export function plainBranches(text: string): readonly string[] {
  const plain = withoutChecksum(text).replaceAll(/\[[0-9a-f]{8}[^\]]*\]/g, '');
  return isTuple(plain) ? branchesOf(plain) : [plain];
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

/** Lines with one descriptor each; what begins with `#` is a remark. Some programs write what it is before it: `Receive: wpkh(…`. */
export function descriptorLines(text: string): readonly string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.replace(/^[\p{L} ]{1,40}:\s+(?=[a-z_]+\()/u, ''));
}

/** A key with its origin and nothing behind it: the next thing ends the expression, or is another argument. */
const BARE_KEY = /((?:\[[^\]]*\])?[xt]pub[1-9A-HJ-NP-Za-km-z]{100,112})(?=[,)])/g;

/**
 * The receiving and the change branch of a descriptor of which a program exports the first alone: with `/0/*` at the end of
 * its keys; or with no path behind any of its extended keys, which is the account's key and no address of it. Any other
 * descriptor stays what it is.
 */
export function bothBranches(text: string): string {
  const plain = withoutChecksum(text);
  const ends = plain.match(/\/\*/g)?.length ?? 0;
  const zeros = plain.match(/\/0\/\*/g)?.length ?? 0;
  if (ends > 0) return ends === zeros ? plain.replaceAll('/0/*', '/<0;1>/*') : text;
  const keys = plain.match(/[xt]pub[1-9A-HJ-NP-Za-km-z]{100,112}/g)?.length ?? 0;
  const bare = plain.match(BARE_KEY)?.length ?? 0;
  return keys > 0 && keys === bare ? plain.replaceAll(BARE_KEY, '$1/<0;1>/*') : text;
}
