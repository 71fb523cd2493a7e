import { toHex } from '@keepwatch/base';
import { deriveScripts, descriptorChecksum, parseDescriptor, scriptToAddress } from '@keepwatch/bitcoin';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBitcoind } from '@keepwatch/devnet';
import { startBitcoind, type BitcoindNode } from '@keepwatch/devnet';

// A real node as the oracle: it derives the addresses of the same descriptors by its own code.
const found = await findBitcoind();

const A =
  'tpubD6NzVbkrYhZ4WZaiWHz59q5EQ61bd6dUYfU4ggRWAtNAyyYRNWT6ktJ7UHJEXURvTfTfskFQmK7Ff4FRkiRN5wQH8nkGAb6aKB4Yyeqsw5m';
const a = (path: string) => `${A}/${path}`;
const NUMS = '50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0';
const HASH = 'ab'.repeat(32);

const DESCRIPTORS = [
  `pkh([deadbeef/44h]${a('0/*')})`,
  `wpkh(${a('<0;1>/*')})`,
  `sh(wpkh(${a('*')}))`,
  `wsh(sortedmulti(2,${a('<0;1>/*')},${a('<2;3>/*')},${a('4/*')}))`,
  `sh(wsh(multi(1,${a('0/*')},${a('1/*')})))`,
  `sh(sortedmulti(2,${a('0/*')},${a('1/*')}))`,
  `tr(${a('0/*')})`,
  `rawtr(${a('0/*')})`,
  `tr(${a('0/*')},{pk(${a('1/*')}),{sortedmulti_a(2,${a('2/*')},${a('3/*')}),and_v(v:pk(${a('4/*')}),older(144))}})`,
  `tr(${NUMS},and_v(v:multi_a(2,${a('0/*')},${a('1/*')}),after(1700000000)))`,
  `tr(${NUMS},pkh(${a('0/*')}))`,
  `wsh(or_d(pk(${a('0/*')}),and_v(v:pkh(${a('1/*')}),older(52560))))`,
  `wsh(c:or_i(and_v(v:older(16),pk_h(${a('0/*')})),pk_h(${a('1/*')})))`,
  `wsh(andor(multi(2,${a('0/*')},${a('1/*')}),or_i(multi(1,${a('2/*')}),pkh(${a('3/*')})),pk(${a('4/*')})))`,
  `wsh(thresh(3,pk(${a('0/*')}),s:pk(${a('1/*')}),s:pk(${a('2/*')}),sln:older(4194305)))`,
  `wsh(and_v(and_v(v:hash256(${HASH}),v:ripemd160(${HASH.slice(24)})),pk(${a('0/*')})))`,
  `wsh(andor(pk(${a('0/*')}),j:and_v(v:sha256(${HASH}),v:hash160(${HASH.slice(24)})),pk(${a('1/*')})))`,
  `wsh(and_b(pk(${a('0/*')}),a:and_b(pk(${a('1/*')}),s:pk(${a('2/*')}))))`,
];

describe.skipIf('missing' in found)(
  `descriptors, beside a real node${'missing' in found ? ` (skipped: ${found.missing})` : ''}`,
  () => {
    let node: BitcoindNode;
    beforeAll(async () => {
      node = await startBitcoind('bitcoind' in found ? found.bitcoind : undefined!);
    });
    afterAll(() => node?.stop());

    it.each(DESCRIPTORS)('%s', async (text) => {
      const parsed = parseDescriptor(text, 'regtest');
      // Where ours refuses, the node must refuse as well.
      const info = await node
        .rpc<{ checksum: string; multipath_expansion?: string[]; descriptor: string }>('getdescriptorinfo', text)
        .catch((error: unknown) => error as Error);
      if (!parsed.ok) {
        expect(info, parsed.error.message).toBeInstanceOf(Error);
        return;
      }
      if (info instanceof Error) throw info;
      expect(descriptorChecksum(text)).toBe(info.checksum);
      const singles = info.multipath_expansion ?? [info.descriptor];
      expect(singles).toHaveLength(parsed.value.branches);
      for (const [branch, single] of singles.entries()) {
        const theirs = await node.rpc<string[]>('deriveaddresses', single, [0, 4]);
        const ours = [...deriveScripts(parsed.value, branch, 0, 5)];
        expect(ours.map(({ script }) => scriptToAddress(script, 'regtest'))).toEqual(theirs);
      }
    });

    it('combo and bare multisignatures, which have no address, by the scripts that a scan finds', async () => {
      for (const text of [`combo(${a('0/*')})`, `multi(1,${a('0/*')},${a('1/*')})`, `pk(${a('0/*')})`]) {
        const parsed = parseDescriptor(text, 'regtest');
        if (!parsed.ok) throw new Error(parsed.error.message);
        const scripts = [...deriveScripts(parsed.value, 0, 0, 1)].map(({ script }) => toHex(script));
        for (const script of scripts) await node.rpc('generatetodescriptor', 1, `raw(${script})`);
        const { unspents } = await node.rpc<{ unspents: { scriptPubKey: string }[] }>('scantxoutset', 'start', [
          { desc: text, range: 0 },
        ]);
        expect([...new Set(unspents.map(({ scriptPubKey }) => scriptPubKey))]).toEqual(expect.arrayContaining(scripts));
      }
    });
  },
);
