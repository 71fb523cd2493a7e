import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GrantInfo } from '@keepwatch/protocol';
import { encodeFunctionData, erc20Abi, serializeTransaction, type Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCommandLine, startDaemon, type CommandLine, type Daemon } from './fixtures/command-line.ts';

/** The grants that people need most, in one line each: what they say is what is signed. */

const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const EVE = '0x90F79bf6EB2c4f870365E785982E1f101E93b906';
const TOKEN = '0x5FbDB2315678afecb367f032d93F642f64180aa3';
const ASSET = `erc20:${TOKEN.toLowerCase()}`;
const WHERE = ['--wallet', 'main', '--chain', '31337'];
const SCOPE = ['--client', 'bot', ...WHERE];
const GRANT = ['grant', 'create', ...SCOPE];

let owner: CommandLine;
let bot: CommandLine;
let daemon: Daemon;

beforeAll(async () => {
  owner = await createCommandLine();
  bot = owner.as('bot');
  const data = join(owner.directory, 'vault');
  daemon = await startDaemon(owner.directory, data);
  const password = join(owner.directory, 'password');
  writeFileSync(password, 'correct horse battery staple\n', { mode: 0o600 });
  owner.json('operator', 'join', '--data', data);
  owner.json('vault', 'init', '--password-file', password);
  owner.json('wallet', 'create', 'main');
  bot.json('client', 'register', daemon.connection, '--name', 'bot');
  owner.json('client', 'approve', 'bot');
});

afterAll(async () => {
  await daemon.stop();
  await owner.remove();
});

const draftsNow = () => owner.json<{ grants: GrantInfo[] }>('grant', 'list').grants.map(({ draft }) => draft);

function call(nonce: number, functionName: 'transfer' | 'approve', args: readonly [Hex, bigint]): string {
  return serializeTransaction({
    ...{ type: 'eip1559', chainId: 31_337, nonce, gas: 60_000n, maxFeePerGas: 10n ** 9n, maxPriorityFeePerGas: 1n },
    ...{ to: TOKEN, data: encodeFunctionData({ abi: erc20Abi, functionName, args }) },
  });
}

describe('a grant for a token', () => {
  it('needs a token that somebody registered, on this chain', () => {
    const ask = (token: string, chain = '31337') =>
      owner.fails(
        ...['grant', 'create', '--client', 'bot', '--wallet', 'main', '--chain', chain, '--token', token],
        ...['--to', ALICE, '--volume', '5tusd/1d', '--max-fee', '0.01eth'],
      ).error;
    expect(ask('tusd')).toBe('usage_unknown_name');
    const entry = ['--name', 'Test dollar', '--standard', 'erc20', '--symbol', 'TUSD', '--decimals', '6'];
    owner.json('contract', 'register', TOKEN, '--chain', '31337', ...entry);
    owner.json('contract', 'register', ALICE, '--chain', '31337', ...entry);
    expect(ask('tusd')).toBe('usage_ambiguous_name');
    owner.json('contract', 'remove', ALICE, '--chain', '31337');
    expect(ask('tusd', '1')).toBe('usage_unknown_name');
    expect(ask('usdt')).toBe('usage_unknown_name');
  });

  it('counts in the token’s own unit and no other, and limits fees', () => {
    const token = [...GRANT, '--token', 'TUSD', '--to', ALICE];
    expect(owner.fails(...token, '--volume', '5usdt/1d', '--max-fee', '0.01eth').error).toBe('usage_amount');
    expect(owner.fails(...token, '--volume', '5/1d', '--max-fee', '0.01eth').error).toBe('usage_amount');
    expect(owner.fails(...token, '--volume', '5.1234567tusd/1d', '--max-fee', '0.01eth').error).toBe('usage_amount');
    expect(owner.fails(...token, '--volume', '5tusd/1d').error).toBe('usage_option_missing');
    expect(owner.fails(...token, '--volume', '5eth/1d').error).toBe('usage_option_missing');
    expect(owner.fails(...GRANT, '--token', 'TUSD', '--volume', '5tusd/1d').error).toBe('usage_option_missing');
    expect(draftsNow()).toEqual([]);
  });

  it('to recipients lets them be sent so much, and shows what is left of it', () => {
    const made = owner.json<{ sentence: string }>(
      ...[...GRANT, '--token', 'tusd', '--to', ALICE, '--volume', '250.5tusd/1d', '--max-fee', '0.01eth'],
      ...['--count', '9/1h', '--label', 'rent'],
    );
    expect(made.sentence).toContain('at most 250.5 TUSD a day');
    expect(draftsNow()).toMatchObject([
      {
        ...{ kind: 'token-transfer', assets: [{ asset: ASSET, symbol: 'TUSD', decimals: 6 }], label: 'rent' },
        ...{ routes: ['transfer'], recipients: [ALICE.toLowerCase()], spenders: [] },
        constraints: [
          { type: 'volume', asset: ASSET, limit: '250500000', window: { seconds: 86_400 } },
          { type: 'count', limit: 9, window: { seconds: 3_600 } },
          { type: 'max-fee', limit: '10000000000000000' },
        ],
      },
    ]);
    bot.json('client', 'sign-transaction', call(0, 'transfer', [ALICE, 250_000_000n]), ...WHERE);
    for (const asked of [
      call(1, 'transfer', [ALICE, 500_001n]),
      call(1, 'transfer', [EVE, 1n]),
      call(1, 'approve', [ALICE, 1n]),
    ]) {
      expect(bot.fails('client', 'sign-transaction', asked, ...WHERE).error).toBe('denied');
    }
    expect(owner.run(['grant', 'list']).out).toContain('0.5 TUSD of 250.5 TUSD in 1d');
  });

  it('to spenders lets them take so much, in the same budget, and by its address as well', () => {
    owner.json('grant', 'revoke', 'rent');
    const more = ['--volume', '10TUSD/1w', '--volume', '1 eth/1d', '--label', 'shop'];
    owner.json(...GRANT, '--token', TOKEN, '--spender', EVE, ...more);
    expect(draftsNow()).toMatchObject([
      {
        ...{ routes: ['approve', 'increase-allowance'], recipients: [], spenders: [EVE.toLowerCase()] },
        constraints: [
          { asset: ASSET, limit: '10000000', window: { seconds: 604_800 } },
          { asset: 'native', limit: (10n ** 18n).toString(), window: { seconds: 86_400 } },
        ],
      },
    ]);
    bot.json('client', 'sign-transaction', call(1, 'approve', [EVE, 6_000_000n]), ...WHERE);
    expect(bot.fails('client', 'sign-transaction', call(2, 'approve', [EVE, 4_000_001n]), ...WHERE).error).toBe(
      'denied',
    );
    expect(bot.fails('client', 'sign-transaction', call(2, 'transfer', [EVE, 1n]), ...WHERE).error).toBe('denied');
    owner.json('grant', 'revoke', 'shop');
  });
});

