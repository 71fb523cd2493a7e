import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError, parseEther } from '@keepwatch/base';
import { showEther } from '../values.ts';
import type { Order, Payment, Report } from './client/messages.ts';
import type { Screen } from './screen.ts';
import type { Stage } from './stage.ts';

/** Has the client pay, checks that it went as it must, and tells it: who asked what, the decision, what is left. */
export interface Teller {
  paid(bot: Bot, to: string, ether: string): Promise<Payment>;
  refused(bot: Bot, order: Pay, code: string, words: RegExp, also?: string): Promise<void>;
  /** The earlier payment once more: the same signature, and nothing charged. */
  again(bot: Bot, earlier: Payment, order: Pay, left: () => Promise<string>): Promise<void>;
  receipt(stage: Stage, payment: Payment): Promise<string>;
}

export type Bot = (order: Order) => Promise<Report>;
export type Pay = Extract<Order, { type: 'pay' }>;

export function pay(to: string, ether: string): Pay {
  const value = parseEther(ether);
  if (!value.ok) throw new TypeError(`not an amount: ${ether}`);
  return { type: 'pay', to, value: value.value.toString() };
}

export function demand<T extends Report['type']>(report: Report, type: T): Extract<Report, { type: T }> {
  if (report.type === type) return report as Extract<Report, { type: T }>;
  const got = report.type === 'refused' ? `${report.message} (${report.code})` : report.type;
  throw new CodedError('story_differs', `the client should have ${type}, but: ${got}`);
}

export function createTeller(screen: Screen, nameOf: (address: string) => string): Teller {
  const asks = ({ to, value }: Pay, also = '') =>
    screen.say('bot', `asks to send ${showEther(value)} to ${nameOf(to)}${also === '' ? '' : ` ${also}`}`);

  return {
    async paid(bot, to, ether) {
      const order = pay(to, ether);
      asks(order);
      const { payment } = demand(await bot(order), 'paid');
      screen.verdict(
        'vault',
        true,
        `signed under ${payment.grant}; left today: ${showEther(payment.left)} of ${showEther(payment.limit)}`,
      );
      screen.say('chain', `block ${payment.block}, ${payment.hash}`);
      return payment;
    },

    async refused(bot, order, code, words, also) {
      asks(order, also);
      const refusal = demand(await bot(order), 'refused');
      if (refusal.code !== code || !words.test(refusal.message)) {
        throw new CodedError(
          'story_differs',
          `it should have been ${code}, but is ${refusal.code}: ${refusal.message}`,
        );
      }
      screen.verdict('vault', false, refusal.message);
    },

    async again(bot, earlier, order, left) {
      const before = await left();
      const { key, nonce, maxFeePerGas } = earlier;
      screen.say('bot', `asks with the same key, ${key}`);
      const { payment } = demand(await bot({ ...order, again: { key, nonce, maxFeePerGas } }), 'paid');
      if (payment.raw !== earlier.raw || payment.seq !== earlier.seq) {
        throw new CodedError('story_differs', 'the repeated request got another answer than the first');
      }
      if ((await left()) !== before) throw new CodedError('story_differs', 'the repeated request was charged again');
      screen.verdict(
        'vault',
        true,
        `the same signature as before, and nothing is charged: ${showEther(before)} are left, as before`,
      );
    },

    async receipt(stage, { receipt, seq }) {
      const path = join(stage.directory, 'receipt.json');
      await writeFile(path, `${JSON.stringify(receipt, null, 2)}\n`);
      screen.say('anybody', `keepwatch journal check-receipt ${path}`);
      const checked = await stage.owner('journal', 'check-receipt', path);
      if (checked['seq'] !== seq) throw new CodedError('story_differs', 'the receipt is for another entry');
      screen.verdict('receipt', true, `holds: entry ${seq} of the journal, under the vault’s signature`);
      await demandForgeryFails(stage, path);
      screen.verdict('receipt', false, 'with one digit of the amount changed, it holds no more');
      return path;
    },
  };
}

async function demandForgeryFails(stage: Stage, path: string): Promise<void> {
  const forged = join(stage.directory, 'forged-receipt.json');
  const text = await readFile(path, 'utf8');
  // The budget's own line says what was charged: what was spent of it before, and after.
  const other = text.replace(
    /(\\"spentAfter\\":\\")(\d)/,
    (_, head: string, digit: string) => `${head}${(Number(digit) % 9) + 1}`,
  );
  if (other === text) throw new CodedError('story_differs', 'the receipt does not say what was paid');
  await writeFile(forged, other);
  const fault = await stage.owner('journal', 'check-receipt', forged).catch((error: unknown) => error);
  if (!(fault instanceof CodedError) || fault.code !== 'receipt_path_mismatch') {
    throw new CodedError('story_differs', 'a forged receipt was believed');
  }
}
