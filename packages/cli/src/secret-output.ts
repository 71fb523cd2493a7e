import type { Context } from './command.ts';
import { usageError } from './exit-codes.ts';
import { writeNewFile } from './new-file.ts';
import type { Terminal } from './terminal.ts';

/**
 * Where a secret that is handed out may go: to the eyes of a person at a terminal, or into a new file that only its
 * owner can read. Anything else has to be asked for by name (`--out -`). Decided before the secret is asked for.
 */
export interface SecretSink {
  /** Writes the secret with a line feed; the caller wipes it. */
  write(secret: Uint8Array): Promise<void>;
  /** `null`: it was shown. */
  readonly file: string | null;
}

/** Hands `use` the place where the secret goes; a file is there in the end only where `use` succeeds. */
export async function withSecretSink<T>(
  context: Context,
  out: string | undefined,
  use: (sink: SecretSink) => Promise<T>,
): Promise<T> {
  const { terminal, json } = context;
  if (out === undefined || out === '-') {
    if (json) {
      throw usageError('secret_in_json', 'A secret is not part of a JSON answer.', 'Name a new file with --out FILE.');
    }
    if (out === undefined && !(terminal.output as { isTTY?: boolean }).isTTY) {
      throw usageError(
        'no_terminal',
        'The secret would go to something that is no terminal.',
        'Give --out FILE, or --out - if that is meant.',
      );
    }
    return use({ file: null, write: (secret) => show(terminal, secret) });
  }
  return writeNewFile(out, (file) =>
    use({
      file: out,
      async write(secret) {
        const line = withLineFeed(secret);
        await file.write(line).finally(() => line.fill(0));
      },
    }),
  );
}

function show(terminal: Terminal, secret: Uint8Array): Promise<void> {
  const line = withLineFeed(secret);
  return new Promise((resolve, reject) => {
    terminal.output.write(line, (error) => {
      line.fill(0);
      if (error) reject(error);
      else resolve();
    });
  });
}

function withLineFeed(secret: Uint8Array): Uint8Array {
  const line = new Uint8Array(secret.length + 1);
  line.set(secret);
  line[secret.length] = 0x0a;
  return line;
}
