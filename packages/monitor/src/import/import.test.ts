import { fromHex, toHex } from '@keepwatch/base';
import { deriveScripts, parseDescriptor, scriptToAddress } from '@keepwatch/bitcoin';
import { sha256 } from '@noble/hashes/sha2.js';
import { createBase58check } from '@scure/base';
import { describe, expect, it } from 'vitest';
import { earliestHeight } from './beginning.ts';
import { descriptorsOfKey } from './extended-key.ts';
import { readWalletFile } from './import.ts';

/** BIP32 test vector 1, chain m; and the account key of BIP84's vectors, as zpub and with its first address. */
const XPUB =
  'xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8';
const XPRV =
  'xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi';
const ZPUB =
  'zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs';
const BIP84_FIRST = 'bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu';
const main = (value: unknown) => readWalletFile(typeof value === 'string' ? value : JSON.stringify(value), 'main');
const base58check = createBase58check(sha256);

/** The same key under another version of SLIP-132. */
function versioned(version: string, key = XPUB): string {
  const payload = base58check.decode(key);
  payload.set(fromHex(version)!);
  return base58check.encode(payload);
}

function firstAddress(descriptor: string): string | undefined {
  const parsed = parseDescriptor(descriptor, 'main');
  if (!parsed.ok) throw new Error(parsed.error.message);
  return scriptToAddress([...deriveScripts(parsed.value, 0, 0, 1)][0]!.script, 'main');
}

