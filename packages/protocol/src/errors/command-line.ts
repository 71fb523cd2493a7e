import { text, type ErrorText } from './text.ts';

const HELP = 'See --help for how this is called.';
const PERMISSIONS = 'Check the path, its permissions and the free space.';

/** The `keepwatch` command. Codes that begin with `usage_` end with exit code 2: what was typed cannot be carried out. */
export const COMMAND_LINE_ERRORS = {
  usage_unknown_command: text('There is no such command.', 'See `keepwatch help` for what there is.'),
  usage_unknown_option: text('There is no such option.', HELP),
  usage_option_missing: text('An option that is needed is missing.', HELP),
  usage_option_needs_value: text('An option has no value.', HELP),
  usage_option_without_value: text('An option that is a switch has a value.', HELP),
  usage_option_repeated: text('An option is given twice.', 'Give it once.'),
  usage_options_conflict: text('Two options exclude each other.', HELP),
  usage_argument_missing: text('A word is missing.', HELP),
  usage_argument_left_over: text('There is a word too many.', 'Quote a name that has spaces, or see --help.'),
  usage_unknown_name: text('Nothing has this name.', 'List what there is, or use the id.'),
  usage_ambiguous_name: text('More than one thing has this name.', 'Use the id.'),
  usage_unknown_user: text('The system knows no such user.', 'Name one that exists.'),
  usage_profile_name: text('This cannot name a profile.', 'Use letters, digits, dashes and underscores.'),
  usage_connection: text('The connection string cannot be read.', 'Copy it whole, in quotes.'),
  usage_listen: text('This is no address with a port.', 'Write one such as 127.0.0.1:7401.'),
  usage_log_level: text('There is no such log level.', 'Choose debug, info, warn or error.'),
  usage_kdf: text('There is no such cost of the password hash.', 'Choose interactive, moderate or sensitive.'),
  usage_words: text('A mnemonic has another number of words.', 'Choose 12 or 24.'),
  usage_amount: text('This is no amount.', 'Write one such as 0.5eth or 30gwei.'),
  usage_duration: text('This is no span of time.', 'Write one such as 1h or 7d.'),
  usage_chain: text('This is no chain.', 'Write its number, such as 1.'),
  usage_digest: text('This is no digest.', 'Write 0x and 64 lower-case hex digits.'),
  usage_outcome: text('This is no way in which a request ends.', 'Write executed, never or allowance-ended.'),
  usage_abi: text('The ABI is too long.', 'Leave out the functions that nobody calls.'),
  usage_number: text('This is no whole number in range.', HELP),
  usage_limit: text('This is no limit with a span of time.', 'Write one such as 2eth/1d.'),
  usage_list: text('An entry of a list is empty.', 'Separate the entries by single commas.'),
  usage_address: text('This is no address, or its checksum does not fit.', 'Copy it from where it comes from.'),
  usage_recipients: text('It is not clear to whom the grant allows transfers.', 'Name addresses, or `any` alone.'),
  usage_nonce_floor: text('This is no nonce floor.', HELP),
  usage_key: text('This is no idempotency key.', 'Use the key that the first request printed.'),
  usage_priority_fee: text('The priority fee is above the maximum fee.', 'Lower it, or raise the maximum fee.'),
  usage_receipt_key: text('This is no receipt key.', 'It is the base64url of 32 bytes.'),
  usage_private_key: text('This is no private key.', 'Give 32 bytes in hex.'),
  usage_passphrase_missing: text('The passphrase is missing.', 'Give it as the second line.'),
  usage_secret_empty: text('Nothing was given as the secret.', 'Give it again.'),
  usage_secret_long: text('The secret is longer than 4,096 bytes.', 'Check the file.'),
  usage_secret_file: text('The file with the secret cannot be read.', 'Check the path and its permissions.'),
  usage_secret_in_json: text('A secret is not part of a JSON answer.', 'Name a new file with --out FILE.'),
  usage_stdin_twice: text('Two secrets cannot both come from standard input.', 'Give one of them as a file.'),
  usage_no_terminal: text(
    'Something is to be asked, and there is no terminal.',
    'Give it by the option that is named.',
  ),
  usage_password_short: text('The password is shorter than 12 characters.', 'Choose several random words.'),
  usage_passwords_differ: text('The two passwords differ.', 'Start again.'),

  usage_network: text('There is no such network.', 'Choose main, test4, signet or regtest.'),
  usage_chain_source: text('This is no source of a chain.', HELP),
  usage_descriptor: text('This is no descriptor of a wallet.', 'Give the public descriptor of the wallet, whole.'),
  usage_beginning: text('This is no height and no day.', 'Write one such as 800000 or 2024-05-01.'),

  chain_configuration_invalid: text(
    'The file of sources of the chain cannot be used.',
    'Correct it; docs/sources.md shows what such a file holds.',
  ),
  chain_not_reached: text(
    'A source of the chain does not get on.',
    'Check the network and the address; `keepwatch chain status` shows each source.',
  ),
  no_light_client: text(
    'None of the sources is the light client, and only it has peers.',
    'Use it with --peer, or without any option that names another source.',
  ),
  not_joined: text(
    'This profile has joined no vault.',
    'Run `keepwatch operator join` or `keepwatch client register`.',
  ),
  no_local_vault: text(
    'There is no vault on this machine that waits for its first operator.',
    'Start one, name its data directory, or give the connection string.',
  ),
  profile_damaged: text(
    'The profile is damaged.',
    'Remove the file that is named and join the vault again; the key beside it stays valid.',
  ),
  profile_unreadable: text('The profile cannot be read.', PERMISSIONS),
  profile_unwritable: text('The profile cannot be written.', PERMISSIONS),
  file_unreadable: text('The file cannot be read.', 'Check the path.'),
  file_unwritable: text('The file cannot be written.', PERMISSIONS),
  interrupted: text('Ended by Ctrl-C.', 'Nothing needs to be done.'),
  unforeseen: text(
    'Something unforeseen failed in the command.',
    'Run it again with KEEPWATCH_DEBUG=1 in the environment, and report it.',
  ),
  node_too_old: text(
    'This needs Node 26, and none is bundled for this machine.',
    'Install Keepwatch again, or Node 26.',
  ),
  node_failed: text('The bundled Node does not start.', 'Install Keepwatch again on this very machine.'),
  file_malformed: text('The file does not hold what was expected.', 'Correct the file.'),
} as const satisfies Record<string, ErrorText>;
