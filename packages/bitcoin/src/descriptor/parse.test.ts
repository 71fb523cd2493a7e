import { toHex } from '@keepwatch/base';
import { describe, expect, it } from 'vitest';
import type { Network } from '../network.ts';
import { descriptorChecksum } from './checksum.ts';
import { deriveScripts } from './derive.ts';
import { parseDescriptor } from './parse.ts';

// Keys of the vectors in BIP380 to BIP389.
const K = '03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd';
const U =
  '04a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea235';
const X = 'a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd';
const NUMS = '50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0';
const A =
  'xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL';
const B =
  'xpub68NZiKmJWnxxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MYo6oDaPPLPxSb7gwQN3ih19Zm4Y';
const C =
  'xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH';
const D =
  'xpub661MyMwAqRbcGDZQUKLqmWodYLcoBQnQH33yYkkF3jjxeLvY8qr2wWGEWkiKFaaQfJCoi3HeEq3Dc5DptfbCyjD38fNhSqtKc1UHaP4ba3t';
const E =
  'xpub69H7F5dQzmVd3vPuLKtcXJziMEQByuDidnX3YdwgtNsecY5HRGtAAQC5mXTt4dsv9RzyjgDjAQs9VGVV6ydYCHnprc9vvaA5YtqWyL6hyds';
const WIF = 'L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1';
const WIF_UNCOMPRESSED = '5KYZdUEo39z3FPrtuX2QbbwGnNP5zTd7yyr2SC1j299sBCnWjss';
const XPRV =
  'xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc';

function scripts(text: string, options: { network?: Network; branch?: number; count?: number } = {}): string[] {
  const { network = 'main', branch = 0, count = 3 } = options;
  const parsed = parseDescriptor(text, network);
  if (!parsed.ok) throw new Error(`${parsed.error.code}: ${parsed.error.message}`);
  return [...deriveScripts(parsed.value, branch, 0, parsed.value.ranged ? count : 1)].map(({ script }) =>
    toHex(script),
  );
}

const code = (text: string, network: Network = 'main') => {
  const parsed = parseDescriptor(text, network);
  return parsed.ok ? 'ok' : parsed.error.code;
};

describe('checksums (BIP380)', () => {
  it('are right, absent, or an error', () => {
    expect(descriptorChecksum('raw(deadbeef)')).toBe('89f8spxm');
    expect(code('raw(deadbeef)#89f8spxm')).toBe('ok');
    expect(code('raw(deadbeef)')).toBe('ok');
    for (const text of ['#', '#89f8spxmx', '#89f8spx', '##9f8spxm', '#89F8SPXM']) {
      expect(code(`raw(deadbeef)${text}`)).toBe('descriptor_bad_checksum');
    }
    expect(code('raw(deedbeef)#89f8spxm')).toBe('descriptor_bad_checksum');
    expect(code('raw(Ü)#00000000')).toBe('descriptor_bad_character');
  });

  it('find every single wrong character', () => {
    const body = `wpkh([ffffffff/13h]${C}/1/2/*)`;
    const checksum = descriptorChecksum(body);
    for (let at = 0; at < body.length; at++) {
      const wrong = `${body.slice(0, at)}${body[at] === '0' ? '1' : '0'}${body.slice(at + 1)}`;
      expect(descriptorChecksum(wrong)).not.toBe(checksum);
    }
  });
});

