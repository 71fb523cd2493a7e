import { concat, err, fromUtf8, ok, utf8, type Keccak256, type Result } from '@keepwatch/base';

/**
 * Text that an account signs (EIP-191, version 0x45; `personal_sign`). What is signed here is read by people and by
 * contracts that check signatures, so that a text must not be something else in disguise: above all not the hash of a user
 * operation, of a Safe’s transaction or of an order, whose signature moves money.
 */

export type MessageErrorCode =
  | 'message_empty'
  | 'message_too_long'
  | 'message_of_32_bytes'
  | 'message_not_utf8'
  | 'message_not_printable'
  | 'message_is_a_digest';

/** What a person could read, with room for the longest sign-in texts (ERC-4361). */
const MAX_BYTES = 16 * 1024;

/**
 * Line feed and tab are text. Everything else that shows nothing, or changes how other letters are shown, is not: control
 * characters, formatting (bidirectional overrides, zero-width letters, tags), what fonts ignore by default (fillers,
 * variation selectors), private use, line separators that some screens show and others do not, and non-characters.
 */
const NOT_PRINTABLE =
  /(?![\n\t])[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/u;
/** More marks over one letter than any script has (UAX #15, Stream-Safe Text Format). To put them in order takes long. */
const OVERLOADED = /\p{M}{31}/u;

/**
 * The text that `bytes` are. They are the message itself, without the prefix that {@link messageDigest} puts before it.
 *
 * - `message_empty`, `message_too_long` (16 KiB)
 * - `message_of_32_bytes`: a digest has this length, and printable ones can be searched for (one in 2^46 is all ASCII)
 * - `message_not_utf8`: not text (RFC 3629)
 * - `message_not_printable`: it holds what nobody sees, or letters under so many marks that nobody reads them
 * - `message_is_a_digest`: the whole text spells 32 bytes or more: in hex, with or without 0x and separators, in decimal,
 *   binary or escapes; or as one word in base64, base64url, base58 or base32. Contracts check signatures over such texts
 *   too. A digest within a sentence is for the grant to judge, which names the words before it.
 */
export function decodeMessage(bytes: Uint8Array): Result<string, MessageErrorCode> {
  if (bytes.length === 0) return err('message_empty');
  if (bytes.length > MAX_BYTES) return err('message_too_long');
  if (bytes.length === 32) return err('message_of_32_bytes');
  const text = fromUtf8(bytes);
  if (text === undefined) return err('message_not_utf8');
  if (NOT_PRINTABLE.test(text) || OVERLOADED.test(text)) return err('message_not_printable');
  return spellsDigest(text) ? err('message_is_a_digest') : ok(text);
}

/** No letters but those of hex digits and of the prefixes 0x and \x, and no other writing than signs and spaces. */
const ONLY_DIGITS = /^[0-9a-fx\s\p{P}\p{S}]*$/iu;
/** An address has 40 hex digits and may be signed. What is shorter than 41 digits is no digest that could be searched for. */
const MOST_DIGITS = 40;
/** One word in the letters of base64, base64url, base58 and base32. A UUID has 36 letters. */
const ONE_WORD = /^[A-Za-z0-9+/_=-]{37,}$/;

function spellsDigest(text: string): boolean {
  // Full-width digits and letters stand for the plain ones.
  const plain = text.normalize('NFKC');
  if (ONLY_DIGITS.test(plain)) {
    const digits = plain.replace(/0x/gi, '').replace(/[^0-9a-f]/gi, '');
    return digits.length > MOST_DIGITS;
  }
  return ONE_WORD.test(withoutEdges(plain));
}

const EDGE = /^[\s\p{P}]$/u;

/**
 * Without spaces and punctuation at both ends. Letter by letter: a pattern with an end after a repetition begins anew at
 * each letter, and a text of 16 KiB that is full of dots would hold up the vault for half a second.
 */
function withoutEdges(text: string): string {
  const letters = [...text];
  let from = 0;
  let to = letters.length;
  while (from < to && EDGE.test(letters[from]!)) from++;
  while (from < to && EDGE.test(letters[to - 1]!)) to--;
  return letters.slice(from, to).join('');
}

/** What is hashed to be signed: 0x19 ‖ "Ethereum Signed Message:\n" ‖ length in decimal ‖ message. */
export function messagePreimage(bytes: Uint8Array): Uint8Array {
  return concat(utf8(`\x19Ethereum Signed Message:\n${bytes.length}`), bytes);
}

/** What the account signs: the Keccak-256 of 0x19 ‖ "Ethereum Signed Message:\n" ‖ length in decimal ‖ message. */
export function messageDigest(bytes: Uint8Array, keccak: Keccak256): Uint8Array {
  return keccak(messagePreimage(bytes));
}
