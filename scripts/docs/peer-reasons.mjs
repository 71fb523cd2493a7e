// What docs/errors.md says of codes of the light client.

/** Why a connection to a node of the Bitcoin network ends. */
export const PEER_REASONS = {
  peer_address_malformed: 'A configured node is not written as host:port.',
  no_peers: 'No node of the network can be reached: of the health of the light client.',
  node_alone: 'The node has no peers, and hears of no block and of no transaction: of the health of a node.',
  chain_low_work:
    'All nodes that answer show less work than the release vouches for: of the health of the light client.',
  filter_undecided:
    'Peers differ about a filter, and its block does not say who is right: of the health of the light client.',
  filters_replaced: 'Filters from some height on were false: scan again from there. Of the health of the light client.',
  closed: 'We ended it.',
  peer_gone: 'The connection ended.',
  frame_magic: 'The node is of another network, or no node.',
  frame_command: 'The name of a message has bytes that no name has.',
  frame_checksum: 'A message does not fit its checksum.',
  message_unknown: 'A message of a kind that we do not speak. It is passed over.',
  v2_no_terminator: 'The garbage of BIP324 has no end where it must have one.',
  v2_decryption: 'A packet does not open: a bit was turned on the way, or somebody else wrote it.',
  v2_too_large: 'A packet is larger than its kind may be.',
  v2_malformed: 'A packet holds no message.',
  v2_is_v1: 'The node speaks the first transport alone; it is tried with that.',
};
