import { text, type ErrorText } from './text.ts';

const BUILD_ANEW = 'Build the transaction anew; `details.reason` says what was wrong.';

/** What the vault itself answers to peers. */
export const VAULT_ERRORS = {
  // The vault's phases
  vault_sealed: text('The vault is sealed.', 'An operator unseals it with `keepwatch vault unseal`.'),
  vault_uninitialised: text('The vault has not been initialised.', 'An operator runs `keepwatch vault init`.'),
  vault_initialised: text('The vault has been initialised already.', 'Use it, or choose an empty data directory.'),
  vault_unsealed: text('The vault is unsealed already.', 'Nothing needs to be done.'),
  vault_busy: text('The vault is carrying out another command of this kind.', 'Wait for it to end and try again.'),
  wrong_password: text('The password is wrong.', 'Try again; each failure makes the next try wait longer.'),
  unseal_throttled: text('Too many wrong passwords.', 'Wait for the time that the details name.'),
  signing_frozen: text(
    'Signing is frozen.',
    'An operator looks into it and says by `keepwatch vault resume` what stays.',
  ),
  clock_frozen: text(
    'Limits that depend on time are frozen, because the clock jumped.',
    'An operator checks the clock and runs `keepwatch vault confirm-time`.',
  ),
  clock_disagrees: text('The clocks do not agree.', 'Set the clock that is wrong, then confirm again.'),
  not_frozen: text('Signing is not frozen.', 'There is nothing to resume.'),

  // Authority
  not_allowed: text('This peer may not call this method.', 'Use an operator for commands and a client for signing.'),
  peer_unknown: text('The peer is not known here, or is revoked.', 'Ask to be registered, or check the id.'),
  wallet_unknown: text('The wallet is not known here.', 'List the wallets and check the id.'),
  grant_unknown: text('The grant is not known here, or is revoked.', 'List the grants and check the id.'),
  grant_invalid: text('The grant is not valid.', 'Correct the member that the details name.'),
  grant_restricts: text(
    'It forbids or caps something.',
    'Lift it instead (`grant.lift`): that widens what is allowed.',
  ),
  role_differs: text('The roles in proposal and approval differ.', 'Approve what was asked for, or reject it.'),
  last_operator: text('A vault needs at least one operator.', 'Register another operator first.'),
  name_taken: text('The name is in use.', 'Choose another one.'),
  wallet_exists: text('The vault holds this key already.', 'Use the wallet that is there.'),
  wallet_not_derived: text(
    'This wallet has no mnemonic to derive from.',
    'Name a wallet that was made from a mnemonic.',
  ),
  secret_malformed: text(
    'The secret is no private key or no valid mnemonic.',
    'Check the 32 bytes, or the words, their order and their number.',
  ),
  nonce_floor_falls: text('A nonce floor never falls.', 'Name a floor at or above the present one.'),
  proposals_full: text('Too many peers wait for approval.', 'An operator approves or rejects some of them.'),
  token_invalid: text(
    'The bootstrap token is missing, wrong, expired or used.',
    'Give the whole connection string that its own machine shows, or restart the daemon to get a new token.',
  ),

  // Commands and requests
  version_conflict: text(
    'The vault or the monitor changed since the operator looked.',
    'Look again, then repeat the command.',
  ),
  command_invalid: text('The command’s signature or form is not valid.', 'Update the client, or check its key.'),
  command_expired: text('The command expired.', 'Check both clocks and send it again.'),
  command_repeated: text('This very command was carried out before.', 'Send a new command.'),
  request_expired: text('The request expired before it was decided.', 'Check both clocks and send it anew.'),
  request_from_the_future: text('The key or the expiry lies too far ahead.', 'Check both clocks.'),
  idempotency_key_reused: text('The idempotency key belongs to another request.', 'Make a new key for each request.'),
  idempotency_key_expired: text(
    'The idempotency key is so old that its answer may be forgotten.',
    'Look the transaction up on the chain before asking again.',
  ),
  request_voided: text(
    'The request was permitted once, but what permitted it is no longer in force.',
    'If the first one is not on the chain, ask for its nonce again at higher fees: for the same, or for nothing at all to the wallet itself. Else ask for a new transaction.',
  ),
  denied: text('No grant permits this request.', 'The details name the grant, the rule, the limit and what is left.'),
  wrong_chain: text('Request and transaction name different chains.', 'Build the transaction for the chain you name.'),
  transaction_malformed: text('The bytes are not an unsigned Ethereum transaction.', BUILD_ANEW),

  typed_data_refused: text(
    'The typed data cannot be signed.',
    'Build it by EIP-712; `details.reason` says what was wrong, the message where.',
  ),
  message_refused: text('This message is not signed.', '`details.reason` says why: only text that people can read is.'),
  authorization_malformed: text('The bytes are no authorisation (EIP-7702).', BUILD_ANEW),
  approval_needed: text(
    'Operators have to agree to this request before it is signed.',
    'Wait for them and ask again; an operator runs `keepwatch approval list`. After a rejection that asks them anew.',
  ),
  approval_unknown: text('No such request waits for approval.', 'List the requests that wait.'),
  approval_differs: text(
    'The request that waits is another one.',
    'List the requests that wait, and read this one again.',
  ),
  approval_given: text(
    'This operator has agreed to it already.',
    'Where more have to agree, another operator does; else the client asks again, and gets its signature.',
  ),
  approvals_full: text('Too many requests of this client wait for approval.', 'Let operators decide on some of them.'),
  contract_invalid: text('The contract cannot be registered.', 'Correct what the details name.'),
  contract_unknown: text('No such contract is registered.', 'List the contracts.'),
  settlement_unknown: text('Nothing of this entry is unsettled.', 'Check the wallet and the number of the entry.'),
  settlement_by_requester: text(
    'Whoever asked for a signature does not settle it.',
    'An operator or an observer of the wallet does.',
  ),

  replay_unknown: text(
    'No candidates are loaded here for a replay, or another operator has begun one since.',
    'Load the candidates again, from the first.',
  ),
  replay_too_large: text('These are more candidates than one replay takes.', 'Replay fewer grants at a time.'),

  // One-time keys for secrets
  entry_key_unknown: text('The one-time key is used, expired or of another session.', 'Begin again with a new one.'),
  entry_key_limit: text('Too many one-time keys are open.', 'Finish or drop what was begun, then try again.'),
  entry_malformed: text('The sealed secret cannot be opened.', 'Seal it again to a new one-time key.'),

  // Messages
  message_malformed: text('The message is not JSON-RPC 2.0 as this protocol uses it.', 'Update the client.'),
  method_unknown: text('There is no such method.', 'Check the name and the version of the client.'),
  params_invalid: text('The parameters do not fit the method.', 'Correct what the details name.'),
  rate_limited: text('Too many requests from this peer.', 'Slow down and try again.'),
  internal_error: text('Something unforeseen failed; nothing was signed by it.', 'Look at the log and report it.'),

  // Backups
  backup_malformed: text('This is no Keepwatch backup, or it is damaged.', 'Use another copy of the backup.'),
  backup_out_of_order: text('Pieces of the backup came out of order.', 'Upload it again from the beginning.'),
  backup_missing: text('No backup is prepared or uploaded in this session.', 'Begin with the backup command.'),
  backup_too_large: text('The backup is larger than this vault takes.', 'Restore it on a machine with more memory.'),
} as const satisfies Record<string, ErrorText>;
