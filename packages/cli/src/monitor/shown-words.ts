import type { EvmWalletView } from '@keepwatch/monitor';

/** By what upstreams show what stands in no block. */
export type EvmShown = NonNullable<EvmWalletView['outsideBlocks']['shown']>;

/** What is seen by it of transactions that are in no block, in a few words. */
export function shownWords(shown: EvmShown): string {
  const has = (...means: EvmShown) => means.some((each) => shown.includes(each));
  const own = has('stream', 'content', 'block')
    ? 'spends'
    : has('count')
      ? 'that there are spends, and not which'
      : null;
  if (own === null) return 'not seen';
  return has('stream', 'block') ? `${own} and payments` : own;
}
