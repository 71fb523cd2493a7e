/** What the devnet's process is asked, and what it answers. Amounts are decimal strings of satoshi, feerates sat/vB. */
export type Order =
  | { readonly type: 'receive'; readonly sats: string }
  | { readonly type: 'spend'; readonly sats: string; readonly feerate: string }
  | { readonly type: 'replace'; readonly txid: string; readonly feerate: string }
  | { readonly type: 'mine'; readonly count: number }
  | { readonly type: 'reorg'; readonly depth: number }
  | { readonly type: 'tip' };

export type Answer =
  | { readonly txid: string }
  | { readonly height: number; readonly hash: string }
  | { readonly error: { readonly code: string; readonly message: string } };
