import { assertNever, CodedError, fromLengthPrefixed, lengthPrefixed } from '@keepwatch/base';
import type { Journal } from '@keepwatch/journal';
import {
  applyLadderEvent,
  applyOutboxEvent,
  createLadderState,
  createOutboxState,
  decodeLadderEvent,
  decodeLadderState,
  decodeOutboxEvent,
  decodeOutboxState,
  encodeLadderEvent,
  encodeLadderState,
  encodeOutboxEvent,
  encodeOutboxState,
  LADDER_DEFAULTS,
  OUTBOX_DEFAULTS,
  type LadderEvent,
  type LadderState,
  type OutboxEvent,
  type OutboxState,
} from '@keepwatch/notify';
import {
  applyEvmEvent,
  applyVaultEvent,
  applyWatchEvent,
  createEvmState,
  createVaultState,
  createWatchState,
  decodeEvmEvent,
  decodeEvmState,
  decodeVaultEvent,
  decodeVaultState,
  decodeWatchEvent,
  decodeWatchState,
  encodeEvmEvent,
  encodeEvmState,
  encodeVaultEvent,
  encodeVaultState,
  encodeWatchEvent,
  encodeWatchState,
  type EvmEvent,
  type EvmState,
  type Finding,
  type VaultEvent,
  type VaultState,
  type WatchEvent,
  type WatchState,
} from '@keepwatch/watch';
import {
  applyDeskEvent,
  createDesk,
  decodeDesk,
  decodeDeskEvent,
  encodeDesk,
  encodeDeskEvent,
  type DeskEvent,
  type DeskState,
} from '../desk/desk.ts';
import {
  applyOrderEvent,
  createOrderState,
  decodeOrderEvent,
  decodeOrders,
  encodeOrderEvent,
  encodeOrders,
  type OrderEvent,
  type OrderState,
} from '../orders/order-log.ts';
import { journalError } from '../store/store.ts';
import { decodeEntry } from './entry.ts';

/** All that a monitor knows: the fold of its journal, one room beside the other. */
export interface MonitorState {
  readonly watch: WatchState;
  readonly evm: EvmState;
  readonly outbox: OutboxState;
  readonly desk: DeskState;
  readonly ladder: LadderState;
  readonly vault: VaultState;
  readonly orders: OrderState;
}

/** An event, and whose it is. */
export type MonitorEvent =
  | { readonly room: 'watch'; readonly event: WatchEvent }
  | { readonly room: 'evm'; readonly event: EvmEvent }
  | { readonly room: 'outbox'; readonly event: OutboxEvent }
  | { readonly room: 'desk'; readonly event: DeskEvent }
  | { readonly room: 'ladder'; readonly event: LadderEvent }
  | { readonly room: 'vault'; readonly event: VaultEvent }
  | { readonly room: 'order'; readonly event: OrderEvent };

/** The finding that an event is; undefined: it is none. */
export function findingOf({ event }: MonitorEvent): Finding | undefined {
  return event.kind === 'finding' ? event.finding : undefined;
}

/** Raise it where folding the same journal gives another state, or a room writes its state in another way. */
const FOLD_VERSION = 16;

/** Ids of messages begin with some letters of the monitor's own: they are unique in the world, and short. */
const outboxOptions = (monitor: string) => ({ ...OUTBOX_DEFAULTS, instance: monitor.slice(0, 12) });

export function emptyState(monitor: string): MonitorState {
  return {
    watch: createWatchState(),
    evm: createEvmState(),
    outbox: createOutboxState(outboxOptions(monitor)),
    desk: createDesk(),
    ladder: createLadderState(LADDER_DEFAULTS),
    vault: createVaultState(),
    orders: createOrderState(),
  };
}

export function applyEvent(state: MonitorState, { room, event }: MonitorEvent): void {
  switch (room) {
    case 'watch':
      return applyWatchEvent(state.watch, event);
    case 'evm':
      return applyEvmEvent(state.evm, event);
    case 'outbox':
      return applyOutboxEvent(state.outbox, event);
    case 'desk':
      return applyDeskEvent(state.desk, event);
    case 'ladder':
      return applyLadderEvent(state.ladder, event);
    case 'vault':
      return applyVaultEvent(state.vault, event);
    case 'order':
      return applyOrderEvent(state.orders, event);
    default:
      return assertNever(room);
  }
}

