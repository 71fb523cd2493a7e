import { CodedError } from '@keepwatch/base';
import type { CheckedReceipt } from '@keepwatch/sdk';
import type { Answer, Context } from './command.ts';
import { openNewFile } from './new-file.ts';

/**
 * Signs with a file for the receipt (`undefined`: none). A signature spends what a grant allows, so the file is begun
 * before anything is asked for, and nothing of it stays where nothing is signed. What is signed is answered in any case:
 * where `save` could not write the receipt, `sign` goes on, its answer is printed, and then the error says how to get it.
 * Error code `file_unwritable`.
 */
export async function withReceiptFile(
  context: Context,
  path: string | undefined,
  sign: (save: (receipt: CheckedReceipt) => Promise<void>) => Promise<Answer>,
): Promise<Answer> {
  if (path === undefined) return sign(async () => {});
  const file = await openNewFile(path);
  let unsaved: CodedError | undefined;
  try {
    const answer = await sign(async ({ seq, json }) => {
      try {
        await file.write(`${JSON.stringify(json, null, 2)}\n`);
        await file.keep();
      } catch (cause) {
        unsaved = notSaved(seq, cause);
      }
    });
    if (!unsaved) return answer;
    context.emit(answer);
    throw unsaved;
  } catch (error) {
    if (unsaved && error !== unsaved) context.note(`${unsaved.message}\n  ${unsaved.remedy}`);
    throw error;
  } finally {
    await file.drop();
  }
}

function notSaved(seq: number, cause: unknown): CodedError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new CodedError('file_unwritable', `It is signed, but its receipt is not saved. ${why}`, {
    cause,
    remedy: `Do not sign it again for that: an operator gets the receipt by \`keepwatch journal receipt ${seq}\`.`,
    details: { seq },
  });
}
