import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { nextCommand, shellWord } from './next-command.ts';

it('a command that is named leads to the place of the call that named it', () => {
  expect(nextCommand('operator join', { data: undefined })).toBe('keepwatch operator join');
  expect(nextCommand('monitor run', { network: 'regtest', data: '/srv/my monitor' })).toBe(
    "keepwatch monitor run --network regtest --data '/srv/my monitor'",
  );
});

it('a shell reads its words as they were', () => {
  for (const word of ['/srv/vault', "it's", '$HOME `id` "x"', 'keepwatch://h:1?tls=a&id=b', '', '\\', 'a\nb']) {
    expect(execFileSync('/bin/sh', ['-c', `printf %s ${shellWord(word)}`]).toString()).toBe(word);
  }
});
