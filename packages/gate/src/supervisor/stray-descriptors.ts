import { readdirSync, readFileSync } from 'node:fs';

/** The first number behind keep's own: standard streams, link and control channel. */
const FIRST = 5;
/** O_CLOEXEC on Linux, as /proc shows it: octal. */
const CLOSES_ON_EXEC = 0o2000000;

/**
 * Fillers for keep's stdio list behind its own five. Whoever started the supervisor may have left files open that pass
 * on to every child (a shell's redirections, a certificate file that OpenSSL opened): keep gets the null device in
 * their places. Empty where there are none, or where the system does not tell.
 */
export function strayDescriptors(): 'ignore'[] {
  let highest = FIRST - 1;
  try {
    for (const name of readdirSync('/proc/self/fd')) {
      const fd = Number(name);
      if (fd > highest && passesOn(fd)) highest = fd;
    }
  } catch {
    // No /proc: nothing is known of them.
  }
  return new Array<'ignore'>(highest - FIRST + 1).fill('ignore');
}

function passesOn(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSES_ON_EXEC) === 0;
  } catch {
    // The descriptor that listed the others is gone already.
    return false;
  }
}
