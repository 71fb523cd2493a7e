import { CHAIN_ERRORS } from './errors/chain.ts';
import { CLIENT_ERRORS } from './errors/client.ts';
import { COMMAND_LINE_ERRORS } from './errors/command-line.ts';
import { CONNECTION_ERRORS } from './errors/connection.ts';
import { KEY_ERRORS } from './errors/keys.ts';
import { MONITOR_ERRORS } from './errors/monitor.ts';
import { NOTIFY_ERRORS } from './errors/notify.ts';
import { PROCESS_ERRORS } from './errors/processes.ts';
import { STORAGE_ERRORS } from './errors/storage.ts';
import { WATCH_ERRORS } from './errors/watch.ts';
import { VAULT_ERRORS } from './errors/vault.ts';

export { CONNECTION_ERRORS, type ConnectionErrorCode } from './errors/connection.ts';
export type { ErrorText } from './errors/text.ts';

/**
 * Every error that a peer, an operator or a reader of the logs can meet: a stable code, what it means, what to do next.
 * Whoever throws one may say more than the table, which knows no names and numbers. docs/errors.md shows the table, and
 * a test keeps table, page and source together in both directions.
 */
export const ERRORS = {
  ...VAULT_ERRORS,
  ...CONNECTION_ERRORS,
  ...CLIENT_ERRORS,
  ...COMMAND_LINE_ERRORS,
  ...STORAGE_ERRORS,
  ...KEY_ERRORS,
  ...PROCESS_ERRORS,
  ...CHAIN_ERRORS,
  ...MONITOR_ERRORS,
  ...NOTIFY_ERRORS,
  ...WATCH_ERRORS,
} as const;

export type ErrorCode = keyof typeof ERRORS;

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}