describe('a grant for texts', () => {
  it('lets texts like these be signed, and moves nothing', () => {
    const text = 'Log in to example.com: {}';
    expect(owner.fails(...GRANT, '--text', text, '--to', ALICE).error).toBe('usage_options_conflict');
    expect(owner.fails(...GRANT, '--text', text, '--token', 'tusd').error).toBe('usage_options_conflict');
    expect(owner.fails(...GRANT, '--spender', EVE, '--to', ALICE, '--volume', '1eth/1d').error).toBe(
      'usage_options_conflict',
    );
    owner.json(...GRANT, '--text', text, '--count', '1/1h', '--label', 'login');
    expect(bot.fails('client', 'sign-message', 'Log out of example.com: 7', ...WHERE).error).toBe('denied');
    bot.json('client', 'sign-message', 'Log in to example.com: 7', ...WHERE);
    expect(bot.fails('client', 'sign-message', 'Log in to example.com: 8', ...WHERE).error).toBe('denied');
  });
});

describe('what restricts all grants', () => {
  const sign = (nonce: number, to: string, value: string) => [
    ...['client', 'sign', ...WHERE, '--to', to, '--value', value, '--nonce', String(nonce)],
    ...['--max-fee-per-gas', '1gwei', '--priority-fee', '1gwei'],
  ];

  it('a cap limits the wallet as a whole', () => {
    owner.json(...GRANT, '--to', 'any', '--volume', '100eth/1d', '--label', 'wide');
    expect(owner.fails('grant', 'cap', ...WHERE).error).toBe('usage_option_missing');
    owner.json('grant', 'cap', ...WHERE, '--volume', '2eth/1d', '--max-fee', '0.1eth', '--label', 'ceiling');
    bot.json(...sign(2, ALICE, '1eth'));
    expect(bot.fails(...sign(3, ALICE, '1eth')).error).toBe('denied');
    owner.json('grant', 'lift', 'ceiling');
    bot.json(...sign(3, ALICE, '1eth'));
  });

  it('a rule forbids an address, or a kind of action, until it is lifted', () => {
    expect(owner.fails('grant', 'deny', '--action', 'teleport').error).toBe('usage_unknown_name');
    const made = owner.json<{ sentence: string }>('grant', 'deny', '--address', EVE, '--label', 'not eve');
    expect(made.sentence).toBe(`never what involves ${EVE.toLowerCase()} with any wallet, whoever asks on any chain`);
    expect(bot.fails(...sign(4, EVE, '1wei')).error).toBe('denied');
    bot.json(...sign(4, ALICE, '1wei'));
    owner.json('grant', 'lift', 'not eve');
    bot.json(...sign(5, EVE, '1wei'));
    owner.json('grant', 'deny', ...SCOPE, '--action', 'ether-transfer,message', '--label', 'pause');
    expect(bot.fails(...sign(6, ALICE, '1wei')).error).toBe('denied');
    owner.json('grant', 'lift', 'pause');
  });
});

describe('a nonce', () => {
  it('is one that was not signed, and each one is given once', () => {
    const next = (...more: string[]) => bot.json<{ nonce: number }>('client', 'nonce', ...WHERE, ...more).nonce;
    const first = next();
    expect(first).toBeGreaterThanOrEqual(6);
    expect(next()).toBe(first + 1);
    expect(next('--at-least', '50')).toBe(50);
    expect(bot.run(['client', 'nonce', ...WHERE]).out.trim()).toBe(String(first + 2));
    expect(bot.fails('client', 'nonce', '--wallet', 'main', '--chain', '1').error).toBe('wallet_unknown');
  });
});
