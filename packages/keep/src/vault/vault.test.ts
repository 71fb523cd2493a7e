import { randomBytes } from 'node:crypto';
import { uuidV7 } from '@keepwatch/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CodedError } from '@keepwatch/base';
import { fromBase64url, fromHex } from '@keepwatch/base';
import { createKeccak256 } from '../crypto/keccak.ts';
import { verifyJournal } from '../methods/journal.ts';
import { createRegistration } from '../methods/proposals.ts';
import { answerTo, MAX_ANSWERS_OF_CLIENT, rememberAnswer } from '../state/answers.ts';
import { decodeEntry } from '../state/events.ts';
import { REQUEST_RETENTION_MS } from '../state/state.ts';
import {
  createVaults,
  ETHER,
  makePeer,
  PASSWORD,
  signParams,
  type TestPeer,
  type TestVault,
} from './test-vault.fixture.ts';
import { admit, statusFor, statusOf, tick } from './vault.ts';

const { newVault, removeAll } = createVaults();
afterEach(removeAll);

const code = (expected: string) => expect.objectContaining({ code: expected });

describe('phases', () => {
  it('says after a restart whether the boot table knows the peers of the journal', async () => {
    const warning = 'warn: the boot table did not agree with the journal; the journal was followed';
    const v = await newVault();
    await v.init();
    await v.client('bot');
    await v.command('vault.seal', {});
    const again = await v.reopen();
    await again.unseal();
    expect(again.happened).not.toContain(warning);
    await again.command('vault.seal', {});
    again.vault.boot = { ...again.vault.boot, peers: again.vault.boot.peers.slice(0, 1) };
    await again.unseal();
    expect(again.happened).toContain(warning);
  });

  it('goes from uninitialised over unsealed to sealed and back', async () => {
    const v = await newVault();
    expect(statusOf(v.vault).phase).toBe('uninitialised');
    await v.init();
    expect(statusOf(v.vault)).toMatchObject({ phase: 'unsealed', version: 3, epoch: 1 });
    await v.command('vault.seal', {});
    expect(statusOf(v.vault)).toMatchObject({ phase: 'sealed', version: 3 });
    await v.unseal();
    expect(statusOf(v.vault)).toMatchObject({ phase: 'unsealed', version: 4 });
    expect((await verifyJournal(v.vault)).foldMatches).toBe(true);
  });

  it('starts sealed and unseals with what the store has', async () => {
    const v = await newVault();
    await v.init();
    const wallet = await v.wallet();
    const again = await v.reopen();
    expect(statusOf(again.vault).phase).toBe('sealed');
    await again.unseal();
    expect(again.vault.unsealed!.state.wallets.get(wallet.wallet)?.address).toBe(wallet.address);
  });

  it('refuses a second initialisation, and every command out of its phase', async () => {
    const v = await newVault();
    await expect(v.command('vault.seal', {})).rejects.toEqual(code('vault_uninitialised'));
    await v.init();
    await expect(v.init()).rejects.toEqual(code('vault_initialised'));
    await expect(v.unseal()).rejects.toEqual(code('vault_unsealed'));
  });

  it('slows down wrong passwords, over restarts too, and forgets them after the right one', async () => {
    const v = await newVault();
    await v.init();
    await v.command('vault.seal', {});
    for (let i = 0; i < 3; i++) await expect(v.unseal('wrong')).rejects.toEqual(code('wrong_password'));
    await expect(v.unseal()).rejects.toMatchObject({ code: 'unseal_throttled', details: { retryAfterMs: 1_000 } });
    const again = await v.reopen();
    await expect(again.unseal()).rejects.toEqual(code('unseal_throttled'));
    v.clock.pass(1_000);
    await again.unseal();
    expect(statusOf(again.vault).retryAfterMs).toBe(0);
    expect(again.vault.boot.failedUnseals.count).toBe(0);
  });

  it('journals with each unseal by which time zones limits are judged from then on', async () => {
    const v = await newVault();
    await v.init();
    await v.command('vault.seal', {});
    await v.unseal();
    const read = await v.vault.unsealed!.journal.read(1, 100);
    const entries = read.ok ? read.value.map(({ bytes }) => decodeEntry(bytes)) : [];
    const zones = entries.flatMap((entry) => (entry.type === 'vault.unsealed' ? [entry.zones] : []));
    expect(zones).toEqual([process.versions.tz, process.versions.tz]);
  });

  it('is not locked for years because a clock was years ahead when passwords were wrong', async () => {
    const v = await newVault();
    await v.init();
    await v.command('vault.seal', {});
    v.clock.jump(10 * 365 * 86_400_000);
    for (let i = 0; i < 4; i++) {
      await expect(v.unseal('wrong')).rejects.toEqual(code('wrong_password'));
      v.clock.pass(1_000);
    }
    v.clock.jump(-10 * 365 * 86_400_000);
    await expect(v.unseal()).rejects.toMatchObject({ code: 'unseal_throttled', details: { retryAfterMs: 2_000 } });
    v.clock.pass(2_000);
    await v.unseal();
  });

  it('does not unseal when somebody seals while the password is being hashed', async () => {
    const v = await newVault();
    await v.init();
    await v.command('vault.seal', {});
    const unsealing = v.unseal();
    await v.command('vault.seal', {});
    await expect(unsealing).rejects.toEqual(code('vault_sealed'));
    expect(statusOf(v.vault).phase).toBe('sealed');
    await v.unseal();
  });

  it('tells a stranger that it is there, and no more', async () => {
    const v = await newVault();
    await v.init();
    expect(statusFor(v.vault, 'candidate')).toMatchObject({ phase: 'unsealed', head: null, counts: null, version: 0 });
    expect(statusFor(v.vault, 'client')).toMatchObject({ counts: null, head: { lastSeq: 3 } });
  });

  it('lets strangers begin few handshakes, and registered peers as many as they like', async () => {
    const v = await newVault();
    await v.init();
    const claims = (wish: 'session' | 'register', key: TestPeer['session']['key']) =>
      Array.from({ length: 100 }, () => admit(v.vault, { role: 'operator', wish, key }).admit).filter(Boolean).length;
    expect(claims('register', makePeer('candidate').session.key)).toBe(64);
    expect(claims('session', v.operator.session.key)).toBe(100);
  });

  it('seals itself when nobody asks for anything', async () => {
    const v = await newVault();
    await v.init();
    await v.command('vault.configure', { idleSealSeconds: 60 });
    v.clock.pass(59_000);
    await tick(v.vault);
    expect(statusOf(v.vault).phase).toBe('unsealed');
    v.clock.pass(2_000);
    await tick(v.vault);
    expect(statusOf(v.vault).phase).toBe('sealed');
  });

  it('is not kept unsealed by requests that are denied, but by those that are signed', async () => {
    const v = await newVault();
    await v.init();
    const client = await v.client();
    const wallet = await v.wallet();
    await v.grant(client, wallet.wallet);
    await v.command('vault.configure', { idleSealSeconds: 60 });
    v.clock.pass(40_000);
    await v.sign(client, wallet.wallet);
    v.clock.pass(40_000);
    await tick(v.vault);
    expect(statusOf(v.vault).phase).toBe('unsealed');
    await v.command('grant.revoke', { grant: 'g1' });
    v.clock.pass(40_000);
    await expect(v.sign(client, wallet.wallet)).rejects.toEqual(code('denied'));
    v.clock.pass(21_000);
    await tick(v.vault);
    expect(statusOf(v.vault).phase).toBe('sealed');
  });

  it('seals after the machine slept', async () => {
    const v = await newVault();
    await v.init();
    v.clock.sleep(3_600_000);
    await tick(v.vault);
    expect(v.happened).toContain('phase sealed (resume-from-sleep)');
  });
});

