import { describe, expect, it } from 'vitest';
import { CodedError } from './coded-error.ts';
import { directoryFault } from './directory-fault.ts';

const fault = (code: string) => Object.assign(new Error(`${code}: it failed`), { code });

describe('an error of the file system', () => {
  it.each([
    ['EROFS', 'vault_directory_unusable'],
    ['EACCES', 'vault_directory_unusable'],
    ['ENOTDIR', 'vault_directory_unusable'],
    ['ENOSPC', 'storage_full'],
    ['EDQUOT', 'storage_full'],
  ])('%s is one that people can act on', (code, coded) => {
    const error = directoryFault('/data', fault(code));
    expect(error).toMatchObject({ code: coded });
    expect(error?.message).toContain('/data');
    expect(error?.message).toContain(code);
    expect(error?.remedy).toBeDefined();
  });

  it('is nothing that another error is', () => {
    const others = [fault('EIO'), new Error('bug'), new CodedError('storage_busy', 'Busy.'), undefined, null, 'EROFS'];
    for (const other of others) expect(directoryFault('/data', other)).toBeUndefined();
  });
});
