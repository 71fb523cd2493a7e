import { FINDING_KINDS } from '@keepwatch/watch';
import { describe, expect, it } from 'vitest';
import { acknowledgement, evmPut, findingsFollow, findingsList, walletPut, walletSet } from './shapes.ts';

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

describe('a name', () => {
  const hidden = ['\u200b', '\u00ad\u2060', '\u3164'];
  const blank = [' ', '   ', '\u00a0', '\u3000 ', ...hidden];
  const frayed = [' Ada', 'Ada ', 'Ada\u00a0', '\ufeffAda'];
  const taken = (name: string) => [
    walletPut.safeParse({ name }).success,
    walletPut.safeParse({ name: 'a', owner: name }).success,
    walletPut.safeParse({ name: 'a', tags: [name] }).success,
    walletSet.safeParse({ wallet: 'a', name }).success,
    evmPut.safeParse({ name, chainId: '1', address: '0x' }).success,
    acknowledgement.safeParse({ what: 1, by: name }).success,
  ];

  it.each([...blank, ...frayed])('is none where it is blank, or has blanks around it: “%s”', (name) => {
    expect(new Set(taken(name))).toEqual(new Set([false]));
  });

  it.each(['Ada', 'Ada Lovelace', '貯金', '👩‍💻', 'e\u0301'])('is one: “%s”', (name) => {
    expect(new Set(taken(name))).toEqual(new Set([true]));
  });

  it('that is refused says why', () => {
    const why = (name: string) => walletPut.safeParse({ name }).error!.issues[0]!.message;
    expect(why('')).toBe('something is expected, and it is empty');
    expect(why(' ')).toBe('something that can be seen is expected, and there are only blanks');
    expect(why('Ada ')).toBe('no blanks are taken at its beginning or end');
  });
});
