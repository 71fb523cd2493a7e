import { randomBytes } from 'node:crypto';
import { utf8 } from '@keepwatch/base';
import type { GrantDraft } from '@keepwatch/protocol';
import { connect, createClient, signerFromSeed, wireCrypto, type Connection } from '@keepwatch/sdk';
import { signCommand, uuidV7 } from '@keepwatch/wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectOperator, unseal, type SeatedOperator } from '../world/index.ts';
import { codeOf, seatHonestParty, type HonestParty } from './honest-party.ts';
import { startHostileGate, type HostileGate } from './hostile-gate.ts';

// What operators command, when the gate delays, crosses and repeats. A gate decides when a frame arrives; it must not
// by that decide what is allowed.

let gate: HostileGate;
let party: HonestParty;
/** A second session of the owner, on another machine perhaps. */
let second: SeatedOperator;

beforeAll(async () => {
  gate = await startHostileGate();
  party = await seatHonestParty(gate);
  second = await connectOperator(gate, party.owner.person);
});
afterAll(async () => {
  await second.connection.close();
  await party.close();
  await gate.stop();
});

function draft(limit: bigint): GrantDraft {
  return {
    client: party.client.peer,
    wallet: party.wallet.wallet,
    chain: 'eip155:5',
    kind: 'ether-transfer',
    recipients: 'any',
    constraints: [{ type: 'volume', asset: 'native', limit: String(limit), window: { seconds: 3600 } }],
  };
}

const version = async () => (await party.owner.operator.status()).version;
const grantIds = async () => (await party.owner.operator.grants()).map(({ grant }) => grant);

describe('order', () => {
  it('a grant that was held back until after a revocation is refused', async () => {
    const expects = await version();
    const victim = await second.operator.command('grant.create', { grant: draft(5n) });
    const before = await grantIds();
    const seen = await version();
    expect(seen).toBeGreaterThan(expects);

    const held = gate.withhold('to-keep');
    const granted = codeOf(party.owner.operator.command('grant.create', { grant: draft(1_000n) }, { expects: seen }));
    const frames = await held;
    await second.operator.command('grant.revoke', { grant: victim.value.grant });
    gate.sendToKeep(frames);
    expect(await granted).toBe('version_conflict');
    const live = await grantIds();
    expect(live).toEqual(before.filter((id) => id !== victim.value.grant));
  });

  it('a revocation that was held back behind a grant still ends what it names, and nothing else', async () => {
    const { value } = await second.operator.command('grant.create', { grant: draft(5n) });
    const before = await grantIds();
    const held = gate.withhold('to-keep');
    const revoked = codeOf(party.owner.operator.command('grant.revoke', { grant: value.grant }, { expects: 0 }));
    const frames = await held;
    const later = await second.operator.command('grant.create', { grant: draft(7n) });
    gate.sendToKeep(frames);
    // What only tightens is never refused for being late.
    expect(await revoked).toBe('fulfilled');
    expect(await grantIds()).toEqual([...before.filter((id) => id !== value.grant), later.value.grant]);
    await second.operator.command('grant.revoke', { grant: later.value.grant });
  });

  it('of two owners who decide on the same version, one is refused', async () => {
    const expects = await version();
    const before = await grantIds();
    const held = gate.withhold('to-keep', 2);
    const orders = [party.owner, second].map(({ operator }, i) =>
      codeOf(operator.command('grant.create', { grant: draft(BigInt(10 + i)) }, { expects })),
    );
    gate.sendToKeep(await held);
    expect((await Promise.all(orders)).toSorted()).toEqual(['fulfilled', 'version_conflict']);
    const live = await grantIds();
    expect(live).toHaveLength(before.length + 1);
    await second.operator.command('grant.revoke', { grant: live.find((id) => !before.includes(id))! });
  });

  it('a request that was held back until after the revocation of its grant is denied', async () => {
    const { value } = await second.operator.command('grant.create', { grant: draft(5n) });
    const session = await party.connect();
    const held = gate.withhold('to-keep');
    const signed = codeOf(
      createClient(session).signTransaction({
        wallet: party.wallet.wallet,
        transaction: {
          chainId: 5,
          nonce: 0,
          to: party.wallet.address,
          value: 1n,
          maxFeePerGas: 0n,
          maxPriorityFeePerGas: 0n,
        },
      }),
    );
    const frames = await held;
    await second.operator.command('grant.revoke', { grant: value.grant });
    gate.sendToKeep(frames);
    expect(await signed).toBe('denied');
    await session.close();
  });
});

