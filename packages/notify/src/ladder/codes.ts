import { concat, toBase64url, toHex, utf8, type Sha256 } from '@keepwatch/base';
import type { AcknowledgeBy } from '../channel.ts';
import type { Code, Ladder } from './state.ts';

/**
 * Codes of one rung: for each channel a short one to send back, and a link with one that is too long to guess. Both are
 * made of fresh random bytes that nobody keeps; what is kept is a hash of each.
 */
export function makeCodes(
  given: { readonly escalation: string; readonly step: number; readonly first: number; readonly nowMs: number },
  { rungs, pageUrl, codeMs }: Ladder,
  entropy: Uint8Array,
  sha256: Sha256,
): { readonly codes: Code[]; readonly byChannel: ReadonlyMap<string, AcknowledgeBy> } {
  if (entropy.length < 32) throw new RangeError('codes are made of at least 32 random bytes');
  const { escalation, step, first, nowMs } = given;
  const rung = rungs[(step - first) % rungs.length]!;
  const codes: Code[] = [];
  const byChannel = new Map<string, AcknowledgeBy>();
  for (const channel of rung.channels) {
    const make = (purpose: string) =>
      sha256(concat(entropy, utf8(JSON.stringify([purpose, escalation, step, channel]))));
    const code = shortCode(make('code'));
    const token = toBase64url(make('link').subarray(0, 24));
    byChannel.set(channel, { code, url: pageUrl === null ? null : `${pageUrl}${token}` });
    for (const each of pageUrl === null ? [code] : [code, token]) {
      codes.push({ hash: hashOf(each, sha256), step, who: rung.who, channel, untilMs: nowMs + codeMs });
    }
  }
  return { codes, byChannel };
}

/** Crockford's base32: no letter that is taken for another. Eight of them are 40 bits. */
const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE_LENGTH = 8;

function shortCode(bytes: Uint8Array): string {
  return [...bytes.subarray(0, CODE_LENGTH)].map((byte) => LETTERS[byte & 31]).join('');
}

/** As a person types it: small letters, spaces and dashes, and O for 0. A link's token stays as it is. */
export function normalCode(text: string): string {
  const trimmed = text.trim();
  if (isToken(trimmed)) return trimmed;
  return trimmed.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
}

/** 24 bytes in base64url: what stands in links. */
export function isToken(text: string): boolean {
  return /^[A-Za-z0-9_-]{32}$/.test(text);
}

export function hashOf(code: string, sha256: Sha256): string {
  return toHex(sha256(utf8(`keepwatch/acknowledgement/${code}`)));
}