describe('scripts that the BIPs name', () => {
  it.each([
    // BIP381
    [`pk(${K})`, [`21${K}ac`]],
    [`pk(${U})`, [`41${U}ac`]],
    [`pkh([deadbeef/1/2'/3/4']${K})`, ['76a9149a1c78a507689f6f54b847ad1cef1e614ee23f1e88ac']],
    [`pkh([deadbeef/1/2h/3/4h]${K})`, ['76a9149a1c78a507689f6f54b847ad1cef1e614ee23f1e88ac']],
    [`pkh(${U})`, ['76a914b5bd079c4d57cc7fc28ecf8213a6b791625b818388ac']],
    [`sh(pk(${K}))`, ['a9141857af51a5e516552b3086430fd8ce55f7c1a52487']],
    [`sh(pkh(${K}))`, ['a9141a31ad23bf49c247dd531a623c2ef57da3c400c587']],
    [`pkh([bd16bee5/2147483647h]${E}/0)`, ['76a914ebdc90806a9c4356c1c88e42216611e1cb4c1c1788ac']],
    [`pk(${B}/0)`, ['210379e45b3cf75f9c5f9befd8e9506fb962f6a9d185ac87001ec44a8d3df8d4a9e3ac']],
    // BIP382
    [`wpkh(${K})`, ['00149a1c78a507689f6f54b847ad1cef1e614ee23f1e']],
    [
      `wpkh([ffffffff/13']${C}/1/2/*)`,
      [
        '0014326b2249e3a25d5dc60935f044ee835d090ba859',
        '0014af0bd98abc2f2cae66e36896a39ffe2d32984fb7',
        '00141fa798efd1cbf95cebf912c031b8a4a6e9fb9f27',
      ],
    ],
    [`wsh(pkh(${K}))`, ['0020338e023079b91c58571b20e602d7805fb808c22473cbc391a41b1bd3a192e75b']],
    [`wsh(pk(${K}))`, ['00202e271faa2325c199d25d22e1ead982e45b64eeb4f31e73dbdf41bd4b5fec23fa']],
    [`sh(wsh(pkh(${K})))`, ['a914b61b92e2ca21bac1e72a3ab859a742982bea960a87']],
    // BIP383
    [`multi(1,${K},${U})`, [`5121${K}41${U}52ae`]],
    [`sortedmulti(1,${U},${K})`, [`5121${K}41${U}52ae`]],
    [`sh(multi(2,[00000000/111'/222]${A},${B}/0))`, ['a91445a9a622a8b0a1269944be477640eedc447bbd8487']],
    [
      `sortedmulti(2,${A}/*,${B}/0/0/*)`,
      [
        '5221025d5fc65ebb8d44a5274b53bac21ff8307fec2334a32df05553459f8b1f7fe1b62102fbd47cc8034098f0e6a94c6aeee8528abf0a2153a5d8e46d325b7284c046784652ae',
        '52210264fd4d1f5dea8ded94c61e9641309349b62f27fbffe807291f664e286bfbe6472103f4ece6dfccfa37b211eb3d0af4d0c61dba9ef698622dc17eecdf764beeb005a652ae',
        '5221022ccabda84c30bad578b13c89eb3b9544ce149787e5b538175b1d1ba259cbb83321024d902e1a2fc7a8755ab5b694c575fce742c48d9ff192e63df5193e4c7afe1f9c52ae',
      ],
    ],
    // BIP385
    ['raw(deadbeef)', ['deadbeef']],
    ['addr(3PUNyaW7M55oKWJ3kDukwk9bsKvryra15j)', ['a914eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee87']],
    // BIP386
    [`tr(${X})`, ['512077aab6e066f8a7419c5ab714c12c67d25007ed55a43cadcacb4d7a970a093f11']],
    [
      `tr(${A}/0/*,pk(${A}/1/*))`,
      [
        '512078bc707124daa551b65af74de2ec128b7525e10f374dc67b64e00ce0ab8b3e12',
        '512001f0a02a17808c20134b78faab80ef93ffba82261ccef0a2314f5d62b6438f11',
        '512021024954fcec88237a9386fce80ef2ced5f1e91b422b26c59ccfc174c8d1ad25',
      ],
    ],
    [
      `tr(${X},pk(669b8afcec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0))`,
      ['512017cf18db381d836d8923b1bdb246cfcd818da1a9f0e6e7907f187f0b2f937754'],
    ],
    // BIP387
    [
      `tr(${X},multi_a(1,669b8afcec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0))`,
      ['5120eb5bd3894327d75093891cc3a62506df7d58ec137fcd104cdd285d67816074f3'],
    ],
    [
      `tr(${NUMS},multi_a(2,[00000000/111'/222]${A},${B}/0))`,
      ['51202eea93581594a43c0c8423b70dc112e5651df63984d108d4fc8ccd3b63b4eafa'],
    ],
    [
      `tr(${NUMS},sortedmulti_a(2,[00000000/111'/222]${A},${B}/0))`,
      ['512016fa6a6ba7e98c54b5bf43b3144912b78a61b60b02f6a74172b8dcb35b12bc30'],
    ],
    [
      `tr(${NUMS},sortedmulti_a(2,${A}/*,${B}/0/0/*))`,
      [
        '5120abd47468515223f58a1a18edfde709a7a2aab2b696d59ecf8c34f0ba274ef772',
        '5120fe62e7ed20705bd1d3678e072bc999acb014f07795fa02cb8f25a7aa787e8cbd',
        '51201311093750f459039adaa2a5ed23b0f7a8ae2c2ffb07c5390ea37e2fb1050b41',
      ],
    ],
  ])('%s', (text, expected) => {
    expect(scripts(text)).toEqual(expected);
    const parsed = parseDescriptor(text, 'main');
    expect(parsed.ok && code(`${parsed.value.text}#${parsed.value.checksum}`)).toBe('ok');
  });

  it('combo is the four scripts of a key, or two where it is uncompressed (BIP384)', () => {
    const parts = (key: string, ...forms: string[]) => forms.flatMap((form) => scripts(form.replace('K', key)));
    expect(scripts(`combo(${K})`)).toEqual(parts(K, 'pk(K)', 'pkh(K)', 'wpkh(K)', 'sh(wpkh(K))'));
    expect(scripts(`combo(${U})`)).toEqual(parts(U, 'pk(K)', 'pkh(K)'));
    expect(scripts(`combo(${A}/*)`, { count: 2 })).toHaveLength(8);
  });

  it('rawtr is the key itself', () => {
    expect(scripts(`rawtr(${X})`)).toEqual([`5120${X}`]);
    expect(scripts(`rawtr(${K})`)).toEqual([`5120${X}`]);
  });
});

