import type { EvmWalletView, WalletDetails } from '@keepwatch/monitor';
import type { Answer, Context } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { parseCount, splitList } from '../values.ts';
import { evmDetails } from './evm-accounts.ts';
import { limitChanges, unitsOf } from './evm-limits.ts';
import type { MonitorPlace } from './options.ts';
import { withMonitor } from './reach.ts';
import { NONE, readLimit } from './wallet-limits.ts';
import { detailText, isEvm } from './wallets.ts';

/** Of `watch set`. What is left out stays; `none` clears. */
export interface SetOptions extends MonitorPlace {
  readonly name: string | undefined;
  readonly owner: string | undefined;
  readonly tag: readonly string[];
  readonly large: string | undefined;
  readonly above: string | undefined;
  readonly below: string | undefined;
  readonly dust: string | undefined;
  readonly 'lock-warning': string | undefined;
  readonly limit: readonly string[];
}

export function watchSet(context: Context, name: string, options: SetOptions): Promise<Answer> {
  const { tag, owner } = options;
  const about = given({
    name: options.name,
    owner: owner === NONE ? null : owner,
    tags: tag.length === 0 ? undefined : tag[0] === NONE ? [] : splitList(tag, '--tag'),
  });
  return withMonitor(context, options, async (api) => {
    if (await isEvm(api, name)) {
      const other = (['dust', 'lock-warning'] as const).find((each) => options[each] !== undefined);
      if (other) throw usageError('options_conflict', `--${other} is for wallets of bitcoin.`);
      const before = (await api.call('evm.show', { wallet: name })) as EvmWalletView;
      const limits = limitChanges(options, unitsOf(before.tokens));
      requireChange(about, limits);
      await api.call('evm.set', { wallet: name, ...about, ...(limits.length > 0 ? { limits } : {}) });
      return evmDetails(context, (await api.call('evm.show', { wallet: before.id })) as EvmWalletView);
    }
    if (options.limit.length > 0) {
      // Of a wallet that there is not, that is said first.
      await api.call('wallet.show', { wallet: name });
      throw usageError('options_conflict', '--limit is for tokens of EVM chains.', 'Give --large, --above or --below.');
    }
    const warning = options['lock-warning'];
    const limits = given({
      largeSats: readLimit(options.large, '--large'),
      aboveSats: readLimit(options.above, '--above'),
      belowSats: readLimit(options.below, '--below'),
      dustSats: readLimit(options.dust, '--dust'),
      timelockBlocks:
        warning === undefined ? undefined : warning === NONE ? null : parseCount(warning, '--lock-warning'),
    });
    requireChange(about, Object.keys(limits));
    const hasLimits = Object.keys(limits).length > 0;
    const { id } = (await api.call('wallet.set', { wallet: name, ...about, ...(hasLimits ? { limits } : {}) })) as {
      readonly id: string;
    };
    const wallet = (await api.call('wallet.show', { wallet: id })) as WalletDetails;
    return { json: wallet, text: detailText(context, wallet) };
  });
}

function given<T extends object>(all: T): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as never;
}

function requireChange(about: object, limits: readonly unknown[]): void {
  if (Object.keys(about).length + limits.length > 0) return;
  throw usageError(
    'option_missing',
    'Nothing is to be changed.',
    'Give --name, --owner, --tag or a limit. Of another birthday or other descriptors a wallet is made anew: remove it, and add it again.',
  );
}
