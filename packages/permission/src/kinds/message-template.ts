/** What may not stand for a placeholder: a message that grows lines can say anything below them. */
const LINE_BREAK = /[\n\v\f\r\u0085\u2028\u2029]/;
const MAX_PLACEHOLDER = 256;

/**
 * Whether `text` is the template with each `{}` replaced by 1 to 256 characters (UTF-16 units) without a line break. Linear in the text
 * for each placeholder: of all ends that the part before can have, the nearest before the next part is as good as any.
 */
export function fitsTemplate(template: string, text: string): boolean {
  const [first = '', ...parts] = template.split('{}');
  if (!text.startsWith(first)) return false;
  if (parts.length === 0) return text === first;
  let ends: readonly number[] = [first.length];
  for (const [i, part] of parts.entries()) {
    const isLast = i === parts.length - 1;
    ends = endsAfter(text, part, ends, isLast);
    if (ends.length === 0) return false;
  }
  return true;
}

/** Where `part` can end if the placeholder before it begins at one of `starts` (ascending). */
function endsAfter(text: string, part: string, starts: readonly number[], isLast: boolean): readonly number[] {
  const ends: number[] = [];
  let next = 0;
  const from = isLast ? text.length - part.length : starts[0]! + 1;
  for (let at = text.indexOf(part, from); at >= 0; at = text.indexOf(part, at + 1)) {
    while (next + 1 < starts.length && starts[next + 1]! < at) next++;
    const start = starts[next]!;
    const inPlace = start < at && at - start <= MAX_PLACEHOLDER && !LINE_BREAK.test(text.slice(start, at));
    if (inPlace && (!isLast || at + part.length === text.length)) ends.push(at + part.length);
    if (at >= text.length) break;
  }
  return ends;
}
