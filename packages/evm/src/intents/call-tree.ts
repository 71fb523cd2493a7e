import { assertNever, toHex } from '@keepwatch/base';
import { decodeParameters } from '../abi/decode.ts';
import type { Address } from '../address.ts';
import { lookup, type Registry } from '../registry/registry.ts';
import type { Call, Effect, InnerCall, Leak, OpaqueCode, TokenMove } from '../routes/route.ts';
import type { Action, Asset, OpaqueCall, Outflow, Party, RouteName } from './intent.ts';

/** What was found so far, on the way through the tree. */
export interface Findings {
  readonly actions: Action[];
  readonly outflows: Outflow[];
  readonly notes: string[];
  opaque: string | null;
}

export interface TreeContext {
  readonly chain: string;
  readonly wallet: Address;
  readonly registry: Registry;
  /** Whether the wallet may have code (EIP-7702): its calls to itself then run that code. */
  readonly delegated: boolean;
  readonly findings: Findings;
}

/** Deeper than any use; a Safe that sends a batch that calls a multicall has four. */
const MAX_DEPTH = 8;
/** More than any real batch. What has more is opaque and its rest is not looked at. */
const MAX_ACTIONS = 256;

export function newFindings(): Findings {
  return { actions: [], outflows: [], notes: [], opaque: null };
}

/** Whose ether a call sends: `own` of its sender, or the wallet's that only passes through, or none that was not counted. */
type Funds = { readonly from: Address } | 'counted';

/**
 * Ether that was counted when it went to the called contract is counted again where the contract hands it on: one item of a
 * batch that sees it is enough, and nobody would look at who gets it otherwise.
 */
function fundsFor(to: Address, call: InnerCall, funds: Funds): Funds {
  return funds === 'counted' && to !== call.to && to !== call.sender ? { from: call.sender } : funds;
}

/** Walks a call down to its leaves and writes down each action, and each thing that may leave. */
export function walkCall(context: TreeContext, call: InnerCall): void {
  walk(context, call, { from: call.sender }, 1);
}

function walk(context: TreeContext, call: InnerCall, funds: Funds, depth: number): void {
  const { findings, registry, chain, wallet } = context;
  if (findings.actions.length >= MAX_ACTIONS || depth > MAX_DEPTH) {
    findings.opaque ??= 'too_many_calls';
    if (findings.actions.length < MAX_ACTIONS) addOpaque(context, call, funds, 'too_many_calls');
    return;
  }
  const isPlain = call.data.length === 0 && call.callType === 'call';
  if (isPlain && !(call.to === wallet && context.delegated)) {
    findings.actions.push({
      kind: 'ether-transfer',
      sender: party(context, call.sender),
      recipient: call.to,
      amount: call.value,
    });
    addValue(context, call, funds, call.to, 'value');
    return;
  }
  const contract = lookup(registry, chain, call.to);
  if (!contract) return addOpaque(context, call, funds, isPlain ? 'delegated_wallet' : 'unregistered_contract');
  if (call.data.length < 4) return addOpaque(context, call, funds, 'no_selector');
  const known = contract.functions.get(selectorOf(call.data));
  if (!known) return addOpaque(context, call, funds, 'unknown_function');
  // By a delegatecall the code acts on the sender's own storage, and only what is made for that has a meaning there.
  if (call.callType === 'delegatecall' && !known.route?.byDelegatecall)
    return addOpaque(context, call, funds, 'delegatecall');
  const args = decodeParameters(known.abi.inputs, call.data.subarray(4));
  if (!args.ok) return addOpaque(context, call, funds, args.error);

  const { sender, value, callType } = call;
  const decoded: Call = {
    chain,
    wallet,
    sender,
    contract: call.to,
    entry: contract.entry,
    args: args.value,
    value,
    callType,
    registry,
  };
  const effect: Effect = known.route ? known.route.effect(decoded) : { does: 'call', leaks: [] };
  switch (effect.does) {
    case 'opaque':
      return addOpaque(context, call, funds, effect.why);
    case 'move':
      for (const move of effect.moves) addMove(context, sender, move);
      // Token functions take no ether: what is sent with them is gone to the contract, or the call fails.
      addValue(context, call, funds, call.to, 'value');
      return;
    case 'call':
      findings.actions.push({
        kind: 'contract-call',
        sender: party(context, sender),
        contract: call.to,
        function: known.abi.signature,
        args: args.value,
        value,
        callType,
      });
      for (const leak of effect.leaks) addLeak(context, leak, known.route?.route ?? 'value');
      addValue(
        context,
        call,
        fundsFor(effect.valueTo ?? call.to, call, funds),
        effect.valueTo ?? call.to,
        effect.valueRoute ?? 'value',
      );
      return;
    case 'nest': {
      if (effect.calls.length === 0) return addOpaque(context, call, funds, 'empty_batch');
      for (const leak of effect.leaks ?? []) addLeak(context, leak, known.route?.route ?? 'value');
      if (effect.value !== 'passed') addValue(context, call, funds, call.to, 'value');
      let left = value;
      for (const inner of effect.calls) {
        if (effect.value === 'passed' && funds !== 'counted' && inner.value <= left) {
          left -= inner.value;
          walk(context, inner, funds, depth + 1);
        } else {
          walk(context, inner, effect.value === 'shared' ? 'counted' : { from: inner.sender }, depth + 1);
        }
      }
      // What no inner call took stays with the contract.
      if (effect.value === 'passed') addValue(context, { ...call, value: left }, funds, call.to, 'value');
      return;
    }
    default:
      return assertNever(effect);
  }
}

