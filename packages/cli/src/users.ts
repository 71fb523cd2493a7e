import { readFile } from 'node:fs/promises';
import type { UserIds } from '@keepwatch/gate';
import { usageError } from './exit-codes.ts';

/** The ids of a user of this machine, by name or number (passwd(5)). */
export async function findUser(name: string, option: string): Promise<UserIds> {
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '');
  for (const line of passwd.split('\n')) {
    const [user, , uid, gid] = line.split(':');
    if (user !== undefined && uid !== undefined && gid !== undefined && [user, uid].includes(name)) {
      return { uid: Number(uid), gid: Number(gid) };
    }
  }
  throw usageError(
    'unknown_user',
    `${option}: there is no user “${name}” on this machine.`,
    'Make it first, or name another.',
  );
}
