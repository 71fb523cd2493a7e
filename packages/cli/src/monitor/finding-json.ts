import type { EvmFindingDetail, FindingDetail, Severity, VaultFindingDetail } from '@keepwatch/monitor';

/** A value as the socket gives it: amounts are decimal strings. */
type JsonOf<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends bigint
    ? string
    : T extends readonly (infer Each)[]
      ? readonly JsonOf<Each>[]
      : { readonly [K in keyof T]: JsonOf<T[K]> };

export type DetailJson = JsonOf<FindingDetail>;
export type EvmDetailJson = JsonOf<EvmFindingDetail>;
export type VaultDetailJson = JsonOf<VaultFindingDetail>;

export interface FindingJson {
  readonly id: string;
  readonly wallet: string | null;
  readonly severity: Severity;
  readonly atMs: number;
  readonly late: boolean;
  readonly evidence: {
    readonly txid?: string;
    readonly block?: { readonly height: number; readonly hash: string };
    readonly grade?: string;
    readonly evm?: {
      readonly chainId: string;
      readonly txHash?: string;
      readonly block?: { readonly number: number; readonly hash: string };
    };
    readonly seenBy: readonly string[];
  };
  readonly detail: DetailJson;
}

/** A kind that only a later version has words for, by what it holds: of this version none is left over. */
export const laterKind = (detail: never): string =>
  Object.entries(detail as Readonly<Record<string, unknown>>)
    .flatMap(([name, value]) => (name === 'kind' || typeof value === 'object' ? [] : [`${name} ${String(value)}`]))
    .join(', ');
