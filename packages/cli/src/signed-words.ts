/** How the vault begins to say what a request would do; a name has no other letters. */
const ASKS = /^Client [\p{L}\p{N} ._-]+? wants to (?:sign )?/u;

/** What was signed, by the words of what was asked. Where they begin otherwise they are left as they are. */
export const signedWords = (asks: string): string => asks.replace(ASKS, '');
