import type { Finding, FindingDetail, FindingKind, LabelType } from '@keepwatch/watch';

/**
 * A finding of every kind and turn, with marks in all places where something of the owner's stands: whatever may not be told
 * can be looked for in the words. Amounts are all different, and so odd that they occur nowhere by chance.
 */
type Of<K extends FindingKind> = OfAny<FindingDetail, K>;
/** Kinds that are alike stand in one member of the union. */
type OfAny<D, K> = D extends { readonly kind: infer Own } ? (K extends Own ? D & { readonly kind: K } : never) : never;
type Distribute<K extends FindingKind> = K extends FindingKind ? readonly Of<K>[] : never;
type Every = { readonly [K in FindingKind]: Distribute<K> };

const txidOf = (letters: string) => letters.repeat(32) as Of<'evicted'>['txid'];
const [TXID, OTHER, COIN] = [txidOf('a1'), txidOf('b2'), txidOf('c3')];
const outpoint = { txid: COIN, vout: 7 } as Of<'dust'>['outpoint'];
const block = { height: 840_123, hash: 'd4'.repeat(32) } as Of<'tip-stalled'>['lastBlock'];
type Account = NonNullable<Of<'evm-upgraded'>['after']>;
const [MINE, THEIRS, CODE, TOKEN] = ['e5', 'f6', '97', '86'].map((each) => `0x${each.repeat(20)}`) as [
  ...[Account, Account, Account, Account],
];
const HASH = `0x${'75'.repeat(32)}` as NonNullable<Of<'unsigned-spend'>['txHash']>;
const ADDRESS = 'bc1qmarkmarkmarkmarkmarkmarkmarkmarkmark';
const [RECEIVED, SPENT, FEE, LIMIT, TINY] = [731_946_281n, 846_295_137n, 13_579n, 624_813_579n, 547n];

const movement = (receivedSats: bigint, spentSats: bigint) => ({
  ...{ txid: TXID, receivedSats, spentSats },
  received: receivedSats === 0n ? [] : [{ ...outpoint, txid: TXID, address: ADDRESS, sats: receivedSats }],
  spent: spentSats === 0n ? [] : [{ ...outpoint, sats: spentSats }],
});
const inwards = movement(RECEIVED, 0n);
const outwards = movement(RECEIVED, SPENT);
const around = movement(SPENT - FEE, SPENT);
const over = (both: boolean) => (both ? [false, true] : [false]);
const chain = { chainId: 1n };
const coin = {
  asset: { token: null, symbol: 'ETH', decimals: 18, known: true },
  amount: 7_319_462_810_000_000_123n,
} as const;
const named = { asset: { token: TOKEN, symbol: 'USDC', decimals: 6, known: true }, amount: 84_629_513n } as const;
const strange = {
  asset: { token: THEIRS, symbol: 'FREE MONEY', decimals: 2, known: false },
  amount: 62_481_357n,
} as const;
const any = { ...named, amount: 2n ** 256n - 1n };
const sender = { from: THEIRS, to: THEIRS, nonce: 41n } as const;
const by = { caller: THEIRS, nonce: 41n, fee: 1_357_900_000_000_000n, failed: false, to: THEIRS } as const;
const spend = {
  spend: 'spend',
  ...chain,
  address: MINE,
  txHash: HASH,
  nonce: 41n,
  token: TOKEN,
  amount: 84_629_513n,
} as const;
const known = [{ vault: 'Safe', seq: 1_204, sealed: true }];
const words = 'Words of somebody else.';

