/** What an owner may write a label to (BIP329 §Specification). */
export const LABEL_TYPES = ['tx', 'addr', 'pubkey', 'input', 'output', 'xpub'] as const;
export type LabelType = (typeof LABEL_TYPES)[number];

/** `output:TXID:0`. What a label is of is part of its key: an input and an output may have the same reference. */
export const labelKey = (type: LabelType, ref: string): string => `${type}:${ref}`;

/** What an owner wrote to it. Older journals have references alone, which were taken for an output's. */
export function labelOf(labels: Readonly<Record<string, string>>, type: LabelType, ref: string): string | null {
  const keys = [labelKey(type, ref), ...(type === 'input' ? [] : [ref])];
  const key = keys.find((each) => Object.hasOwn(labels, each));
  return key === undefined ? null : labels[key]!;
}
