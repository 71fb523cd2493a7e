import { err, fromHex, ok, type Result } from '@keepwatch/base';
import { addressToScript } from '../address.ts';
import type { Network } from '../network.ts';
import { descriptorChecksum, withoutChecksum } from './checksum.ts';
import { keysOf, type Descriptor, type ScriptExpression, type TapTree } from './descriptor.ts';
import { DescriptorRefused, refuse, type DescriptorError } from './error.ts';
import { parseExpression, type Expression } from './expression.ts';
import { parseKey, type KeyExpression } from './key.ts';
import { compile } from './miniscript.ts';

/** What a script stands in. It decides what may stand there and which keys (BIP381 to BIP387). */
type Context = 'top' | 'sh' | 'wsh' | 'tr';

/** 128 levels: as many as a control block can prove (BIP341). */
const MAX_TREE_DEPTH = 128;

/**
 * Reads a descriptor of `network`, with or without a checksum; a checksum that is there must be right. Known: `pk`,
 * `pkh`, `wpkh`, `combo`, `multi`, `sortedmulti`, `sh`, `wsh`, `tr` with trees, `multi_a`, `sortedmulti_a`, `rawtr`,
 * `addr`, `raw`, and miniscript in `wsh` and `tr`. Private keys are refused. Codes: `DescriptorErrorCode`.
 */
