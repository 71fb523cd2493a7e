import type { Answer, Context } from '../command.ts';
import { readConnection } from '../connection-argument.ts';
import { usageError } from '../exit-codes.ts';
import { table } from '../table.ts';
import { parseDuration, showDuration } from '../values.ts';
import { formatConnectionString } from '@keepwatch/protocol';
import type { MonitorPlace } from './options.ts';
import { withMonitor } from './reach.ts';

/** The vaults whose receipts a monitor follows. */

export interface VaultAddOptions extends MonitorPlace {
  readonly as: string | undefined;
}

interface Added {
  readonly name: string;
  readonly peer: string;
  readonly state: string;
  readonly as: string;
}

export function vaultAdd(context: Context, name: string, given: string, options: VaultAddOptions): Promise<Answer> {
  const connection = formatConnectionString(readConnection(given));
  return withMonitor(context, options, async (api, { start }) => {
    const added = (await api.call('vault.add', { name, connection, as: options.as ?? 'monitor' })) as Added;
    return {
      json: added,
      text: [
        `The monitor has a key of its own for “${name}” now, and asked to become a client. Its id: ${added.peer}`,
        'An operator of the vault compares this id and runs:',
        `  keepwatch client approve ${added.peer}`,
        `  keepwatch client observe ${added.peer} --wallet WALLET,…`,
        'By that it may read what these wallets had signed, and nothing else.',
        ...(start === null ? [] : [`It begins when the monitor runs: ${start}`]),
      ].join('\n'),
    };
  });
}

interface Listed {
  readonly name: string;
  readonly peer: string | null;
  readonly phase: string;
  readonly upTo: number;
  readonly downSinceMs: number | null;
  readonly words: string;
  readonly wallets: readonly { readonly address: string; readonly permits: number }[];
}

export function vaultList(context: Context, options: MonitorPlace): Promise<Answer> {
  return withMonitor(context, options, async (api) => {
    const vaults = (await api.call('vault.list')) as readonly Listed[];
    if (vaults.length === 0) return { json: { vaults }, text: 'No vault is followed.' };
    const { paint } = context.terminal;
    const rows = vaults.map(({ name, phase, upTo, downSinceMs, words, wallets }) => [
      name,
      downSinceMs === null ? phase : paint.bad('down'),
      String(upTo),
      wallets.map(({ address, permits }) => `${address} (${permits})`).join(' '),
      words,
    ]);
    return {
      json: { vaults },
      text: table([['NAME', 'STATE', 'UP TO', 'WALLETS (PERMITS)', ''], ...rows], paint.quiet),
    };
  });
}

/** `unseen-after`: a duration, or `never`. */
export function vaultSet(
  context: Context,
  name: string,
  options: MonitorPlace & { readonly 'unseen-after': string | undefined },
): Promise<Answer> {
  const given = options['unseen-after'];
  if (given === undefined) {
    throw usageError('option_missing', '--unseen-after is missing.', 'Give a duration such as 6h, or “never”.');
  }
  const unseenMs = given === 'never' ? null : parseDuration(given, '--unseen-after') * 1_000;
  return withMonitor(context, options, async (api) => {
    await api.call('vault.set', { name, unseenMs });
    const text =
      unseenMs === null
        ? `What “${name}” signed and is in no block is not told.`
        : `What “${name}” signed and is in no block after ${showDuration(unseenMs / 1_000)} is told.`;
    return { json: { name, unseenMs }, text };
  });
}

export function vaultRemove(context: Context, name: string, options: MonitorPlace): Promise<Answer> {
  return withMonitor(context, options, async (api) => {
    await api.call('vault.remove', { name });
    return {
      json: { removed: name },
      text: `“${name}” is followed no longer, and the key is gone. An operator revokes it: keepwatch client revoke`,
    };
  });
}
