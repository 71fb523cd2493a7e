import { concat, mapEach, u32be, utf8 } from '@keepwatch/base';
import type { Wallet } from './state.ts';

/**
 * Wallets as they stand in a snapshot: column by column, one for each of FIELDS. A vault may hold a hundred thousand, and
 * its start waits for them; so what is hex or base64url stands as bytes, what is equal for all stands once, and nothing
 * becomes an object before somebody asks for that wallet.
 *
 *     column = count u32 ‖ values
 *     values = 0 ‖ JSON array of the values
 *            | 1 ‖ JSON of the one value that all have
 *            | 2 ‖ bytes of a value u8 ‖ prefix length u8 ‖ prefix ‖ bytes            (lower-case hex after the prefix)
 *            | 3 ‖ bytes of a value u8 ‖ bytes, each value padded to a multiple of 3   (base64url)
 */
const LIST = 0;
const SAME = 1;
const HEX = 2;
const BASE64URL = 3;

const FIELDS = Object.keys({
  wallet: true,
  name: true,
  publicKey: true,
  address: true,
  origin: true,
  seed: true,
  path: true,
  created: true,
  floorEpoch: true,
} satisfies Record<keyof Wallet, true>) as (keyof Wallet)[];

export interface WalletColumns {
  readonly count: number;
  id(i: number): string;
  name(i: number): string;
  wallet(i: number): Wallet;
}

export const NO_WALLETS: WalletColumns = {
  count: 0,
  id: () => '',
  name: () => '',
  wallet() {
    throw new RangeError('there is no wallet');
  },
};

/** The wallets as they are now, column by column: each is encoded when it is asked for. */
export function encodeWallets(wallets: readonly Readonly<Wallet>[]): Iterable<Uint8Array> {
  // Values, and not wallets: a wallet may be changed in place meanwhile.
  const columns = mapEach(FIELDS, (field) => mapEach(wallets, (wallet) => wallet[field]));
  return encoded();

  function* encoded(): Generator<Uint8Array> {
    for (const values of columns) yield concat(u32be(values.length), encodeColumn(values));
  }
}

/** Throws a TypeError where these are no columns; what stands in them is looked at when it is asked for. */
export function decodeWallets(encoded: readonly Uint8Array[]): WalletColumns {
  const counts = new Set(
    encoded.map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0)),
  );
  const [count] = counts;
  if (encoded.length !== FIELDS.length || counts.size !== 1 || count === undefined) {
    throw new TypeError('the columns of the wallets do not fit together');
  }
  const columns = FIELDS.map((field, i) => {
    const column = encoded[i]!.subarray(4);
    return [field, lazily(() => decodeColumn(column, count))] as const;
  });
  const read = Object.fromEntries(columns) as Record<keyof Wallet, (i: number) => unknown>;
  return {
    count,
    id: (i) => read.wallet(i) as string,
    name: (i) => read.name(i) as string,
    wallet: (i) => Object.fromEntries(columns.map(([field, value]) => [field, value(i)])) as unknown as Wallet,
  };
}

type Column = (i: number) => unknown;

function lazily(make: () => Column): Column {
  let column: Column | undefined;
  return (i) => (column ??= make())(i);
}

function encodeColumn(values: readonly unknown[]): Uint8Array {
  const [first] = values;
  if (values.length > 0 && values.every((value) => value === first)) {
    return concat(Uint8Array.of(SAME), utf8(JSON.stringify(first)));
  }
  if (values.every((value) => typeof value === 'string')) {
    const compact = encodeHex(values) ?? encodeBase64url(values);
    if (compact) return compact;
  }
  return concat(Uint8Array.of(LIST), utf8(JSON.stringify(values)));
}

function encodeHex(values: readonly string[]): Uint8Array | undefined {
  const prefix = values.every((value) => value.startsWith('0x')) ? '0x' : '';
  const width = ((values[0]?.length ?? 0) - prefix.length) / 2;
  if (!isWidth(width)) return undefined;
  let digits = '';
  for (const value of values) digits += value.slice(prefix.length);
  const bytes = Buffer.from(digits, 'hex');
  const column = concat(Uint8Array.of(HEX, width, prefix.length), utf8(prefix), bytes);
  return isColumnOf(column, values) ? column : undefined;
}

function encodeBase64url(values: readonly string[]): Uint8Array | undefined {
  const width = Math.floor(((values[0]?.length ?? 0) * 3) / 4);
  if (!isWidth(width)) return undefined;
  const padded = Math.ceil(width / 3) * 3;
  const bytes = Buffer.alloc(padded * values.length);
  for (let i = 0; i < values.length; i++) bytes.write(values[i]!, i * padded, width, 'base64url');
  const column = concat(Uint8Array.of(BASE64URL, width), bytes);
  return isColumnOf(column, values) ? column : undefined;
}

const isWidth = (width: number) => Number.isInteger(width) && width > 0 && width < 256;

/** Whatever an encoding would change (upper case, other lengths, bits to spare) is not for it. */
function isColumnOf(column: Uint8Array, values: readonly string[]): boolean {
  const read = decodeColumn(column, values.length);
  return values.every((value, i) => value === read(i));
}

function decodeColumn(bytes: Uint8Array, count: number): Column {
  const column = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  switch (column[0]) {
    case SAME: {
      const value = JSON.parse(column.toString('utf8', 1)) as unknown;
      return () => value;
    }
    case LIST: {
      const values = JSON.parse(column.toString('utf8', 1)) as unknown[];
      return (i) => values[i];
    }
    case HEX: {
      const [width, prefixed] = [column[1]!, column[2]!];
      const prefix = column.toString('utf8', 3, 3 + prefixed);
      const from = 3 + prefixed;
      return (i) => prefix + column.toString('hex', from + i * width, from + (i + 1) * width);
    }
    case BASE64URL: {
      const width = column[1]!;
      const padded = Math.ceil(width / 3) * 4;
      const length = Math.ceil((width * 4) / 3);
      // One conversion for all: the ids of all wallets are read at the start.
      const text = column.toString('base64url', 2, 2 + (count * padded * 3) / 4);
      return (i) => text.slice(i * padded, i * padded + length);
    }
    default:
      throw new TypeError('a column of the wallets is of no known kind');
  }
}
