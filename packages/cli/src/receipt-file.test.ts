import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CheckedReceipt } from '@keepwatch/sdk';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Answer, Context } from './command.ts';
import { withReceiptFile } from './receipt-file.ts';

const RECEIPT = { seq: 7, json: { seq: 7 } } as unknown as CheckedReceipt;
const SIGNED = { json: { hash: '0x01' }, text: 'hash 0x01' };

const made: string[] = [];
let directory: string;
let printed: unknown[];
let context: Context;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepwatch-receipt-'));
  made.push(directory);
  printed = [];
  context = {
    emit: (answer: Answer) => printed.push(answer),
    note: (text: string) => printed.push(text),
  } as unknown as Context;
});
afterAll(() => made.forEach((each) => rmSync(each, { recursive: true, force: true })));

describe('the file of a receipt', () => {
  it('holds it when the signature is answered', async () => {
    const path = join(directory, 'receipt.json');
    const answer = await withReceiptFile(context, path, async (save) => {
      expect(existsSync(path)).toBe(false);
      await save(RECEIPT);
      expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(RECEIPT.json);
      return SIGNED;
    });
    expect([answer, printed]).toEqual([SIGNED, []]);
  });

  it('is found impossible before anything is signed', async () => {
    writeFileSync(join(directory, 'there'), 'x');
    let signed = false;
    for (const name of ['there', 'missing/receipt.json']) {
      const failing = withReceiptFile(context, join(directory, name), async () => {
        signed = true;
        return SIGNED;
      });
      await expect(failing).rejects.toMatchObject({ code: 'file_unwritable' });
    }
    expect(signed).toBe(false);
  });

  it('is not there where nothing was signed', async () => {
    const denied = withReceiptFile(context, join(directory, 'receipt.json'), () => Promise.reject(new Error('denied')));
    await expect(denied).rejects.toThrow('denied');
    expect(readdirSync(directory)).toEqual([]);
  });

  it('that cannot be written in the end takes nothing of the answer away, and the error says how to get it', async () => {
    const path = join(directory, 'receipt.json');
    const sign = (end: () => Answer) =>
      withReceiptFile(context, path, async (save) => {
        writeFileSync(path, 'of somebody else');
        await save(RECEIPT);
        return end();
      });
    await expect(sign(() => SIGNED)).rejects.toMatchObject({
      code: 'file_unwritable',
      message: expect.stringContaining('is signed, but its receipt is not saved'),
      remedy: expect.stringContaining('`keepwatch journal receipt 7`'),
    });
    expect(printed).toEqual([SIGNED]);
    expect(readFileSync(path, 'utf8')).toBe('of somebody else');
    expect(readdirSync(directory)).toEqual(['receipt.json']);
  });

  it('that cannot be written is told of beside a node that refuses', async () => {
    const path = join(directory, 'receipt.json');
    const sign = withReceiptFile(context, path, async (save) => {
      writeFileSync(path, 'of somebody else');
      await save(RECEIPT);
      throw new Error('refused');
    });
    await expect(sign).rejects.toThrow('refused');
    expect(printed).toEqual([expect.stringContaining('`keepwatch journal receipt 7`')]);
  });
});
