import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GrantInfo, ReplayChange, ReplayTotals, WalletInfo } from '@keepwatch/protocol';
import {
  encodeFunctionData,
  erc20Abi,
  hashTypedData,
  recoverMessageAddress,
  recoverTypedDataAddress,
  serializeTransaction,
  type Hex,
} from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCommandLine, startDaemon, type CommandLine, type Daemon } from './fixtures/command-line.ts';

/** Tokens, typed data, text, approvals and grants as files, by the command alone. */

const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const TOKEN = '0x5FbDB2315678afecb367f032d93F642f64180aa3';

interface ReplayReport {
  readonly changes: readonly ReplayChange[];
  readonly leftOut: readonly unknown[];
  readonly totals: ReplayTotals;
}

let owner: CommandLine;
let bot: CommandLine;
let daemon: Daemon;
let address: string;

function file(name: string, content: unknown): string {
  const path = join(owner.directory, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 });
  return path;
}
const grants = () => owner.json<{ grants: GrantInfo[] }>('grant', 'list').grants;
const where = ['--wallet', 'main', '--chain', '31337'];

beforeAll(async () => {
  owner = await createCommandLine();
  bot = owner.as('bot');
  const data = join(owner.directory, 'vault');
  daemon = await startDaemon(owner.directory, data);
  owner.json('operator', 'join', '--data', data);
  owner.json('vault', 'init', '--password-file', file('password', 'correct horse battery staple\n'));
  owner.json('wallet', 'create', 'main');
  [{ address }] = owner.json<{ wallets: [WalletInfo] }>('wallet', 'list').wallets;
  bot.json('client', 'register', daemon.connection, '--name', 'bot');
  owner.json('client', 'approve', 'bot');
});

afterAll(async () => {
  await daemon.stop();
  await owner.remove();
});

describe('grants as a file', () => {
  const scope = { client: 'bot', wallet: 'main', chain: 'eip155:31337' };
  const token = `erc20:${TOKEN.toLowerCase()}`;
  const wanted = {
    grants: [
      {
        ...{ ...scope, kind: 'token-transfer', assets: [{ asset: token, symbol: 'TUSD', decimals: 6 }] },
        ...{ routes: ['transfer'], recipients: [ALICE.toLowerCase()], spenders: [], label: 'rent' },
        constraints: [
          { type: 'volume', asset: token, limit: '300000000', window: { calendar: 'month', zone: 'Europe/Berlin' } },
          { type: 'max-fee', limit: '1000000000000000' },
        ],
      },
      { ...scope, kind: 'message', messages: [{ prefix: 'Log in to Club: ' }], constraints: [], label: 'club' },
    ],
  };

  it('say what they would change, change it, and then have nothing to change', () => {
    const path = file('grants.json', wanted);
    const dry = owner.run(['grant', 'apply', path, '--dry-run']);
    expect(dry.out.trim().split('\n')).toEqual(['+ token-transfer rent', '+ message club']);
    expect(grants()).toEqual([]);
    owner.json('grant', 'apply', path);
    expect(grants().map(({ draft }) => draft.label)).toEqual(['rent', 'club']);
    expect(owner.run(['grant', 'apply', path]).out.trim()).toBe('Nothing to change.');
  });

  it('may have addresses with their checksum, as the command line takes them', () => {
    const text = JSON.stringify(wanted).replaceAll(TOKEN.toLowerCase(), TOKEN).replaceAll(ALICE.toLowerCase(), ALICE);
    expect(owner.run(['grant', 'apply', file('checksums.json', text)]).out.trim()).toBe('Nothing to change.');
    const mistyped = file('mistyped.json', text.replace(ALICE, ALICE.replace('C8', 'c8')));
    expect(owner.run(['grant', 'apply', mistyped]).err).toContain('checksum');
  });

  it('come out as they went in', () => {
    expect(owner.json('grant', 'export')).toEqual(wanted);
    const exported = owner.json<object>('grant', 'export', '--schema', './grants.schema.json');
    expect(exported).toEqual({ $schema: './grants.schema.json', ...wanted });
    expect(owner.run(['grant', 'apply', file('with-schema.json', exported)]).out.trim()).toBe('Nothing to change.');
    const published = readFileSync(new URL('../../../docs/schemas/grants.schema.json', import.meta.url), 'utf8');
    expect(owner.json('grant', 'schema')).toEqual(JSON.parse(published));
  });

  it('that are not valid change nothing', () => {
    const [first] = wanted.grants;
    const bad = file('bad.json', { grants: [{ ...first, routes: ['teleport'] }] });
    expect(owner.fails('grant', 'apply', bad).error).toBe('grant_invalid');
    const nowhere = file('zone.json', JSON.stringify(wanted).replace('Europe/Berlin', 'Europe/Belrin'));
    for (const dry of [[], ['--dry-run']]) {
      const { err } = owner.run(['grant', 'apply', nowhere, ...dry]);
      expect(err).toContain('There is no time zone Europe/Belrin');
    }
    expect(owner.fails('grant', 'apply', file('none.json', '{}')).error).toBe('file_malformed');
    expect(owner.fails('grant', 'apply', join(owner.directory, 'nowhere')).error).toBe('file_unreadable');
    expect(grants()).toHaveLength(2);
  });
});

