import { resolve4, resolve6 } from 'node:dns/promises';
import { assertNever } from '@keepwatch/base';
import type { Network } from '@keepwatch/bitcoin';

/** Names that resolve to nodes of the network (Bitcoin Core, kernel/chainparams.cpp, version 29). */
export function dnsSeeds(network: Network): readonly string[] {
  switch (network) {
    case 'main':
      return [
        'seed.bitcoin.sipa.be',
        'dnsseed.bluematt.me',
        'seed.bitcoin.jonasschnelli.ch',
        'seed.btc.petertodd.net',
        'seed.bitcoin.sprovoost.nl',
        'dnsseed.emzy.de',
        'seed.bitcoin.wiz.biz',
        'seed.mainnet.achownodes.xyz',
      ];
    case 'test4':
      return ['seed.testnet4.bitcoin.sprovoost.nl', 'seed.testnet4.wiz.biz'];
    case 'signet':
      return ['seed.signet.bitcoin.sprovoost.nl', 'seed.signet.achownodes.xyz'];
    case 'regtest':
      return [];
    default:
      return assertNever(network);
  }
}

/** IPv4 and IPv6 addresses of a name, by the machine's own resolver; none where there are none. */
export async function resolveName(name: string): Promise<readonly string[]> {
  const found = await Promise.allSettled([resolve4(name), resolve6(name)]);
  return found.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
}
