/**
 * An error with a stable code. `message` says what happened, `remedy` what to do next, `details` holds plain JSON for
 * programs. The codes stand in `protocol`'s table (docs/errors.md). Never put a secret into any of the fields.
 */
export class CodedError extends Error {
  readonly code: string;
  readonly remedy: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(
    code: string,
    message: string,
    options: { cause?: unknown; remedy?: string; details?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CodedError';
    this.code = code;
    this.remedy = options.remedy;
    this.details = options.details;
  }
}
