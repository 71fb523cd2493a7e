/** A grant of each kind as JSON, with each kind of constraint somewhere. */

const CLIENT = 'AAAAAAAAAAAAAAAAAAAAAA';
const WALLET = 'BBBBBBBBBBBBBBBBBBBBBB';
const BOB = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const EVE = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
const TOKEN = '0xdac17f958d2ee523a2206206994597c13d831ec7';
const HASH = `0x${'ab'.repeat(32)}`;

const scope = { client: CLIENT, wallet: WALLET, chain: 'eip155:1' };
const volume = { type: 'volume', asset: 'native', limit: '2000000000000000000', window: { seconds: 86_400 } };
const maxFee = { type: 'max-fee', limit: '1000000000000000' };
const tokens = { ...volume, asset: `erc20:${TOKEN}`, window: { calendar: 'day', zone: 'Europe/Berlin' } };

export const DRAFTS: readonly Readonly<Record<string, unknown>>[] = [
  {
    ...{ ...scope, kind: 'ether-transfer', recipients: [BOB, EVE], label: 'Payroll März' },
    constraints: [
      volume,
      { ...volume, window: { ever: true } },
      { type: 'count', limit: 10, window: { seconds: 3_600 } },
      maxFee,
      { type: 'max-value', asset: 'native', limit: '5' },
      { type: 'gas-limit', limit: '21000' },
      { type: 'max-fee-per-gas', limit: '30000000000' },
      { type: 'max-priority-fee', limit: '0' },
      { type: 'validity', fromMs: 5, untilMs: null },
      { type: 'weekly', zone: 'UTC', spans: [{ days: ['mon', 'thu'], from: '08:00', to: '24:00' }] },
      { type: 'min-interval', seconds: 60 },
      { type: 'outstanding', asset: 'native', limit: '7' },
      { type: 'quorum', above: { asset: 'native', amount: '0' }, approvals: 2 },
    ],
  },
  {
    ...scope,
    client: { group: 'bots' },
    kind: 'ether-transfer',
    recipients: 'any',
    constraints: [],
    unlimited: ['native'],
  },
  {
    ...{
      ...scope,
      kind: 'token-transfer',
      routes: ['transfer', 'approve'],
      recipients: [BOB],
      spenders: [],
      accounts: [EVE],
    },
    assets: [{ asset: `erc20:${TOKEN}`, symbol: 'USDT', decimals: 6 }],
    constraints: [tokens, maxFee],
  },
  {
    ...{ ...scope, kind: 'token-transfer', routes: ['permit'], recipients: [], spenders: 'any', constraints: [tokens] },
    assets: [{ asset: `erc20:${TOKEN}` }],
  },
  {
    ...{ ...scope, kind: 'contract-call', contracts: [TOKEN], recipients: 'any', constraints: [maxFee] },
    functions: [
      {
        function: 'deposit(uint256,address)',
        where: [
          { path: '/amount', test: 'range', min: null, max: '10' },
          { path: '/receiver', test: 'is-wallet' },
          { path: '/path/-1', test: 'one-of', values: [BOB, true] },
          { path: '/path/*', test: 'equals', value: EVE },
          { path: '/memo', test: 'prefix', value: 'order ' },
        ],
      },
    ],
    delegatecall: 'the called code acts as the caller and may take everything',
  },
  {
    ...{ ...scope, kind: 'opaque-call', contracts: [TOKEN], selectors: ['0xa9059cbb', 'none'], constraints: [volume] },
    acknowledge: 'calls are not understood and may move anything that the contract may move',
  },
  { ...scope, kind: 'contract-creation', initCodeHashes: [HASH], constraints: [maxFee] },
  {
    ...{ ...scope, kind: 'typed-data', contract: TOKEN, name: 'App', recipients: [], constraints: [] },
    types: [{ primaryType: 'Order', typeHash: HASH, where: [{ path: '/0', test: 'equals', value: '5' }] }],
    acknowledge: 'what the signed data allows is not understood',
  },
  {
    ...{ ...scope, kind: 'message', constraints: [] },
    messages: [{ prefix: 'Log in to example.com\n' }, { template: 'Nonce: {} at {}' }],
  },
  {
    ...{ ...scope, kind: 'delegation', delegates: [EVE], constraints: [] },
    acknowledge: 'the delegate controls the whole wallet on this chain',
  },
  {
    ...{ kind: 'deny', client: 'any', wallet: 'any', chain: 'any', actions: ['opaque-call'], assets: ['native'] },
    ...{ addresses: [EVE], functions: ['burn()'], routes: ['order'] },
  },
  { kind: 'cap', wallet: WALLET, chain: 'eip155:1', constraints: [volume] },
];
