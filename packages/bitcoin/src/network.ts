/** The bitcoin networks that are known here. `test4` is testnet4 (BIP94). */
export type Network = 'main' | 'test4' | 'signet' | 'regtest';

export const NETWORKS: readonly Network[] = ['main', 'test4', 'signet', 'regtest'];
