/**
 * An intent: what a request would do, as plain data. Each kind of intent is one interface here and one module under
 * `kinds/`; decoders in other packages produce values of the same shape.
 */
export type Intent = EtherTransferIntent;

export type IntentKind = Intent['kind'];

/** Send a chain's native coin to one recipient, and nothing else. Amounts are in wei. */
export interface EtherTransferIntent {
  readonly kind: 'ether-transfer';
  /** CAIP-2: `eip155:` and the chain id. */
  readonly chain: string;
  readonly nonce: number;
  /** `0x` and 40 lower-case hex digits. */
  readonly recipient: string;
  readonly valueWei: bigint;
  /** The most that the transaction can cost besides its value. */
  readonly maxFeeWei: bigint;
}
