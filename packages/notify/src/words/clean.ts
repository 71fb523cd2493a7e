/**
 * A label, name or memo of somebody else on one line, so that it cannot pretend to be something else: without control
 * characters, line ends, invisible characters and what turns the direction of writing round (Unicode Standard Annex #9,
 * §2; CVE-2021-42574), and no longer than `most` characters.
 */
export function cleanLabel(text: string, most = 64): string {
  const clean = text
    // First, for it may stand between two blanks, or between a letter and its accent.
    .replace(
      /(?!\s)[\p{Cc}\p{Cs}\p{Co}\p{Cn}\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu,
      '',
    )
    .normalize('NFC')
    .replace(/[\s\u2028\u2029]+/gu, ' ')
    .trim();
  const letters = [...clean];
  return letters.length <= most ? clean : `${letters.slice(0, most - 1).join('')}…`;
}
