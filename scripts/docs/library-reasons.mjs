// What docs/errors.md says of codes of the pure libraries: why bytes, ABIs and addresses are refused.

/** Why an ABI, a file with one, or a call’s data is refused: what cannot be decoded is opaque. */
export const ABI_REASONS = {
  abi_not_json: 'The file is no JSON.',
  abi_missing: 'The file has no ABI, or not that of the contract asked for.',
  abi_ambiguous_artefact: 'The file holds several contracts and none was named.',
  abi_malformed_entry: 'An entry of the ABI has another shape.',
  abi_duplicate_function: 'The ABI has one function twice.',
  abi_selector_collision: 'Two functions of the ABI have the same selector.',
  abi_malformed_signature: 'A text is no signature of a function.',
  abi_unknown_type: 'A type is none of the contract ABI, or not in its canonical form.',
  abi_type_too_deep: 'A type is nested deeper than what is read.',
  abi_type_too_large: 'A type is larger than what a transaction holds.',
  abi_empty_tuple: 'A tuple without members takes no bytes.',
  abi_duplicate_name: 'Two arguments have the same name.',
  abi_too_large: 'File or data are larger than what is read.',
  abi_truncated: 'The data end too early.',
  abi_trailing_bytes: 'Bytes follow the data.',
  abi_offset_not_canonical: 'A tail stands elsewhere than behind the one before it.',
  abi_length_out_of_range: 'A length reaches beyond the data.',
  abi_padding_not_zero: 'The padding of a value is not zero.',
  abi_integer_out_of_range: 'An integer is larger than its type.',
  abi_malformed_address: 'An address has more than 20 bytes.',
  abi_malformed_bool: 'A bool is neither 0 nor 1.',
  abi_malformed_string: 'A string is not UTF-8.',
};

/** Why a contract does not come into the registry; `about` says which part of the entry is meant. */
export const REGISTRY_REASONS = {
  registry_entry_malformed: 'A member of the entry is missing, of another form, or not known.',
  registry_entry_exists: 'The address is registered on that chain: remove it first.',
  registry_entry_missing: 'The address is not registered on that chain.',
  registry_unknown_standard: 'There is no standard of that name: docs/routes.md lists them.',
  registry_standards_conflict: 'Two of the standards give one function two meanings.',
  registry_function_conflict: 'Two functions have one selector.',
  registry_function_needs_standard:
    'Tokens or credit leave by this function: the entry has to name the standard that says how.',
  registry_decimals_missing: 'A token needs its decimals.',
  registry_underlying_missing: 'The standard needs the token that the contract stands for.',
  registry_too_large: 'More than 1024 functions.',
};

/** Why a call or a signature is opaque. The codes of ABIs are reasons too. */
export const OPAQUE_REASONS = {
  unregistered_contract: 'The contract is not registered on that chain.',
  unknown_function: 'The registered contract has no function of that selector.',
  no_selector: 'The data are shorter than a selector.',
  delegated_wallet: 'The wallet calls itself, and has code that is not registered.',
  delegatecall: 'The code would run in the name of its caller, and was not made for that.',
  not_a_delegatecall: 'The function works by delegatecall only.',
  too_many_calls: 'More than 256 calls, or deeper than 8.',
  empty_batch: 'A batch of nothing.',
  malformed_batch: 'The parts of a batch do not belong together.',
  malformed_path: 'The path of a swap has no two ends.',
  malformed_command: 'A command of the router has an input that makes no sense.',
  unknown_command: 'A command of the router is not known.',
  unknown_operation: 'A Safe knows two operations, and this is another.',
  callback_data: 'The recipient is called with data that say what becomes of the tokens.',
  not_a_fungible_token: 'The address is registered, and not as an ERC-20 token.',
  approves_a_digest: 'A digest does not say what it approves.',
  hands_over_the_safe: 'Who owns or controls a Safe changes by it.',
};

