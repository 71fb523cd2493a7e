import { concat, fromHex } from '@keepwatch/base';
import { hash160 } from '../script/hashes.ts';
import { pushBytes, pushNumber } from '../script/push.ts';

/** A script with places for keys: `key` pushes the key itself, `key-hash` its HASH160. The number counts the keys. */
export type ScriptTemplate = readonly (
  { readonly kind: 'bytes'; readonly bytes: Uint8Array } | { readonly kind: 'key' | 'key-hash'; readonly key: number }
)[];

/** What a compiled miniscript consists of (BIP379 “Translation Table”), and nothing else. */
const OPCODES: Readonly<Record<string, number>> = {
  OP_IF: 0x63,
  OP_NOTIF: 0x64,
  OP_ELSE: 0x67,
  OP_ENDIF: 0x68,
  OP_VERIFY: 0x69,
  OP_TOALTSTACK: 0x6b,
  OP_FROMALTSTACK: 0x6c,
  OP_IFDUP: 0x73,
  OP_DUP: 0x76,
  OP_SWAP: 0x7c,
  OP_SIZE: 0x82,
  OP_EQUAL: 0x87,
  OP_EQUALVERIFY: 0x88,
  OP_0NOTEQUAL: 0x92,
  OP_ADD: 0x93,
  OP_BOOLAND: 0x9a,
  OP_BOOLOR: 0x9b,
  OP_NUMEQUAL: 0x9c,
  OP_NUMEQUALVERIFY: 0x9d,
  OP_RIPEMD160: 0xa6,
  OP_SHA256: 0xa8,
  OP_HASH160: 0xa9,
  OP_HASH256: 0xaa,
  OP_CHECKSIG: 0xac,
  OP_CHECKSIGVERIFY: 0xad,
  OP_CHECKMULTISIG: 0xae,
  OP_CHECKMULTISIGVERIFY: 0xaf,
  OP_CHECKLOCKTIMEVERIFY: 0xb1,
  OP_CHECKSEQUENCEVERIFY: 0xb2,
  OP_CHECKSIGADD: 0xba,
};

/** Reads the assembly that the miniscript compiler writes; keys in it are `@0`, `@1`, …. `undefined`: not understood. */
export function readTemplate(assembly: string): ScriptTemplate | undefined {
  const parts: ScriptTemplate[number][] = [];
  for (const token of assembly.split(' ').filter((text) => text !== '')) {
    const key = /^<(HASH160\()?@([0-9]+)\)?>$/.exec(token);
    const pushed = /^<([0-9a-f]+)>$/.exec(token);
    const opcode = OPCODES[token];
    if (key) parts.push({ kind: key[1] ? 'key-hash' : 'key', key: Number(key[2]) });
    else if (pushed) parts.push({ kind: 'bytes', bytes: pushBytes(fromHex(pushed[1]!)!) });
    else if (/^([0-9]|1[0-6])$/.test(token)) parts.push({ kind: 'bytes', bytes: pushNumber(Number(token)) });
    else if (opcode !== undefined) parts.push({ kind: 'bytes', bytes: Uint8Array.of(opcode) });
    else return undefined;
  }
  return parts;
}

/** The script with these keys in its places: 33 bytes each, or 32 in a tapscript. */
export function fillTemplate(template: ScriptTemplate, keys: readonly Uint8Array[]): Uint8Array {
  return concat(
    ...template.map((part) => {
      switch (part.kind) {
        case 'bytes':
          return part.bytes;
        case 'key':
          return pushBytes(keys[part.key]!);
        case 'key-hash':
          return pushBytes(hash160(keys[part.key]!));
      }
    }),
  );
}
