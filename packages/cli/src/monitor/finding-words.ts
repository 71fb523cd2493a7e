import { formatBitcoin, formatUnits } from '@keepwatch/base';
import { showCount } from '../values.ts';

/** A finding as the socket gives it: amounts are decimal strings. */
export interface FindingJson {
  readonly id: string;
  readonly wallet: string | null;
  readonly severity: 'info' | 'notice' | 'warning' | 'critical';
  readonly atMs: number;
  readonly late: boolean;
  readonly evidence: {
    readonly txid?: string;
    readonly block?: { readonly height: number; readonly hash: string };
    readonly grade?: string;
    readonly evm?: {
      readonly chainId: string;
      readonly txHash?: string;
      readonly block?: { readonly number: number; readonly hash: string };
    };
    readonly seenBy: readonly string[];
  };
  readonly detail: { readonly kind: string } & Readonly<Record<string, unknown>>;
}

const btc = (text: unknown) => `${formatBitcoin(BigInt(String(text)))} BTC`;
const short = (text: unknown) => `${String(text).slice(0, 12)}…`;

/** What happened, in one line. A kind that a later version knows is shown by its name. */
export function findingWords({ detail, evidence }: Pick<FindingJson, 'detail' | 'evidence'>): string {
  const at = evidence.block ? ` in block ${evidence.block.height}` : '';
  switch (detail.kind) {
    case 'sighted':
      return `${movement(String(detail['direction']), detail)}, in no block yet: ${String(detail['grade'])}`;
    case 'received':
    case 'spent':
    case 'self-transfer':
      return `${movement(detail.kind, detail)}${at}`;
    case 'watched':
      return `${short(detail['txid'])}, which is watched, is${at || ' in a block'}`;
    case 'replaced':
      return `${short(detail['txid'])} is replaced by ${short(detail['by'])}`;
    case 'evicted':
      return `${short(detail['txid'])} has left the mempool`;
    case 'double-spend':
      return `${short(detail['txid'])} and ${short(detail['other'])} spend the same coin`;
    case 'confirmed':
      return `${short(detail['txid'])} is ${String(detail['depth'])} blocks deep${detail['buried'] ? ', buried' : ''}`;
    case 'disconnected':
      return `${short(detail['txid'])} is in no block any more: the chain was reorganised`;
    case 'large-amount':
      return `${short(detail['txid'])} moves ${btc(detail['sats'])}, more than ${btc(detail['limitSats'])}`;
    case 'balance-above':
    case 'balance-below':
      return `the balance is ${btc(detail['sats'])}, ${detail.kind.slice(8)} ${btc(detail['limitSats'])}`;
    case 'timelock-expiry':
      return `${btc(detail['sats'])} of ${coinOf(detail)} can be spent by another path ${lockEnd(detail) ?? ''}`.trim();
    case 'unvault-started': {
      const end = lockEnd(detail);
      const when = end === undefined ? 'how long it waits is not known' : `its time lock ends ${end}`;
      return `${btc(detail['sats'])} of ${coinOf(detail)} LEAVES THE VAULT${at || ', in no block yet'}: ${when}`;
    }
    case 'signed-spend':
      return `the vault “${String(detail['vault'])}” signed ${spendOf(detail)}: grant ${String(detail['grant'])}, entry ${String(detail['permit'])}`;
    case 'unsigned-spend':
      return `THE VAULT DID NOT SIGN ${spendOf(detail)} (${String(detail['why'])})`;
    case 'unclear-spend': {
      const maybe = (detail['maybe'] as readonly { permit: number }[]).map(({ permit }) => String(permit)).join(', ');
      const how = maybe === '' ? 'compare it with what you know of' : `compare it with entry ${maybe}`;
      return `IT IS NOT KNOWN WHETHER THE VAULT SIGNED ${spendOf(detail)} (${String(detail['why'])}): ${how}`;
    }
    case 'earlier-spends':
      return `${String(detail['address'])} spent ${String(detail['count'])} times before the vault “${String(detail['vault'])}” had its key: who signed that, it cannot say`;
    case 'sealed-spend':
      return `THE VAULT WAS SEALED AND HAD NOT SIGNED ${spendOf(detail)} (${String(detail['why'])}): unless you have unsealed it since, somebody else has the key`;
    case 'signed-unseen': {
      const what = `what “${String(detail['vault'])}” signed for nonce ${String(detail['nonce'])} (entry ${String(detail['permit'])})`;
      return detail['over'] === true
        ? `${what} is on the chain, or its nonce is used up`
        : `${what} is not on the chain`;
    }
    case 'spend-withdrawn':
      return 'a spend that was compared with the vault left the chain again: what was said of it no longer holds';
    case 'vault-down':
    case 'vault-sealed':
    case 'vault-rolled-back':
    case 'vault-forked':
    case 'vault-withholds':
      return vaultState(detail);
    case 'vault-silent':
      return `vault silent, spend unexplained: ${spendOf(detail)}; ${String(detail['words'])}`;
    case 'restarted':
      return `the monitor is back after ${String(detail['downSeconds'])} s`;
    case 'backfilled':
      return `the past is read up to block ${String(detail['toHeight'])}: ${showCount(Number(detail['transactions']), 'transaction')}`;
    case 'gap-filled':
      return `blocks ${String(detail['fromHeight'])} to ${String(detail['toHeight'])} are caught up with`;
    case 'evm-sighted': {
      const grade = detail['grade'] === 'valid' ? 'signed by its sender' : 'claimed, and not checked';
      const way =
        detail['direction'] === 'received'
          ? `from ${String(detail['from'])}`
          : `to ${String(detail['to'] ?? 'a new contract')}`;
      return `${evmAmount(detail)} ${way} is seen outside blocks (${grade})`;
    }
    case 'evm-counted':
      return detail['over'] === true
        ? 'nothing more is counted that is neither shown nor in a block'
        : `an upstream counts transactions up to nonce ${String(detail['pending'])}, blocks have them up to ${String(detail['nonce'])} (claimed)`;
    case 'evm-replaced':
      return `${short(evidence.evm?.txHash)} is replaced by ${detail['by'] === null ? 'something that is not known' : short(detail['by'])}${evmBlock(evidence)}`;
    case 'evm-evicted':
      return evidence.evm?.block
        ? `${short(evidence.evm.txHash)} did nothing for the account${evmBlock(evidence)}`
        : `${short(evidence.evm?.txHash)} is not to be seen any more, and in no block`;
    case 'evm-received':
      return `${evmAmount(detail)} from ${String(detail['from'] ?? 'the beacon chain')}${evmBlock(evidence)}`;
    case 'evm-spent': {
      const to = `to ${String(detail['to'] ?? 'a new contract')}`;
      const by = detail['how'] === 'transaction' ? '' : `, by ${String(detail['caller'])} (${String(detail['how'])})`;
      return `${detail['failed'] === true ? 'a failed transaction' : evmAmount(detail)} ${to}${by}${evmBlock(evidence)}`;
    }
    case 'evm-internal': {
      const way = detail['direction'] === 'received' ? 'from a contract' : 'left unexplained';
      return `${evmAmount(detail)} ${way}${evmBlock(evidence)}`;
    }
    case 'evm-allowance':
      return `${String(detail['spender'])} may take ${evmAmount(detail)}${evmBlock(evidence)}`;
    case 'evm-large-amount':
    case 'evm-balance-above':
    case 'evm-balance-below': {
      const limit = evmAmount({ ...detail, amount: detail['limit'] });
      const is =
        detail.kind === 'evm-large-amount' ? 'moved, the limit is' : `is the balance, ${detail.kind.slice(12)}`;
      return `${evmAmount(detail)} ${is} ${limit}`;
    }
    case 'evm-delegation':
    case 'evm-upgraded': {
      const what = detail.kind === 'evm-delegation' ? 'delegated' : 'upgraded';
      return `${what}: ${String(detail['before'] ?? 'none')} → ${String(detail['after'] ?? 'none')}${evmBlock(evidence)}`;
    }
    case 'evm-backfilled': {
      const missing = detail['stateMissingBefore'];
      const lack = missing === null ? '' : `; archive state is missing before block ${String(missing)}`;
      const range = `from block ${String(detail['fromBlock'])} to ${String(detail['toBlock'])}`;
      return `the past is read ${range}: ${String(detail['entries'])} entries${lack}`;
    }
    case 'evm-disconnected':
      return `the chain was reorganised: ${(detail['retracts'] as unknown[]).length} findings no longer hold`;
    default:
      return Object.entries(detail)
        .flatMap(([name, value]) => (name === 'kind' || typeof value === 'object' ? [] : [`${name} ${String(value)}`]))
        .join(', ');
  }
}

