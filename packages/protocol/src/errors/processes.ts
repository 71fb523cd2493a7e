import { text, type ErrorText } from './text.ts';

const RESTARTED = 'The supervisor starts it anew. If it happens repeatedly, compare the installation with the release.';

/** The vault's processes, their start and what joins them. */
export const PROCESS_ERRORS = {
  jail_incomplete: text(
    'The keep runs without one of its seat belts.',
    'Start it by `keepwatch vault run` or the systemd units; the details name the belts.',
  ),
  gate_usage: text('The command line of gate is not valid.', 'Correct what the message names.'),
  gate_listen_failed: text('The address cannot be listened on.', 'Choose another one, or stop what uses it.'),
  gate_metrics_not_loopback: text('The metrics listener is for this machine alone.', 'Name 127.0.0.1 or ::1 for it.'),
  gate_tls_unreadable: text(
    'The file with the TLS key cannot be read.',
    'Put it back from a backup; without it, every peer needs a new connection string.',
  ),
  gate_unavailable: text(
    'The edge did not do its part; its TLS key stays as it was.',
    'Look at the log of gate, then rotate again.',
  ),
  vault_directory_unusable: text(
    'The vault’s data directory cannot be made or written.',
    'Look at its permissions and at how its disk is mounted, or name another directory with --data.',
  ),
  supervisor_needs_root: text(
    'Only root can start keep and gate as users of their own.',
    'Start it as root or under systemd, or leave the users away.',
  ),
  supervisor_users_invalid: text(
    'Keep and gate need two different users, or none.',
    'Name a user for each of the two.',
  ),
  link_frame_too_large: text('The other process sent a frame above the limit; the link was closed.', RESTARTED),
  link_frame_unknown: text('The other process sent a frame of no known type; the link was closed.', RESTARTED),
} as const satisfies Record<string, ErrorText>;
