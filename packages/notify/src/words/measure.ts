/** Times and counts as people say them: no more digits than help, and one of a thing is not several. */

export const counted = (count: number, one: string) => (count === 1 ? `1 ${one}` : `${count} ${one}s`);

/** How long something lasts, in the largest unit of which there are two. */
export function lasting(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (minutes < 1) return counted(Math.round(seconds), 'second');
  if (minutes < 120) return counted(minutes, 'minute');
  const hours = Math.round(minutes / 60);
  return hours < 48 ? counted(hours, 'hour') : counted(Math.round(hours / 24), 'day');
}

/** `2026-09-21 14:13:20 UTC`. */
export const secondOf = (ms: number) => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** Rounded down: what is left is never more than it says. */
export const megabytes = (bytes: number) => `${Math.floor(bytes / 1_000_000)} MB`;

export const clockWords = (skewSeconds: number) =>
  `the clock is ${lasting(Math.abs(skewSeconds))} ${skewSeconds < 0 ? 'behind' : 'ahead'}`;

export const retracted = (findings: readonly string[]) =>
  `What was said of it in ${counted(findings.length, 'finding')} no longer holds.`;
