/**
 * What may reach a terminal. Names, sentences and reasons come from a vault, which has them from whoever asks for
 * something: an escape sequence among them could hide or change what an operator decides by. So whatever the command
 * writes goes through here, and not each place has to think of it.
 */

/** Controls, formats (directions, zero-width letters, tags), private use, fillers, and line separators. */
const UNSEEN = String.raw`(?![\n\t])[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]`;
/** The colours of `createPaint`, and no other sequence. */
const PAINT = String.raw`\u001b\[(?:1|2|22|31|32|33|36|39)m`;

const IN_TEXT = new RegExp(`(${PAINT})|${UNSEEN}`, 'gu');
const IN_JSON = new RegExp(UNSEEN, 'gu');

/** The text with a visible sign for everything in it that nobody would see. */
export function shown(text: string): string {
  return text.replace(IN_TEXT, (_unseen, paint: string | undefined) => paint ?? '�');
}

/** The same value, in ASCII where it is not visible (RFC 8259 §7): a program reads what it would have read. */
export function shownJson(json: string): string {
  return json.replace(IN_JSON, (unseen) =>
    Array.from({ length: unseen.length }, (_, i) => `\\u${unseen.charCodeAt(i).toString(16).padStart(4, '0')}`).join(
      '',
    ),
  );
}
