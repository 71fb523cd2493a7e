import { matching, type Reader } from './reader.ts';

/**
 * How things are written in grants: the one form in which intents name them, so that comparing texts is comparing
 * things. All of them are names on EVM chains; another chain adds its own.
 */
export const address = matching(/^0x[0-9a-f]{40}$/, 42, 'invalid_address', 'an address: 0x and 40 lower-case digits');
export const chain = matching(/^eip155:[1-9][0-9]{0,15}$/, 23, 'invalid_chain', 'a CAIP-2 chain id such as eip155:1');
export const hash = matching(/^0x[0-9a-f]{64}$/, 66, 'invalid_hash', 'a hash: 0x and 64 lower-case digits');
export const selector = matching(
  /^(0x[0-9a-f]{8}|none)$/,
  10,
  'invalid_selector',
  '0x and 8 lower-case digits, or none for a call with less than four bytes',
);
export const asset = matching(
  /^(native|erc20:0x[0-9a-f]{40}|erc721:0x[0-9a-f]{40}|erc1155:0x[0-9a-f]{40}(\/(0|[1-9][0-9]{0,77}))?)$/,
  160,
  'invalid_asset',
  'native, erc20:0x…, erc721:0x… or erc1155:0x…/ID, in lower case',
);
export const functionName = matching(
  /^[A-Za-z_$][A-Za-z0-9_$]*\([A-Za-z0-9_$,()[\]]*\)$/,
  512,
  'invalid_function',
  'a function with the types of its arguments, such as deposit(uint256,address)',
);
export const typeName = matching(/^[A-Za-z_$][A-Za-z0-9_$]*$/, 128, 'invalid_text', 'the name of a type');
export const conditionPath = matching(
  /^(\/([A-Za-z_$][A-Za-z0-9_$]*|-?[0-9]{1,6}|\*)){1,16}$/,
  1024,
  'invalid_condition',
  'names or positions from the outside in, such as /order/recipient or /path/-1',
);

/** Texts end up in sentences on terminals, so nothing that is invisible or turns the writing direction is let in. */
export function text(maxLength: number): Reader<string> {
  return matching(
    /^[^\p{C}\p{Zl}\p{Zp}\p{Zs}]([^\p{C}\p{Zl}\p{Zp}]*[^\p{C}\p{Zl}\p{Zp}\p{Zs}])?$/u,
    maxLength,
    'invalid_text',
    `1 to ${maxLength} visible characters, no space at either end`,
  );
}

/** The same with line breaks and spaces anywhere: what somebody else wrote and is compared with. */
export const foreignText = matching(
  /^(?:\n|[^\p{C}\p{Zl}\p{Zp}])+$/u,
  4096,
  'invalid_text',
  '1 to 4096 visible characters or line feeds',
);

/** What people call things: letters and digits of any script, space, dot, dash, underscore. */
export const name = matching(
  /^(?!.*(?:\p{Default_Ignorable_Code_Point}| {2}| $))[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u,
  256,
  'invalid_text',
  'a name of 1 to 64 letters, digits, dots, dashes, underscores, single spaces between them',
);
export const zone = matching(
  /^(UTC|[A-Za-z_]{2,32}(\/[A-Za-z0-9_+-]{1,32}){1,2})$/,
  100,
  'invalid_zone',
  'an IANA time zone such as Europe/Berlin',
);
