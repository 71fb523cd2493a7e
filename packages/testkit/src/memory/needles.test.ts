import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createHaystack, needlesOf } from './needles.ts';

const secret = randomBytes(32);
const haystack = createHaystack(needlesOf([{ name: 'key', bytes: secret }]));

function formsIn(bytes: Uint8Array): string[] {
  const forms: string[] = [];
  haystack.search(bytes, ({ form }) => forms.push(form));
  return forms;
}

it.each<[string, (bytes: Buffer) => Buffer]>([
  ['as it is', (bytes) => bytes],
  ['reversed', (bytes) => Buffer.from(bytes).reverse()],
  ['hex', (bytes) => Buffer.from(bytes.toString('hex'))],
  ['HEX', (bytes) => Buffer.from(bytes.toString('hex').toUpperCase())],
  ['hex, UTF-16LE', (bytes) => Buffer.from(bytes.toString('hex'), 'utf16le')],
  ['as text, UTF-16LE', (bytes) => Buffer.from(bytes.toString('latin1'), 'utf16le')],
  ['bytes 0 to 16', (bytes) => bytes.subarray(0, 16)],
  ['bytes 16 to 32', (bytes) => bytes.subarray(16)],
])('finds a secret %s', (form, write) => {
  const hidden = Buffer.concat([randomBytes(1000), write(secret), randomBytes(1000)]);
  expect(formsIn(hidden)).toContain(form);
  hidden[1000 + 5]! ^= 1;
  expect(formsIn(hidden)).not.toContain(form);
});

it('finds a secret in the base64 of something longer, wherever it stands in it', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom('base64' as const, 'base64url' as const),
      (before, after, encoding) => {
        const text = Buffer.concat([before, secret, after]).toString(encoding);
        expect(formsIn(Buffer.from(text)).some((form) => form.startsWith('base64'))).toBe(true);
        expect(formsIn(Buffer.from(text, 'utf16le')).some((form) => form.startsWith('base64'))).toBe(true);
      },
    ),
  );
});

it('finds nothing where nothing is', () => {
  expect(formsIn(randomBytes(4_000_000))).toEqual([]);
});
