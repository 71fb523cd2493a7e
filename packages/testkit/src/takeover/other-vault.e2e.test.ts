import { randomBytes } from 'node:crypto';
import { signerFromSeed, wireCrypto } from '@keepwatch/sdk';
import { signCommand, uuidV7 } from '@keepwatch/wire';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { connectAs, connectOperator, createPerson, type Person } from '../world/index.ts';
import { codeOf, seatHonestParty, type HonestParty, type Ledger } from './honest-party.ts';
import { startHostileGate, type HostileGate } from './hostile-gate.ts';

// Two vaults behind one attacker, and a person who is an operator of both by the same key: what is said to one vault
// must mean nothing to the other.

let here: HostileGate;
let there: HostileGate;
let parties: HonestParty[];
let both: Person;
let before: Ledger[];

const ledgers = () => Promise.all(parties.map((party) => party.ledger()));

beforeAll(async () => {
  [here, there] = await Promise.all([startHostileGate(), startHostileGate()]);
  parties = [await seatHonestParty(here), await seatHonestParty(there)];
  both = createPerson('both', 'operator');
  for (const [i, gate] of [here, there].entries()) {
    const asking = await connectAs(gate, both, { wish: 'register' });
    const { peer } = await asking.call('peer.register', { name: 'both', role: 'operator' });
    await asking.close();
    await parties[i]!.owner.operator.command('peer.approve', { peer, role: 'operator', name: 'both' });
  }
});
beforeEach(async () => {
  before = await ledgers();
});
afterEach(async () => {
  expect(await ledgers()).toEqual(before);
  for (const party of parties) await party.sign();
});
afterAll(async () => {
  for (const party of parties) await party.close();
  await Promise.all([here.stop(), there.stop()]);
});

it('a command', async () => {
  const [mine, other] = [await connectOperator(here, both), await connectOperator(there, both)];
  const { version } = await other.operator.status();
  const command = {
    method: 'wallet.create',
    params: { kind: 'random', name: 'more', count: 1 },
    expires: Date.now() + 60_000,
    expects: version,
    id: uuidV7(Date.now(), randomBytes),
  };
  const jws = await signCommand(wireCrypto.codec, both.identity, { ...command, vault: mine.connection.info.vault });
  expect(await codeOf(other.connection.call('command', { jws }))).toBe('command_invalid');
  await Promise.all([mine.connection.close(), other.connection.close()]);
});

it('a hello, and the challenge to it', async () => {
  const hello = here.withhold('to-keep');
  const joined = codeOf(connectAs(here, both));
  const [mine] = await hello;
  const wire = there.openWire();
  wire.send(mine!.payload);
  expect((await wire.closed).reason).toBe('identity_mismatch');

  // The challenge of the vault there, to a hello of the same person there.
  const recorded = there.record('to-peers');
  await (await connectAs(there, both)).close();
  recorded.stop();
  here.sendToPeers([{ ...mine!, payload: recorded.frames[0]!.payload }]);
  expect(await joined).toBe('identity_mismatch');
});

it('a frame, at the very place where its number fits', async () => {
  const [mine, other] = [await connectAs(here, both), await connectAs(there, both)];
  const [heldHere, heldThere] = [here.withhold('to-keep'), there.withhold('to-keep')];
  const asked = [mine, other].map((connection) => codeOf(connection.call('vault.status', {})));
  const [[frameHere], [frameThere]] = await Promise.all([heldHere, heldThere]);
  here.sendToKeep([{ ...frameHere!, payload: frameThere!.payload }]);
  there.sendToKeep([{ ...frameThere!, payload: frameHere!.payload }]);
  expect(await Promise.all(asked)).toEqual(['frame_forged', 'frame_forged']);
});

it('a stranger to both stays one', async () => {
  const stranger = { ...createPerson('stranger', 'operator'), identity: signerFromSeed('EdDSA', randomBytes(32)) };
  expect(await codeOf(connectAs(here, stranger))).toBe('peer_unknown');
});
