const TEXT = Symbol('JSON text');

/** A result that is written already: sessions send its text as it is. */
export interface JsonText {
  readonly [TEXT]: string;
}

/** `text` is JSON. */
export function jsonText(text: string): JsonText {
  return { [TEXT]: text };
}

/** The text, if that is what a result is. */
export function textOf(result: unknown): string | undefined {
  return typeof result === 'object' && result !== null ? (result as Partial<JsonText>)[TEXT] : undefined;
}
