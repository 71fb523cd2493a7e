import { usageError } from './exit-codes.ts';

/** The value of an option that the command cannot do without. Error code `usage_option_missing`. */
export function needed(value: string | undefined, option: string): string {
  if (value !== undefined) return value;
  throw usageError('option_missing', `${option} is missing.`, 'Add --help to see what the command takes.');
}