describe('a token', () => {
  const unsigned = (amount: bigint, nonce = 0) =>
    serializeTransaction({
      ...{ type: 'eip1559', chainId: 31_337, nonce, gas: 60_000n, maxFeePerGas: 10n ** 9n, maxPriorityFeePerGas: 1n },
      ...{ to: TOKEN, data: encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [ALICE, amount] }) },
    });

  it('is understood once somebody said what it is', () => {
    expect(bot.fails('client', 'sign-transaction', unsigned(1n), ...where).error).toBe('denied');
    const entry = ['--name', 'Test dollar', '--standard', 'erc20', '--symbol', 'TUSD', '--decimals', '6'];
    const looked = ['--code-hash', `0x${'AB'.repeat(32)}`, '--implementation', ALICE];
    const said = owner.json<{ entry: object }>('contract', 'register', TOKEN, '--chain', '31337', ...entry, ...looked);
    expect(said.entry).toMatchObject({ codeHash: `0x${'ab'.repeat(32)}`, implementation: ALICE.toLowerCase() });
    const signed = bot.run(['client', 'sign-transaction', unsigned(250_000_000n), ...where]);
    expect(signed.out).toMatch(new RegExp(`^signed +transfer 250 TUSD to ${ALICE.toLowerCase()} on chain 31337$`, 'm'));
    expect(owner.run(['contract', 'list']).out).toContain('TUSD (6 decimals)');
    expect(bot.fails('client', 'sign-transaction', unsigned(50_000_001n, 1), ...where).error).toBe('denied');
    expect(owner.fails('contract', 'register', TOKEN, '--chain', '31337', ...entry).error).toBe('contract_invalid');
  });
});

describe('a contract of one’s own', () => {
  it('is registered by the artefact of its compiler, which the vault reads strictly', () => {
    const inputs = [{ name: 'proposal', type: 'uint256', internalType: 'uint256' }];
    const abi = [{ type: 'function', name: 'vote', inputs, outputs: [], stateMutability: 'nonpayable' }];
    const bytecode = { object: `0x${'60'.repeat(40_000)}` };
    const solc = { contracts: { 'Club.sol': { Club: { abi, evm: { bytecode } }, Bar: { abi: [] } } } };
    const register = (content: unknown, ...more: string[]) => [
      ...['contract', 'register', ALICE, '--chain', '31337', '--name', 'Club', '--abi', file('abi.json', content)],
      ...more,
    ];
    expect(owner.fails(...register([...abi, ...abi])).error).toBe('contract_invalid');
    expect(owner.fails(...register(solc)).error).toBe('contract_invalid');
    expect(owner.json(...register(solc, '--contract', 'Club'))).toMatchObject({ functions: 1 });
    owner.json('contract', 'remove', ALICE, '--chain', '31337');
    expect(owner.json(...register({ abi, bytecode }))).toMatchObject({ functions: 1 });
    owner.json('contract', 'remove', ALICE, '--chain', '31337');
  });
});

