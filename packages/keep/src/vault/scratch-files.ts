import { existsSync, readdirSync, unlinkSync } from 'node:fs';
import { toBase64url } from '@keepwatch/base';
import type { PeerSession } from '../peers/sessions.ts';

/** Files that live as long as a session: a backup that is read out, one that is brought in. */

const KINDS = ['backup', 'restore'] as const;
const NAME = new RegExp(`^(${KINDS.join('|')})-[A-Za-z0-9_-]+\\.tmp$`);

export function scratchPath(dataDir: string, kind: (typeof KINDS)[number], session: PeerSession): string {
  return `${dataDir}/${kind}-${toBase64url(session.id.subarray(0, 9))}.tmp`;
}

/** The session may end before the file was made. */
export function removeScratchFile(path: string): void {
  if (existsSync(path)) unlinkSync(path);
}

/** What a process that was killed left behind: no session is there yet that could want it. */
export function sweepScratchFiles(dataDir: string): void {
  for (const name of readdirSync(dataDir)) if (NAME.test(name)) unlinkSync(`${dataDir}/${name}`);
}
