import { LABEL_TYPES } from '@keepwatch/watch';
import { z } from 'zod';
import { refuse, type Imported, type ImportedLabel } from './imported.ts';

/** Labels of wallets (BIP329 §Specification): one JSON object in each line. Records of types to come are left out. */
const labelSchema = z.object({
  type: z.enum(LABEL_TYPES),
  ref: z.string().min(1).max(1_000),
  // BIP329 §Importing: a longer label may be shortened; here it is refused before it takes memory.
  label: z
    .string()
    .max(10_000)
    .nullish()
    .transform((label) => label ?? ''),
});
const record = z.object({ type: z.string(), ref: z.string() });

/** What of these is a label that is known, and is not empty. */
export function labelsOf(records: readonly unknown[]): readonly ImportedLabel[] {
  return records.flatMap((value): readonly ImportedLabel[] => {
    const read = labelSchema.safeParse(value);
    return read.success && read.data.label !== '' ? [read.data] : [];
  });
}

export function bip329(text: string): Imported {
  const labels = text.split(/\r?\n/).flatMap((line, i): readonly ImportedLabel[] => {
    if (line.trim() === '') return [];
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return refuse('import_malformed', `Line ${i + 1} of the labels is no JSON.`);
    }
    if (!record.safeParse(value).success) {
      return refuse('import_malformed', `Line ${i + 1} of the labels has no type and ref.`);
    }
    return labelsOf([value]);
  });
  return { format: 'bip329', wallets: [], labels };
}
