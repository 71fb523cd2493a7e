/**
 * base: the ground floor. Bytes, exact amounts, results, coded errors, canonical JSON and the ports through which pure
 * code receives time, entropy and hashes. It knows nothing of wallets, peers or journals and imports nothing.
 */
export * from './amounts.ts';
export * from './bytes.ts';
export * from './canonical-json.ts';
export * from './coded-error.ts';
export * from './directory-fault.ts';
export * from './map-each.ts';
export * from './remembered.ts';
export * from './ports.ts';
export * from './result.ts';
export * from './token-bucket.ts';
export * from './time-of-day.ts';
export * from './zones.ts';
