import type { Network } from '@keepwatch/bitcoin';

/** First blocks of the main chain in which such scripts could be spent by their rules (BIP141; BIP343 for taproot). */
const SEGWIT_HEIGHT = 481_824;
const TAPROOT_HEIGHT = 709_632;

const SEGWIT = /^(wpkh\(|wsh\(|sh\(wpkh\(|sh\(wsh\(|addr\(bc1q)/;
const TAPROOT = /^(tr\(|addr\(bc1p)/;

/**
 * From which block on the past of a wallet is to be read when nobody says since when it exists: the first in which anybody had
 * reason to pay to such scripts. 0 on test chains, and where a kind of script is older than that.
 */
export function earliestHeight(descriptors: readonly string[], network: Network): number {
  if (network !== 'main') return 0;
  const heights = descriptors.map((text) =>
    TAPROOT.test(text) ? TAPROOT_HEIGHT : SEGWIT.test(text) ? SEGWIT_HEIGHT : 0,
  );
  return heights.length === 0 ? 0 : Math.min(...heights);
}