const coinOf = ({ outpoint }: FindingJson['detail']) => {
  const { txid, vout } = outpoint as { readonly txid: string; readonly vout: number };
  return `${short(txid)}:${vout}`;
};

/** When a lock ends, by what is left of it and, where it is known, the block or the chain's time at which it does. */
function lockEnd(detail: FindingJson['detail']): string | undefined {
  const { blocksLeft, opensAtHeight, secondsLeft, opensAtSeconds } = detail;
  if (blocksLeft !== undefined) {
    const left = blocksLeft === 0 ? 'now' : `in ${showCount(Number(blocksLeft), 'block')}`;
    return opensAtHeight === undefined ? left : `${left}, with block ${String(opensAtHeight)}`;
  }
  if (secondsLeft === undefined) return undefined;
  const left = secondsLeft === 0 ? 'now' : `in ${showCount(Math.ceil(Number(secondsLeft) / 3_600), 'hour')}`;
  return opensAtSeconds === undefined ? left : `${left}, at ${new Date(Number(opensAtSeconds) * 1_000).toISOString()}`;
}

const evmBlock = ({ evm }: FindingJson['evidence']) => (evm?.block ? ` in block ${evm.block.number}` : '');

function evmAmount(detail: FindingJson['detail']): string {
  const asset = detail['asset'] as { token: string | null; symbol: string; decimals: number; known: boolean };
  const name = asset.known ? asset.symbol : `of ${asset.token}, which you did not name`;
  return `${formatUnits(BigInt(String(detail['amount'])), asset.decimals)} ${name}`;
}