const EVERY: Every = {
  sighted: [
    { kind: 'sighted', direction: 'received', grade: 'claimed', ...inwards },
    { kind: 'sighted', direction: 'spent', grade: 'valid', ...outwards },
    { kind: 'sighted', direction: 'self-transfer', grade: 'relayed', ...around },
    { kind: 'sighted', direction: 'watched', grade: 'relayed', ...movement(0n, 0n) },
  ],
  replaced: [{ kind: 'replaced', txid: TXID, by: OTHER }],
  evicted: [{ kind: 'evicted', txid: TXID }],
  'double-spend': [{ kind: 'double-spend', txid: TXID, other: OTHER, outpoint }],
  received: [
    { kind: 'received', ...inwards },
    { kind: 'received', ...inwards, amends: 'earlier' },
  ],
  spent: [{ kind: 'spent', ...outwards }],
  'self-transfer': [{ kind: 'self-transfer', ...around }],
  watched: [{ kind: 'watched', ...movement(0n, 0n) }],
  confirmed: [
    { kind: 'confirmed', txid: TXID, depth: 1, buried: false },
    { kind: 'confirmed', txid: TXID, depth: 100, buried: true },
  ],
  disconnected: [
    { kind: 'disconnected', txid: TXID, retracts: ['one'] },
    { kind: 'disconnected', txid: TXID, retracts: [] },
    { kind: 'disconnected', txid: TXID, retracts: ['one', 'two'] },
  ],
  'large-amount': [{ kind: 'large-amount', txid: TXID, sats: SPENT, limitSats: LIMIT }],
  'balance-above': [{ kind: 'balance-above', sats: RECEIVED, limitSats: LIMIT }],
  'balance-below': [{ kind: 'balance-below', sats: RECEIVED, limitSats: SPENT }],
  dust: [{ kind: 'dust', txid: TXID, outpoint, sats: TINY }],
  'address-reuse': [{ kind: 'address-reuse', txid: TXID, address: ADDRESS }],
  'timelock-expiry': [
    { kind: 'timelock-expiry', outpoint, opensAtHeight: 850_000, blocksLeft: 144, sats: SPENT },
    { kind: 'timelock-expiry', outpoint, opensAtSeconds: 1_800_000_000, secondsLeft: 900_000, sats: SPENT },
    { kind: 'timelock-expiry', outpoint, opensAtHeight: 850_000, blocksLeft: 0, sats: SPENT },
  ],
  'unvault-started': [
    { kind: 'unvault-started', outpoint, blocksLeft: 144, sats: SPENT },
    { kind: 'unvault-started', outpoint, opensAtHeight: 850_000, blocksLeft: 143, sats: SPENT },
    { kind: 'unvault-started', outpoint, opensAtSeconds: 1_800_000_000, secondsLeft: 900_000, sats: SPENT },
    { kind: 'unvault-started', outpoint, sats: SPENT },
  ],
  'feerate-spike': [{ kind: 'feerate-spike', satPerVbyte: 301, limit: 100 }],
  'tip-stalled': over(true).map((each) => ({ kind: 'tip-stalled', lastBlock: block, forSeconds: 7_200, over: each })),
  'tip-slow': over(true).map((each) => ({
    ...{ kind: 'tip-slow', lastBlock: block, blocks: each ? 24 : 1, dueBlocks: 48, inSeconds: 28_800, over: each },
  })),
  'source-down': over(true).map((each) => ({ kind: 'source-down', source: 'node', words, over: each })),
  'source-behind': over(true).map((each) => ({ kind: 'source-behind', source: 'node', words, over: each })),
  'sources-disagree': over(true).map((each) => ({
    ...{ kind: 'sources-disagree', about: 'block 840123', others: ['node', 'p2p'], over: each },
  })),
  'quorum-lost': over(true).map((each) => ({ kind: 'quorum-lost', over: each })),
  'disk-low': over(true).map((each) => ({ kind: 'disk-low', freeBytes: 104_857_600, over: each })),
  'clock-skew': [
    { kind: 'clock-skew', skewSeconds: -5_400, over: false },
    { kind: 'clock-skew', skewSeconds: 0, over: true },
  ],
  restarted: [{ kind: 'restarted', downSeconds: 604_800, fromHeight: 839_000 }],
  'gap-filled': [{ kind: 'gap-filled', fromHeight: 839_001, toHeight: 840_123 }],
  backfilled: [
    { kind: 'backfilled', toHeight: 840_123, transactions: 1 },
    { kind: 'backfilled', toHeight: 840_123, transactions: 37 },
  ],
  'channel-dead': over(true).map((each) => ({ kind: 'channel-dead', channel: 'mail', words, over: each })),
  'evm-sighted': [
    { kind: 'evm-sighted', ...chain, ...coin, ...sender, direction: 'spent', grade: 'valid', amends: null },
    {
      kind: 'evm-sighted',
      ...chain,
      ...coin,
      ...sender,
      direction: 'spent',
      grade: 'valid',
      amount: 0n,
      amends: 'one',
    },
    { kind: 'evm-sighted', ...chain, ...named, ...sender, direction: 'received', grade: 'claimed', amends: null },
  ],
  'evm-counted': over(true).map((each) => ({ kind: 'evm-counted', ...chain, nonce: 41n, pending: 43n, over: each })),
  'evm-replaced': [
    { kind: 'evm-replaced', ...chain, by: HASH, sighted: 'one' },
    { kind: 'evm-replaced', ...chain, by: null, sighted: 'one' },
  ],
  'evm-evicted': [{ kind: 'evm-evicted', ...chain, sighted: 'one' }],
  'evm-received': [
    { kind: 'evm-received', ...chain, from: THEIRS, ...coin },
    { kind: 'evm-received', ...chain, from: null, ...strange },
  ],
  'evm-spent': [
    { kind: 'evm-spent', ...chain, ...coin, ...by, how: 'transaction' },
    { kind: 'evm-spent', ...chain, ...coin, ...by, how: 'transaction', amount: 0n },
    { kind: 'evm-spent', ...chain, ...coin, ...by, how: 'transaction', failed: true },
    { kind: 'evm-spent', ...chain, ...named, ...by, how: 'allowance', nonce: null, fee: null },
    { kind: 'evm-spent', ...chain, ...strange, ...by, how: 'delegation', to: null },
    { kind: 'evm-spent', ...chain, ...named, ...by, how: 'unexplained' },
  ],
  'evm-internal': [
    { kind: 'evm-internal', ...chain, ...coin, direction: 'received', sinceBlock: 840_000 },
    { kind: 'evm-internal', ...chain, ...coin, direction: 'spent', sinceBlock: 840_000 },
  ],
  'evm-allowance': [
    {
      kind: 'evm-allowance',
      ...chain,
      ...named,
      spender: THEIRS,
      before: 62_481_357n,
      how: 'transaction',
      caller: MINE,
    },
    { kind: 'evm-allowance', ...chain, ...any, spender: THEIRS, before: null, how: 'allowance', caller: THEIRS },
    {
      kind: 'evm-allowance',
      ...chain,
      ...named,
      amount: 0n,
      spender: THEIRS,
      before: 1n,
      how: 'transaction',
      caller: MINE,
    },
  ],
  'evm-nonce': [
    { kind: 'evm-nonce', ...chain, expected: 41n, nonce: 43n },
    { kind: 'evm-nonce', ...chain, expected: 41n, nonce: 40n },
  ],
  'evm-code': [{ kind: 'evm-code', ...chain, before: { kind: 'none' }, after: { kind: 'delegation', to: CODE } }],
  'evm-upgraded': [{ kind: 'evm-upgraded', ...chain, before: THEIRS, after: CODE }],
  'evm-delegation': [
    { kind: 'evm-delegation', ...chain, before: null, after: CODE },
    { kind: 'evm-delegation', ...chain, before: CODE, after: null },
  ],
  'evm-confirmed': [
    { kind: 'evm-confirmed', ...chain, depth: 12, buried: false, finalized: false, about: ['one'] },
    { kind: 'evm-confirmed', ...chain, depth: 64, buried: true, finalized: true, about: ['one'] },
  ],
  'evm-disconnected': [{ kind: 'evm-disconnected', ...chain, retracts: ['one'] }],
  'evm-large-amount': [{ kind: 'evm-large-amount', ...chain, ...named, limit: 50_246_813n }],
  'evm-balance-above': [{ kind: 'evm-balance-above', ...chain, ...coin, limit: 5_024_681_300_000_000_000n }],
  'evm-balance-below': [{ kind: 'evm-balance-below', ...chain, ...named, limit: 95_024_681n }],
  'evm-backfilled': [
    { kind: 'evm-backfilled', ...chain, fromBlock: 1, toBlock: 840_123, entries: 37, stateMissingBefore: null },
    { kind: 'evm-backfilled', ...chain, fromBlock: 1, toBlock: 840_123, entries: 1, stateMissingBefore: 839_000 },
  ],
  'sealed-spend': [
    {
      ...{ kind: 'sealed-spend', ...spend, how: 'transaction', why: 'no-permit' },
      since: [{ vault: 'Safe', seq: 1_204, atMs: 1_789_999_000_000 }],
    },
  ],
  'signed-unseen': over(true).map((each) => ({
    ...{ kind: 'signed-unseen', vault: 'Safe', permit: 1_204, grant: 'Payroll', address: MINE, nonce: 41n, over: each },
    ...chain,
  })),
  'signed-spend': (['bytes', 'nonce', 'right', 'right-of-other', 'delegation'] as const).map((how) => ({
    ...{ kind: 'signed-spend', ...spend, how: 'transaction', vault: 'Safe', permit: 1_204, grant: 'Payroll', by: how },
    amends: how === 'right' ? 'earlier' : null,
  })),
  'unsigned-spend': (['no-permit', 'other-bytes', 'no-allowance', 'more-than-allowed', 'expired'] as const).map(
    (why) => ({ kind: 'unsigned-spend', ...spend, how: 'transaction', upTo: known, why, amends: null }),
  ),
  'unclear-spend': (['other-caller', 'unread', 'later-right', 'lost-history'] as const).map((why) => ({
    ...{ kind: 'unclear-spend', ...spend, how: 'allowance', upTo: known, why, amends: null },
    maybe: [{ vault: 'Safe', permit: 1_203 }],
  })),
  'earlier-spends': [
    { kind: 'earlier-spends', ...chain, vault: 'Safe', address: MINE, sinceMs: 1_789_999_000_000, count: 12 },
  ],
  'vault-silent': [{ kind: 'vault-silent', ...spend, how: 'transaction', token: null, vaults: ['Safe'], words }],
  'spend-withdrawn': [{ kind: 'spend-withdrawn', spend: 'spend', retracts: ['one'] }],
  'vault-down': over(true).map((each) => ({ kind: 'vault-down', vault: 'Safe', words, over: each })),
  'vault-sealed': over(true).map((each) => ({ kind: 'vault-sealed', vault: 'Safe', words: '', over: each })),
  'vault-rolled-back': over(true).map((each) => ({ kind: 'vault-rolled-back', vault: 'Safe', words, over: each })),
  'vault-forked': over(true).map((each) => ({ kind: 'vault-forked', vault: 'Safe', words, over: each })),
  'vault-withholds': over(true).map((each) => ({ kind: 'vault-withholds', vault: 'Safe', words, over: each })),
};

