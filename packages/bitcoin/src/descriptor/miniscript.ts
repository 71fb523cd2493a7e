import { compileMiniscript } from '@bitcoinerlab/miniscript';
import type { Expression } from './expression.ts';
import { refuse } from './error.ts';
import { readTemplate, type ScriptTemplate } from './template.ts';

/**
 * Miniscript (BIP379). Reading is strict and ours; the types, the sanity and the translation to script are the
 * library's. It sees keys as `@0`, `@1`, …, so that one translation serves every index of a range.
 */
export interface CompiledMiniscript {
  readonly template: ScriptTemplate;
  /** The key expressions, in order of appearance; one that is written twice counts twice here and is refused as not sane. */
  readonly keys: readonly string[];
}

/** How many arguments a fragment takes, and of what: `k`ey, `n`umber of a time lock, `h`ash, e`x`pression. */
const FRAGMENTS: Readonly<Record<string, string>> = {
  pk_k: 'k',
  pk_h: 'k',
  pk: 'k',
  pkh: 'k',
  older: 'n',
  after: 'n',
  sha256: 'h',
  hash256: 'h',
  ripemd160: 'h',
  hash160: 'h',
  andor: 'xxx',
  and_v: 'xx',
  and_b: 'xx',
  and_n: 'xx',
  or_b: 'xx',
  or_c: 'xx',
  or_d: 'xx',
  or_i: 'xx',
};

export function compile(expression: Expression, where: 'wsh' | 'tr'): CompiledMiniscript {
  const keys: string[] = [];
  const text = write(expression, keys, where);
  let compiled: ReturnType<typeof compileMiniscript>;
  try {
    compiled = compileMiniscript(text, { tapscript: where === 'tr' });
  } catch {
    refuse('descriptor_bad_miniscript', 'A miniscript has a fragment or a wrapper that does not exist (BIP379).');
  }
  if (!compiled.issane) {
    refuse('descriptor_bad_miniscript', `A miniscript cannot be used safely: ${meaning(compiled.error)}`);
  }
  const template = readTemplate(compiled.asm);
  if (!template) refuse('descriptor_bad_miniscript', 'A miniscript was translated to something that is no miniscript.');
  return { template, keys };
}

/** The expression in the one spelling that the library is given, its keys replaced by numbers. */
function write(expression: Expression, keys: string[], where: 'wsh' | 'tr'): string {
  if (expression.kind === 'pair') bad('braces stand only in the script tree of tr()');
  if (expression.kind === 'word') {
    const constant = /^(?:[a-z]+:)?[01]$/.test(expression.text);
    return constant ? expression.text : bad('a key or a number stands where an expression belongs');
  }
  const [, wrappers, name] = /^([a-z]+:)?([a-z0-9_]+)$/.exec(expression.name) ?? [];
  if (name === undefined) bad('the name of a fragment is malformed');
  const { args } = expression;
  const prefix = `${wrappers ?? ''}${name}`;
  if (name === 'multi' || name === 'multi_a') {
    const max = name === 'multi' ? 20 : 999;
    if (args.length < 2 || args.length > max + 1) bad(`${name}() has 1 to ${max} keys`);
    if ((name === 'multi_a') !== (where === 'tr')) bad(`${name}() does not belong into ${where}()`);
    const rest = args.slice(1).map((arg) => placeholder(arg, keys));
    return `${prefix}(${number(args[0]!, max)},${rest.join(',')})`;
  }
  if (name === 'thresh') {
    if (args.length < 2) bad('thresh() has a number and expressions');
    const rest = args.slice(1).map((arg) => write(arg, keys, where));
    return `${prefix}(${number(args[0]!, rest.length)},${rest.join(',')})`;
  }
  const form = FRAGMENTS[name!];
  if (form === undefined) bad(`there is no ${name}()`);
  if (args.length !== form!.length) bad(`${name}() has ${form!.length} argument(s)`);
  const written = args.map((arg) => {
    if (form === 'k') return placeholder(arg, keys);
    if (form === 'n') return number(arg, 0x7fff_ffff);
    if (form === 'h') return hash(arg, name!.endsWith('160') ? 20 : 32);
    return write(arg, keys, where);
  });
  return `${prefix}(${written.join(',')})`;
}

function placeholder(expression: Expression, keys: string[]): string {
  if (expression.kind !== 'word') bad('an expression stands where a key belongs');
  // The same key twice must look the same to the library, which then says that it is repeated.
  const known = keys.indexOf(expression.text);
  if (known >= 0) return `@${known}`;
  keys.push(expression.text);
  return `@${keys.length - 1}`;
}

function number(expression: Expression, max: number): string {
  const text = expression.kind === 'word' && /^[1-9][0-9]{0,9}$/.test(expression.text) ? expression.text : '';
  if (text === '' || Number(text) > max) bad(`a number is not between 1 and ${max}`);
  return text;
}

function hash(expression: Expression, length: number): string {
  const text = expression.kind === 'word' ? expression.text.toLowerCase() : '';
  if (text.length !== length * 2 || !/^[0-9a-f]*$/.test(text)) bad(`a hash does not have ${length} bytes in hex`);
  return text;
}

function bad(what: string): never {
  refuse('descriptor_bad_miniscript', `A miniscript is malformed: ${what}.`);
}

function meaning(error: string | null): string {
  switch (error) {
    case 'SiglessBranch':
      return 'it can be spent without a signature.';
    case 'Malleable':
      return 'others could change how it is spent.';
    case 'RepeatedPubkeys':
      return 'a key appears twice.';
    case 'HeightTimelockCombination':
      return 'a spending path mixes time locks by height and by time, and can never be taken.';
    default:
      return 'its parts do not fit together, or a time lock is out of range.';
  }
}
