import { assertNever } from '@keepwatch/base';
import type { BlockHash } from './hash.ts';
import type { Network } from './network.ts';

/**
 * What a release vouches for: blocks that are on the chain, and the least work that the whole chain has. Who shows less, or
 * something else at one of these heights, is hiding blocks or makes them up; so nobody can hold a new light client on a
 * chain that cost nothing. It is no rule of bitcoin: with the next release there are more.
 */
export interface Vouched {
  readonly checkpoints: readonly { readonly height: number; readonly hash: BlockHash }[];
  readonly minimumWork: bigint;
}

type Row = readonly [height: number, hash: string];

/**
 * Every tenth period and the last one of the 371 that Electrum 4.3.4 brings (checkpoints.json). Their proof of work was
 * checked, and the sum of the work of all 371 periods meets Bitcoin Core's `nMinimumChainWork` of releases 0.19, 0.21 and
 * 22 to the last digit. From 840,000 on: Bitcoin Core 31, kernel/chainparams.cpp (`m_assumeutxo_data`,
 * `defaultAssumeValid`).
 */
const MAIN: readonly Row[] = [
  [20159, '0000000074c108842c3ec2252bba62db4050bf0dddfee3ddaa5f847076b8822f'],
  [40319, '000000008135b689ad1557d4e148a8b9e58e2c4a67240fc87962abb69710231a'],
  [60479, '00000000094505954deb1d31382b86d0510fd280a34143400b1856a4d52b4c93'],
  [80639, '0000000000235b1ec6656d8e91f3dde3b6ab9ad7e75b332e4da9355ce60d860e'],
  [100799, '0000000000025afe84e27423011af25f777e5a94545dbd00fd04bebe9050f7dd'],
  [120959, '000000000000a384acb522e4e5935ad2bc31366ecf1f16f1f11023e967ef033d'],
  [141119, '00000000000007d33d78522fa95bdcd4a25072aeac844cbe9b6bc5d0cc885d0a'],
  [161279, '000000000000031b7fd2ed1f28ff74e969aa891297706c38bd2e1d3bc48183c4'],
  [181439, '00000000000004b4d72b8631a85ec7d226dc696f1913ba1bf735b7c8dec207b8'],
  [201599, '000000000000041fb61665c8a31b8b5c3ae8fe81903ea81530c979d5094e6f9d'],
  [221759, '00000000000003b34ca89509da5f558af468c194afaa8d458bbeb07c50cc7c74'],
  [241919, '00000000000000d9b66fee19af89eaaf3f3933d1acd2617924c107f0abbe0a41'],
  [262079, '0000000000000010c13ce182a3d8fc6748b75640447eb360d7739a5fe984ffc1'],
  [282239, '0000000000000002513542a461de351a5a94f96b4bcd3e324a48d2d71b403fe0'],
  [302399, '00000000000000000ee9b585e0a707347d7c80f3a905f48fa32d448917335366'],
  [322559, '00000000000000001607d1a21507dea1c0e5f398daf94d35fb7e0a3238f96a0f'],
  [342719, '000000000000000005d1e9e192a43a19e2fbd933ffb27df2623187ad5ce10adc'],
  [362879, '000000000000000006721943f23cfacf20c17c2ad6ea4e902af36b01f92e3c06'],
  [383039, '00000000000000000c114754749d622d4fa2f78c84d7147c345b2b99a8e83d2e'],
  [403199, '00000000000000000404b6939e6c35a5448386e5d58f318c82ce2fefb7d73e47'],
  [423359, '00000000000000000506b43c9283ccbc40f583e0c734e4a8af2ce6a4262c6221'],
  [443519, '000000000000000000b3ff31d54e9e83515ee18360c7dc59e30697d083c745ff'],
  [463679, '00000000000000000201d7429db233c7055e9699c5bfb57b167ca8d0c710dc71'],
  [483839, '000000000000000000d0ad638ad61e7c4c3113618b8b26b2044347c00c042278'],
  [503999, '000000000000000000720da39f66f29337b9a29223e1ce05fd5ee57bb72a9223'],
  [524159, '0000000000000000000d4a6c2237c6c46b963b17f60d9c850c4915518deb6678'],
  [544319, '0000000000000000000c61b8a7779dcc46e88ca343b9a3fcc6763917fe3b87e2'],
  [564479, '00000000000000000017e5c36734296b27065045f181e028c0d91cebb336d50c'],
  [584639, '000000000000000000115eb6c10b7a98bf23a46002baec8fbbbb2cf0583439a6'],
  [604799, '00000000000000000002fb021eeb13e47021920faf6e5daa3c40bc552c4d248e'],
  [624959, '0000000000000000000c799dc0e36302db7fbb471711f140dc308508ef19e343'],
  [645119, '000000000000000000049a66ca322371799e1cb51d85c8937764ba6a2abb8ed9'],
  [665279, '0000000000000000000ea5abc8d23ce15f85afbdf574da6c82c67bef5df0d752'],
  [685439, '00000000000000000006248c28751a176336f5c070f901dc86df190c391d761d'],
  [705599, '000000000000000000029da63650d127e160033c93393da77302320bd8ee4958'],
  [725759, '000000000000000000041e39e07eefe69a84140b1020fe46b329a20ce5b74a77'],
  [745919, '0000000000000000000528876999d7bdfc25ad64e66ffe7f27a1e371bd9835c5'],
  [747935, '00000000000000000001095f6deb27964f80c74f38217a32044c20265e0f40e3'],
  [840000, '0000000000000000000320283a032748cef8227873ff4872689bf23f1cda83a5'],
  [880000, '000000000000000000010b17283c3c400507969a9c2afd1dcf2082ec5cca2880'],
  [910000, '0000000000000000000108970acb9522ffd516eae17acddcb1bd16469194a821'],
  [935000, '0000000000000000000147034958af1652b2b91bba607beacc5e72a56f0fb5ee'],
  [938343, '00000000000000000000ccebd6d74d9194d8dcdc1d177c478e094bfad51ba5ac'],
];

/** Bitcoin Core 31, kernel/chainparams.cpp: `m_assumeutxo_data` of testnet4 and signet. */
const TEST4: readonly Row[] = [
  [90000, '0000000002ebe8bcda020e0dd6ccfbdfac531d2f6a81457191b99fc2df2dbe3b'],
  [120000, '000000000bd2317e51b3c5794981c35ba894ce27d3e772d5c39ecd9cbce01dc8'],
];
const SIGNET: readonly Row[] = [
  [160000, '0000003ca3c99aff040f2563c2ad8f8ec88bd0fd6b8f0895cfaf1ef90353a62c'],
  [290000, '0000000577f2741bb30cd9d39d6d71b023afbeb9764f6260786a97969d5c9ac0'],
];

/** `minimumWork`: Bitcoin Core 31, `nMinimumChainWork`; of the main chain that of block 938,343. */
export function vouchedFor(network: Network): Vouched {
  switch (network) {
    case 'main':
      return vouched(MAIN, 0x1128750f82f4c366153a3a030n);
    case 'test4':
      return vouched(TEST4, 0x9a0fe15d0177d086304n);
    case 'signet':
      return vouched(SIGNET, 0xb463ea0a4b8n);
    case 'regtest':
      return vouched([], 0n);
    default:
      return assertNever(network);
  }
}

function vouched(rows: readonly Row[], minimumWork: bigint): Vouched {
  return { checkpoints: rows.map(([height, hash]) => ({ height, hash: hash as BlockHash })), minimumWork };
}