/** About the watch itself, and not about a wallet. */
const OF_THE_WATCH = /^(feerate|tip|source|sources|quorum|disk|clock|restarted|gap|channel|vault-(?!silent))/;

export const EVERY_FINDING: readonly Finding[] = Object.values(EVERY)
  .flat<readonly (readonly FindingDetail[])[]>()
  .map((detail, i) => {
    const isEvm = /^(evm|signed|sealed|unsigned|unclear|earlier|vault-silent|spend)/.test(detail.kind);
    const evm = { chainId: 1n, txHash: HASH, block: { number: 840_123, hash: HASH } } as unknown as NonNullable<
      Finding['evidence']['evm']
    >;
    const isOwn = OF_THE_WATCH.test(detail.kind);
    return {
      ...{ version: 1, id: `finding ${i}`, wallet: isOwn ? null : 'w1', severity: 'notice', atMs: 1_790_000_000_000 },
      ...{ late: i % 2 === 1, detail },
      evidence: { seenBy: ['p2p', 'node'], ...(isOwn ? {} : isEvm ? { evm } : { txid: TXID, block }) },
    };
  });

const LABELS: Readonly<Record<string, string>> = {
  [`addr ${ADDRESS}`]: 'Salary of Ada',
  [`output ${COIN}:7`]: 'Bonus of Bo',
  [`input ${COIN}:7`]: 'An input, and no coin',
  [`tx ${TXID}`]: 'Rent of Cy',
  [`tx ${OTHER}`]: 'Loan of Di',
};

