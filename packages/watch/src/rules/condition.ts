import { celEnv, parse, plan, type CelInput } from '@bufbuild/cel';
import { err, ok, type Result } from '@keepwatch/base';
import type { Finding } from '../finding.ts';
import { compareByOrder } from './ordered.ts';

/** What a condition can ask of a wallet, of whichever chain. */
export interface RuleWallet {
  readonly id: string;
  readonly name: string;
  readonly owner: string | null;
  readonly tags: readonly string[];
}

/** A condition that is ready to be asked. What fails, or costs too much, answers yes: rather once too often than never. */
export type Condition = (finding: Finding, wallet: RuleWallet | null) => ConditionAnswer;

/** `failed`: why it is yes although the condition did not say so. */
export interface ConditionAnswer {
  readonly holds: boolean;
  readonly failed: 'error' | 'cost' | null;
}

export interface ConditionFault {
  readonly code: 'rule_bad_condition' | 'rule_too_costly';
  readonly words: string;
}

const TOO_COSTLY: ConditionFault = {
  code: 'rule_too_costly',
  words: 'The condition could take too long: it is too long, or goes through lists within lists.',
};

const MAX_LENGTH = 2_000;
/** How many items a list may have that a condition goes through. */
const MAX_ITEMS = 64;
const MAX_COST = 50_000;

/**
 * Reads a condition in CEL over `finding` and `wallet`. Its cost is bounded before it ever runs: each part of the expression
 * counts once, and as often as there may be items for every list around it that it goes through. Severities and grades
 * are compared by how much they are, and not by their letters.
 */
export function readCondition(text: string): Result<Condition, ConditionFault> {
  if (text.length > MAX_LENGTH) return err(TOO_COSTLY);
  let evaluate: (bindings: Record<string, CelInput>) => unknown;
  try {
    const parsed = parse(text);
    if (costOf(parsed.expr, 1) > MAX_COST) return err(TOO_COSTLY);
    compareByOrder(parsed.expr);
    evaluate = plan(celEnv(), parsed) as typeof evaluate;
  } catch (error) {
    return err({ code: 'rule_bad_condition', words: `The condition is not valid CEL${placeOf(error, text)}.` });
  }
  return ok((finding, wallet) => {
    if ((wallet?.tags.length ?? 0) > MAX_ITEMS) return { holds: true, failed: 'cost' };
    try {
      const answer = evaluate({ finding: findingFields(finding), wallet: walletFields(wallet) });
      if (typeof answer === 'boolean') return { holds: answer, failed: null };
      return { holds: true, failed: 'error' };
    } catch {
      return { holds: true, failed: 'error' };
    }
  });
}

/** Where reading stopped, as far as the reader says so: ` from character 15 on: “= 5”`. */
function placeOf(error: unknown, text: string): string {
  const { offset } = (error as { location?: { start?: { offset?: unknown } } }).location?.start ?? {};
  if (typeof offset !== 'number' || offset < 0) return '';
  const rest = text.slice(offset, offset + 30).trim();
  return rest === '' ? ': it ends too early' : ` from character ${offset + 1} on: “${rest}”`;
}

function costOf(node: unknown, times: number): number {
  if (typeof node !== 'object' || node === null) return 0;
  if (Array.isArray(node)) return node.reduce((sum: number, each) => sum + costOf(each, times), 0);
  let cost = times;
  const isLoop = 'case' in node && node.case === 'comprehensionExpr';
  for (const value of Object.values(node)) {
    cost += costOf(value, isLoop ? times * MAX_ITEMS : times);
    if (cost > MAX_COST) break;
  }
  return cost;
}

/** Every finding has every field, so that a condition on one kind is no error for another. Amounts are integers. */
function findingFields({ id, severity, late, evidence, detail }: Finding): Map<string, CelInput> {
  const field = <T extends CelInput>(name: string, otherwise: T): CelInput =>
    name in detail ? ((detail as unknown as Record<string, CelInput>)[name] ?? otherwise) : otherwise;
  const integer = (name: string) => BigInt(Math.trunc(Number(field(name, 0))));
  return new Map<string, CelInput>([
    ['id', id],
    ['kind', detail.kind],
    ['severity', severity],
    ['late', late],
    ['sats', satsOf(detail)],
    ['txid', evidence.txid ?? evidence.evm?.txHash ?? ''],
    ['height', BigInt(evidence.block?.height ?? evidence.evm?.block?.number ?? -1)],
    ['grade', evidence.grade ?? ''],
    ['direction', field('direction', '')],
    ['over', field('over', false)],
    ['source', field('source', '')],
    ['channel', field('channel', '')],
    ['depth', integer('depth')],
    ['blocksLeft', integer('blocksLeft')],
    ['secondsLeft', integer('secondsLeft')],
    ...evmFields({ evidence, detail }),
  ]);
}

/**
 * Of EVM findings: `chain` (its id; 0 elsewhere), `token` (address, or empty), `symbol`, `known`, `how`, and the amount twice:
 * `amount` exactly, in the smallest unit, as far as an integer of CEL holds it, and at its bound beyond; `units` in whole
 * coins or tokens, rounded.
 */
function evmFields({ evidence, detail }: Pick<Finding, 'evidence' | 'detail'>): [string, CelInput][] {
  const asset = 'asset' in detail ? detail.asset : null;
  const amount = 'asset' in detail ? detail.amount : 0n;
  return [
    ['chain', evidence.evm?.chainId ?? 0n],
    ['token', asset?.token ?? ''],
    ['symbol', asset?.symbol ?? ''],
    ['known', asset?.known ?? false],
    ['how', 'how' in detail ? detail.how : ''],
    ['amount', amount > MAX_INTEGER ? MAX_INTEGER : amount],
    ['units', Number(amount) / 10 ** (asset?.decimals ?? 0)],
  ];
}

const MAX_INTEGER = (1n << 63n) - 1n;

/** What a finding is about, in satoshis: of a movement the difference that it makes; 0 where there is no amount. */
function satsOf(detail: Finding['detail']): bigint {
  if ('sats' in detail) return detail.sats;
  if (!('receivedSats' in detail)) return 0n;
  const net = detail.receivedSats - detail.spentSats;
  return net < 0n ? -net : net;
}

function walletFields(wallet: RuleWallet | null): Map<string, CelInput> {
  return new Map<string, CelInput>([
    ['id', wallet?.id ?? ''],
    ['name', wallet?.name ?? ''],
    ['owner', wallet?.owner ?? ''],
    ['tags', [...(wallet?.tags ?? [])]],
  ]);
}
