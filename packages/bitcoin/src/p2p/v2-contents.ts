import { concat, err, ok, utf8, type Result } from '@keepwatch/base';

/** What stands inside a packet of the second transport: a message's type and payload (BIP324, "v2 Bitcoin P2P message structure"). */

/** Types of one byte; 0 announces a name of 12 bytes. Empty places are not in use. */
const SHORT_IDS: readonly string[] = [
  '',
  'addr',
  'block',
  'blocktxn',
  'cmpctblock',
  'feefilter',
  'filteradd',
  'filterclear',
  'filterload',
  'getblocks',
  'getblocktxn',
  'getdata',
  'getheaders',
  'headers',
  'inv',
  'mempool',
  'merkleblock',
  'notfound',
  'ping',
  'pong',
  'sendcmpct',
  'tx',
  'getcfilters',
  'cfilter',
  'getcfheaders',
  'cfheaders',
  'getcfcheckpt',
  'cfcheckpt',
  'addrv2',
];
const SHORT_ID = new Map(SHORT_IDS.map((command, id) => [command, id]));
const COMMAND_BYTES = 12;

export interface NamedPayload {
  readonly command: string;
  readonly payload: Uint8Array;
}

export function encodeV2Contents(command: string, payload: Uint8Array): Uint8Array {
  const id = SHORT_ID.get(command);
  if (id) return concat(Uint8Array.of(id), payload);
  const name = new Uint8Array(1 + COMMAND_BYTES);
  name.set(utf8(command), 1);
  return concat(name, payload);
}

/** An unknown short type is a message that we do not know: its command is `?` and its number. */
export function decodeV2Contents(contents: Uint8Array): Result<NamedPayload, 'message_malformed'> {
  if (contents.length === 0) return err('message_malformed');
  const id = contents[0]!;
  if (id !== 0) return ok({ command: SHORT_IDS[id] ?? `?${id}`, payload: contents.subarray(1) });
  if (contents.length < 1 + COMMAND_BYTES) return err('message_malformed');
  let command = '';
  let ended = false;
  for (const byte of contents.subarray(1, 1 + COMMAND_BYTES)) {
    if (byte === 0) ended = true;
    else if (ended || byte < 0x20 || byte > 0x7e) return err('message_malformed');
    else command += String.fromCharCode(byte);
  }
  return ok({ command, payload: contents.subarray(1 + COMMAND_BYTES) });
}