export const MARKED_WALLET = {
  name: 'Ermitage',
  labelOf: (type: LabelType, ref: string) => LABELS[`${type} ${ref}`] ?? null,
};

/** What nobody may be able to look up: amounts in every form, addresses, transactions, tokens. */
export const AMOUNTS: readonly string[] = [
  ...[RECEIVED, SPENT, LIMIT, TINY, SPENT - FEE].flatMap((sats) => [
    ...[sats.toString(), (Number(sats) / 1e8).toFixed(8)],
  ]),
  ...['7.31946281', '7319462810', '84.629513', '84629513', '624813.57', '62481357', '62.481357', '50.246813'],
  ...[
    '5.0246813',
    '95.024681',
    '0.0013579',
    'BTC',
    ' ETH',
    'USDC',
    'FREE MONEY',
    'any amount',
    '1.14348856',
    '0.00013579',
  ],
];
export const PLACES: readonly string[] = [
  ...[TXID, OTHER, COIN, ADDRESS, MINE, THEIRS, CODE, TOKEN, HASH, block.hash].map((each) => each.slice(2, 18)),
  'Salary',
  'Bonus',
  'Rent',
  'Loan',
];
export const NAMES: readonly string[] = ['Ermitage', 'Safe', 'Payroll', 'mail', 'p2p', '840123'];
