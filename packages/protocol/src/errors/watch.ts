import { text, type ErrorText } from './text.ts';

/** What is wrong with a watched wallet, or with what the watch had stored. */
export const WATCH_ERRORS = {
  wallet_bad_id: text('The id of a watched wallet is not valid.', 'Use 1 to 64 of a–z, 0–9, “.”, “_” and “-”.'),
  wallet_bad_number: text('A number of a watched wallet is out of its range.', 'The message says which range it has.'),
  wallet_bad_transaction: text(
    'A transaction that is to be watched is not a whole one, or is the first of a block, which spends nothing.',
    'Give all of it in hex, as bitcoin-cli getrawtransaction does.',
  ),
  wallet_bad_outpoint: text(
    'A watched outpoint is not valid.',
    'Write the transaction id as 64 lower-case hex digits, and the number of the output.',
  ),
  wallet_vault_ambiguous: text(
    'The same descriptor is given as a way out of a vault and as something else, or twice.',
    'Give each descriptor once: where coins wait on their way out with --unvault, all others with --descriptor.',
  ),
  wallet_watches_nothing: text(
    'A watched wallet has nothing to watch.',
    'Give it a descriptor, an address as `addr(…)`, a script as `raw(…)`, or an outpoint.',
  ),
  watch_event_malformed: text(
    'An entry of the monitor’s journal cannot be read.',
    'Check the journal with `verify`; restore it from a backup where it is damaged.',
  ),
  watch_event_unknown_version: text(
    'An entry of the monitor’s journal is of another version.',
    'Run the version of Keepwatch that wrote it, or a later one.',
  ),
  watch_state_malformed: text(
    'A snapshot of the watch cannot be read.',
    'Nothing is lost: the journal is read from its start, which takes longer.',
  ),
  watch_state_unknown_version: text(
    'A snapshot of the watch is of another version.',
    'Nothing is lost: the journal is read from its start, which takes longer.',
  ),
  evm_wallet_bad_id: text('The id of a watched account is not valid.', 'Use 1 to 64 of a–z, 0–9, “.”, “_” and “-”.'),
  evm_wallet_bad_chain: text(
    'The id of an EVM chain is not valid.',
    'It is a number, such as 1 for Ethereum (EIP-155).',
  ),
  evm_wallet_bad_token: text(
    'A token of a watched account is not valid, is named twice, or there are too many.',
    'The message says what is wrong.',
  ),
  evm_wallet_bad_limit: text('A limit of a watched account is not valid.', 'The message says what is wrong.'),
  evm_event_malformed: text(
    'An entry of the monitor’s journal about an EVM account cannot be read.',
    'Check the journal with `verify`; restore it from a backup where it is damaged.',
  ),
  evm_event_unknown_version: text(
    'An entry of the monitor’s journal about an EVM account is of another version.',
    'Run the version of Keepwatch that wrote it, or a later one.',
  ),
  evm_state_malformed: text(
    'A snapshot of the watch of EVM accounts cannot be read.',
    'Nothing is lost: the journal is read from its start, which takes longer.',
  ),
  evm_state_unknown_version: text(
    'A snapshot of the watch of EVM accounts is of another version.',
    'Nothing is lost: the journal is read from its start, which takes longer.',
  ),
  vault_event_malformed: text(
    'An entry of the monitor’s journal about a vault cannot be read.',
    'Check the journal with `verify`; restore it from a backup where it is damaged.',
  ),
  vault_event_unknown_version: text(
    'An entry of the monitor’s journal about a vault is of another version.',
    'Run the version of Keepwatch that wrote it, or a later one.',
  ),
  vault_state_malformed: text(
    'A snapshot of what is known of vaults cannot be read.',
    'Nothing is lost: the journal is read from its start, which takes longer.',
  ),
  vault_state_unknown_version: text(
    'A snapshot of what is known of vaults is of another version.',
    'Nothing is lost: the journal is read from its start, which takes longer.',
  ),
  rules_malformed: text(
    'The rules have another form than they must have.',
    'The path says where, the message what is wrong.',
  ),
  rule_bad_condition: text(
    'The condition of a rule is not valid CEL, or asks for something that there is not.',
    'Correct the condition that the path names; docs/watch.md says what one can ask about, docs/findings.md has the kinds.',
  ),
  rule_too_costly: text(
    'The condition of a rule could take too long.',
    'Make it shorter, and go through no list within a list.',
  ),
  rule_channel_unknown: text(
    'A rule tells by a channel that there is not.',
    'Add the channel first, or correct the name; `keepwatch channel list` shows those that there are.',
  ),
  rule_name_repeated: text('Two rules have the same name.', 'Give each rule a name of its own.'),
} as const satisfies Readonly<Record<string, ErrorText>>;
