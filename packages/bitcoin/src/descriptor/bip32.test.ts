import { toHex } from '@keepwatch/base';
import { expect, it } from 'vitest';
import { deriveScripts } from './derive.ts';
import { parseDescriptor } from './parse.ts';

// BIP32, test vectors 1 and 2: the extended public keys with a child that can be derived from them.
const V1_0H =
  'xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFUHCdrfp1bgwQ9xv5ski8PX9rL2dZXvgGDnw';
const V1_0H_1 =
  'xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJf3UFHKkNAWbWMiGj7Wf5uMash7SyYq527Hqck2AxYysAA7xmALppuCkwQ';
const V1_0H_1_2H =
  'xpub6D4BDPcP2GT577Vvch3R8wDkScZWzQzMMUm3PWbmWvVJrZwQY4VUNgqFJPMM3No2dFDFGTsxxpG5uJh7n7epu4trkrX7x7DogT5Uv6fcLW5';
const V1_0H_1_2H_2 =
  'xpub6FHa3pjLCk84BayeJxFW2SP4XRrFd1JYnxeLeU8EqN3vDfZmbqBqaGJAyiLjTAwm6ZLRQUMv1ZACTj37sR62cfN7fe5JnJ7dh8zL4fiyLHV';
const V1_LAST =
  'xpub6H1LXWLaKsWFhvm6RVpEL9P4KfRZSW7abD2ttkWP3SSQvnyA8FSVqNTEcYFgJS2UaFcxupHiYkro49S8yGasTvXEYBVPamhGW6cFJodrTHy';
const V2 =
  'xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB';
const V2_0 =
  'xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH';

function scriptsOf(key: string): readonly string[] {
  const parsed = parseDescriptor(`pk(${key})`, 'main');
  if (!parsed.ok) throw new Error(parsed.error.message);
  return [...deriveScripts(parsed.value, 0, 0, 1)].map(({ script }) => toHex(script));
}

it.each([
  [V1_0H, '1', V1_0H_1],
  [V1_0H_1_2H, '2', V1_0H_1_2H_2],
  [V1_0H_1_2H_2, '1000000000', V1_LAST],
  [V1_0H_1_2H, '2/1000000000', V1_LAST],
  [V2, '0', V2_0],
])('%s/%s is the published key', (parent, path, child) => {
  const [script] = scriptsOf(`${parent}/${path}`);
  expect(script).toMatch(/^21[0-9a-f]{66}ac$/);
  expect(script).toBe(scriptsOf(child)[0]);
});

it('a hardened child needs the private key, and a key with a wrong checksum is none', () => {
  for (const key of [`${V2}/0h`, `${V2.slice(0, -1)}a/0`]) expect(parseDescriptor(`pk(${key})`, 'main').ok).toBe(false);
});