describe('well-known contracts', () => {
  it('are suggested, and registered by whoever names them', () => {
    const { contracts } = owner.json<{ contracts: { name: string; address: string; symbol?: string }[] }>(
      ...['contract', 'suggest', '--chain', '1'],
    );
    const usdc = contracts.find(({ symbol }) => symbol === 'USDC')!;
    expect(usdc.address).toBe('0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48');
    owner.json('contract', 'suggest', '--chain', '1', '--register', usdc.address);
    expect(owner.run(['contract', 'list']).out).toContain('USDC (6 decimals)');
    expect(owner.json<{ contracts: unknown[] }>('contract', 'suggest', '--chain', '31337').contracts).toEqual([]);
  });
});

describe('advice', () => {
  it('explains a request without consuming anything, as it is decided then', () => {
    const explain = (message: string) => {
      const args = ['grant', 'explain', '--client', 'bot', ...where, '--message', message];
      return owner.json<{ verdict: string; grant: string | null; reasons: string[] }>(...args);
    };
    const before = grants();
    expect(explain('Log in to Club: 9')).toMatchObject({ verdict: 'permit', grant: 'g2', reasons: [] });
    expect(explain('Log out')).toMatchObject({ verdict: 'deny', grant: null });
    expect(explain('Log out').reasons[0]).toContain('g2');
    expect(grants()).toEqual(before);
    expect(owner.fails('grant', 'explain', '--client', 'bot', ...where).error).toBe('usage_options_conflict');
  });

  it('finds what to look at again', () => {
    const { findings } = owner.json<{ findings: { grant: string; topic: string }[] }>('grant', 'lint');
    expect(findings).toContainEqual(expect.objectContaining({ grant: 'g1', topic: 'counts_argument' }));
  });
});

describe('text and typed data', () => {
  it('a text is signed by the wallet', async () => {
    const { signature } = bot.json<{ signature: Hex }>('client', 'sign-message', 'Log in to Club: 7', ...where);
    const signer = await recoverMessageAddress({ message: 'Log in to Club: 7', signature });
    expect(signer.toLowerCase()).toBe(address);
    expect(bot.fails('client', 'sign-message', 'Something else', ...where).error).toBe('denied');
    expect(bot.fails('client', 'sign-message', 'ab'.repeat(32), ...where).error).toBe('message_refused');
  });

  it('typed data is signed, and the digest is the one that the client computed', async () => {
    const data = {
      types: {
        EIP712Domain: [
          { name: 'name', type: 'string' },
          { name: 'chainId', type: 'uint256' },
          { name: 'verifyingContract', type: 'address' },
        ],
        Vote: [{ name: 'proposal', type: 'uint256' }],
      },
      primaryType: 'Vote',
      domain: { name: 'Club', chainId: 31_337, verifyingContract: TOKEN.toLowerCase() as Hex },
      message: { proposal: '7' },
    } as const;
    const exported = owner.json<{ grants: object[] }>('grant', 'export');
    const vote = {
      ...{ client: 'bot', wallet: 'main', chain: 'eip155:31337', kind: 'typed-data', contract: TOKEN.toLowerCase() },
      ...{ types: [{ primaryType: 'Vote', where: [] }], constraints: [] },
      acknowledge: 'what the signed data allows is not understood',
    };
    owner.json('grant', 'apply', file('more.json', { grants: [...exported.grants, vote] }));
    const path = file('vote.json', data);
    const digest = hashTypedData(data as never);
    const args = ['client', 'sign-typed-data', path, '--digest', digest, ...where] as const;
    const { signature } = bot.json<{ signature: Hex }>(...args);
    const signer = await recoverTypedDataAddress({
      ...(data as never as Parameters<typeof recoverTypedDataAddress>[0]),
      signature,
    });
    expect(signer.toLowerCase()).toBe(address);
    const other = ['client', 'sign-typed-data', path, '--digest', `0x${'00'.repeat(32)}`, ...where] as const;
    expect(bot.fails(...other).error).toBe('signed_transaction_differs');
  });
});