export function parseDescriptor(text: string, network: Network): Result<Descriptor, DescriptorError> {
  try {
    const body = withoutChecksum(text);
    if (!body.ok) return body;
    const script = parseScript(parseExpression(body.value), 'top', network);
    const keys = keysOf(script);
    const normal = body.value.replace(/(?<=[/<;][0-9]+)['H]/g, 'h');
    return ok({
      text: normal,
      checksum: descriptorChecksum(normal)!,
      network,
      ranged: keys.some((key) => key.kind === 'extended' && key.ranged),
      branches: branchesOf(keys),
      script,
    });
  } catch (error) {
    if (error instanceof DescriptorRefused) return err(error.reason);
    throw error;
  }
}

function branchesOf(keys: readonly KeyExpression[]): number {
  const tuples = keys.flatMap((key) =>
    key.kind === 'extended' ? key.path.filter((step) => typeof step !== 'number') : [],
  );
  const lengths = new Set(tuples.map((tuple) => tuple.length));
  if (lengths.size > 1) {
    refuse('descriptor_bad_multipath', 'The tuples of a descriptor all have the same number of values (BIP389).');
  }
  return [...lengths][0] ?? 1;
}

function parseScript(expression: Expression, context: Context, network: Network): ScriptExpression {
  if (expression.kind !== 'call') {
    refuse('descriptor_malformed', 'A script expression such as wpkh(…) was expected, and not a key, word or pair.');
  }
  const { name, args } = expression;
  const only = () => {
    if (args.length !== 1) refuse('descriptor_malformed', `${name}() takes one argument.`);
    return args[0]!;
  };
  const key = (arg: Expression) => parseKeyIn(arg, context, network);
  switch (name) {
    case 'pk':
      return { kind: 'pk', key: key(only()) };
    case 'pkh':
      if (context !== 'tr') return { kind: 'pkh', key: key(only()) };
      break;
    case 'wpkh': {
      allow(name, context, 'top', 'sh');
      return { kind: 'wpkh', key: parseKeyIn(only(), 'wsh', network) };
    }
    case 'combo':
      allow(name, context, 'top');
      return { kind: 'combo', key: key(only()) };
    case 'rawtr':
      allow(name, context, 'top');
      return { kind: 'rawtr', key: parseKeyIn(only(), 'tr', network) };
    case 'multi':
    case 'sortedmulti':
      if (context !== 'tr') return multisig(name, args, context, network);
      if (name === 'multi') break;
      allow(name, context, 'top', 'sh', 'wsh');
      break;
    case 'multi_a':
    case 'sortedmulti_a':
      allow(name, context, 'tr');
      return multisig(name, args, context, network);
    case 'sh':
      allow(name, context, 'top');
      return { kind: 'sh', inner: parseScript(only(), 'sh', network) };
    case 'wsh':
      allow(name, context, 'top', 'sh');
      return { kind: 'wsh', inner: parseScript(only(), 'wsh', network) };
    case 'tr': {
      allow(name, context, 'top');
      if (args.length > 2) refuse('descriptor_malformed', 'tr() takes a key and at most one script tree.');
      const tree = args[1] ? parseTree(args[1], network, 0) : null;
      return { kind: 'tr', internal: parseKeyIn(args[0]!, 'tr', network), tree };
    }
    case 'addr':
      allow(name, context, 'top');
      return { kind: 'fixed', script: address(only(), network) };
    case 'raw':
      allow(name, context, 'top');
      return { kind: 'fixed', script: rawScript(only()) };
    case 'musig':
    case 'sp':
      refuse(
        'descriptor_unsupported',
        `${name}() is not supported yet: give the resulting scripts by rawtr() or addr().`,
      );
      break;
  }
  if (context !== 'wsh' && context !== 'tr') {
    refuse(
      'descriptor_wrong_context',
      `There is no ${printable(name)} here; miniscript stands in wsh() and tr() only.`,
    );
  }
  const compiled = compile(expression, context);
  const keys = compiled.keys.map((text) => parseKeyIn({ kind: 'word', text }, context, network));
  return { kind: 'miniscript', template: compiled.template, keys };
}

/** The name of a function as far as it is one: what was pasted is not repeated. */
function printable(name: string): string {
  return /^[a-z0-9_:]{1,20}$/.test(name) ? `${name}()` : 'such expression';
}

function allow(name: string, context: Context, ...contexts: readonly Context[]): void {
  if (contexts.includes(context)) return;
  const where = context === 'top' ? 'at the top of a descriptor' : `within ${context}()`;
  refuse('descriptor_wrong_context', `${name}() may not stand ${where}.`);
}

function parseKeyIn(expression: Expression, context: Context, network: Network): KeyExpression {
  if (expression.kind === 'call' && expression.name === 'musig') {
    refuse('descriptor_unsupported', 'musig() is not supported yet: give the resulting scripts by rawtr() or addr().');
  }
  if (expression.kind !== 'word') refuse('descriptor_malformed', 'A key was expected, and not another expression.');
  const key = parseKey(expression.text, network);
  const length = key.kind === 'fixed' ? key.bytes.length : 33;
  if (length === 65 && (context === 'wsh' || context === 'tr')) {
    refuse('descriptor_wrong_context', 'An uncompressed key cannot be used in segwit scripts (BIP143).');
  }
  if (length === 32 && context !== 'tr') {
    refuse('descriptor_wrong_context', 'A key of 32 bytes (x-only) can be used in tr() and rawtr() only (BIP386).');
  }
  return key;
}

function multisig(
  name: 'multi' | 'sortedmulti' | 'multi_a' | 'sortedmulti_a',
  args: readonly Expression[],
  context: Context,
  network: Network,
): ScriptExpression {
  const [first, ...rest] = args;
  const max = context === 'top' ? 3 : context === 'tr' ? 999 : 20;
  if (rest.length < 1 || rest.length > max) {
    refuse('descriptor_bad_threshold', `${name}() has 1 to ${max} keys here.`);
  }
  const threshold = first!.kind === 'word' && /^[1-9][0-9]{0,2}$/.test(first!.text) ? Number(first!.text) : 0;
  if (threshold < 1 || threshold > rest.length) {
    refuse('descriptor_bad_threshold', `The threshold of ${name}() is between 1 and the number of its keys.`);
  }
  const keys = rest.map((arg) => parseKeyIn(arg, context, network));
  if (context === 'sh') {
    // BIP16: a redeem script is one element of the stack, of at most 520 bytes.
    const size = keys.reduce((sum, key) => sum + 1 + (key.kind === 'fixed' ? key.bytes.length : 33), 3);
    if (size > 520) refuse('descriptor_bad_threshold', `${name}() is too large for sh(): at most 15 compressed keys.`);
  }
  const kind = name.endsWith('_a') ? 'multi_a' : 'multi';
  return { kind, sorted: name.startsWith('sorted'), threshold, keys };
}

function parseTree(expression: Expression, network: Network, depth: number): TapTree {
  if (depth > MAX_TREE_DEPTH) {
    refuse('descriptor_too_large', `A script tree has at most ${MAX_TREE_DEPTH} levels (BIP341).`);
  }
  if (expression.kind === 'pair') {
    const left = parseTree(expression.left, network, depth + 1);
    return { kind: 'branch', left, right: parseTree(expression.right, network, depth + 1) };
  }
  return { kind: 'leaf', script: parseScript(expression, 'tr', network) };
}

function address(expression: Expression, network: Network): Uint8Array {
  const script = expression.kind === 'word' ? addressToScript(expression.text, network) : err('address_malformed');
  if (script.ok) return script.value;
  if (script.error === 'address_wrong_network') {
    refuse('descriptor_wrong_network', `The address is not of the network ${network}.`);
  }
  refuse('descriptor_bad_address', 'The address has a wrong checksum or is none of bitcoin’s forms.');
}

function rawScript(expression: Expression): Uint8Array {
  const isHex = expression.kind === 'word' && /^([0-9a-fA-F]{2})+$/.test(expression.text);
  return isHex ? fromHex(expression.text)! : refuse('descriptor_malformed', 'raw() takes a script in hex.');
}
