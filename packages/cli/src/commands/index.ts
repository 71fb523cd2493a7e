import type { Command } from '../command.ts';
import { APPROVAL_COMMANDS } from './approval.ts';
import { CHAIN_COMMANDS } from './chain.ts';
import { CHANNEL_COMMANDS } from './channel.ts';
import { CLIENT_COMMANDS } from './client.ts';
import { CLIENT_SIGN_COMMANDS } from './client-sign.ts';
import { CONTRACT_COMMANDS } from './contract.ts';
import { DOCTOR_COMMAND } from './doctor.ts';
import { FINDINGS_COMMANDS } from './findings.ts';
import { GRANT_COMMANDS } from './grant.ts';
import { GRANT_ADVICE_COMMANDS } from './grant-advice.ts';
import { GRANT_CREATE_COMMANDS } from './grant-create.ts';
import { GRANT_FILE_COMMANDS } from './grant-files.ts';
import { GRANT_REPLAY_COMMANDS } from './grant-replay.ts';
import { JOURNAL_COMMANDS } from './journal.ts';
import { LADDER_COMMANDS } from './ladder.ts';
import { MONITOR_COMMANDS } from './monitor.ts';
import { OPERATOR_COMMANDS } from './operator.ts';
import { RULES_COMMANDS } from './rules.ts';
import { SCHEDULE_COMMANDS } from './schedule.ts';
import { SETTLEMENT_COMMANDS } from './settlement.ts';
import { VAULT_BACKUP_COMMANDS } from './vault-backup.ts';
import { VAULT_RESUME_COMMANDS } from './vault-resume.ts';
import { VAULT_RUN_COMMAND } from './vault-run.ts';
import { VAULT_SECRET_COMMANDS } from './vault-secrets.ts';
import { VAULT_COMMANDS } from './vault.ts';
import { VERSION_COMMAND } from './version.ts';
import { WALLET_COMMANDS } from './wallet.ts';
import { WATCH_COMMANDS } from './watch.ts';

/** Every command there is, in the order of the help text. */
export const COMMANDS: readonly Command[] = [
  VAULT_RUN_COMMAND,
  ...VAULT_SECRET_COMMANDS,
  ...VAULT_COMMANDS,
  ...VAULT_BACKUP_COMMANDS,
  ...VAULT_RESUME_COMMANDS,
  ...OPERATOR_COMMANDS,
  ...CLIENT_COMMANDS,
  ...CLIENT_SIGN_COMMANDS,
  ...WALLET_COMMANDS,
  ...SETTLEMENT_COMMANDS,
  ...GRANT_CREATE_COMMANDS,
  ...GRANT_COMMANDS,
  ...GRANT_FILE_COMMANDS,
  ...GRANT_ADVICE_COMMANDS,
  ...GRANT_REPLAY_COMMANDS,
  ...APPROVAL_COMMANDS,
  ...CONTRACT_COMMANDS,
  ...JOURNAL_COMMANDS,
  ...CHAIN_COMMANDS,
  ...MONITOR_COMMANDS,
  ...WATCH_COMMANDS,
  ...FINDINGS_COMMANDS,
  ...CHANNEL_COMMANDS,
  ...LADDER_COMMANDS,
  ...RULES_COMMANDS,
  ...SCHEDULE_COMMANDS,
  DOCTOR_COMMAND,
  VERSION_COMMAND,
];