/** The key of a function in the maps of the registry: `0x` and the four bytes. */
function selectorOf(data: Uint8Array): string {
  return `0x${toHex(data.subarray(0, 4))}`;
}

function party(context: TreeContext, address: Address): Party {
  return address === context.wallet ? 'wallet' : address;
}

function addOpaque(context: TreeContext, call: InnerCall, funds: Funds, why: OpaqueCode): void {
  const { findings } = context;
  const selector = call.data.length >= 4 ? selectorOf(call.data) : null;
  const action: OpaqueCall = {
    kind: 'opaque-call',
    sender: party(context, call.sender),
    contract: call.to,
    selector,
    value: call.value,
    callType: call.callType,
    why,
  };
  findings.actions.push(action);
  findings.opaque ??= why;
  const hints = selector === null ? undefined : context.registry.standards.hints.get(selector);
  if (hints) findings.notes.push(`not verified: ${selector} is the selector of ${hints.join(', or ')}`);
  addValue(context, call, funds, call.to, 'value');
}

function addValue(context: TreeContext, call: InnerCall, funds: Funds, to: Address, route: RouteName): void {
  if (funds === 'counted' || call.value === 0n) return;
  context.findings.outflows.push({
    account: party(context, funds.from),
    asset: 'native',
    amount: call.value,
    to,
    route,
    holds: 'spent',
    untilMs: null,
  });
}

function addMove(context: TreeContext, sender: Address, move: TokenMove): void {
  const { standard, token, amount, to, route, holds, untilMs } = move;
  const asset = assetOf(move);
  const from = party(context, move.from);
  context.findings.actions.push({
    kind: 'token-transfer',
    sender: party(context, sender),
    standard,
    token,
    asset,
    ...(move.id === null ? {} : { tokenId: move.id }),
    amount,
    from,
    to,
    route,
    holds,
    untilMs,
  });
  context.findings.outflows.push({ account: from, asset, amount, to, route, holds, untilMs });
}

export function addLeak(context: TreeContext, leak: Leak, route: RouteName): void {
  context.findings.outflows.push({
    account: party(context, leak.account),
    asset: leak.asset,
    amount: leak.amount,
    to: leak.to,
    route: leak.route ?? route,
    holds: leak.holds ?? 'spent',
    untilMs: leak.untilMs ?? null,
  });
}

function assetOf({ standard, token, id }: TokenMove): Asset {
  if (standard !== 'erc1155') return `${standard}:${token}`;
  return id === null ? `erc1155:${token}` : `erc1155:${token}/${id}`;
}
