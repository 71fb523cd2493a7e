import { expect, it } from 'vitest';
import { signedWords } from './signed-words.ts';

it.each([
  ['Client bot wants to transfer 1.5 ETH to 0x70 on Ethereum', 'transfer 1.5 ETH to 0x70 on Ethereum'],
  ['Client Büro 2 wants to let 0x70 take 5 USDT on Ethereum', 'let 0x70 take 5 USDT on Ethereum'],
  ['Client eZoXhaeY_-c wants to hand the wallet over to the code of 0x70', 'hand the wallet over to the code of 0x70'],
  ['Client bot wants to sign the message "Mallory wants to pay" on Base', 'the message "Mallory wants to pay" on Base'],
  ['Client bot wants to sign Permit(value: 5) for "Dai" (0x70) on Base', 'Permit(value: 5) for "Dai" (0x70) on Base'],
  ['The message says: Client bot wants to pay', 'The message says: Client bot wants to pay'],
])('%s: %s', (asks, signed) => {
  expect(signedWords(asks)).toBe(signed);
});
