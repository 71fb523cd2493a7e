import { countItems, enterList, leaveList, openList, readString, type RlpReader } from './rlp-reader.ts';
import type { RlpItem } from './rlp.ts';

/** The tree that one encoding of one list says, read by the reader, or the code of its failure. */
export function readTree(bytes: Uint8Array, maxBytes = 4096): RlpItem | string {
  const reader = openList(bytes, 0, maxBytes, 'not_a_list');
  const items = readItems(reader);
  return reader.error ?? items;
}

function readItems(reader: RlpReader<string>): RlpItem[] {
  const items: RlpItem[] = [];
  const count = countItems(reader);
  while (reader.at < reader.end) {
    if (reader.bytes[reader.at]! < 0xc0) {
      readString(reader, 'not_a_string');
      items.push(reader.bytes.subarray(reader.start, reader.start + reader.length));
    } else {
      const outer = enterList(reader, 'not_a_list');
      items.push(readItems(reader));
      leaveList(reader, outer, 'left_over');
    }
  }
  if (reader.error === null && items.length !== count) throw new Error('counted wrongly');
  return items;
}
