/** Keep's log: JSON lines on its output, which the supervisor passes on. Its callers never give it a secret. */
export type Log = (level: 'info' | 'warn' | 'error', words: string, details?: Record<string, unknown>) => void;

export function createLog(write: (line: string) => void, wallMs: () => number): Log {
  return (level, words, details = {}) => {
    write(`${JSON.stringify({ level, time: wallMs(), name: 'keep', msg: words, ...details })}\n`);
  };
}
