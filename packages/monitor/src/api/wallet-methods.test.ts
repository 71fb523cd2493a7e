import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CodedError } from '@keepwatch/base';
import type { BlockHash } from '@keepwatch/bitcoin';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openMonitor, type OpenMonitor } from '../open.ts';
import { makeMonitor } from '../make.ts';
import { openLock } from '../store/lock.ts';
import type { EvmWalletView } from '../evm/wallet-view.ts';
import type { WalletDetails, WalletSummary } from '../wallet-view.ts';
import { createLocalApi, type MonitorApi } from './local.ts';

/** BIP32 test vector 1, chain m, with the version of test chains. */
const KEY =
  'tpubD6NzVbkrYhZ4XgiXtGrdW5XDAPFCL9h7we1vwNCpn8tGbBcgfVYjXyhWo4E1xkh56hjod1RhGjxbaTLV3X4FyWuejifB9jusQ46QzG87VKp';

let dir: string;
let monitor: OpenMonitor;
let api: MonitorApi;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'keepwatch-wallets-'));
  await makeMonitor(dir, { kind: 'file' }, 'regtest');
  const rootKey = await openLock(dir, { credentials: undefined });
  monitor = await openMonitor({ dataDir: dir, rootKey, network: 'regtest' });
  api = createLocalApi(monitor);
});
afterEach(async () => {
  await monitor.close();
  rmSync(dir, { recursive: true, force: true });
});

const put = async (name: string, descriptor: string, more: object = {}) =>
  (await api.call('wallet.put', { name, descriptors: [descriptor], ...more })) as WalletSummary;
const show = async (wallet: string) => (await api.call('wallet.show', { wallet })) as WalletDetails;

describe('wallets that are added', () => {
  it('get an id of their name, whatever it is written in', async () => {
    const ids: string[] = [];
    for (const name of ['Ångström 貯金 🚀', 'Angstrom', 'Straße & Söhne.', '貯金', '--', 'a'.repeat(100)]) {
      ids.push((await put(name, `wpkh(${KEY}/${ids.length}/*)`)).id);
    }
    expect(ids).toEqual(['angstrom', 'angstrom-2', 'stra-e-sohne', 'wallet', 'wallet-2', 'a'.repeat(60)]);
    expect((await show('Ångström 貯金 🚀')).id).toBe('angstrom');
  });

  it('are called by names as long as names can be', async () => {
    const long = '貯'.repeat(100);
    const { id } = await put(long, `wpkh(${KEY}/0/*)`);
    expect((await show(long)).id).toBe(id);
    await api.call('wallet.set', { wallet: long, limits: { aboveSats: '5' } });
    expect((await show(long)).limits.aboveSats).toBe('5');
    await expect(show(`${long}貯`)).rejects.toMatchObject({ code: 'monitor_refused' });
  });

  it('are not named as another one is, by its name or its id: a name has to mean one of them', async () => {
    const code = (made: Promise<unknown>) =>
      made.then(
        () => 'none',
        (error: unknown) => (error as CodedError).code,
      );
    const { id } = await put('Ärger', `wpkh(${KEY}/0/*)`);
    expect(id).toBe('arger');
    expect(await code(put('arger', `wpkh(${KEY}/1/*)`))).toBe('watched_wallet_exists');
    const other = await put('Argentina', `wpkh(${KEY}/2/*)`);
    for (const name of ['arger', 'Ärger']) {
      expect(await code(put(name, `wpkh(${KEY}/2/*)`, { id: other.id }))).toBe('watched_wallet_exists');
    }
    // Its own are its own to have.
    expect(await put('argentina', `wpkh(${KEY}/2/*)`, { id: other.id })).toMatchObject({ id: 'argentina' });
    // Nor does an id become what another one is named.
    await put('spare-2', `wpkh(${KEY}/3/*)`);
    expect((await put('Spare', `wpkh(${KEY}/4/*)`)).id).toBe('spare');
    expect((await put('SPARE', `wpkh(${KEY}/5/*)`)).id).toBe('spare-3');
  });

  it('name those that watch the same, in whichever spelling', async () => {
    await put('one', `wpkh([d34db33f/84h/1h/0h]${KEY}/<0;1>/*)`);
    await put('two', `wpkh(${KEY}/1/*)`);
    await put('three', `tr(${KEY}/1/*)`);
    expect((await show('one')).sharedWith).toEqual(['two']);
    expect((await show('two')).sharedWith).toEqual(['one']);
    expect((await show('three')).sharedWith).toEqual([]);
  });

  it('begin at a block that there is', async () => {
    // Nothing is known of the chain yet: what is said is taken.
    await put('early', `wpkh(${KEY}/0/*)`, { birthday: { height: 500 } });
    expect(await show('early')).toMatchObject({ birthHeight: 500 });
    const block = { height: 120, hash: '11'.repeat(32) as BlockHash, timeSeconds: 1_700_000_000 };
    await monitor.engine.submit({
      room: 'watch',
      input: { kind: 'connected', block, matches: [], seenBy: ['a'] },
    });
    await expect(put('later', `wpkh(${KEY}/1/*)`, { birthday: { height: 122 } })).rejects.toMatchObject({
      code: 'watched_wallet_refused',
      message: 'There is no block 122 yet: the last one is 120.',
    });
    await put('next', `wpkh(${KEY}/1/*)`, { birthday: { height: 121 } });
  });

  it('are refused in words', async () => {
    await expect(put('', `wpkh(${KEY}/0/*)`)).rejects.toThrow('name: something is expected, and it is empty');
    await expect(put('x'.repeat(101), `wpkh(${KEY}/0/*)`)).rejects.toThrow('name: at most 100 characters are taken');
  });
});