export function encodeEvent({ room, event }: MonitorEvent): Uint8Array {
  switch (room) {
    case 'watch':
      return encodeWatchEvent(event);
    case 'evm':
      return encodeEvmEvent(event);
    case 'outbox':
      return encodeOutboxEvent(event);
    case 'desk':
      return encodeDeskEvent(event);
    case 'ladder':
      return encodeLadderEvent(event);
    case 'vault':
      return encodeVaultEvent(event);
    case 'order':
      return encodeOrderEvent(event);
    default:
      return assertNever(room);
  }
}

/** What an entry of the journal says. Throws `journal_entry_unread` for one that this version does not understand. */
export function readEntry(seq: number, bytes: Uint8Array): MonitorEvent {
  const entry = decodeEntry(bytes);
  switch (entry?.room) {
    case 'watch': {
      const event = decodeWatchEvent(entry.body);
      if (event.ok) return { room: 'watch', event: event.value };
      break;
    }
    case 'evm': {
      const event = decodeEvmEvent(entry.body);
      if (event.ok) return { room: 'evm', event: event.value };
      break;
    }
    case 'outbox': {
      const event = decodeOutboxEvent(entry.body);
      if (event.ok) return { room: 'outbox', event: event.value };
      break;
    }
    case 'desk': {
      const event = decodeDeskEvent(entry.body);
      if (event.ok) return { room: 'desk', event: event.value };
      break;
    }
    case 'ladder': {
      const event = decodeLadderEvent(entry.body);
      if (event.ok) return { room: 'ladder', event: event.value };
      break;
    }
    case 'vault': {
      const event = decodeVaultEvent(entry.body);
      if (event.ok) return { room: 'vault', event: event.value };
      break;
    }
    case 'order': {
      const event = decodeOrderEvent(entry.body);
      if (event.ok) return { room: 'order', event: event.value };
      break;
    }
    case undefined:
      break;
    default:
      assertNever(entry!.room as never);
  }
  throw new CodedError('journal_entry_unread', `Entry ${seq} of the journal is none that this version understands.`, {
    remedy: 'Start the version that wrote it, or a later one.',
    details: { seq },
  });
}

/** The state as the journal tells it: from the latest snapshot, then entry by entry. `folded`: how many of those. */
export async function loadState(
  journal: Journal,
  monitor: string,
): Promise<{ readonly state: MonitorState; readonly seq: number; readonly folded: number }> {
  const snapshot = await journal.latestSnapshot(FOLD_VERSION);
  const state = snapshot ? decodeState(snapshot.bytes, monitor) : emptyState(monitor);
  const from = snapshot?.seq ?? 0;
  let seq = from;
  for (;;) {
    const read = await journal.read(seq + 1, 1_000);
    if (!read.ok) throw journalError(read.error);
    if (read.value.length === 0) return { state, seq, folded: seq - from };
    for (const entry of read.value) applyEvent(state, readEntry(entry.seq, entry.bytes));
    seq = read.value.at(-1)!.seq;
  }
}

export async function saveState(journal: Journal, state: MonitorState): Promise<void> {
  await journal.saveSnapshot(FOLD_VERSION, [encodeState(state)]);
}

export function encodeState({ watch, evm, outbox, desk, ladder, vault, orders }: MonitorState): Uint8Array {
  return lengthPrefixed(
    encodeWatchState(watch),
    encodeOutboxState(outbox),
    encodeDesk(desk),
    encodeLadderState(ladder),
    encodeEvmState(evm),
    encodeVaultState(vault),
    encodeOrders(orders),
  );
}

const none = new Uint8Array(0);

function decodeState(bytes: Uint8Array, monitor: string): MonitorState {
  const [
    ofWatch = none,
    ofOutbox = none,
    ofDesk = none,
    ofLadder = none,
    ofEvm = none,
    ofVault = none,
    ofOrders = none,
  ] = fromLengthPrefixed(bytes, 7) ?? [];
  const watch = decodeWatchState(ofWatch);
  const outbox = decodeOutboxState(ofOutbox, outboxOptions(monitor));
  const desk = decodeDesk(ofDesk);
  const ladder = decodeLadderState(ofLadder, LADDER_DEFAULTS);
  const evm = decodeEvmState(ofEvm);
  const vault = decodeVaultState(ofVault);
  const orders = decodeOrders(ofOrders);
  if (watch.ok && outbox.ok && desk.ok && ladder.ok && evm.ok && vault.ok && orders.ok) {
    return {
      ...{ watch: watch.value, evm: evm.value, outbox: outbox.value, orders: orders.value },
      ...{ desk: desk.value, ladder: ladder.value, vault: vault.value },
    };
  }
  throw new CodedError('journal_snapshot_unread', 'The snapshot of the state is none that this version understands.', {
    remedy: 'Start the version that wrote it, or a later one.',
  });
}
