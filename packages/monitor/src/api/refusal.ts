import { CodedError } from '@keepwatch/base';
import type { z } from 'zod';

const OTHER_VERSION =
  'Look at what was given; or the command and the monitor are of different versions: start it anew.';

/** `monitor_refused` for what a method does not take: the first thing that is wrong with it, and what to do about that. */
export function refusalOf({ issues }: z.ZodError): CodedError {
  const { code, path, message } = issues[0]!;
  // A member that is missing, unknown or of another kind is no slip of whoever typed a value.
  const isOfShape = code === 'unrecognized_keys' || code === 'invalid_type';
  return new CodedError('monitor_refused', `${path.join('.') || 'params'}: ${message}`, {
    remedy: isOfShape ? OTHER_VERSION : 'Correct what was given.',
  });
}

/** For what there is not in this version. */
export const refused = (words: string): CodedError =>
  new CodedError('monitor_refused', words, { remedy: OTHER_VERSION });
