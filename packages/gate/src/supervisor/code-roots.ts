import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The directories that a process must read to run `entry`: the packages beside the one that it belongs to (workspaces
 * link to them) and every node_modules above. Nothing else of the file system is code.
 */
export function codeRoots(entry: string): string[] {
  const roots: string[] = [];
  let packageRoot: string | undefined;
  for (let dir = dirname(entry); ; dir = dirname(dir)) {
    if (packageRoot === undefined && existsSync(join(dir, 'package.json'))) {
      packageRoot = dir;
      roots.push(dirname(dir));
    }
    const modules = join(dir, 'node_modules');
    if (existsSync(modules)) roots.push(modules);
    if (dir === dirname(dir)) break;
  }
  return roots.length > 0 ? roots : [dirname(entry)];
}
