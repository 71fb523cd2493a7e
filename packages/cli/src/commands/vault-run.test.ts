import { describe, expect, it } from 'vitest';
import { parseListen } from './vault-run.ts';

describe('an address to listen on', () => {
  it.each([
    ['127.0.0.1:7401', { host: '127.0.0.1', port: 7401 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['vault.example:65535', { host: 'vault.example', port: 65_535 }],
  ])('%s', (text, address) => expect(parseListen(text, '--listen')).toEqual(address));

  it.each(['', '7401', ':7401', '127.0.0.1', '127.0.0.1:', '::1:7401', '[::1]', 'a:65536', 'a b:1', 'a:1x'])(
    'is not “%s”',
    (text) => {
      expect(() => parseListen(text, '--listen')).toThrow(expect.objectContaining({ code: 'usage_listen' }) as Error);
    },
  );
});
