import { stripVTControlCharacters } from 'node:util';
import type { Paint } from '../terminal.ts';

/** How the story looks: numbered steps, and below each who says what. */
export interface Screen {
  heading(title: string, words: string): void;
  step(title: string): void;
  /** A line of the present step. */
  say(who: string, words: string): void;
  /** A line with a good or bad mark before it. */
  verdict(who: string, good: boolean, words: string): void;
  plain(text: string): void;
}

const WHO = 8;

export function createScreen(write: (text: string) => void, paint: Paint, columns: () => number): Screen {
  let number = 0;
  const line = (who: string, words: string) => {
    const indent = ' '.repeat(4 + WHO);
    const wrapped = wrap(words, Math.max(40, columns() - indent.length)).join(`\n${indent}`);
    write(`    ${paint.quiet(who.padEnd(WHO))}${wrapped}\n`);
  };
  return {
    heading: (title, words) => write(`\n${paint.title(title)}  ${paint.quiet(words)}\n`),
    step(title) {
      number += 1;
      write(`\n${paint.quiet(String(number).padStart(2))}  ${paint.strong(title)}\n`);
    },
    say: line,
    verdict: (who, good, words) => line(who, `${good ? paint.good('✔') : paint.bad('✘')} ${words}`),
    plain: (text) => write(`${text}\n`),
  };
}

/** Breaks at spaces. A word that is longer than a line, such as a hash, stays whole, so that it can be copied. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && stripVTControlCharacters(longer).length > width) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}