describe('tuples of steps (BIP389)', () => {
  it.each([
    [`pk(${B}/<0;1>)`, [`pk(${B}/0)`, `pk(${B}/1)`]],
    [`wpkh([ffffffff/13h]${C}/<1;3>/2/*)`, [`wpkh([ffffffff/13h]${C}/1/2/*)`, `wpkh([ffffffff/13h]${C}/3/2/*)`]],
    [`multi(2,${A}/<1;2>/*,${B}/<3;4>/0/*)`, [`multi(2,${A}/1/*,${B}/3/0/*)`, `multi(2,${A}/2/*,${B}/4/0/*)`]],
    [`pkh(${D}/<0;1;2>)`, [`pkh(${D}/0)`, `pkh(${D}/1)`, `pkh(${D}/2)`]],
    [
      `sh(multi(2,${A}/<1;2;3>/0/*,${B}/0/*,${D}/0/0/<3;4;5>/*))`,
      [1, 2, 3].map((i) => `sh(multi(2,${A}/${i}/0/*,${B}/0/*,${D}/0/0/${i + 2}/*))`),
    ],
  ])('%s', (text, expanded) => {
    const parsed = parseDescriptor(text, 'main');
    expect(parsed.ok && parsed.value.branches).toBe(expanded.length);
    for (const [branch, single] of expanded.entries()) {
      expect(scripts(text, { branch })).toEqual(scripts(single));
    }
  });

  it.each([
    [`pkh(${D}/<0;1>/<2;3>)`, 'descriptor_bad_multipath'],
    [`pkh([deadbeef/<0;1>]${D}/0)`, 'descriptor_bad_key'],
    [`tr(${D}/<6;7;8;9>/*,{pk(${A}/<1;2;3>/0/*),pk(${B}/0/0/<3;4;5>/*)})`, 'descriptor_bad_multipath'],
    [`sh(multi(2,${A}/<1;2;3>/0/*,${B}/0/*,${D}/0/0/<3;4>/*))`, 'descriptor_bad_multipath'],
    [`wpkh(${D}/<>/*)`, 'descriptor_bad_key'],
    [`wpkh(${D}/0>/*)`, 'descriptor_bad_multipath'],
    [`wpkh(${D}/<0/*)`, 'descriptor_bad_multipath'],
    [`wpkh(${D}/<0;>/*)`, 'descriptor_bad_key'],
    [`wpkh(${D}/<0;0>/*)`, 'descriptor_bad_multipath'],
    [`wpkh(${D}/<0>/*)`, 'descriptor_bad_multipath'],
    [`wpkh(${D}/<0;1h>/*)`, 'descriptor_hardened_step'],
  ])('refuses %s', (text, expected) => {
    expect(code(text)).toBe(expected);
  });
});

