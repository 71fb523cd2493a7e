import pino from 'pino';

/** What gate's modules log through: structured fields first, then one plain sentence. */
export interface GateLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * JSON lines on stdout, written synchronously so that the last words before an exit are not lost. Gate sees no secrets;
 * the redaction is for the day when somebody logs a whole object.
 */
export function createLog(level: string): GateLog {
  return pino(
    {
      name: 'gate',
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: ['token', '*.token', 'privateKey', '*.privateKey', 'password', '*.password', '*.payload', 'payload'],
    },
    pino.destination({ fd: 1, sync: true }),
  );
}
