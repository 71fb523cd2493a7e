import { assertNever, fromHex } from '@keepwatch/base';
import type { Network } from '../network.ts';

/** The four bytes in front of each message of the network (kernel/chainparams.cpp; BIP325 for signet's default). */
export function networkMagic(network: Network): Uint8Array {
  switch (network) {
    case 'main':
      return fromHex('f9beb4d9')!;
    case 'test4':
      return fromHex('1c163f28')!;
    case 'signet':
      return fromHex('0a03cf40')!;
    case 'regtest':
      return fromHex('fabfb5da')!;
    default:
      return assertNever(network);
  }
}

export function defaultPort(network: Network): number {
  switch (network) {
    case 'main':
      return 8_333;
    case 'test4':
      return 48_333;
    case 'signet':
      return 38_333;
    case 'regtest':
      return 18_444;
    default:
      return assertNever(network);
  }
}
