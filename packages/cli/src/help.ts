import type { OptionSpecs } from './arguments.ts';
import type { Command } from './command.ts';
import { COMMON_OPTIONS } from './common-options.ts';
import { table } from './table.ts';
import type { Paint } from './terminal.ts';

const indent = (text: string) => text.replace(/^/gm, '  ');

export function generalHelp(commands: readonly Command[], paint: Paint): string {
  const groups = Map.groupBy(commands, ({ name }) => name.split(' ')[0]!);
  const width = Math.max(...commands.map((command) => usage(command).length));
  const lines = [...groups.values()].map((group) =>
    group.map((command) => `  ${usage(command).padEnd(width)}  ${paint.quiet(command.summary)}`).join('\n'),
  );
  return [
    `${paint.strong('keepwatch')} – a vault that signs only what its owner allowed`,
    '',
    `${paint.title('Usage')}  keepwatch COMMAND [OPTIONS]     keepwatch help COMMAND`,
    '',
    lines.join('\n\n'),
    '',
    paint.title('Every command takes'),
    indent(optionTable(COMMON_OPTIONS)),
    '',
    paint.title('Exit codes'),
    indent(
      '0 done · 1 failure · 2 usage · 3 denied by the vault · 4 vault sealed or unreachable · 5 not authentic · 130 interrupted',
    ),
  ].join('\n');
}

export function nounHelp(noun: string, commands: readonly Command[], paint: Paint): string {
  const group = commands.filter(({ name }) => name.startsWith(`${noun} `));
  return table(group.map((command) => [`keepwatch ${usage(command)}`, paint.quiet(command.summary)]));
}

export function commandHelp(command: Command, paint: Paint): string {
  const parts = [
    `${paint.title('Usage')}  keepwatch ${usage(command)}${Object.keys(command.options).length > 0 ? ' [OPTIONS]' : ''}`,
    '',
    command.summary,
    '',
    indent(optionTable({ ...command.options, ...COMMON_OPTIONS })),
  ];
  if (command.more) parts.push('', command.more);
  return parts.join('\n');
}

function usage({ name, positionals }: Command): string {
  return [name, ...positionals.map((word) => (word.endsWith('?') ? `[${word.slice(0, -1)}]` : word))].join(' ');
}

function optionTable(options: OptionSpecs): string {
  return table(
    Object.entries(options).map(([name, { value, many, words }]) => [
      `--${name}${value ? ` ${value}` : ''}${many ? ' …' : ''}`,
      words,
    ]),
  );
}
