/** What to look for: a secret in every form in which careless code could have left it behind. */

export interface Secret {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface Needle {
  readonly secret: string;
  readonly form: string;
  readonly bytes: Uint8Array;
}

/** Shorter parts would be found by chance, or where they mean nothing. */
const BLOCK = 16;

export function needlesOf(secrets: readonly Secret[]): readonly Needle[] {
  return secrets.flatMap(({ name, bytes }) => {
    const forms: [form: string, bytes: Uint8Array][] = [
      ['as it is', bytes],
      ['reversed', bytes.toReversed()],
      ...texts('as text', Buffer.from(bytes).toString('latin1')).slice(1),
      ...texts('hex', Buffer.from(bytes).toString('hex')),
      ...texts('HEX', Buffer.from(bytes).toString('hex').toUpperCase()),
    ];
    for (const encoding of ['base64', 'base64url'] as const) {
      for (const shift of [0, 1, 2]) forms.push(...texts(`${encoding} +${shift}`, base64At(bytes, shift, encoding)));
    }
    for (let at = 0; at + BLOCK <= bytes.length && bytes.length > BLOCK; at += BLOCK) {
      forms.push([`bytes ${at} to ${at + BLOCK}`, bytes.subarray(at, at + BLOCK)]);
    }
    return forms.map(([form, needle]) => ({ secret: name, form, bytes: needle }));
  });
}

/** A text as JavaScript keeps it: one byte a character, or two. */
function texts(form: string, text: string): [string, Uint8Array][] {
  return [
    [form, Buffer.from(text, 'latin1')],
    [`${form}, UTF-16LE`, Buffer.from(text, 'utf16le')],
  ];
}

/** The characters that `bytes` alone decide where they stand `shift` bytes after a multiple of three. */
function base64At(bytes: Uint8Array, shift: number, encoding: 'base64' | 'base64url'): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString(encoding)
    .replace(/=+$/, '');
  const first = Math.ceil((shift * 8) / 6);
  const end = Math.floor(((shift + bytes.length) * 8) / 6);
  return text.slice(first, end);
}

export interface Haystack {
  /** Calls `found` for each needle in the bytes, with where it begins. */
  search(bytes: Uint8Array, found: (needle: Needle, at: number) => void): void;
  readonly longest: number;
}

const PREFIX = 3;

/** Looks for all needles at once: one pass, in which the first three bytes of each are a bit in a table. */
export function createHaystack(needles: readonly Needle[]): Haystack {
  const known = new Uint8Array(2 ** (PREFIX * 8 - 3));
  const byPrefix = new Map<number, Needle[]>();
  for (const needle of needles) {
    const [a, b, c] = needle.bytes as unknown as [number, number, number];
    const prefix = a | (b << 8) | (c << 16);
    known[prefix >> 3]! |= 1 << (prefix & 7);
    byPrefix.set(prefix, [...(byPrefix.get(prefix) ?? []), needle]);
  }
  return {
    longest: Math.max(...needles.map(({ bytes }) => bytes.length)),
    search(bytes, found) {
      let prefix = (bytes[0]! << 8) | (bytes[1]! << 16);
      for (let at = 0; at + PREFIX <= bytes.length; at++) {
        prefix = (prefix >>> 8) | (bytes[at + 2]! << 16);
        if ((known[prefix >> 3]! & (1 << (prefix & 7))) === 0) continue;
        for (const needle of byPrefix.get(prefix) ?? []) if (startsAt(bytes, at, needle.bytes)) found(needle, at);
      }
    },
  };
}

function startsAt(bytes: Uint8Array, at: number, needle: Uint8Array): boolean {
  if (at + needle.length > bytes.length) return false;
  for (let i = PREFIX; i < needle.length; i++) if (bytes[at + i] !== needle[i]) return false;
  return true;
}