describe('key expressions (BIP380)', () => {
  const compressed = '0260b2003c386519fc9eadf2b5cf124dd8eea4c4e68d5e154050a9346ea98ce600';
  it.each([
    compressed,
    `[deadbeef/0h/0h/0h]${compressed}`,
    `[deadbeef/0'/0'/0']${compressed}`,
    `[deadbeef/0'/0h/0H]${compressed}`,
    `[deadbeef]${compressed}`,
    U,
    A,
    `[deadbeef/0h/1h/2h]${A}/3/4/5`,
    `[deadbeef/0h/1h/2h]${A}/3/4/5/*`,
  ])('reads %s', (key) => {
    expect(code(`pkh(${key})`)).toBe('ok');
  });

  it.each([
    `[deadbeef/0h/0h/0h/*]${compressed}`,
    `[deadbeef/0h/0h/0h/]${compressed}`,
    `[deadbef/0h/0h/0h]${compressed}`,
    `[deadbeeef/0h/0h/0h]${compressed}`,
    `[deadbeef/0f/0f/0f]${compressed}`,
    `[deadbeef/-0/-0/-0]${compressed}`,
    `[deadbeef/2147483648]${compressed}`,
    `[deadbeef/01]${compressed}`,
    `[aaaaaaaa][aaaaaaaa]${A}/2147483647/0`,
    `[aaaaaaaa${A}`,
    `aaaaaaaa]${A}`,
    `${compressed}/0`,
    `${compressed}/*`,
    `${A}/2147483648`,
    `${A}/1aa`,
    `${A}/`,
    `${A}/*/0`,
    `${A}//0`,
    A.slice(0, -1),
    `02${'f'.repeat(64)}`,
    `06${U.slice(2)}`,
    // A ypub (SLIP-132) is not an extended key of BIP380.
    'ypub6Ww3ibxVfGzLrAH1PNcjyAWenMTbbAosGNB6VvmSEgytSER9azLDWCxoJwW7Ke7icmizBMXrzBx9979FfaHxHcrArf3zbeJJJUZPf663zsP',
  ])('refuses %s', (key) => {
    expect(code(`pkh(${key})`)).toBe('descriptor_bad_key');
  });

  it('refuses steps that only a private key could take', () => {
    for (const path of ['/3h', "/3'/0", '/3H/*', '/*h', "/*'", '/*H']) {
      expect(code(`pkh(${A}${path})`)).toBe('descriptor_hardened_step');
    }
  });

  it('refuses private keys as such, and never repeats them', () => {
    for (const key of [WIF, WIF_UNCOMPRESSED, XPRV, `[deadbeef/0h]${XPRV}/3h/*h`, `${XPRV.slice(0, -1)}d`]) {
      for (const text of [`pkh(${key})`, `wpkh(${key})`, `tr(${key})`, `wsh(and_v(v:pk(${key}),older(9)))`]) {
        const parsed = parseDescriptor(text, 'main');
        expect(parsed).toMatchObject({ ok: false, error: { code: 'descriptor_private_key' } });
        expect(JSON.stringify(parsed)).not.toContain(key.slice(-20));
      }
    }
    expect(code(`pkh(${WIF.slice(0, -1)}2)`)).toBe('descriptor_private_key');
  });

  it('belong to one network', () => {
    const tpub =
      'tpubD6NzVbkrYhZ4WZaiWHz59q5EQ61bd6dUYfU4ggRWAtNAyyYRNWT6ktJ7UHJEXURvTfTfskFQmK7Ff4FRkiRN5wQH8nkGAb6aKB4Yyeqsw5m';
    expect(code(`wpkh(${tpub}/*)`)).toBe('descriptor_wrong_network');
    expect(code(`wpkh(${A}/*)`, 'test4')).toBe('descriptor_wrong_network');
    for (const network of ['test4', 'signet', 'regtest'] as const) expect(code(`wpkh(${tpub}/*)`, network)).toBe('ok');
    expect(code('addr(3PUNyaW7M55oKWJ3kDukwk9bsKvryra15j)', 'regtest')).toBe('descriptor_wrong_network');
  });
});

