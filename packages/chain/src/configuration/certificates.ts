import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { CodedError } from '@keepwatch/base';
import * as z from 'zod';

/** The certificates that servers showed at the first meeting, by `host:port`, in a file. */
export interface Certificates {
  of(server: string): string | null;
  remember(server: string, sha256: string): void;
}

const schema = z.strictObject({ version: z.literal(1), servers: z.record(z.string(), z.string()) });

/**
 * A file that cannot be read is an error and not an empty one: to begin anew would be to trust whoever comes next. Throws
 * `certificates_damaged`.
 */
export function openCertificates(file: string): Certificates {
  const read = (): Record<string, string> => {
    if (!existsSync(file)) return {};
    try {
      return schema.parse(JSON.parse(readFileSync(file, 'utf8'))).servers;
    } catch (cause) {
      throw new CodedError('certificates_damaged', `The certificates in ${file} cannot be read.`, {
        cause,
        remedy: 'Put a copy of the file back. Removing it means to trust what each server shows next.',
      });
    }
  };
  return {
    of: (server) => read()[server] ?? null,
    remember(server, sha256) {
      const text = JSON.stringify({ version: 1, servers: { ...read(), [server]: sha256 } }, null, 2);
      writeFileSync(`${file}.new`, `${text}\n`, { mode: 0o600 });
      renameSync(`${file}.new`, file);
    },
  };
}
