// The generated part of docs/protocol.md: methods, commands, notifications and shapes, in a notation like TypeScript's.
// It is written from the JSON Schema of the very schemas that check every message.
import { createRequire } from 'node:module';
import { COMMAND_VALUES, COMMANDS, CLOSE_CODES, METHODS, NOTIFICATIONS } from '../../packages/protocol/src/index.ts';
import * as grants from '../../packages/protocol/src/grant-shapes.ts';
import * as methods from '../../packages/protocol/src/methods.ts';
import * as shapes from '../../packages/protocol/src/shapes.ts';
import { RPC_CODES } from '../../packages/wire/src/index.ts';
import { createNotation } from './notation.mjs';

const { z } = createRequire(new URL('../../packages/protocol/package.json', import.meta.url))('zod');

/** Shapes that have a name on the page, in the order in which they are explained. */
const NAMED = {
  id: [shapes.shortId, '16 bytes as base64url: a peer, a wallet, a one-time key'],
  hash: [shapes.hash32, '32 bytes as base64url: a hash, a key, an identity'],
  wei: [shapes.weiString, 'wei as a decimal string, without sign, exponent or leading zeros'],
  count: [shapes.safeInteger, 'a whole number from 0 to 2^53 − 1; as a time, milliseconds since the Unix epoch'],
  name: [shapes.name, '1 to 64 letters and digits of any script, space, dot, dash, underscore'],
  uuid: [shapes.uuidV7, 'a lower-case UUID of version 7'],
  chain: [shapes.evmChain, 'CAIP-2, such as eip155:1'],
  address: [shapes.evmAddress, '0x and 40 lower-case hex digits'],
  PeerKey: [shapes.peerKey, 'a peer’s long-term public key'],
  EntryKey: [shapes.entryKey, 'the public half of a one-time key for one secret'],
  SealedBox: [shapes.sealedBox, 'a secret, sealed to such a key'],
  Head: [shapes.signedHead, 'a journal head, signed by the receipt key'],
  Receipt: [shapes.receipt, 'a journal entry with its Merkle path to a head'],
  Constraint: [grants.constraint, 'one limit of a grant'],
  Grant: [grants.grantDraft, 'a grant before it has an id'],
  BudgetLine: [grants.budgetLine, 'how one limit of a grant stands'],
  GrantInfo: [methods.grantInfo, 'a grant and what is left of it'],
  WalletInfo: [methods.walletInfo, 'what is public of a wallet'],
  PeerInfo: [methods.peerInfo, 'a peer, or a key that asks to be one'],
  Status: [methods.vaultStatus, 'how the vault stands'],
};

const { schemaOf, notation } = createNotation(z, NAMED);

const block = (text) => ['```ts', text, '```', ''];

export function protocolPage() {
  return [...methodLines(), ...commandLines(), ...notificationLines(), ...shapeLines(), ...numberLines()].join('\n');
}

function methodLines() {
  const lines = ['## Methods', ''];
  for (const [name, spec] of Object.entries(METHODS)) {
    const when = spec.whileSealed ? 'in every phase' : 'while unsealed';
    lines.push(`### \`${name}\``, '', spec.summary, '', `Callers: ${spec.callers.join(', ')}; ${when}.`, '');
    lines.push(...block(`params ${notation(schemaOf(spec.params))}\nresult ${notation(schemaOf(spec.result))}`));
  }
  return lines;
}

function commandLines() {
  const lines = ['## Commands', '', 'The `params` of a signed command, and the `value` of its answer.', ''];
  for (const [name, spec] of Object.entries(COMMANDS)) {
    const tightens = spec.tightens ? ' Only tightens: the state version is not compared.' : '';
    lines.push(`### \`${name}\``, '', spec.summary, '', `Phase: ${spec.phase}.${tightens}`, '');
    const value = COMMAND_VALUES[name];
    lines.push(
      ...block(`params ${notation(schemaOf(spec.params))}\nvalue  ${value ? notation(schemaOf(value)) : 'null'}`),
    );
  }
  return lines;
}

function notificationLines() {
  const lines = ['## Notifications', '', 'From the vault to a peer; they have no answer.', ''];
  for (const [name, schema] of Object.entries(NOTIFICATIONS)) {
    lines.push(`### \`${name}\``, '', ...block(`params ${notation(schemaOf(schema))}`));
  }
  return lines;
}

function shapeLines() {
  const lines = ['## Shapes', '', '| name | what it is |', '| --- | --- |'];
  for (const [name, [, words]] of Object.entries(NAMED)) lines.push(`| \`${name}\` | ${words} |`);
  lines.push('');
  const compound = Object.entries(NAMED).filter(([name]) => /^[A-Z]/.test(name));
  const definitions = compound.map(([name, [shape]]) => `${name} = ${notation(schemaOf(shape), '', name)}`);
  lines.push(...block(definitions.join('\n')));
  return lines;
}

function numberLines() {
  const lines = ['## Numbers', '', 'JSON-RPC error codes; programs look at `data.code` instead.', ''];
  lines.push('| code | name |', '| --- | --- |');
  for (const [name, code] of Object.entries(RPC_CODES)) lines.push(`| ${code} | \`${name}\` |`);
  lines.push('', 'WebSocket close codes. The reason, where there is one, is a code of [errors.md](errors.md).', '');
  lines.push('| code | name |', '| --- | --- |');
  for (const [name, code] of Object.entries(CLOSE_CODES)) lines.push(`| ${code} | \`${name}\` |`);
  lines.push('');
  return lines;
}
