import { randomBytes } from 'node:crypto';
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromBase64url, toBase64url } from '@keepwatch/base';
import { signerFromSeed, type Operator } from '@keepwatch/sdk';
import {
  connectAs,
  createPerson,
  createWallet,
  grant,
  setUpOperator,
  startVault,
  type VaultProcess,
} from '../world/index.ts';
import { createBareSigner } from './bare-sign.ts';
import { startClientProcess, type ClientProcess } from './client/client-process.ts';
import type { Seat } from './client/protocol.ts';
import { median, type Figure } from './figure.ts';
import { createOtherWork } from './other-work.ts';

const CONNECTIONS = 8;
const REPEATS = 7;
const RUN_MS = 2_000;
const BARE_MS = 300;
/** So much of a core taken by others is no longer the kernel's own noise. */
const TELLING_CORES = 0.2;
/** The code of all three processes is compiled for good after some ten thousand requests, however long they take. */
const WARM_UP_REQUESTS = 30_000;
const WARM_UP_MS = 1_000;
const LONGEST_WARM_UP_MS = 20_000;
/** Of a signing request as a frame. */
const REQUEST_BYTES = 850;

/** How fast the vault signs: client process → TLS → gate → keep → durable journal → signature → receipt, and back. */
export async function* measureSigning(): AsyncGenerator<Figure> {
  const vault = await startVault();
  const echoVault = await startStandIn('./echo-keep/main.ts');
  const leastVault = await startStandIn('./least-keep/main.ts');
  const client = startClientProcess();
  try {
    const { operator } = await setUpOperator(vault);
    const seats: Seat[] = [];
    for (let i = 0; i < CONNECTIONS; i++) seats.push(await takeSeat(vault, operator, `client ${i}`));
    await client.order({ do: 'connect', connectionString: vault.connection(), seats });
    const signAlone = createBareSigner();
    signAlone(BARE_MS);
    const others = createOtherWork();
    const bareSign = (ms: number) => others.watch(() => signAlone(ms));
    for (const inFlight of [64, 256]) yield await measureThroughput(client, bareSign, inFlight);
    yield* measureLatency(client, bareSign, { vault, echoVault, leastVault });
    tellOfOthers(others.cores());
  } finally {
    await client.end();
    await vault.stop();
    await echoVault.stop();
    await leastVault.stop();
  }
}

/**
 * A path through four threads waits for a core four times and more, and bare signing hardly ever: ratios do not make up
 * for what others take, however nice they are (ADR 12).
 */
function tellOfOthers(cores: number): void {
  if (cores < TELLING_CORES) return;
  const taken = `Other processes took ${cores.toFixed(1)} of a core meanwhile, also where they are told to be nice.`;
  console.error(`${taken}\nThese figures say more about them than about the vault: end them, and measure again.`);
}

/** An edge as the vault has it, with something else in keep's place. */
function startStandIn(main: string): Promise<VaultProcess> {
  return startVault({ keepMain: fileURLToPath(new URL(main, import.meta.url)) });
}

async function measureThroughput(
  client: ClientProcess,
  bareSign: (ms: number) => number,
  inFlight: number,
): Promise<Figure> {
  await warmUp(client, inFlight);
  const rates: number[] = [];
  const ratios: number[] = [];
  for (let i = 0; i < REPEATS; i++) {
    const before = bareSign(BARE_MS);
    const { perSecond } = await client.order({ do: 'sign', inFlight, ms: RUN_MS });
    const after = bareSign(BARE_MS);
    rates.push(perSecond);
    ratios.push(perSecond / ((before + after) / 2));
  }
  return {
    name: `sign/throughput-${inFlight}`,
    value: median(rates),
    unit: 'signatures/s',
    ratio: median(ratios),
    against: `bare libsecp256k1 on one core; ${inFlight} in flight over ${CONNECTIONS} connections; ${spread(ratios)}`,
  };
}

/** A machine that others use as well shows more of them in one figure than most changes of the code do. */
function spread(ratios: readonly number[]): string {
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(2));
  return `${ratios.length} runs, ${least} to ${most}`;
}