describe('a delegation', () => {
  it('is explained and signed as an authorisation, and the vault takes the wallet for one that runs code', () => {
    const exported = owner.json<{ grants: object[] }>('grant', 'export');
    const delegation = {
      ...{ client: 'bot', wallet: 'main', chain: 'eip155:31337', kind: 'delegation' },
      ...{ delegates: [TOKEN.toLowerCase()], constraints: [], label: 'code' },
      acknowledge: 'the delegate controls the whole wallet on this chain',
    };
    owner.json('grant', 'apply', file('code.json', { grants: [...exported.grants, delegation] }));
    // rlp([31337, TOKEN, 9])
    const authorization = `0x05d9827a6994${TOKEN.slice(2).toLowerCase()}09`;
    const args = ['grant', 'explain', '--client', 'bot', ...where, '--authorization', authorization] as const;
    expect(owner.json(...args)).toMatchObject({ verdict: 'permit' });
    const { signature } = bot.json<{ signature: Hex }>('client', 'sign-authorization', authorization, ...where);
    expect(signature).toMatch(/^0x[0-9a-f]{130}$/);
    expect(owner.json('wallet', 'delegated', 'main', '31337', '--ended')).toMatchObject({ delegated: false });
    // It spent nothing that could be outstanding.
    const settle = ['wallet', 'settle', 'main', '9', '--outcome', 'executed'] as const;
    expect(owner.fails(...settle).error).toBe('settlement_unknown');
    expect(owner.fails('wallet', 'settle', 'main', '9', '--outcome', 'lost').error).toBe('usage_outcome');
    expect(bot.fails('client', 'settle', 'main', '9', '--outcome', 'never').error).toBe('not_allowed');
  });
});

