import { text, type ErrorText } from './text.ts';

/** What the monitor and the commands that speak to it can end with. */
export const MONITOR_ERRORS = {
  monitor_exists: text(
    'There is a monitor in this directory already.',
    'Use it, or name another directory with --data.',
  ),
  monitor_not_made: text('There is no monitor in this directory yet.', 'Make one with `keepwatch monitor init`.'),
  monitor_directory_unusable: text(
    'The data directory of a monitor cannot be made or written.',
    'Look at its permissions and at the room on its disk, or name another directory with --data.',
  ),
  monitor_not_running: text('No monitor runs in this directory.', 'Start it with `keepwatch monitor run`.'),
  monitor_locked: text('The monitor is locked: its pass phrase is needed.', 'Run `keepwatch monitor unlock`.'),
  monitor_lock_damaged: text(
    'The file that says how the monitor is locked cannot be read, or is gone.',
    'Put a copy of lock.json back: without it nothing of this monitor can be read.',
  ),
  monitor_journal_missing: text(
    'The journal of the monitor is gone or empty, as after a part of a copy was put back.',
    'Put journal.sqlite back from a copy, or begin anew in another directory: what was watched and found stands there alone.',
  ),
  monitor_key_missing: text('The key of the monitor is not there.', 'Put it where it was, or start by the same unit.'),
  monitor_key_wrong: text('The key does not open this monitor.', 'Give the one that it was made with.'),
  monitor_key_open: text(
    'Others can read the key file of the monitor.',
    'Run chmod 600 on it, and think of who may have read it.',
  ),
  monitor_other_network: text(
    'The monitor watches another network than its sources are of.',
    'Name sources of its network, or make another monitor with --data.',
  ),
  monitor_running: text('A monitor runs in this directory already.', 'Use it, or stop it first.'),
  monitor_socket_taken: text(
    'A file that is no socket stands where the monitor listens.',
    'Look at what it is, and move it away.',
  ),
  monitor_port_taken: text(
    'The monitor cannot listen on the address for health and metrics.',
    'Name another address with --http HOST:PORT, or `--http off`.',
  ),
  monitor_unreachable: text('The monitor’s socket cannot be opened.', 'Run the command as the monitor’s own user.'),
  monitor_gone: text('The monitor ended while it was asked.', 'Look at its log, and ask again.'),
  monitor_refused: text(
    'The monitor does not take this question.',
    'Correct what was given; or command and monitor are of different versions: start the monitor anew.',
  ),
  monitor_not_allowed: text(
    'This is not for the caller over the network.',
    'Ask an operator of the monitor, or run the command on its machine as its user.',
  ),
  monitor_peer_unknown: text(
    'Nobody of this name or id is known to the monitor, or more than one.',
    '`keepwatch monitor peers` shows who is known and who has asked.',
  ),
  monitor_peer_exists: text('Another peer of the monitor has this name.', 'Choose another name with --name.'),
  monitor_not_joined: text(
    'This profile has not joined a monitor.',
    'Run `keepwatch monitor join CONNECTION`; `keepwatch monitor status` shows it on the monitor’s own machine.',
  ),
  no_local_monitor: text(
    'There is no monitor on this machine that waits for its first operator.',
    'Start one with --listen, name its data directory, or give the connection string.',
  ),
  command_unsigned: text(
    'What changes a monitor has to be signed by the peer that orders it.',
    'Update the client: it signs what it orders.',
  ),
  order_unanswered: text(
    'The connection broke, and whether the order was carried out is not known.',
    'Look with `keepwatch monitor journal` before you repeat it.',
  ),
  order_forged: text(
    'An entry of the monitor’s journal says that somebody ordered something, and his signature does not hold.',
    'Somebody wrote to the journal who had its keys. Keep a copy of the data, and make the monitor anew.',
  ),
  order_malformed: text(
    'An entry of the monitor’s journal about an order cannot be read.',
    'Start the version that wrote it, or a later one.',
  ),
  watched_wallet_unknown: text('No such wallet is watched.', '`keepwatch watch list` shows those that are.'),
  watched_wallet_exists: text(
    'A wallet of this name is watched already.',
    'Choose another name, or remove that one first.',
  ),
  watched_transaction_unknown: text(
    'No source has a transaction of this id where it can look: nodes know those of blocks with -txindex only, and a light client knows none.',
    'Check the id; give the whole transaction by --transaction HEX, or add a source that knows it.',
  ),
  watched_transaction_unread: text(
    'A transaction was not found, and not every source could be asked for it, or one sent something else.',
    'Look at `keepwatch monitor status` and try again, or give the whole transaction by --transaction HEX.',
  ),
  watched_transaction_too_large: text(
    'A transaction has more bytes than can be watched by its id (400,000 without witnesses).',
    'Watch what it pays to or spends: --address, --script or --outpoint.',
  ),
  evm_chain_not_followed: text(
    'The monitor runs and follows no such chain, so that the account would not be watched.',
    'Give it an upstream, by `monitor run --evm` or in chain.json, and start it anew.',
  ),
  evm_address_invalid: text(
    'The address of an account or a token is none, or its checksum is wrong (EIP-55).',
    'Copy it again, whole.',
  ),
  evm_token_unknown: text(
    'What a token is called, and how many decimals it has, is not known: its contract does not say, or no chain is followed.',
    'Write it as ADDRESS:SYMBOL:DECIMALS, or try again while the monitor follows the chain.',
  ),
  evm_token_no_contract: text(
    'There is no contract at the address of a token on this chain, so that no balance could be read.',
    'Look the address of the token up again, and whether the chain is the right one.',
  ),
  watched_wallet_refused: text(
    'The wallet cannot be watched as it was described.',
    'The message says which part is wrong.',
  ),
  monitor_vault_refused: text('The vault cannot be followed under this name.', 'Choose another name.'),
  monitor_vault_exists: text(
    'A vault of this name is followed already.',
    'Choose another name, or remove that one first.',
  ),
  monitor_vault_unknown: text('No vault of this name is followed.', '`keepwatch monitor vault list` shows them.'),
  channel_unknown: text('There is no channel of this name.', '`keepwatch channel list` shows those that there are.'),
  channel_exists: text(
    'There is a channel of this name already.',
    'Choose another name, or set it anew by --replace (`replace` of channel.put).',
  ),
  channel_refused: text('The channel cannot be used as it was described.', 'The message says which part is wrong.'),
  channel_in_rules: text('A rule tells by this channel.', 'Apply rules without it first.'),
  channel_in_ladder: text(
    'The ladder tells by this channel, or something that waits for an answer does.',
    'Apply a ladder without it first; acknowledge what waits for an answer.',
  ),
  channel_in_schedule: text('The heartbeat goes to this channel.', 'Apply a schedule without it first.'),
  schedule_refused: text('The schedule cannot be used as it was described.', 'The message says which part is wrong.'),
  message_unsigned: text(
    'There is no signature in the text.',
    'Copy the whole message, with its last line. Messages by SMS and shortened ones cannot be checked.',
  ),
  message_forged: text(
    'The signature is not of the text.',
    'Copy the whole message and nothing behind it. If that changes nothing, this monitor did not write it.',
  ),
  ladder_refused: text('The ladder cannot be used as it was described.', 'The message says which part is wrong.'),
  ladder_channel_unknown: text(
    'The ladder tells by a channel that there is not.',
    '`keepwatch channel list` shows those that there are.',
  ),
  finding_unknown: text(
    'There is no finding of this id or number.',
    '`keepwatch findings list` shows numbers, and with --json ids.',
  ),
  finding_answered: text(
    'Somebody has answered this already.',
    'There is nothing left to do; `keepwatch findings show` says who it was.',
  ),
  code_expired: text('The code is no longer valid.', 'Name the finding by its id or number instead.'),
  code_unknown: text(
    'Nothing waits for an answer by this code, id or number.',
    '`keepwatch findings list` marks what waits for an answer.',
  ),
  code_busy: text(
    'Too many wrong codes were tried lately.',
    'Name the finding by its id or number, or wait ten minutes.',
  ),
  channel_test_failed: text(
    'A test message was not delivered.',
    'Check the address and the secret of the channel, and whether this machine reaches it.',
  ),
  desk_malformed: text(
    'An entry of the monitor’s journal about its settings cannot be read.',
    'Start the version that wrote it, or a later one.',
  ),
  journal_entry_unread: text(
    'An entry of the journal is none that this version understands.',
    'Start the version that wrote it, or a later one.',
  ),
  journal_snapshot_unread: text(
    'A snapshot of the state is none that this version understands.',
    'Start the version that wrote it, or a later one.',
  ),
  import_unknown_format: text(
    'The file is no wallet export that is known.',
    'docs/watch.md names the exports that are read, and how each program makes them.',
  ),
  import_malformed: text('The file is of a known kind, and something in it is wrong.', 'Export it again.'),
  import_private_key: text(
    'The file holds a private key, a seed, or is encrypted: only public parts are taken.',
    'Export what is public, such as the descriptor; and treat the private key as seen.',
  ),
  import_wrong_network: text('The file is of another network.', 'Choose the file of this network, or another monitor.'),
} as const satisfies Record<string, ErrorText>;
