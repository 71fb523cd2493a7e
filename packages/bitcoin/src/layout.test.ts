import { describe, expect, it } from 'vitest';
import { concat, fromHex } from '@keepwatch/base';
import { consensusOf } from './consensus.ts';
import { layoutBlock, layoutTransaction, type LayoutErrorCode } from './layout.ts';

const hex = (text: string) => fromHex(text.replaceAll(' ', ''))!;
const OUTPOINT = `${'ab'.repeat(32)} 01000000`;
const NULL_OUTPOINT = `${'00'.repeat(32)} ffffffff`;
const INPUT = `${OUTPOINT} 00 ffffffff`;
const OUTPUT = '0100000000000000 01 51';
const GOOD = `02000000 01 ${INPUT} 01 ${OUTPUT} 00000000`;

function errorOf(transaction: string): LayoutErrorCode | 'fine' {
  const walked = layoutTransaction(hex(transaction));
  return walked.ok ? 'fine' : walked.error;
}

describe('what the walk refuses in a transaction', () => {
  it.each<[string, LayoutErrorCode | 'fine', string]>([
    ['nothing wrong', 'fine', GOOD],
    ['nothing at all', 'truncated', ''],
    ['the last byte missing', 'truncated', GOOD.slice(0, -2)],
    ['a byte too many', 'trailing_bytes', `${GOOD} 00`],
    ['no inputs', 'no_inputs', `02000000 00 00 00000000`],
    ['no inputs behind a flag', 'no_inputs', `02000000 00 01 00 01 ${OUTPUT} 00000000`],
    ['no outputs', 'no_outputs', `02000000 01 ${INPUT} 00 00000000`],
    ['another flag', 'witness_flag_unknown', `02000000 00 02 01 ${INPUT} 01 ${OUTPUT} 00 00000000`],
    ['a witness', 'fine', `02000000 00 01 01 ${INPUT} 01 ${OUTPUT} 01 00 00000000`],
    ['a flag and no witness', 'witness_superfluous', `02000000 00 01 01 ${INPUT} 01 ${OUTPUT} 00 00000000`],
    ['a long form of 1', 'number_not_canonical', `02000000 fd0100 ${INPUT} 01 ${OUTPUT} 00000000`],
    ['a longer form of 1', 'number_not_canonical', `02000000 fe01000000 ${INPUT} 01 ${OUTPUT} 00000000`],
    ['the longest form of 1', 'number_not_canonical', `02000000 ff0100000000000000 ${INPUT} 01 ${OUTPUT} 00000000`],
    ['a script beyond 32 MiB', 'too_large', `02000000 01 ${OUTPOINT} fe01000002 00`],
    ['a script of 2^56 bytes', 'too_large', `02000000 01 ${OUTPOINT} ff0000000000000001 00 00 00 00`],
    ['more inputs than bytes', 'truncated', `02000000 fd00ff ${INPUT} 01 ${OUTPUT} 00000000`],
    ['21 million bitcoin', 'fine', `02000000 01 ${INPUT} 01 0040075af0750700 01 51 00000000`],
    ['a satoshi more', 'amount_out_of_range', `02000000 01 ${INPUT} 01 0140075af0750700 01 51 00000000`],
    ['a satoshi more in two', 'amount_out_of_range', `02000000 01 ${INPUT} 02 ${OUTPUT} 0040075af0750700 00 00000000`],
    ['a negative amount', 'amount_out_of_range', `02000000 01 ${INPUT} 01 ffffffffffffffff 00 00000000`],
    ['a coinbase', 'fine', `02000000 01 ${NULL_OUTPOINT} 02 0000 ffffffff 01 ${OUTPUT} 00000000`],
    [
      'a coinbase of one byte',
      'coinbase_script_length',
      `02000000 01 ${NULL_OUTPOINT} 01 00 ffffffff 01 ${OUTPUT} 00000000`,
    ],
    [
      'a coinbase of 101 bytes',
      'coinbase_script_length',
      `02000000 01 ${NULL_OUTPOINT} 65 ${'00'.repeat(101)} ffffffff 01 ${OUTPUT} 00000000`,
    ],
    [
      'a null outpoint among others',
      'coinbase_misplaced',
      `02000000 02 ${INPUT} ${NULL_OUTPOINT} 00 00000000 01 ${OUTPUT} 00000000`,
    ],
  ])('%s: %s', (_, expected, transaction) => {
    expect(errorOf(transaction)).toBe(expected);
  });

  it('too much weight', () => {
    const output = hex('0100000000000000 fe40420f00');
    const script = new Uint8Array(1_000_000);
    const transaction = concat(hex(`02000000 01 ${INPUT} 01`), output, script, hex('00000000'));
    expect(layoutTransaction(transaction)).toEqual({ ok: false, error: 'too_large' });
  });
});

describe('what the walk refuses in a block', () => {
  const header = consensusOf('main').genesis;
  const coinbase = `01000000 01 ${NULL_OUTPOINT} 02 0000 ffffffff 01 ${OUTPUT} 00000000`;
  it.each<[string, LayoutErrorCode | 'fine', string]>([
    ['a coinbase alone', 'fine', `01 ${coinbase}`],
    ['no transaction', 'no_transactions', '00'],
    ['no count', 'truncated', ''],
    ['fewer than it says', 'truncated', `02 ${coinbase}`],
    ['more than it says', 'trailing_bytes', `01 ${coinbase} ${GOOD}`],
    ['no coinbase', 'coinbase_misplaced', `01 ${GOOD}`],
    ['two coinbases', 'coinbase_misplaced', `02 ${coinbase} ${coinbase}`],
    ['coinbase last', 'coinbase_misplaced', `02 ${GOOD} ${coinbase}`],
  ])('%s: %s', (_, expected, rest) => {
    const walked = layoutBlock(concat(header, hex(rest)));
    expect(walked.ok ? 'fine' : walked.error).toBe(expected);
  });
});
