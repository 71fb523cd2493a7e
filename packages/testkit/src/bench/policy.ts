import { fromHex, toHex, createZones } from '@keepwatch/base';
import {
  addEntry,
  createStandardBook,
  createStandards,
  decodeUnsigned,
  emptyRegistry,
  encodeUnsigned,
  intentOfTransaction,
  type Address,
  type Eip1559Transaction,
  type IntentContext,
} from '@keepwatch/evm';
import {
  charge,
  createGrantIndex,
  createUsage,
  evaluate,
  parseGrant,
  type Decision,
  type GrantIndex,
  type Usage,
} from '@keepwatch/permission';
import { createKeccak256 } from '../../../keep/src/crypto/keccak.ts';
import { createBareSigner } from './bare-sign.ts';
import { median, type Figure } from './figure.ts';

const USAGES = 100_000;
const REPEATS = 7;
const BARE_MS = 200;
const RUN_MS = 200;
const START = Date.UTC(2026, 0, 1);

const CHAIN = 'eip155:1';
const WALLET: Address = `0x${'11'.repeat(20)}`;
const TOKEN: Address = `0x${'aa'.repeat(20)}`;
const recipient = (number: number): Address => `0x${number.toString(16).padStart(40, '0')}`;

/**
 * What a decision costs: decode an EIP-1559 transfer of an ERC-20 token from its bytes, hash them, find out what they do
 * and judge that by so many grants of one client, with 100,000 usages in the window. The ratio is to one native signature.
 */
export async function* measurePolicy(): AsyncGenerator<Figure> {
  const keccak = await createKeccak256();
  const context = contextOf(keccak);
  const bareSign = createBareSigner();
  bareSign(BARE_MS);
  for (const grants of [10, 1_000]) {
    const scene = createScene(grants, context);
    scene.run(RUN_MS);
    const times: number[] = [];
    const ratios: number[] = [];
    for (let i = 0; i < REPEATS; i++) {
      const before = bareSign(BARE_MS);
      const perSecond = scene.run(RUN_MS);
      const after = bareSign(BARE_MS);
      times.push(1_000 / perSecond);
      ratios.push((before + after) / 2 / perSecond);
    }
    yield {
      name: `policy/evaluate-${grants}`,
      value: median(times),
      unit: 'ms',
      ratio: median(ratios),
      against: `one bare signature of libsecp256k1; decode, hash and judge an ERC-20 transfer by ${grants} grants, ${USAGES} usages in the window`,
    };
  }
}

function contextOf(keccak: IntentContext['keccak']): IntentContext {
  const entry = {
    ...{ chain: CHAIN, address: TOKEN, name: 'Token', standards: ['erc20'], functions: [] },
    ...{ symbol: 'TKN', decimals: 6 },
  };
  const registry = addEntry(emptyRegistry(createStandardBook(createStandards(keccak), keccak)), entry, keccak);
  if (!registry.ok) throw new Error(`the token cannot be registered: ${registry.error.code}`);
  return { wallet: WALLET, registry: registry.value, keccak, delegated: false };
}

function createScene(count: number, context: IntentContext) {
  const grants = createGrantIndex();
  for (let i = 0; i < count; i++) addGrant(grants, i);
  const last = recipient(count - 1);
  const bytes = encodeUnsigned(transferTo(last));
  const zones = createZones(process.versions.tz);
  const usage = createUsage();
  let now = START;

  function judge(input: Uint8Array): Decision {
    const decoded = decodeUnsigned(input);
    if (!decoded.ok) throw new Error(decoded.error);
    context.keccak(input);
    const intent = intentOfTransaction(decoded.value, context);
    const request = {
      ...{ client: 'bot', groups: [], wallet: 'hot', address: WALLET, intent, approvals: 0, replaces: null },
    };
    return evaluate(request, grants, usage, now, zones);
  }

  function use(decision: Decision, used: Usage): void {
    if (decision.verdict !== 'permit') throw new Error(`not permitted: ${JSON.stringify(decision, bigintText)}`);
    charge(used, decision.charges, now, String(now));
  }

  // A hundred milliseconds apart: all of them are within the day.
  for (let i = 0; i < USAGES; i++, now += 100) use(judge(bytes), usage);
  return {
    run(ms: number): number {
      const started = performance.now();
      let decisions = 0;
      let elapsed = 0;
      while (elapsed < ms) {
        for (let i = 0; i < 64; i++) judge(bytes);
        decisions += 64;
        elapsed = performance.now() - started;
      }
      return (decisions / elapsed) * 1_000;
    },
  };
}

const bigintText = (_key: string, value: unknown) => (typeof value === 'bigint' ? value.toString() : value);

/** Each grant is for another recipient, and has a limit of each usual kind that will not be reached. */
function addGrant(grants: GrantIndex, number: number): void {
  const asset = `erc20:${TOKEN}`;
  const window = { seconds: 86_400 };
  const parsed = parseGrant({
    ...{ id: `g${number}`, createdSeq: number, client: 'bot', wallet: 'hot', chain: CHAIN, kind: 'token-transfer' },
    ...{ assets: [{ asset, symbol: 'TKN', decimals: 6 }], routes: ['transfer'] },
    ...{ recipients: [recipient(number)], spenders: [] },
    constraints: [
      { type: 'volume', asset, limit: (10n ** 30n).toString(), window },
      { type: 'volume', asset: 'native', limit: (10n ** 30n).toString(), window },
      { type: 'count', limit: 1_000_000_000, window },
      { type: 'max-fee', limit: (10n ** 18n).toString() },
    ],
  });
  if (!parsed.ok) throw new Error(`${parsed.error.code} at ${parsed.error.path}`);
  grants.add(parsed.value);
}

function transferTo(to: Address): Eip1559Transaction {
  // transfer(address,uint256)
  const data = fromHex(`a9059cbb${to.slice(2).padStart(64, '0')}${toHex(Uint8Array.of(250)).padStart(64, '0')}`)!;
  return {
    ...{ type: 'eip1559', chainId: 1, nonce: 7, maxPriorityFeePerGas: 10n ** 9n, maxFeePerGas: 30n * 10n ** 9n },
    ...{ gasLimit: 65_000n, to: TOKEN, value: 0n, data, accessList: [] },
  } as unknown as Eip1559Transaction;
}
