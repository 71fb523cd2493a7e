import { concat, fromHex, utf8 } from '@keepwatch/base';
import { pushBytes, pushNumber } from '../script/push.ts';

/** The notation of scripts in Bitcoin Core's test vectors: numbers, 'text', raw bytes as 0x…, names of opcodes. */
export function assemble(text: string): Uint8Array {
  const parts = text
    .split(/\s+/)
    .filter((token) => token !== '')
    .map((token) => {
      if (/^-?[0-9]+$/.test(token))
        return Number.isSafeInteger(Number(token)) ? pushNumber(Number(token)) : wide(token);
      if (token.startsWith('0x')) return fromHex(token) ?? unknown(token);
      if (/^'.*'$/.test(token)) return pushBytes(utf8(token.slice(1, -1)));
      const opcode = OPCODES.get(token.replace(/^OP_/, ''));
      return opcode === undefined ? unknown(token) : Uint8Array.of(opcode);
    });
  return concat(...parts);
}

/** Numbers of eight bytes, which scripts can push but not compute with. */
function wide(token: string): Uint8Array {
  const digits: number[] = [];
  for (let rest = BigInt(token.replace('-', '')); rest > 0n; rest >>= 8n) digits.push(Number(rest & 0xffn));
  if (digits.at(-1)! & 0x80) digits.push(0);
  if (token.startsWith('-')) digits[digits.length - 1]! |= 0x80;
  return pushBytes(Uint8Array.from(digits));
}

function unknown(token: string): never {
  throw new Error(`unknown token ${token}`);
}

const NAMES = `61 NOP VER IF NOTIF VERIF VERNOTIF ELSE ENDIF VERIFY RETURN TOALTSTACK FROMALTSTACK 2DROP 2DUP 3DUP 2OVER
  2ROT 2SWAP IFDUP DEPTH DROP DUP NIP OVER PICK ROLL ROT SWAP TUCK CAT SUBSTR LEFT RIGHT SIZE INVERT AND OR XOR EQUAL
  EQUALVERIFY RESERVED1 RESERVED2 1ADD 1SUB 2MUL 2DIV NEGATE ABS NOT 0NOTEQUAL ADD SUB MUL DIV MOD LSHIFT RSHIFT BOOLAND
  BOOLOR NUMEQUAL NUMEQUALVERIFY NUMNOTEQUAL LESSTHAN GREATERTHAN LESSTHANOREQUAL GREATERTHANOREQUAL MIN MAX WITHIN
  RIPEMD160 SHA1 SHA256 HASH160 HASH256 CODESEPARATOR CHECKSIG CHECKSIGVERIFY CHECKMULTISIG CHECKMULTISIGVERIFY NOP1
  CHECKLOCKTIMEVERIFY CHECKSEQUENCEVERIFY NOP4 NOP5 NOP6 NOP7 NOP8 NOP9 NOP10 CHECKSIGADD`.split(/\s+/);

const OPCODES = new Map<string, number>([
  ['1NEGATE', 0x4f],
  ['RESERVED', 0x50],
  ['NOP2', 0xb1],
  ['NOP3', 0xb2],
  ...NAMES.slice(1).map((name, i): [string, number] => [name, Number.parseInt(NAMES[0]!, 16) + i]),
]);