function movement(direction: string, detail: FindingJson['detail']): string {
  const [received, spent] = [BigInt(String(detail['receivedSats'])), BigInt(String(detail['spentSats']))];
  const tx = short(detail['txid']);
  switch (direction) {
    case 'received':
      return `received ${btc(received)} by ${tx}`;
    case 'spent':
      return `spent ${btc(spent > received ? spent - received : spent)} by ${tx}`;
    case 'watched':
      return `${tx}, which is watched`;
    default:
      return `moved ${btc(spent)} to itself by ${tx}`;
  }
}

/** How a vault stands, and that it is over. */
const VAULT_STATES: Readonly<Record<string, readonly [is: string, over: string]>> = {
  'vault-down': ['does not answer', 'answers again'],
  'vault-sealed': ['is sealed', 'is unsealed'],
  'vault-rolled-back': ['SHOWS AN OLDER JOURNAL THAN THE ONE THAT WAS KNOWN', 'has its journal again'],
  'vault-forked': ['SHOWS ANOTHER JOURNAL THAN THE ONE THAT WAS KNOWN', 'shows the journal again that was known'],
  'vault-withholds': ['GIVES ANSWERS THAT DO NOT HOLD', 'gives answers that hold again'],
};

function vaultState({ kind, vault, words, over }: FindingJson['detail']): string {
  const [is, ended] = VAULT_STATES[kind]!;
  if (over === true) return `the vault “${String(vault)}” ${ended}`;
  return `the vault “${String(vault)}” ${is}${words === '' ? '' : `: ${String(words)}`}`;
}

/** A spend of an EVM account: its transaction, where one is known. */
function spendOf(detail: FindingJson['detail']): string {
  const { txHash } = detail as { readonly txHash?: unknown };
  return typeof txHash === 'string' ? `the spend by ${txHash.slice(0, 14)}…` : 'the spend';
}
