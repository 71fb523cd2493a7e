import { FINDING_KINDS } from '@keepwatch/watch';
import { describe, expect, it } from 'vitest';
import { findingsFollow, findingsList } from './shapes.ts';

describe('what findings are asked for', () => {
  it('takes every kind that there is', () => {
    expect(findingsList.safeParse({ kinds: FINDING_KINDS }).success).toBe(true);
  });

  it('is refused for a kind that there is not, with those that there are', () => {
    for (const read of [
      findingsList.safeParse({ kinds: ['received', 'recieved'] }),
      findingsFollow.safeParse({ kinds: ['received', 'recieved'], after: 0, follow: true }),
    ]) {
      const [issue, ...more] = read.error!.issues;
      expect(more).toEqual([]);
      expect(issue!.path).toEqual(['kinds', 1]);
      expect(issue!.message).toMatch(/^is no kind of finding\. There are sighted, .*received/);
    }
  });
});
