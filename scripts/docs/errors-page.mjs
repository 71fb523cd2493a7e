// The generated part of docs/errors.md.
import { CHAIN_ERRORS } from '../../packages/protocol/src/errors/chain.ts';
import { MONITOR_ERRORS } from '../../packages/protocol/src/errors/monitor.ts';
import { NOTIFY_ERRORS } from '../../packages/protocol/src/errors/notify.ts';
import { WATCH_ERRORS } from '../../packages/protocol/src/errors/watch.ts';
import { CLIENT_ERRORS } from '../../packages/protocol/src/errors/client.ts';
import { COMMAND_LINE_ERRORS } from '../../packages/protocol/src/errors/command-line.ts';
import { CONNECTION_ERRORS } from '../../packages/protocol/src/errors/connection.ts';
import { KEY_ERRORS } from '../../packages/protocol/src/errors/keys.ts';
import { PROCESS_ERRORS } from '../../packages/protocol/src/errors/processes.ts';
import { STORAGE_ERRORS } from '../../packages/protocol/src/errors/storage.ts';
import { VAULT_ERRORS } from '../../packages/protocol/src/errors/vault.ts';
import {
  ABI_REASONS,
  BITCOIN_REASONS,
  MESSAGE_REASONS,
  OPAQUE_REASONS,
  REGISTRY_REASONS,
  SERVER_REASONS,
  TYPED_DATA_REASONS,
  UPSTREAM_REASONS,
} from './library-reasons.mjs';
import { PEER_REASONS } from './peer-reasons.mjs';
import { DENIAL_REASONS, GRANT_REASONS, OTHER_REASONS, TRANSACTION_REASONS } from './reasons.mjs';

export const ERROR_TABLES = [
  ['What the vault answers', VAULT_ERRORS],
  ['Between a peer and a vault', CONNECTION_ERRORS],
  ['What a client finds by itself', CLIENT_ERRORS],
  ['The `keepwatch` command', COMMAND_LINE_ERRORS],
  ['The journal and its storage', STORAGE_ERRORS],
  ['Keys, locked memory and add-ons', KEY_ERRORS],
  ['The vault’s processes', PROCESS_ERRORS],
  ['Sources of a bitcoin chain', CHAIN_ERRORS],
  ['The monitor', MONITOR_ERRORS],
  ['Channels and their outbox', NOTIFY_ERRORS],
  ['The watch', WATCH_ERRORS],
];

export const REASON_TABLES = [
  ['Why a request is denied', '`details.reasons[].code` of `denied`, and in the journal.', DENIAL_REASONS],
  [
    'Why a transaction is refused',
    '`details.reason` of `transaction_malformed`, and `what` of `intent_not_supported`.',
    TRANSACTION_REASONS,
  ],
  ['Why an ABI or a call is not understood', 'What cannot be decoded is opaque.', ABI_REASONS],
  ['Why a contract is not registered', '`about` says which part of the entry is meant.', REGISTRY_REASONS],
  ['Why a call is opaque', '`opaque` of an intent, and `why` of its actions.', OPAQUE_REASONS],
  ['Why a message is not signed', 'Whatever a grant says.', MESSAGE_REASONS],
  ['Why typed data are not signed', '`path` says which part of them is meant.', TYPED_DATA_REASONS],
  ['Why something of Bitcoin is refused', 'Codes of the library that reads the Bitcoin network.', BITCOIN_REASONS],
  [
    'What is wrong with a server of the chain',
    'The `problem` in the health of an Electrum or Esplora source; the codes of headers above occur there too.',
    SERVER_REASONS,
  ],
  [
    'What is wrong with an upstream of an EVM chain',
    'The `problem` in the health of an upstream, or of a chain.',
    UPSTREAM_REASONS,
  ],
  [
    'Why a node of the Bitcoin network is left',
    'In what the light client says of its peers, and in its log lines.',
    PEER_REASONS,
  ],
  ['Why a grant is not valid', '`details.code` of `grant_invalid`.', GRANT_REASONS],
  ['Other details', 'In the details or the words of the error that is named.', OTHER_REASONS],
];

const cell = (text) => text.replaceAll('|', '\\|');

export function errorsPage() {
  const lines = [];
  for (const [title, table] of ERROR_TABLES) {
    lines.push(`## ${title}`, '', '| code | what happened | what to do |', '| --- | --- | --- |');
    for (const [code, { message, remedy }] of Object.entries(table)) {
      lines.push(`| \`${code}\` | ${cell(message)} | ${cell(remedy)} |`);
    }
    lines.push('');
  }
  for (const [title, where, table] of REASON_TABLES) {
    lines.push(`## ${title}`, '', where, '', '| code | meaning |', '| --- | --- |');
    for (const [code, words] of Object.entries(table)) lines.push(`| \`${code}\` | ${cell(words)} |`);
    lines.push('');
  }
  return lines.join('\n');
}
