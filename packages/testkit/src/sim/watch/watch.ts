import { DEFAULT_LIMITS, DEFAULT_SETTINGS, type TimeLock, type WatchedWallet } from '@keepwatch/watch';
import type { Txid } from '@keepwatch/bitcoin';
import { createRandom } from '../random.ts';
import { createDriver } from './driver.ts';
import { judge } from './oracle.ts';
import { createStory } from './story.ts';
import { createWorld, ownerOf, type SimTx } from './world.ts';

export interface WatchHistory {
  readonly fault: string | null;
  readonly findings: number;
  readonly crashes: number;
  readonly reorgs: number;
  readonly outages: number;
  /** Of how many outputs of transactions nothing but the short form is left in the end. */
  readonly settled: number;
}

/** It watches one transaction, and another one now and then. */
const WATCHER = 'w4';
const START_SECONDS = 1_700_000_000;
const DEPTHS = [2, 4];
const GAP_LIMIT = 6;
/** To which it is raised: further than any address is handed out. */
const WIDE_GAP_LIMIT = 14;
const HOUR_MS = 3_600_000;
const LIMITS = { ...DEFAULT_LIMITS, largeSats: 150_000n, aboveSats: 250_000n, belowSats: 50_000n, timelockBlocks: 2 };
const LOCKS: ReadonlyMap<string, readonly TimeLock[]> = new Map([
  [
    'w1',
    [
      { kind: 'older', blocks: 4 },
      { kind: 'after', blocks: 110 },
      { kind: 'after-time', seconds: START_SECONDS + 6_000 },
    ],
  ],
  [
    'w3',
    [
      { kind: 'older', blocks: 2 },
      { kind: 'older-time', units: 5 },
    ],
  ],
]);

/** Coins are on their way out of a vault with it. */
const UNVAULT = 'w3';

const BASE = { owner: null, tags: [], labels: {}, outpoints: [], txids: [], limits: LIMITS } as const;

/** Its descriptor is another one with each edition, though its scripts are the same. */
function walletOf(id: string, birthdaySeconds: number | null, gapLimit = GAP_LIMIT, edition = 0): WatchedWallet {
  const text = `sim(${id})#${edition}`;
  const way = id === UNVAULT ? ({ unvault: true } as const) : {};
  const descriptors = [{ text, ranged: true, branches: 2, locks: LOCKS.get(id) ?? [], ...way }];
  return { ...BASE, id, name: id, birthdaySeconds, gapLimit, descriptors };
}

/** Whoever waits for one transaction. */
function watcherOf(id: string, { txid, inputs, outputs }: SimTx): WatchedWallet {
  const coins = inputs.map((key) => ({ txid: key.slice(0, 64) as Txid, vout: Number(key.slice(65)) }));
  const txids = [{ txid, scripts: outputs.slice(0, 3).map(({ script }) => script), inputs: coins }];
  const birthdaySeconds = START_SECONDS - 1_000;
  return {
    ...BASE,
    id,
    name: id,
    birthdaySeconds,
    gapLimit: GAP_LIMIT,
    descriptors: [],
    txids,
    limits: DEFAULT_LIMITS,
  };
}

/** So few blocks can be taken back in one history of twelve, a longer one, that much of it is settled before it ends. */
const FEW_KEPT = 24;
/** The median time (BIP113) of what takes the place of a block that was taken back needs the eleven below it. */
const MEDIAN_BLOCKS = 12;

/**
 * One random history: payments, spends, replacements, evictions, reorganisations, wallets that come, change and go, scans of
 * the past, transactions that are watched by their ids, sources that hold something back, hours and days in which nobody
 * watches, and a process that dies before and after appends. In the end the journal is
 * compared with the chain that there is then, and all along each step with what its input must bring.
 *
 * What it was seen to catch, each put into the code by hand and found within 200 histories, stands in docs/findings.md.
 */
