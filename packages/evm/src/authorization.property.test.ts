import { toHex, type Keccak256 } from '@keepwatch/base';
import fc from 'fast-check';
import { keccak256, recoverAddress } from 'viem';
import { hashAuthorization } from 'viem/utils';
import { expect, it } from 'vitest';
import { authorizationDigest, decodeAuthorization, encodeAuthorization } from './authorization.ts';
import { decodeUnsigned } from './transaction.ts';
import { authorizations } from './transaction.arbitrary.fixture.ts';

const keccak: Keccak256 = (bytes) => keccak256(bytes, 'bytes');

// Ethereum mainnet, transaction 0xe2db5fcc4b559a4a1910b713b53859bd93cff712a9091ed49f4713c3b5d0ee2d: its one
// authorisation is of the account that its user operation is for.
it('tells whose account it delegates', async () => {
  const hash = authorizationDigest(
    { chainId: 1, address: '0xe6cae83bde06e4c305530e199d7217f42808555b', nonce: 4 },
    keccak,
  );
  const signature = {
    r: '0x139fbb722809e42ea15e67ff69799cbade6572bd15dc56de804743c1bb19e85e',
    s: '0x69b4219fb13385fbdc316ce90aa9b9ad84eda4596ff1ab38ec80f01e4b0c4e55',
    yParity: 1,
  } as const;
  expect((await recoverAddress({ hash, signature })).toLowerCase()).toBe('0x28041edf52dc5e0a4f7df9a83be94ebc61b60219');
}, 120_000);

it('agrees with viem, and has one meaning per byte string', () => {
  fc.assert(
    fc.property(authorizations, fc.integer({ min: 1, max: 255 }), (authorization, mask) => {
      const bytes = encodeAuthorization(authorization);
      expect(decodeAuthorization(bytes)).toEqual({ ok: true, value: authorization });
      expect(`0x${toHex(authorizationDigest(authorization, keccak))}`).toBe(hashAuthorization(authorization));
      expect(decodeUnsigned(bytes).ok).toBe(false);
      for (let at = 0; at < bytes.length; at++) {
        const mutated = Uint8Array.from(bytes);
        mutated[at]! ^= mask;
        const result = decodeAuthorization(mutated);
        if (result.ok) {
          expect(encodeAuthorization(result.value)).toEqual(mutated);
          expect(result.value).not.toEqual(authorization);
        }
        expect(decodeAuthorization(bytes.subarray(0, at)).ok).toBe(false);
      }
    }),
    { numRuns: 100 },
  );
}, 120_000);