describe('a request that needs operators', () => {
  it('waits, is read, agreed to and signed', () => {
    const exported = owner.json<{ grants: object[] }>('grant', 'export');
    const large = {
      ...{ client: 'bot', wallet: 'main', chain: 'eip155:31337', kind: 'ether-transfer' },
      recipients: [ALICE.toLowerCase()],
      constraints: [
        { type: 'volume', asset: 'native', limit: (10n ** 19n).toString(), window: { ever: true } },
        { type: 'quorum', above: { asset: 'native', amount: (10n ** 18n).toString() }, approvals: 1 },
      ],
    };
    owner.json('grant', 'apply', file('large.json', { grants: [...exported.grants, large] }));
    const fees = ['--max-fee-per-gas', '30gwei', '--priority-fee', '1gwei'];
    const ask = (nonce: string) => [
      'client',
      'sign',
      ...where,
      '--to',
      ALICE,
      '--value',
      '2eth',
      '--nonce',
      nonce,
      ...fees,
    ];
    expect(bot.fails(...ask('5')).error).toBe('approval_needed');
    const [waiting] = owner.json<{ approvals: { approval: string; sentence: string }[] }>('approval', 'list').approvals;
    expect(waiting!.sentence).toContain('transfer 2 ETH to');
    expect(bot.run(ask('5')).err).toContain(`  approval: ${waiting!.approval}, 0 of 1 agreed, until `);
    // What the sentence leaves out is said beside it: 21,000 gas at 30 gwei.
    expect(waiting).toMatchObject({ nonce: 5, maxFeeWei: '630000000000000' });
    expect(owner.run(['approval', 'list']).out).toMatch(/main +5 +0\.00063 ETH +Client bot wants to transfer 2 ETH/);
    expect(owner.run(['approval', 'give', waiting!.approval]).out).toMatch(
      /wallet +main\n *nonce +5\n *fee +at most 0\.00063 ETH/,
    );
    expect(owner.run(['approval', 'give', waiting!.approval]).err).toMatch(/Enough operators have agreed/);
    expect(bot.json<{ hash: string }>(...ask('5')).hash).toMatch(/^0x[0-9a-f]{64}$/);
    expect(bot.fails(...ask('6')).error).toBe('approval_needed');
    const [next] = owner.json<{ approvals: { approval: string }[] }>('approval', 'list').approvals;
    owner.json('approval', 'reject', next!.approval);
    expect(owner.run(['approval', 'list']).out.trim()).toBe('Nothing waits for an operator.');
  });

  it('leaves a journal on which other grants are tried: what they would have decided otherwise, and why', () => {
    const exported = owner.json<{ grants: { kind: string; constraints: object[] }[] }>('grant', 'export').grants;
    const same = file('same.json', { grants: exported });
    const { changes, leftOut, totals } = owner.json<ReplayReport>('grant', 'replay', '--candidate', same);
    // All but what was asked before its grant or its contract was there.
    expect(changes.map(({ was, now }) => [was.verdict, now.verdict])).toEqual([]);
    expect(leftOut).toEqual([]);
    expect(totals.verdicts.permit.permit).toBeGreaterThanOrEqual(4);
    expect(totals.verdicts.deny.deny).toBeGreaterThanOrEqual(3);

    const small = exported.map((grant) =>
      grant.kind === 'ether-transfer' ? { ...grant, constraints: grant.constraints.slice(0, 1) } : grant,
    );
    const before = owner.json<{ grants: unknown[] }>('grant', 'list');
    const path = file('small.json', { grants: small.filter(({ kind }) => kind !== 'message') });
    const { out } = owner.run(['grant', 'replay', '--candidate', path]);
    expect(out).toMatch(/^\d+ requests, of which 3 would be decided otherwise\.$/m);
    expect(out).toMatch(/bot\s+permitted \(g2\)\s+denied\s+Client bot wants to .*Log in to Club: 7/);
    expect(out).toMatch(/bot\s+needs approval\s+permitted \(candidate \d\)\s+Client bot wants to transfer 2 ETH/);
    expect(owner.json('grant', 'list')).toEqual(before);
    expect(owner.fails('grant', 'replay').error).toBe('usage_option_missing');
    expect(owner.fails('grant', 'replay', '--candidate', file('two.json', { grants: [{}] })).error).toBe(
      'grant_invalid',
    );
  });

  it('whose transaction is stuck when its grant is changed is cancelled under the grant that is there then', () => {
    const exported = owner.json<{ grants: { kind: string; constraints: object[] }[] }>('grant', 'export').grants;
    const smaller = exported.map((grant) => {
      const volume = { type: 'volume', asset: 'native', limit: (10n ** 18n).toString(), window: { ever: true } };
      return grant.kind === 'ether-transfer' ? { ...grant, constraints: [volume] } : grant;
    });
    owner.json('grant', 'apply', file('smaller.json', { grants: smaller }));
    const again = (to: string, value: string, gwei: number) => [
      ...['client', 'sign', ...where, '--nonce', '5', '--to', to, '--value', value],
      ...['--max-fee-per-gas', `${gwei}gwei`, '--priority-fee', `${gwei / 10}gwei`],
    ];
    // 2 ETH are more than the new one lets leave.
    expect(bot.fails(...again(ALICE, '2eth', 40)).error).toBe('denied');
    expect(bot.fails(...again(ALICE, '1eth', 40)).error).toBe('denied');
    expect(bot.json<{ hash: string }>(...again(address, '0eth', 36)).hash).toMatch(/^0x[0-9a-f]{64}$/);
    expect(bot.json<{ hash: string }>(...again(address, '0eth', 45)).hash).toMatch(/^0x[0-9a-f]{64}$/);
  });

  it('leaves a journal that verifies', () => {
    expect(owner.json('journal', 'verify')).toMatchObject({ foldMatches: true });
    expect(readFileSync(join(owner.directory, 'grants.json'), 'utf8')).toContain('rent');
  });
});