describe('commands', () => {
  it('carries one out once, and only for the version that its operator saw', async () => {
    const v = await newVault();
    await v.init();
    const { version } = statusOf(v.vault);
    const order = { expects: version, id: '018f0000-0000-7000-8000-000000000001' };
    await v.command('vault.configure', { idleSealSeconds: 60 }, order);
    await expect(v.command('vault.configure', { idleSealSeconds: 60 }, order)).rejects.toEqual(
      code('version_conflict'),
    );
    await expect(v.command('vault.configure', { idleSealSeconds: 60 }, { id: order.id })).rejects.toEqual(
      code('command_repeated'),
    );
  });

  it('lets what tightens pass at any version, so that a revoke is never lost to a race', async () => {
    const v = await newVault();
    await v.init();
    const client = await v.client();
    const wallet = await v.wallet();
    await v.grant(client, wallet.wallet);
    await v.command('grant.revoke', { grant: 'g1' }, { expects: 0 });
    await expect(v.sign(client, wallet.wallet)).rejects.toEqual(code('denied'));
  });

  it('decides a race of two operators for one version once', async () => {
    const v = await newVault();
    await v.init();
    const { version } = statusOf(v.vault);
    const both = await Promise.allSettled([
      v.command('vault.configure', { idleSealSeconds: 60 }, { expects: version }),
      v.command('vault.configure', { idleSealSeconds: 90 }, { expects: version }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('takes no command of another key, another vault or another time', async () => {
    const v = await newVault();
    await v.init();
    const stranger = makePeer('operator');
    const forged = { signer: stranger.signer, session: v.operator.session };
    await expect(v.command('vault.seal', {}, { by: forged })).rejects.toEqual(code('command_invalid'));
    const past = { expires: v.clock.now().wallMs - 1 };
    await expect(v.command('vault.seal', {}, past)).rejects.toEqual(code('command_expired'));
  });

  it('registers one key once, whoever asks, and never again after its revocation', async () => {
    const v = await newVault();
    await v.init();
    const peer = makePeer('candidate');
    const register = createRegistration(v.vault);
    const asked = await Promise.all([
      register(peer.session, { name: 'bot', role: 'client' }),
      register(peer.session, { name: 'bot two', role: 'client' }),
    ]);
    expect(asked.map(({ state }) => state)).toEqual(['proposed', 'proposed']);
    const approve = { peer: peer.session.peer, role: 'client', name: 'bot' } as const;
    const { version } = statusOf(v.vault);
    const both = await Promise.allSettled([
      v.command('peer.approve', approve, { expects: version }),
      v.command('peer.approve', approve, { expects: version }),
    ]);
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await v.command('peer.revoke', { peer: peer.session.peer });
    expect(v.happened).toContain(`gone ${peer.session.peer}`);
    expect((await register(peer.session, { name: 'bot', role: 'client' })).state).toBe('revoked');
  });

  it('lets no flood of keys take the place of one that has asked, nor one network all places', async () => {
    const v = await newVault();
    await v.init();
    const register = createRegistration(v.vault);
    const ask = async (crowd: string, peer = makePeer('candidate')) =>
      register({ ...peer.session, crowd }, { name: 'bot', role: 'client' }).then(
        ({ state }) => state,
        (error: CodedError) => error.code,
      );
    const flood = async (crowd: string, count: number) => {
      const answers = await Promise.all(Array.from({ length: count }, () => ask(crowd)));
      return answers.filter((each) => each === 'proposed').length;
    };
    const honest = makePeer('candidate');
    expect(await flood('one', 100)).toBe(8);
    expect(await ask('home', honest)).toBe('proposed');
    for (let i = 0; i < 20; i++) await flood(`net-${i}`, 10);
    const { proposals } = v.vault.unsealed!.state;
    expect([proposals.size, proposals.has(honest.session.peer)]).toEqual([64, true]);
    expect(await ask('office')).toBe('proposals_full');
    // Whoever waits may ask as often as he likes, from wherever he is.
    for (let i = 0; i < 100; i++) expect(await ask('one', honest)).toBe('proposed');
    await v.command('peer.approve', { peer: honest.session.peer, role: 'client', name: 'honest' });
    // New ones are journaled: not more of them than so many at a time.
    expect(await ask('office')).toBe('rate_limited');
    v.clock.pass(60_000);
    expect(await ask('office')).toBe('proposed');
  });

  it('keeps the last operator', async () => {
    const v = await newVault();
    await v.init();
    await expect(v.command('peer.revoke', { peer: v.operator.session.peer })).rejects.toEqual(code('last_operator'));
  });

  it('refuses the same key as a second wallet', async () => {
    const v = await newVault();
    await v.init();
    const key = new Uint8Array(32).fill(7);
    const params = () => ({ kind: 'key' as const, name: 'one', secret: v.seal('wallet.import', key), nonceFloors: [] });
    const { wallets } = (await v.command('wallet.import', params())).value as { wallets: { wallet: string }[] };
    const client = await v.client();
    await v.grant(client, wallets[0]!.wallet);
    await v.sign(client, wallets[0]!.wallet);
    await expect(v.command('wallet.import', { ...params(), name: 'two' })).rejects.toEqual(code('wallet_exists'));
  });
});

describe('signing', () => {
  let v: TestVault;
  let client: TestPeer;
  let wallet: string;
  beforeEach(async () => {
    v = await newVault();
    await v.init();
    client = await v.client();
    wallet = (await v.wallet()).wallet;
    await v.grant(client, wallet);
  });

  it('signs under a grant and gives a receipt that says what is left', async () => {
    const answer = await v.sign(client, wallet, { value: ETHER });
    const entry = JSON.parse(answer.receipt.entry);
    expect(entry).toMatchObject({ type: 'request.permitted', grant: 'g1', replaces: null });
    const keccak256 = await createKeccak256();
    expect(keccak256(fromHex(entry.payload)!)).toEqual(fromBase64url(entry.digest));
    expect(entry.asks).toMatch(/ wants to transfer 1 ETH to 0x[0-9a-f]{40} on Ethereum$/);
    expect(entry.budgets[0]).toMatchObject({ spentBefore: '0', spentAfter: (ETHER + 21_000n).toString() });
  });

  it('denies what goes over the limit, elsewhere, or comes without a grant, with a receipt', async () => {
    await v.sign(client, wallet, { value: ETHER });
    const over = v.sign(client, wallet, { value: ETHER, nonce: 1 });
    await expect(over).rejects.toMatchObject({ code: 'denied', details: { reasons: [{ code: 'volume_exceeded' }] } });
    const elsewhere = v.sign(client, wallet, { to: `0x${'33'.repeat(20)}`, nonce: 1 });
    await expect(elsewhere).rejects.toMatchObject({ details: { reasons: [{ code: 'recipient_not_permitted' }] } });
    const stranger = makePeer('client');
    const none = await v.sign(stranger, wallet).catch((error: CodedError) => error);
    expect(none).toMatchObject({ details: { reasons: [{ code: 'no_grant' }], receipt: { seq: expect.any(Number) } } });
  });

  it('never signs a nonce for different bytes', async () => {
    await v.sign(client, wallet, { nonce: 5, value: 1n });
    await expect(v.sign(client, wallet, { nonce: 5, value: 2n })).rejects.toMatchObject({
      details: { reasons: [{ code: 'replacement_refused', why: 'another_intent' }] },
    });
  });

  it('gives the same request the same signature, in this run and after a restart', async () => {
    const params = signParams(wallet, v.clock, { value: 3n });
    const first = await v.signing.transaction(client.session, params);
    const second = await v.signing.transaction(client.session, params);
    expect(second).toEqual(first);
    const again = await v.reopen();
    await again.unseal();
    expect(await again.signing.transaction(client.session, params)).toEqual(first);
    const [report] = [...again.vault.unsealed!.state.usage.grants.values()];
    expect([...report!.values()][0]).toMatchObject({ kind: 'rolling', window: { totals: [21_003n] } });
  });

  it('gives the same bytes under another key the same signature, and charges once', async () => {
    const first = await v.sign(client, wallet, { value: 3n });
    const other = await v.sign(client, wallet, { value: 3n });
    expect(other.signature).toBe(first.signature);
    expect(other.receipt.seq).toBe(first.receipt.seq);
  });

  it('refuses a key that comes back with another body, and one that is too old', async () => {
    const params = signParams(wallet, v.clock, { value: 3n });
    await v.signing.transaction(client.session, params);
    const other = { ...params, transaction: signParams(wallet, v.clock, { value: 4n }).transaction };
    await expect(v.signing.transaction(client.session, other)).rejects.toEqual(code('idempotency_key_reused'));
    v.clock.pass(3 * 3_600_000);
    const late = { ...params, expires: v.clock.now().wallMs + 1_000 };
    await expect(v.signing.transaction(client.session, late)).rejects.toEqual(code('idempotency_key_expired'));
  });

  it('never lets concurrent requests together exceed a limit', async () => {
    const wanted = Array.from({ length: 64 }, (_, nonce) => v.sign(client, wallet, { value: ETHER / 8n, nonce }));
    const settled = await Promise.allSettled(wanted);
    // 16 eighths are 2 ETH, but fees count as well.
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(15);
  });

  it('refuses bytes that are no transaction, another chain, and what is stale', async () => {
    const params = signParams(wallet, v.clock, {});
    const ask = (change: object) => v.signing.transaction(client.session, { ...params, ...change });
    await expect(ask({ transaction: '0x02c0' })).rejects.toEqual(code('transaction_malformed'));
    await expect(ask({ chain: 'eip155:2' })).rejects.toEqual(code('wrong_chain'));
    await expect(ask({ expires: v.clock.now().wallMs })).rejects.toEqual(code('request_expired'));
    await expect(ask({ key: '018fffff-0000-7000-8000-000000000001' })).rejects.toEqual(code('idempotency_key_expired'));
    await expect(ask({ key: 'ffffffff-0000-7000-8000-000000000001' })).rejects.toEqual(code('request_from_the_future'));
  });

  it('journals so many denials of one client and answers the rest without', async () => {
    const ask = () =>
      v.sign(client, wallet, { to: `0x${'44'.repeat(20)}` }).catch((error: CodedError) => error.details);
    const answers = await Promise.all(Array.from({ length: 80 }, ask));
    expect(answers.filter((details) => details?.['receipt'] !== null)).toHaveLength(60);
    expect(v.signing.unjournaled()).toBe(20);
  });

  it('takes no more of a client of which it remembers as much as it may, but repeats, and others go on', async () => {
    const { peer } = client.session;
    const asked = signParams(wallet, v.clock, { value: 1n });
    const first = await v.signing.transaction(client.session, asked);
    const { state } = v.vault.unsealed!;
    const now = v.clock.now().wallMs;
    for (let i = 1; i < MAX_ANSWERS_OF_CLIENT; i++) {
      rememberAnswer(state, peer, `${i}`, { ...answerTo(state, peer, asked.key)!, at: now });
    }
    const next = { nonce: 1, value: 1n };
    await expect(v.sign(client, wallet, next)).rejects.toMatchObject({ code: 'rate_limited' });
    expect(await v.signing.transaction(client.session, asked)).toEqual(first);
    const other = await v.client('other');
    await v.grant(other, wallet);
    await v.sign(other, wallet, next);
    v.clock.pass(REQUEST_RETENTION_MS + 60_000);
    await v.sign(client, wallet, { nonce: 2, value: 1n });
    await v.sign(client, wallet, { nonce: 3, value: 1n });
  });

  it('freezes limits when the clock jumps either way, until an operator confirms the time', async () => {
    for (const by of [86_400_000, -86_400_000]) {
      v.clock.jump(by);
      await tick(v.vault);
      await expect(v.sign(client, wallet)).rejects.toEqual(code('clock_frozen'));
      if (by < 0) {
        const lagging = v.command('vault.confirm-time', { time: v.clock.now().wallMs });
        await expect(lagging).rejects.toEqual(code('clock_disagrees'));
        v.clock.jump(-by);
      } else {
        // The jump was right: the operator's clock says so too.
        await v.command('vault.confirm-time', { time: v.clock.now().wallMs });
        await expect(v.sign(client, wallet, { nonce: 9 })).resolves.toBeDefined();
      }
    }
  });

  it('goes on signing under grants that do not depend on time while the clock is frozen', async () => {
    const EVER = `0x${'55'.repeat(20)}`;
    const limit = { type: 'volume', asset: 'native', limit: ETHER.toString(), window: { ever: true } } as const;
    await v.grant(client, wallet, { recipients: [EVER], constraints: [limit] });
    v.clock.jump(86_400_000);
    await tick(v.vault);
    const at = v.clock.now().wallMs - 86_400_000;
    const key = () => uuidV7(at, (length) => randomBytes(length));
    const send = (more: object) => v.sign(client, wallet, { key: key(), expires: at + 60_000, ...more });
    await expect(send({ nonce: 0 })).rejects.toEqual(code('clock_frozen'));
    const { receipt } = await send({ nonce: 1, to: EVER });
    // No time that nobody confirmed is in the journal.
    expect((JSON.parse(receipt.entry) as { at: number }).at).toBeLessThan(at + 60_000);
    await expect(send({ nonce: 2, to: EVER, value: ETHER })).rejects.toEqual(code('clock_frozen'));
    await v.command('vault.confirm-time', { time: v.clock.now().wallMs });
    await expect(v.sign(client, wallet, { nonce: 2, to: EVER, value: ETHER })).rejects.toEqual(code('denied'));
    expect((await verifyJournal(v.vault)).foldMatches).toBe(true);
  });

  it('gives no budget back by a jump that it has not looked at yet', async () => {
    await v.sign(client, wallet, { value: 2n * ETHER - 21_000n });
    v.clock.jump(25 * 3_600_000);
    await expect(v.sign(client, wallet, { nonce: 1 })).rejects.toEqual(code('request_from_the_future'));
    v.clock.jump(-25 * 3_600_000);
    await expect(v.sign(client, wallet, { nonce: 1 })).rejects.toEqual(code('denied'));
  });

  it('survives a clock that was years ahead, while it runs and at the unseal', async () => {
    const years = 3 * 365 * 86_400_000;
    v.clock.jump(years);
    await tick(v.vault);
    v.clock.jump(-years);
    await v.command('vault.confirm-time', { time: v.clock.now().wallMs });
    await v.sign(client, wallet);
    await v.command('vault.seal', {});
    const right = v.clock.now().wallMs;
    v.clock.jump(years);
    await v.unseal(PASSWORD, right);
    await expect(v.sign(client, wallet, { nonce: 1 })).rejects.toEqual(code('clock_frozen'));
    v.clock.jump(-years);
    await v.command('vault.confirm-time', { time: right });
    await v.sign(client, wallet, { nonce: 1 });
    expect((await verifyJournal(v.vault)).foldMatches).toBe(true);
  });

  it('freezes at the unseal when the operator’s clock and the machine’s differ', async () => {
    await v.command('vault.seal', {});
    await v.unseal(PASSWORD, v.clock.now().wallMs + 3_600_000);
    await expect(v.sign(client, wallet)).rejects.toEqual(code('clock_frozen'));
    await v.command('vault.confirm-time', { time: v.clock.now().wallMs });
    await expect(v.sign(client, wallet)).resolves.toBeDefined();
  });

  it('does not go behind its journal when the clock was set back while it was down', async () => {
    await v.sign(client, wallet, { value: ETHER });
    await v.command('vault.seal', {});
    v.clock.jump(-7 * 86_400_000);
    const again = await v.reopen();
    await again.unseal();
    expect(statusOf(again.vault).clockFrozen).not.toBeNull();
    expect(statusOf(again.vault).time).toBeGreaterThan(v.clock.now().wallMs);
  });
});