export function simulateWatch(seed: number): WatchHistory {
  const random = createRandom(seed);
  const world = createWorld(START_SECONDS);
  const keptBlocks = seed % 12 === 3 ? FEW_KEPT : DEFAULT_SETTINGS.keptBlocks;
  const story = createStory(
    ownerOf,
    (txid) => world.mempool.has(txid as Txid) && !driver.isHeldBack(txid as Txid),
    (wallet) => (wallet === WATCHER ? DEFAULT_LIMITS : LIMITS),
    keptBlocks,
  );
  let crashEvery = random.pick([0, 15, 40, 120]);
  let fault: string | null = null;
  let reorgs = 0;
  let outages = 0;
  let troubled = true;
  const driver = createDriver(world, random, {
    settings: { depths: DEPTHS, keptBlocks },
    crashEvery: () => crashEvery,
    troubled: () => troubled,
    startMs: START_SECONDS * 1_000,
    encoded: seed % 8 === 0,
    note: (input, findings, nowMs) => void (fault ??= story.note(input, findings, nowMs)),
  });
  const mine = () => {
    driver.elapse(60_000 + random.below(1_140_000));
    return world.mine(random, driver.nowMs());
  };
  const wishes = new Map<string, WatchedWallet>();
  const configure = (wallet: WatchedWallet) => {
    wishes.set(wallet.id, wallet);
    driver.configure(wallet);
  };
  let edition = 0;
  let watching: SimTx | null = null;
  for (const id of ['w0', 'w1', 'w2', 'w3', 'w5']) if (random.chance(0.4)) world.wide.add(id);
  for (let i = random.below(4); i > 0; i--) mine();
  // The block that will be told first may pay what is watched, and the source look through it before it knows of that.
  const isEarly = random.chance(0.3);
  if (isEarly) {
    world.payable.add('w0');
    for (let i = random.below(4); i > 0; i--) {
      const tx = world.create(random);
      if (tx) world.mempool.set(tx.txid, tx);
    }
    mine();
  }
  configure(walletOf('w0', null));
  if (random.chance(0.5)) configure(walletOf('w1', null));
  if (isEarly) driver.start();
  if (!isEarly || random.chance(0.7)) while (driver.derive()) if (!isEarly) driver.deliver();
  if (!isEarly) driver.start();
  // The first block that is told is the tip of that moment: what came before is nobody's news.
  while (story.toldTip() === null) driver.deliver();
  for (const id of ['w0', 'w1']) if (driver.known(id)) world.payable.add(id);

  const broadcast = (tx: SimTx) => {
    world.mempool.set(tx.txid, tx);
    driver.sight(tx, random.pick(['claimed', 'valid', 'relayed']));
  };
  const replace = (tx: SimTx, rival: SimTx) => {
    const losers = world.losersTo(rival);
    for (const { txid } of losers) world.mempool.delete(txid);
    const sightedFirst = random.chance(0.5);
    if (sightedFirst) broadcast(rival);
    for (const { txid } of losers) driver.lose(txid, txid === tx.txid ? rival.txid : null);
    if (!sightedFirst) broadcast(rival);
  };
  /** Whoever handed out addresses further on than he had said says so. */
  const widen = (id: string) => {
    const wallet = wishes.get(id);
    if (wallet && driver.known(id)) configure({ ...wallet, gapLimit: WIDE_GAP_LIMIT });
  };
  const happen = (dice: number) => {
    if (dice < 22) {
      const tx = world.create(random);
      if (tx) broadcast(tx);
    } else if (dice < 40) {
      driver.mined(mine());
    } else if (dice < 46 && world.mempool.size > 0) {
      driver.sight(random.pick([...world.mempool.values()]), random.pick(['claimed', 'valid', 'relayed']));
    } else if (dice < 51 && world.mempool.size > 0) {
      const tx = random.pick([...world.mempool.values()]);
      replace(tx, (random.chance(0.6) ? world.bumpOf(random, tx) : undefined) ?? world.rivalOf(random, tx));
    } else if (dice < 54 && world.mempool.size > 0) {
      const tx = random.pick([...world.mempool.values()]);
      for (const each of [tx, ...world.descendants(tx)]) {
        world.mempool.delete(each.txid);
        driver.lose(each.txid, null);
      }
    } else if (dice < 59 && world.chain.length > 1) {
      reorgs++;
      const before = new Set(world.mempool.keys());
      const depth =
        1 +
        random.below(
          Math.min(world.chain.length - 1, Math.min(keptBlocks - MEDIAN_BLOCKS, random.chance(0.2) ? 50 : 3)),
        );
      for (let i = 0; i < depth; i++) driver.tookBack(world.takeBack());
      const back = [...world.mempool.keys()].filter((txid) => !before.has(txid));
      for (let i = depth + 1 + random.below(2); i > 0; i--) driver.mined(mine());
      // What no block took in again is in the mempool again.
      for (const txid of back) if (world.mempool.has(txid)) driver.sight(world.mempool.get(txid)!, 'valid');
    } else if (dice < 61 && world.chain.length > 1) {
      // The same block leaves and returns.
      const before = [...world.mempool];
      const block = world.takeBack();
      driver.tookBack(block);
      world.chain.push(block);
      world.mempool.clear();
      for (const [txid, tx] of before) world.mempool.set(txid, tx);
      driver.mined(block);
    }
  };
  /** Nobody watches, for up to a week. */
  const outage = () => {
    outages++;
    driver.stop();
    const pause = random.pick([HOUR_MS / 10, HOUR_MS, 12 * HOUR_MS]);
    for (let i = random.below(12); i > 0; i--) {
      driver.elapse(random.below(pause));
      happen(random.below(61));
    }
    driver.start();
  };
  const act = () => {
    if (driver.known('w5')) world.payable.add('w5');
    const dice = random.below(110);
    if (dice < 61) happen(dice);
    else if (dice < 64) {
      const id = random.pick(['w2', 'w3', 'w5']);
      // Without a birthday it has no past, and none to be added anew with.
      if (id === 'w5' && !wishes.has(id)) configure(walletOf(id, null));
      else if (id === 'w5') return;
      else if (driver.known(id)) {
        world.payable.delete(id);
        wishes.delete(id);
        driver.remove(id);
      } else {
        configure(walletOf(id, START_SECONDS - 1_000));
        world.payable.add(id);
      }
    } else if (dice < 67) driver.again();
    else if (dice < 70) driver.release();
    else if (dice < 71) driver.tick();
    else if (dice < 72) {
      while (driver.waiting() > 0) driver.deliver();
      driver.pass(random.pick([60_000, 3_600_000, 7 * 86_400_000]));
    } else if (dice < 86) driver.derive();
    else if (dice < 100) driver.scan(1 + random.below(4));
    else if (dice < 102) widen(random.pick([...world.wide, 'w0']));
    else if (dice < 104) {
      const wallet = wishes.get(random.pick(['w0', 'w1', 'w2', 'w3', 'w5']));
      const { id, birthdaySeconds, gapLimit } = wallet ?? {};
      if (id !== undefined && driver.known(id)) configure(walletOf(id, birthdaySeconds!, gapLimit, ++edition));
    } else if (dice < 107) {
      const all = [...world.mempool.values(), ...world.chain.flatMap(({ txs }) => txs.filter((tx) => !tx.coinbase))];
      watching = all.length > 0 && random.chance(0.8) ? random.pick(all) : null;
      if (watching) configure(watcherOf(WATCHER, watching));
      else {
        wishes.delete(WATCHER);
        driver.remove(WATCHER);
      }
    } else outage();
    driver.notice();
    for (let i = random.below(4); i > 0; i--) driver.deliver();
  };
  try {
    const acts = (keptBlocks === FEW_KEPT ? 110 : 30) + random.below(50);
    for (let i = acts; i > 0 && fault === null; i--) act();
    crashEvery = 0;
    troubled = false;
    /** Until nothing is left to do; true if anything of the past had to be looked through. */
    const settle = (): boolean => {
      driver.release();
      driver.notice();
      while (driver.waiting() > 0) driver.deliver();
      if (driver.derive()) return settle();
      if (!driver.scan(5)) return driver.waiting() > 0 && settle();
      settle();
      return true;
    };
    settle();
    for (const id of world.wide) widen(id);
    settle();
    // What is open already when a coin is found is told with the next block.
    do {
      for (let i = 0; i < 2; i++) driver.mined(mine());
    } while (settle());
    for (let i = 0; i < 3; i++) driver.pass(60_000);
    const ghost = driver.unconfirmed().find((txid) => !world.mempool.has(txid));
    if (ghost !== undefined) fault ??= `${ghost} is nowhere, and the watch waits for it`;
  } catch (error) {
    fault ??= error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const findings = driver.events().flatMap((event) => (event.kind === 'finding' ? [event.finding] : []));
  const balances = new Map([...story.added.keys()].filter(driver.known).map((id) => [id, driver.balance(id)]));
  fault ??= judge({
    world,
    findings,
    depths: DEPTHS,
    keptBlocks,
    limits: LIMITS,
    gapLimits: new Map([...wishes].map(([id, { gapLimit }]) => [id, gapLimit])),
    watched: new Map(watching ? [[WATCHER, watching]] : []),
    inTurn: story.inTurn,
    guessed: story.guessed,
    compared: story.compared,
    lowest: story.lowest(),
    added: story.added,
    removals: story.removals,
    locks: LOCKS,
    unvault: UNVAULT,
    balances,
  });
  const settled = driver.settled();
  return { fault, findings: findings.length, crashes: driver.crashes(), reorgs, outages, settled };
}
