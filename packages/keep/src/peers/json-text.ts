import { receiptText, type ReceiptParts } from '@keepwatch/wire';

const OWN = Symbol('JSON text');

/** The result of a method that signs, written already, but for what its receipt has in common with the one before. */
export interface JsonText {
  readonly [OWN]: string;
  readonly receipt: ReceiptParts;
}

/** `own` is the members of the result before its receipt, as JSON: `"name":value` and commas between them. */
export function jsonText(own: string, receipt: ReceiptParts): JsonText {
  return { [OWN]: own, receipt };
}

export function isJsonText(result: unknown): result is JsonText {
  return typeof result === 'object' && result !== null && OWN in result;
}

/** The result as JSON. `before`: the receipt that its reader had last, if it may be referred to. */
export function textOf(result: JsonText, before: ReceiptParts | null): string {
  return `{${result[OWN]},"receipt":${receiptText(result.receipt, before)}}`;
}