describe('wallets that are changed', () => {
  const set = (params: object) => api.call('wallet.set', params as never) as Promise<WalletSummary>;

  it('keep what is left out, and what is known of them', async () => {
    const limits = { largeSats: '5', aboveSats: '7' };
    await put('savings', `wpkh(${KEY}/0/*)`, { owner: 'ada', tags: ['cold'], limits, labels: { x: 'y' } });
    const before = await show('savings');
    await set({ wallet: 'savings', name: 'Spare', tags: [], limits: { largeSats: null, belowSats: '3' } });
    expect(await show('Spare')).toEqual({
      ...before,
      ...{ name: 'Spare', tags: [] },
      limits: { ...before.limits, largeSats: null, belowSats: '3' },
    });
    await set({ wallet: 'Spare', owner: null });
    expect(await show('savings')).toMatchObject({ owner: null, name: 'Spare' });
  });

  it('are refused where nothing, or something else, is to be changed', async () => {
    await put('savings', `wpkh(${KEY}/0/*)`);
    const code = (params: object) => set(params).catch((error: unknown) => (error as CodedError).code);
    for (const params of [{ wallet: 'savings' }, { wallet: 'savings', birthday: null }, { wallet: 'savings', tags: 1 }])
      expect(await code(params)).toBe('monitor_refused');
    expect(await code({ wallet: 'nobody', owner: null })).toBe('watched_wallet_unknown');
  });

  it('are accounts of EVM chains as well: by each token what is said of it', async () => {
    const [address, token] = ['0x' + '1'.repeat(40), '0x' + '2'.repeat(40)];
    const tokens = [{ token, symbol: 'USDC', decimals: 6 }];
    const limits = [{ token: null, large: '5', above: '9', below: null }];
    const evm = (method: string, params: object) =>
      api.call(method as never, params as never) as Promise<EvmWalletView>;
    await evm('evm.put', { name: 'treasury', chainId: '1', address, tokens, limits });
    await evm('evm.set', {
      ...{ wallet: 'treasury', owner: 'ada' },
      limits: [
        { token: null, large: null },
        { token, below: '7' },
      ],
    });
    expect(await evm('evm.show', { wallet: 'treasury' })).toMatchObject({
      owner: 'ada',
      limits: [
        { token: null, large: null, above: '9', below: null },
        { token, large: null, above: null, below: '7' },
      ],
    });
    const cleared = await evm('evm.set', { wallet: 'treasury', limits: [{ token: null, above: null }] });
    expect(cleared.limits).toMatchObject([{ token, below: '7' }]);
    const strange = evm('evm.set', { wallet: 'treasury', limits: [{ token: address, above: '1' }] });
    await expect(strange).rejects.toMatchObject({ code: 'watched_wallet_refused' });
  });
});