describe('wallet files of other programs', () => {
  it('reads listdescriptors of Bitcoin Core, with the earliest of its times', () => {
    const read = main({
      wallet_name: 'savings',
      descriptors: [
        { desc: `wpkh(${XPUB}/0/*)`, timestamp: 1_700_000_500, active: true, internal: false, range: [0, 999] },
        { desc: `wpkh(${XPUB}/1/*)`, timestamp: 1_700_000_000, active: true, internal: true },
      ],
    });
    expect(read).toMatchObject({
      value: { format: 'bitcoin-core', wallets: [{ name: 'savings', birthday: { timeSeconds: 1_700_000_000 } }] },
    });
    expect(read.ok && read.value.wallets[0]!.descriptors.map((text) => text.replace(/#.*/, ''))).toEqual([
      `wpkh(${XPUB}/0/*)`,
      `wpkh(${XPUB}/1/*)`,
    ]);
  });

  it('looks at all blocks for a wallet of Bitcoin Core whose time nobody knew', () => {
    const read = main({ descriptors: [{ desc: `wpkh(${XPUB}/0/*)`, timestamp: 1 }] });
    expect(read).toMatchObject({ value: { wallets: [{ birthday: { height: 0 } }] } });
  });

  it('reads the descriptors of Sparrow, and takes the tuple once', () => {
    const text = [
      '# Receive and change descriptor (BIP389):',
      `wsh(sortedmulti(1,${XPUB}/<0;1>/*,${XPUB}/<2;3>/*))`,
      '',
      '# Receive descriptor (Bitcoin Core):',
      `wsh(sortedmulti(1,${XPUB}/0/*,${XPUB}/2/*))`,
      '# Change descriptor (Bitcoin Core):',
      `wsh(sortedmulti(1,${XPUB}/1/*,${XPUB}/3/*))`,
    ].join('\n');
    const read = main(text);
    expect(read).toMatchObject({ value: { format: 'sparrow' } });
    expect(read.ok && read.value.wallets[0]!.descriptors).toHaveLength(1);
    expect(read.ok && read.value.wallets[0]!.descriptors[0]).toContain('/<0;1>/*');
  });

  it('reads a wallet of Electrum: its script by the version of the key, its labels, and no secret of it', () => {
    const read = main({
      seed_version: 59,
      wallet_type: 'standard',
      keystore: {
        ...{ type: 'bip32', xpub: ZPUB, xprv: 'a secret', seed: 'another', root_fingerprint: '73c5da0a' },
        derivation: "m/84'/0'/0'",
      },
      labels: { [BIP84_FIRST]: 'rent', ['ab'.repeat(32)]: 'paid', nonsense: 'x' },
    });
    expect(JSON.stringify(read)).not.toContain('secret');
    if (!read.ok) throw new Error(read.error.words);
    const [descriptor] = read.value.wallets[0]!.descriptors;
    expect(descriptor).toMatch(/^wpkh\(\[73c5da0a\/84h\/0h\/0h\]xpub/);
    expect(firstAddress(descriptor!)).toBe(BIP84_FIRST);
    expect(new Set(read.value.labels)).toEqual(
      new Set([
        { type: 'tx', ref: 'ab'.repeat(32), label: 'paid' },
        { type: 'addr', ref: BIP84_FIRST, label: 'rent' },
      ]),
    );
  });

  it('reads multisig and imported wallets of Electrum', () => {
    const store = { type: 'hardware', xpub: versioned('02aa7ed3') };
    const other = { type: 'bip32', xpub: versioned('02aa7ed3', ZPUB) };
    const multi = main({ wallet_type: '2of2', 'x1/': store, 'x2/': other });
    expect(multi.ok && multi.value.wallets[0]!.descriptors[0]).toMatch(/^wsh\(sortedmulti\(2,xpub.*\/<0;1>\/\*,xpub/);
    expect(main({ wallet_type: '2of2', 'x1/': store })).toMatchObject({ error: { code: 'import_malformed' } });
    const imported = main({ wallet_type: 'imported', addresses: { [BIP84_FIRST]: {} } });
    expect(imported).toMatchObject({ value: { wallets: [{ addresses: [BIP84_FIRST], descriptors: [] }] } });
  });

  it('reads the export of Specter, and adds the change that it does not name', () => {
    const read = main({ label: 'Vault', blockheight: 800_000, descriptor: `wsh(sortedmulti(1,${XPUB}/0/*))` });
    expect(read).toMatchObject({
      value: { format: 'specter', wallets: [{ name: 'Vault', birthday: { height: 800_000 } }] },
    });
    expect(read.ok && read.value.wallets[0]!.descriptors[0]).toMatch(/^wsh\(sortedmulti\(1,.*\/<0;1>\/\*\)\)#/);
  });

  it('reads a backup of Liana with its recovery path and labels', () => {
    const descriptor = `wsh(or_d(pk(${XPUB}/<0;1>/*),and_v(v:pkh(${descriptorKey()}/<0;1>/*),older(52560))))`;
    const labels = [
      { type: 'addr', ref: BIP84_FIRST, label: 'heir' },
      { type: 'tx', ref: 'x', label: null },
    ];
    const accounts = [{ name: 'Liana', descriptor, timestamp: 1_690_000_000, labels, keys: {}, receive_index: 3 }];
    expect(main({ version: 1, network: 'bitcoin', alias: 'Family', accounts, date: 1 })).toMatchObject({
      value: {
        format: 'liana',
        wallets: [{ name: 'Liana', birthday: { timeSeconds: 1_690_000_000 } }],
        labels: [{ ref: BIP84_FIRST, label: 'heir' }],
      },
    });
  });

  it('reads a wallet policy (BIP388)', () => {
    const read = main({
      name: 'Cold',
      descriptor_template: 'wpkh(@0/**)',
      keys_info: [`[73c5da0a/84'/0'/0']${descriptorKey()}`],
    });
    if (!read.ok) throw new Error(read.error.words);
    expect(firstAddress(read.value.wallets[0]!.descriptors[0]!)).toBe(BIP84_FIRST);
    expect(main({ template: 'wpkh(@1/**)', keys: [XPUB] })).toMatchObject({ error: { code: 'import_malformed' } });
    expect(main({ template: 'wpkh(@0/**)', keys: [XPUB, XPUB] })).toMatchObject({
      error: { code: 'import_malformed' },
    });
  });

  it('reads labels (BIP329), and leaves out what a later version adds', () => {
    const lines = [
      { type: 'tx', ref: 'f9'.repeat(32), label: 'Transaction', origin: 'wpkh([d34db33f/84h/0h/0h])' },
      { type: 'output', ref: `${'f9'.repeat(32)}:1`, label: 'Output', spendable: false },
      { type: 'moon', ref: 'x', label: 'later' },
      { type: 'addr', ref: BIP84_FIRST },
    ];
    expect(main(lines.map((line) => JSON.stringify(line)).join('\n'))).toMatchObject({
      value: { format: 'bip329', wallets: [], labels: [{ type: 'tx' }, { type: 'output' }] },
    });
    expect(main(JSON.stringify(lines[0]))).toMatchObject({ value: { format: 'bip329' } });
    expect(main('{"type":"tx","ref":"a"}\nnonsense')).toMatchObject({ error: { code: 'import_malformed' } });
  });

  it.each([
    ['a private key in Core’s list', { descriptors: [{ desc: `wpkh(${XPRV}/0/*)` }] }, 'import_private_key'],
    ['a private key as a descriptor', `wpkh(${XPRV}/0/*)`, 'import_private_key'],
    ['a private keystore', { wallet_type: 'standard', keystore: { type: 'bip32', xpub: XPRV } }, 'import_private_key'],
    ['an encrypted file', 'QklFMQ'.repeat(20), 'import_private_key'],
    ['a wrong checksum', `wpkh(${XPUB}/0/*)#aaaaaaaa`, 'import_malformed'],
    ['nothing', '', 'import_unknown_format'],
    ['a number', '7', 'import_unknown_format'],
    ['null', 'null', 'import_unknown_format'],
    ['any JSON', { hello: ['world'] }, 'import_unknown_format'],
    ['a list', [], 'import_unknown_format'],
    ['a text', 'dear diary', 'import_unknown_format'],
    ['accounts that are none', { accounts: {} }, 'import_malformed'],
    ['no descriptors', { descriptors: [] }, 'import_malformed'],
  ])('refuses %s, and repeats nothing of it', (_, value, code) => {
    const read = main(value);
    expect(read).toMatchObject({ ok: false, error: { code } });
    expect(JSON.stringify(read)).not.toContain('xprv');
  });

  it('refuses keys of another network', () => {
    expect(readWalletFile(`wpkh(${XPUB}/0/*)`, 'regtest')).toMatchObject({ error: { code: 'import_wrong_network' } });
    expect(() => descriptorsOfKey(ZPUB, 'regtest')).toThrow();
  });

  it('takes an extended key alone, and all that wallets make of one that does not say', () => {
    const [one, ...more] = descriptorsOfKey(ZPUB, 'main');
    expect(firstAddress(one!)).toBe(BIP84_FIRST);
    expect(more).toEqual([]);
    expect(descriptorsOfKey(XPUB, 'main').map((text) => text.slice(0, 4))).toEqual(['wpkh', 'tr(x', 'sh(w', 'pkh(']);
    expect(descriptorsOfKey(`[73c5da0a/84h]${ZPUB}`, 'main')[0]).toContain('[73c5da0a/84h]xpub');
    expect(() => descriptorsOfKey(versioned('02aa7ed3'), 'main')).toThrow(/several/);
  });
});

function descriptorKey(): string {
  return versioned('0488b21e', ZPUB);
}

it('knows its own helper: a version changes and the key stays', () => {
  expect(toHex(base58check.decode(versioned('04b24746')).subarray(4))).toBe(
    toHex(base58check.decode(XPUB).subarray(4)),
  );
});

describe('files as other programs really write them', () => {
  const branches = (read: ReturnType<typeof main>) => {
    if (!read.ok) throw new Error(read.error.words);
    return read.value.wallets[0]!.descriptors.map((text) => text.replace(/#.*/, ''));
  };
  const store = { type: 'bip32', xpub: ZPUB };

  it('watches both branches of a Specter file whose keys have no path: they are those of accounts', () => {
    const other = descriptorKey();
    expect(branches(main({ label: 'S', blockheight: 7, descriptor: `sh(wpkh([4df18faa/49'/0'/0']${XPUB}))` }))).toEqual(
      [`sh(wpkh([4df18faa/49h/0h/0h]${XPUB}/<0;1>/*))`],
    );
    expect(branches(main({ descriptor: `wsh(multi(2,[ca9a2b19/48h]${XPUB},${other}))` }))).toEqual([
      `wsh(multi(2,[ca9a2b19/48h]${XPUB}/<0;1>/*,${other}/<0;1>/*))`,
    ]);
    // A path of its own is somebody's choice, and stays.
    expect(branches(main({ descriptor: `wpkh(${XPUB}/5)` }))).toEqual([`wpkh(${XPUB}/5)`]);
  });

  it('takes descriptors behind a word that says what they are', () => {
    expect(branches(main(`Receive: wpkh(${XPUB}/0/*)\r\nChange: wpkh(${XPUB}/1/*)\r\n`))).toEqual([
      `wpkh(${XPUB}/0/*)`,
      `wpkh(${XPUB}/1/*)`,
    ]);
  });

  it('reaches as far as addresses were handed out: by Bitcoin Core, Liana and Electrum', () => {
    const gapOf = (value: unknown) => {
      const read = main(value);
      if (!read.ok) throw new Error(read.error.words);
      return read.value.wallets[0]!.gapLimit;
    };
    const desc = `wpkh(${XPUB}/0/*)`;
    expect(gapOf({ descriptors: [{ desc, next: 150, next_index: 150 }] })).toBe(170);
    expect(gapOf({ descriptors: [{ desc, next: 0, next_index: 0 }] })).toBeNull();
    expect(gapOf({ descriptors: [{ desc, next_index: 1_000_000 }] })).toBe(10_000);
    expect(gapOf({ accounts: [{ descriptor: desc, receive_index: 60, change_index: 3 }] })).toBe(80);
    const electrum = { wallet_type: 'standard', keystore: store };
    expect(gapOf({ ...electrum, gap_limit: 35 })).toBe(35);
    expect(gapOf({ ...electrum, gap_limit: 20, addresses: { receiving: Array(44).fill(''), change: [''] } })).toBe(44);
    expect(gapOf({ ...electrum, gap_limit: 20, addresses: { receiving: [], change: [] } })).toBeNull();
  });

  it('takes the earliest time of Bitcoin Core’s list, though one of its descriptors is of now', () => {
    const descriptors = [
      { desc: `wpkh(${XPUB}/0/*)`, timestamp: 1_700_000_000 },
      { desc: `addr(${BIP84_FIRST})`, timestamp: 'now' },
    ];
    expect(main({ descriptors })).toMatchObject({ value: { wallets: [{ birthday: { timeSeconds: 1_700_000_000 } }] } });
    expect(main({ result: { descriptors }, error: null, id: 1 })).toMatchObject({ value: { format: 'bitcoin-core' } });
  });

  it('reads a file of Electrum behind which changes are written', () => {
    const whole = { wallet_type: 'standard', keystore: store, labels: { ['ab'.repeat(32)]: 'old' }, gap_limit: 20 };
    const changes = [
      { op: 'add', path: `/labels/${BIP84_FIRST}`, value: 'rent' },
      { op: 'replace', path: `/labels/${'ab'.repeat(32)}`, value: 'new' },
      { op: 'replace', path: '/gap_limit', value: 50 },
      { op: 'add', path: '/nowhere/at/all', value: 1 },
      { op: 'add', path: '/__proto__', value: { polluted: true } },
      { op: 'remove', path: '/nothing' },
    ];
    const read = main([whole, ...changes].map((each) => JSON.stringify(each, null, 4)).join(',\n'));
    expect(read).toMatchObject({ value: { format: 'electrum', wallets: [{ gapLimit: 50 }] } });
    expect(read.ok && Object.fromEntries(read.value.labels.map(({ ref, label }) => [ref, label]))).toEqual({
      ['ab'.repeat(32)]: 'new',
      [BIP84_FIRST]: 'rent',
    });
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('reads a wallet of Electrum with two factors: two of three keys', () => {
    const key = { type: 'bip32', xpub: versioned('02aa7ed3') };
    const read = main({ wallet_type: '2fa', 'x1/': key, 'x2/': key, 'x3/': key });
    expect(branches(read)[0]).toMatch(/^wsh\(sortedmulti\(2,(xpub[^,]*,){2}xpub[^,]*\)\)$/);
  });

  it('leaves out a label of Liana that a later version adds, and refuses a backup of another network', () => {
    const account = {
      descriptor: `wsh(and_v(v:pk(${XPUB}/<0;1>/*),older(10)))`,
      labels: [
        { type: 'moon', ref: 'x', label: 'later' },
        { type: 'addr', ref: BIP84_FIRST, label: 'heir' },
      ],
    };
    expect(main({ accounts: [account], network: 'bitcoin' })).toMatchObject({ value: { labels: [{ label: 'heir' }] } });
    expect(main({ accounts: [account], network: 'signet' })).toMatchObject({ error: { code: 'import_wrong_network' } });
  });
});

describe('the first block that is looked at when nobody knows since when a wallet exists', () => {
  it.each([
    [['wpkh(x)'], 'main', 481_824],
    [['sh(wsh(x))', 'addr(bc1q…)'], 'main', 481_824],
    [['tr(x)', 'addr(bc1p…)'], 'main', 709_632],
    [['tr(x)', 'wpkh(x)'], 'main', 481_824],
    [['wpkh(x)', 'pkh(x)'], 'main', 0],
    [['sh(multi(1,x))'], 'main', 0],
    [[], 'main', 0],
    [['wpkh(x)'], 'regtest', 0],
  ] as const)('of %s on %s: %i', (descriptors, network, height) => {
    expect(earliestHeight(descriptors, network)).toBe(height);
  });
});