describe('what the BIPs call invalid', () => {
  it.each([
    [`pk(pk(${K}))`, 'descriptor_malformed'],
    [`pkh(pk(${K}))`, 'descriptor_malformed'],
    [`sh(${K})`, 'descriptor_malformed'],
    [`sh(sh(pkh(${K})))`, 'descriptor_wrong_context'],
    [`wpkh(${U})`, 'descriptor_wrong_context'],
    [`sh(wpkh(${U}))`, 'descriptor_wrong_context'],
    [`wsh(pk(${U}))`, 'descriptor_wrong_context'],
    [`wsh(wpkh(${K}))`, 'descriptor_wrong_context'],
    [`wsh(wsh(pkh(${K})))`, 'descriptor_wrong_context'],
    [`sh(wsh(wsh(pkh(${K}))))`, 'descriptor_wrong_context'],
    [`wpkh(wsh(pkh(${K})))`, 'descriptor_malformed'],
    [`wsh(${K})`, 'descriptor_malformed'],
    [`sh(multi(16,${Array(16).fill(K).join(',')}))`, 'descriptor_bad_threshold'],
    [`multi(a,${K},${U})`, 'descriptor_bad_threshold'],
    [`multi(0,${K},${U})`, 'descriptor_bad_threshold'],
    [`multi(3,${K},${U})`, 'descriptor_bad_threshold'],
    [`multi(1,${Array(4).fill(K).join(',')})`, 'descriptor_bad_threshold'],
    [`wsh(multi(1,${Array(21).fill(K).join(',')}))`, 'descriptor_bad_threshold'],
    [`wsh(combo(${K}))`, 'descriptor_wrong_context'],
    ['raw(asdf)', 'descriptor_malformed'],
    ['raw(abc)', 'descriptor_malformed'],
    ['addr(asdf)', 'descriptor_bad_address'],
    ['sh(raw(deadbeef))', 'descriptor_wrong_context'],
    ['wsh(addr(3PUNyaW7M55oKWJ3kDukwk9bsKvryra15j))', 'descriptor_wrong_context'],
    [`tr(${U})`, 'descriptor_wrong_context'],
    [`wsh(tr(${X}))`, 'descriptor_wrong_context'],
    [`sh(tr(${X}))`, 'descriptor_wrong_context'],
    [`pkh(${X})`, 'descriptor_wrong_context'],
    [`multi_a(1,${K})`, 'descriptor_wrong_context'],
    [`sh(multi_a(1,${K}))`, 'descriptor_wrong_context'],
    [`wsh(multi_a(1,${K}))`, 'descriptor_wrong_context'],
    [`tr(${NUMS},multi_a(a,${K}))`, 'descriptor_bad_threshold'],
    [`tr(${NUMS},multi_a(0,${K}))`, 'descriptor_bad_threshold'],
    [`tr(${NUMS},multi_a(1,${U}))`, 'descriptor_wrong_context'],
    [`tr(${NUMS},multi_a(3,${K},${K}))`, 'descriptor_bad_threshold'],
    [`tr(${NUMS},sortedmulti(1,${K}))`, 'descriptor_wrong_context'],
    [`tr(${NUMS},multi(1,${K}))`, 'descriptor_bad_miniscript'],
    [`tr(${NUMS},pk(${K}),pk(${K}))`, 'descriptor_malformed'],
    [`tr(${NUMS},{pk(${K})})`, 'descriptor_malformed'],
    [`tr(musig(${K},${K}))`, 'descriptor_unsupported'],
    [`wpkh(${K}`, 'descriptor_malformed'],
    [`wpkh(${K}))`, 'descriptor_malformed'],
    [`wpkh(${K},${K})`, 'descriptor_malformed'],
    [` wpkh(${K})`, 'descriptor_wrong_context'],
    ['', 'descriptor_malformed'],
    ['()', 'descriptor_malformed'],
    [K, 'descriptor_malformed'],
    [`sh(and_v(v:pk(${K}),older(9)))`, 'descriptor_wrong_context'],
  ])('%s', (text, expected) => {
    expect(code(text)).toBe(expected);
  });

  it('holds bombs at bay', () => {
    expect(code(`${'sh('.repeat(1000)}${')'.repeat(1000)}`)).toBe('descriptor_too_large');
    expect(code('{'.repeat(200_000))).toBe('descriptor_too_large');
    expect(code('a'.repeat(300_000))).toBe('descriptor_too_large');
    let tree = `pk(${K})`;
    for (let i = 0; i < 129; i++) tree = `{pk(${K}),${tree}}`;
    expect(code(`tr(${NUMS},${tree})`)).toBe('descriptor_too_large');
  });
});