async function warmUp(client: ClientProcess, inFlight: number): Promise<void> {
  const started = performance.now();
  for (let done = 0; done < WARM_UP_REQUESTS && performance.now() - started < LONGEST_WARM_UP_MS;) {
    const { perSecond } = await client.order({ do: 'sign', inFlight, ms: WARM_UP_MS });
    done += (perSecond * WARM_UP_MS) / 1_000;
  }
}

/**
 * One request at a time, against two floors. The first adds parts that are measured alone, each in a loop. The second is
 * the whole path with a keep that does nothing but write durably and sign: the parts in the rhythm of requests.
 */
async function* measureLatency(
  client: ClientProcess,
  bareSign: (ms: number) => number,
  vaults: Record<'vault' | 'echoVault' | 'leastVault', VaultProcess>,
): AsyncGenerator<Figure> {
  const { vault, echoVault, leastVault } = vaults;
  const echo = (through: VaultProcess, ms: number) =>
    client.order({ do: 'echo', port: through.port(), bytes: REQUEST_BYTES, ms });
  await client.order({ do: 'sign', inFlight: 1, ms: 2 * WARM_UP_MS });
  await echo(echoVault, 2 * WARM_UP_MS);
  await echo(leastVault, 2 * WARM_UP_MS);
  const times: number[] = [];
  const leastTimes: number[] = [];
  const toParts: number[] = [];
  const toLeast: number[] = [];
  for (let i = 0; i < REPEATS; i++) {
    const bare = await echo(echoVault, RUN_MS / 2);
    const partsMs = bare.medianMs + medianSyncMs(vault.dataDir) + 1_000 / bareSign(BARE_MS);
    const least = await echo(leastVault, RUN_MS / 2);
    const { medianMs } = await client.order({ do: 'sign', inFlight: 1, ms: RUN_MS / 2 });
    times.push(medianMs);
    leastTimes.push(least.medianMs);
    toParts.push(medianMs / partsMs);
    toLeast.push(medianMs / least.medianMs);
  }
  yield {
    name: 'sign/latency-1',
    value: median(times),
    unit: 'ms',
    ratio: median(toParts),
    against: 'echo over the same transport + one fdatasync + one bare signature; 1 in flight',
  };
  yield {
    name: 'sign/latency-1-path',
    value: median(times),
    unit: 'ms',
    ratio: median(toLeast),
    against: `the same three in one path, with a keep that does no more: ${median(leastTimes).toFixed(2)} ms`,
  };
}

/** A write of one page that is durable, in the directory where the journal lies. */
function medianSyncMs(dataDir: string): number {
  const file = openSync(join(dataDir, 'fdatasync'), 'w');
  const page = randomBytes(4_096);
  const times: number[] = [];
  try {
    for (let i = 0; i < 200; i++) {
      const started = performance.now();
      writeSync(file, page, 0, page.length, i * page.length);
      fdatasyncSync(file);
      times.push(performance.now() - started);
    }
  } finally {
    closeSync(file);
  }
  return median(times);
}

/** A client with a wallet of its own and a grant with each kind of limit, none of which will be reached. */
async function takeSeat(vault: VaultProcess, operator: Operator, name: string): Promise<Seat> {
  const seed = toBase64url(randomBytes(32));
  const person = { ...createPerson(name, 'client'), identity: signerFromSeed('EdDSA', fromBase64url(seed)!) };
  const connection = await connectAs(vault, person, { wish: 'register' });
  const { peer } = await connection.call('peer.register', { name, role: 'client' });
  await connection.close();
  await operator.command('peer.approve', { peer, role: 'client', name });
  const wallet = await createWallet(operator, name);
  await grant(operator, {
    ...{ client: peer, wallet: wallet.wallet, chain: 'eip155:1', kind: 'ether-transfer', recipients: [wallet.address] },
    constraints: [
      { type: 'volume', asset: 'native', limit: (10n ** 30n).toString(), window: { seconds: 86_400 } },
      { type: 'count', limit: 1_000_000_000, window: { seconds: 3_600 } },
      { type: 'max-fee', limit: (10n ** 18n).toString() },
    ],
  });
  return { seed, ...wallet };
}