/** Why a text or typed data are not signed, whatever a grant says. */
export const MESSAGE_REASONS = {
  message_empty: 'There is no text.',
  message_too_long: 'The text has more than 16 KiB.',
  message_of_32_bytes: 'A digest has 32 bytes, and a text of that length can be one.',
  message_not_utf8: 'The bytes are no text (RFC 3629).',
  message_not_printable: 'The text holds what nobody sees: control, formatting or filling characters.',
  message_is_a_digest: 'The text as a whole spells a digest, in digits or in one long word.',
};

/** Why typed data (EIP-712) are refused; `path` says where. */
export const TYPED_DATA_REASONS = {
  typed_data_malformed: 'It has another shape than `{types, primaryType, domain, message}`.',
  typed_data_too_large: 'More than 64 types, 64 members of one, or 32 levels.',
  typed_data_invalid_name: 'A name is none that all wallets encode alike.',
  typed_data_duplicate_member: 'A type has two members of one name.',
  typed_data_empty_type: 'A type has no members.',
  typed_data_unknown_type: 'A type is neither declared nor one of EIP-712 (`uint` and `int` are none).',
  typed_data_unused_type: 'A type is declared and not used.',
  typed_data_recursive_type: 'A type holds itself.',
  typed_data_primary_type: 'The primary type is no name, or the domain itself.',
  typed_data_domain_type: 'The domain has other fields than EIP-712 gives it, or in another order.',
  typed_data_wrong_chain: 'The domain names another chain than the request.',
  typed_data_missing_field: 'A value lacks a field of its type.',
  typed_data_extra_field: 'A value has a field that its type has not.',
  typed_data_invalid_value: 'A value is none of its type. Nothing is cut, padded or rounded.',
  typed_data_out_of_range: 'An integer does not fit into its type.',
};

/** Why something of the Bitcoin network is refused. */
export const BITCOIN_REASONS = {
  address_malformed: 'It has no form of an address.',
  address_bad_checksum: 'A letter is wrong, or the checksum is of another variant (BIP350).',
  address_wrong_network: 'An address of another network.',
  not_a_feerate: 'It is no feerate in sat/vB.',
  truncated: 'The bytes end too early.',
  trailing_bytes: 'Bytes follow.',
  number_not_canonical: 'A length has a longer form than needed.',
  too_large: 'More weight than a block may have.',
  no_transactions: 'A block without transactions.',
  no_inputs: 'A transaction without inputs.',
  no_outputs: 'A transaction without outputs.',
  amount_out_of_range: 'An amount is more than all coins.',
  witness_flag_unknown: 'A flag that BIP144 does not know.',
  witness_superfluous: 'It says that it has a witness, and has none.',
  coinbase_misplaced: 'The first transaction is no coinbase, or another one is.',
  coinbase_script_length: 'The script of the coinbase has not 2 to 100 bytes.',
  block_hash: 'The block is another one than was asked for.',
  merkle_root: 'The transactions are not those that the header commits to.',
  merkle_mutated: 'Transactions are repeated so that the root stays the same (CVE-2012-2459).',
  witness_commitment: 'The witnesses are not those that the coinbase commits to.',
  witness_unexpected: 'There are witnesses and nothing commits to them.',
  filter_malformed: 'The block filter cannot be read (BIP158).',
  header_length: 'Headers have 80 bytes each.',
  header_unknown_parent: 'A header follows none that is known.',
  header_wrong_bits: 'A header has another difficulty than the rules ask for.',
  header_no_work: 'A header’s hash is above its target.',
  header_time_too_old: 'A header is not later than the median of the eleven before it.',
  header_time_too_new: 'A header’s time lies too far ahead.',
  header_time_warp: 'A period begins too long before the last one ended (BIP94).',
  header_version_outdated: 'A header has a version that is no longer valid at its height.',
  header_against_checkpoint: 'A header contradicts a checkpoint.',
};