describe('a command that somebody holds in his hands', () => {
  let jws: string;
  let grantsBefore: readonly string[];

  function signed(vault: string, changes: { method?: string; expires?: number } = {}): Promise<string> {
    const now = Date.now();
    return version().then((expects) =>
      signCommand(wireCrypto.codec, party.owner.person.identity, {
        vault,
        method: changes.method ?? 'grant.create',
        params: { grant: draft(3n) as never },
        expires: changes.expires ?? now + 60_000,
        expects,
        id: uuidV7(now, randomBytes),
      }),
    );
  }
  const carryOut = (connection: Connection, text: string) => codeOf(connection.call('command', { jws: text }));

  beforeAll(async () => {
    grantsBefore = await grantIds();
    jws = await signed(second.connection.info.vault);
  });

  it('is nothing over the session of another peer: not of a client, and not of a second operator', async () => {
    const session = await party.connect();
    expect(await carryOut(session, jws)).toBe('not_allowed');
    await session.close();

    const identity = signerFromSeed('EdDSA', randomBytes(32));
    const person = { ...party.owner.person, name: 'second', identity };
    const asking = { connectionString: gate.connection(), identity, role: 'operator' as const };
    const candidate = await connect({ ...asking, wish: 'register' });
    const { peer } = await candidate.call('peer.register', { name: 'second', role: 'operator' });
    expect(await carryOut(candidate, jws)).toBe('not_allowed');
    await candidate.close();
    await second.operator.command('peer.approve', { peer, role: 'operator', name: 'second' });
    const other = await connectOperator(gate, person);
    const fresh = await signed(second.connection.info.vault);
    expect(await carryOut(other.connection, fresh)).toBe('command_invalid');
    await other.connection.close();
    await second.operator.command('peer.revoke', { peer });
  });

  it('is nothing once it expired, or where it claims to be valid for ever', async () => {
    const { vault } = second.connection.info;
    expect(await carryOut(second.connection, await signed(vault, { expires: Date.now() - 1 }))).toBe('command_expired');
    expect(await carryOut(second.connection, await signed(vault, { expires: Date.now() + 86_400_000 }))).toBe(
      'command_expired',
    );
  });

  it('with another type or method is nothing', async () => {
    const { vault } = second.connection.info;
    expect(await carryOut(second.connection, await signed(vault, { method: 'transaction.sign' }))).toBe(
      'method_unknown',
    );
    const [, payload, signature] = jws.split('.');
    const header = Buffer.from(utf8('{"typ":"keepwatch-proof","alg":"EdDSA"}')).toString('base64url');
    expect(await carryOut(second.connection, `${header}.${payload}.${signature}`)).toBe('command_invalid');
  });

  it('is carried out once, by whom it belongs to', async () => {
    expect(await grantIds()).toEqual(grantsBefore);
    const fresh = await signed(second.connection.info.vault);
    expect(await carryOut(second.connection, fresh)).toBe('fulfilled');
    expect(await carryOut(party.owner.connection, fresh)).toMatch(/^(version_conflict|command_repeated)$/);
    expect(await grantIds()).toHaveLength(grantsBefore.length + 1);
    await party.sign();
  });

  it('that only tightens is not carried out twice either', async () => {
    const seal = await signCommand(wireCrypto.codec, party.owner.person.identity, {
      vault: second.connection.info.vault,
      method: 'vault.seal',
      params: {},
      expires: Date.now() + 60_000,
      expects: 0,
      id: uuidV7(Date.now(), randomBytes),
    });
    expect(await carryOut(second.connection, seal)).toBe('fulfilled');
    await unseal(second.operator);
    expect(await carryOut(second.connection, seal)).toBe('command_repeated');
    expect((await second.operator.status()).phase).toBe('unsealed');
  });
});
