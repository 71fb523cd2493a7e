import { refuse } from './error.ts';

/**
 * The text of a descriptor as a tree: functions, pairs in braces (the script trees of BIP386), and words (keys, numbers,
 * hashes). What they mean is not known here.
 */
export type Expression =
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'pair'; readonly left: Expression; readonly right: Expression };

/** Room for a `multi_a` of 999 extended keys with origins. */
const MAX_LENGTH = 250_000;
/** 128 levels of a script tree (BIP341), and a miniscript below them. */
const MAX_DEPTH = 400;

export function parseExpression(text: string): Expression {
  if (text.length > MAX_LENGTH) refuse('descriptor_too_large', `A descriptor has at most ${MAX_LENGTH} characters.`);
  const reader = { text, at: 0 };
  const expression = read(reader, 0);
  if (reader.at !== text.length) malformed(reader, 'the end');
  return expression;
}

interface Reader {
  readonly text: string;
  at: number;
}

function read(reader: Reader, depth: number): Expression {
  if (depth > MAX_DEPTH) refuse('descriptor_too_large', `A descriptor nests at most ${MAX_DEPTH} levels deep.`);
  if (reader.text[reader.at] === '{') {
    reader.at++;
    const left = read(reader, depth + 1);
    expect(reader, ',');
    const right = read(reader, depth + 1);
    expect(reader, '}');
    return { kind: 'pair', left, right };
  }
  const start = reader.at;
  while (reader.at < reader.text.length && !'(){},'.includes(reader.text[reader.at]!)) reader.at++;
  const word = reader.text.slice(start, reader.at);
  if (reader.text[reader.at] !== '(') {
    if (word === '') malformed(reader, 'an expression');
    return { kind: 'word', text: word };
  }
  const args: Expression[] = [];
  do {
    reader.at++;
    args.push(read(reader, depth + 1));
  } while (reader.text[reader.at] === ',');
  expect(reader, ')');
  return { kind: 'call', name: word, args };
}

function expect(reader: Reader, character: string): void {
  if (reader.text[reader.at] !== character) malformed(reader, `“${character}”`);
  reader.at++;
}

function malformed(reader: Reader, wanted: string): never {
  refuse('descriptor_malformed', `At character ${reader.at + 1} of the descriptor, ${wanted} was expected.`);
}
