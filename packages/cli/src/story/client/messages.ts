/** What the story asks of its client, one JSON object per line. Amounts are wei as decimal strings. */
export type Order =
  | { readonly type: 'register'; readonly name: string }
  | { readonly type: 'connect' }
  | {
      readonly type: 'pay';
      readonly to: string;
      readonly value: string;
      /** Chain inside the transaction, where it is not the one that the node is on. */
      readonly chainId?: number;
      /** Chain that the request names, where it is not the transaction's. */
      readonly chain?: string;
      /** The idempotency key and nonce of an earlier payment, to ask for it once more. */
      readonly again?: { readonly key: string; readonly nonce: number; readonly maxFeePerGas: string };
    };

export interface Payment {
  readonly hash: string;
  readonly raw: string;
  readonly key: string;
  readonly nonce: number;
  readonly maxFeePerGas: string;
  readonly grant: string;
  /** Wei, before and after, of the limit of volume. */
  readonly limit: string;
  readonly left: string;
  readonly receipt: unknown;
  readonly seq: number;
  /** `null` where it was not sent to the chain: a payment that was asked for once more is mined already. */
  readonly block: number | null;
}

export type Report =
  | { readonly type: 'registered'; readonly peer: string }
  | { readonly type: 'connected'; readonly wallet: string; readonly address: string }
  | { readonly type: 'paid'; readonly payment: Payment }
  | {
      readonly type: 'refused';
      readonly code: string;
      readonly message: string;
      readonly sentences: readonly string[];
    };
