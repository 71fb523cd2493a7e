// What docs/errors.md says of codes that are no errors by themselves: they stand inside another error's details, or
// never leave the program. A test demands that every code in the source is in `ERRORS` or here.

/** `details.reasons[].code` of `denied`, and the reasons of a denial in the journal. */
export const DENIAL_REASONS = {
  no_grant: 'No live grant names this client, wallet and chain with this kind of transaction.',
  recipient_not_permitted: 'The grant does not list this recipient.',
  volume_exceeded: 'Value and maximum fee together do not fit into what is left of the window.',
  count_exceeded: 'The window has no transaction left.',
  max_fee_exceeded: 'The maximum fee of this transaction is above the grant’s limit.',
  unknown_constraint: 'The grant has a constraint that this version does not know; it counts as not met.',
  no_volume_limit: 'The grant does not limit what leaves the wallet; nothing is granted without a limit.',
  intent_not_supported: 'There is a grant, but no kind of grant covers what this transaction does.',
  nonce_used: 'The nonce was signed before, for other bytes.',
  nonce_below_floor: 'The nonce lies below the wallet’s floor on this chain.',
  nonce_floor_unconfirmed: 'After a restore no operator has said yet from which nonce on this wallet signs.',
};

/** `details.reason` of `transaction_malformed`, and `what` of `intent_not_supported`. */
export const TRANSACTION_REASONS = {
  unsupported_transaction_type: 'Not a transaction of type 1 to 4, and not one without a type.',
  signed_transaction: 'It carries a signature already.',
  not_replay_protected: 'A form older than EIP-155: its signature would be good on every chain.',
  wrong_field_count: 'Not the fields of an unsigned transaction of its type.',
  malformed_integer: 'An integer has leading zeros or is no byte string.',
  chain_id_out_of_range: 'The chain id is zero or above 2^53 − 1.',
  nonce_out_of_range: 'The nonce is above 2^53 − 1.',
  fee_out_of_range: 'A fee has more than 256 bits.',
  gas_limit_out_of_range: 'The gas limit has more than 64 bits.',
  value_out_of_range: 'The value has more than 256 bits.',
  priority_fee_above_max_fee: 'The priority fee is above the maximum fee.',
  max_fee_overflow: 'The total of the maximum fees has more than 256 bits.',
  malformed_recipient: 'The recipient has neither 20 bytes nor none.',
  recipient_required: 'A transaction of this type names a recipient.',
  malformed_data: 'The data is no byte string.',
  malformed_access_list: 'The access list has another shape.',
  malformed_blob_hash: 'A versioned hash of a blob has not 32 bytes.',
  unsupported_blob_hash_version: 'A versioned hash of a blob does not begin with 0x01.',
  no_blobs: 'A blob transaction without blobs.',
  too_many_blobs: 'More than six blobs.',
  malformed_authorization: 'An authorisation has another shape.',
  no_authorizations: 'A transaction of type 4 without authorisations.',
  authorization_for_another_chain: 'An authorisation is for neither this chain nor all.',
  authorization_signature_out_of_range: 'An authorisation has an impossible signature.',
  authorization_high_s: 'An authorisation has a signature that EIP-2 rules out.',
  contract_creation_not_supported: 'It creates a contract.',
  calldata_not_supported: 'It carries data, so it calls a contract.',
  access_list_not_supported: 'It carries an access list.',
  blobs_not_supported: 'It carries blobs.',
  delegation_not_supported: 'It delegates accounts.',
  rlp_truncated: 'The RLP ends too early.',
  rlp_not_canonical: 'The RLP has a longer form than needed.',
  rlp_trailing_bytes: 'Bytes follow the RLP.',
  rlp_too_large: 'The RLP is larger than what is read.',
};

/** `details.code` of `grant_invalid`; `details.path` names the member. */
export const GRANT_REASONS = {
  not_an_object: 'It is no object.',
  unknown_member: 'A member has no meaning here.',
  invalid_text: 'A text is empty or too long.',
  invalid_sequence: 'The place in the order of grants is no number.',
  unknown_kind: 'There is no such kind of grant.',
  invalid_chain: 'A grant of this kind cannot name this chain.',
  invalid_recipients: 'Recipients are neither `any` nor a list.',
  invalid_recipient: 'A recipient is not in canonical form.',
  duplicate_recipient: 'A recipient is named twice.',
  invalid_constraints: 'Constraints are no list, or too many.',
  invalid_limit: 'A limit is no amount in range.',
  invalid_window: 'A window is not between a second and 366 days.',
  duplicate_constraint: 'Two constraints limit the same thing over the same window.',
};

/** In the details of the error that is named. */
export const OTHER_REASONS = {
  mnemonic_word_count: '`secret_malformed`: not 12, 15, 18, 21 or 24 words with single spaces between them.',
  mnemonic_word_unknown: '`secret_malformed`: a word that the English list does not have.',
  mnemonic_checksum: '`secret_malformed`: the words do not belong together.',
  passphrase_too_long: '`secret_malformed`: a passphrase of more than 1,024 bytes.',
  path_malformed: '`secret_malformed`: no derivation path.',
  rotation_unfinished: '`vault_busy`: keys of an earlier rotation still wait for their re-encryption.',
  transaction_differs: '`signed_transaction_differs`: other bytes were signed.',
  signature_malformed: '`signed_transaction_differs`: the signature has no valid form.',
  signature_of_another_wallet: '`signed_transaction_differs`: another key signed.',
  no_next_key: '`gate_unavailable`: gate holds no next TLS key.',
  other_next_key: '`gate_unavailable`: gate’s next TLS key is another one.',
  not_a_statement: '`gate_unavailable`: what gate got is no TLS statement.',
};

/** Codes that stay inside the program: whoever gets one turns it into another before a person or a peer sees it. */
export const INTERNAL = {
  not_an_amount: 'the command line and the grant parser say what was expected instead',
  too_many_decimals: 'the command line says what was expected instead',
  not_an_address: 'the command line says what was expected instead',
  wrong_checksum: 'the command line says what was expected instead',
  invalid_usage: 'a snapshot is authenticated before it is read, so this is a bug and not an outcome',
  jws_malformed: 'becomes a code of the handshake, the command or the statement',
  jws_signature: 'becomes a code of the handshake, the command or the statement',
  head_malformed: 'a remembered head that is none is ignored; in a receipt it is receipt_malformed',
  head_gap: 'becomes a fault of the journal',
  head_overlap: 'becomes a fault of the journal',
  head_link_broken: 'becomes a fault of the journal',
  head_epoch_fell: 'becomes a fault of the journal',
  head_time_fell: 'becomes a fault of the journal',
  head_other_vault: 'becomes a fault of the journal',
  tls_statement_malformed: 'a statement that does not hold is passed over; the pin then does not match',
  tls_statement_identity: 'a statement that does not hold is passed over; the pin then does not match',
  tls_statement_signature: 'a statement that does not hold is passed over; the pin then does not match',
  tls_statement_stale: 'a statement that does not hold is passed over; the pin then does not match',
  tls_statement_other_key: 'a statement that does not hold is passed over; the pin then does not match',
  unknown: 'in a log line, where an error has no code',
};
