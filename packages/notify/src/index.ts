/**
 * notify: how news reaches people. One adapter for each channel behind one port, and the outbox that never loses a
 * message. What is worth telling, and to whom, is decided before; what happened is the watch's to say.
 */
export type { AcknowledgeBy, Channel, ChannelKind, Delivery, Message, Replies } from './channel.ts';
export { createCommand, type CommandOptions } from './channels/command.ts';
export { createEmail, type EmailOptions } from './channels/email.ts';
export type { MailKeys } from './channels/encrypted-mail.ts';
export { createMatrix, type MatrixOptions } from './channels/matrix.ts';
export { createNostr, type NostrOptions } from './channels/nostr.ts';
export { createNtfy, type NtfyOptions } from './channels/ntfy.ts';
export { createSignal, type SignalOptions } from './channels/signal.ts';
export { createSms, type SmsOptions } from './channels/sms.ts';
export { createTelegram, type TelegramOptions } from './channels/telegram.ts';
export { createWebhook, type WebhookOptions } from './channels/webhook.ts';
export { createDispatcher, type Dispatcher, type DispatcherDeps, type DispatcherOptions } from './dispatcher.ts';
export {
  acknowledge,
  acknowledgeDirectly,
  findCode,
  type AcknowledgeAnswer,
  type GivenCode,
} from './ladder/acknowledge.ts';
export { applyLadderEvent } from './ladder/apply.ts';
export { decodeLadderEvent, decodeLadderState, encodeLadderEvent, encodeLadderState } from './ladder/codec.ts';
export { readAlertKey, type LadderEvent, type LadderInput, type LadderOrder } from './ladder/event.ts';
export {
  handleAcknowledgement,
  type Answered,
  type PageOutcome,
  type PageRequest,
  type PageResponse,
} from './ladder/page.ts';
export { createReplyReader, type ReplyReader, type ReplyReaderDeps } from './ladder/replies.ts';
export {
  checkLadder,
  createLadderState,
  LADDER_DEFAULTS,
  type AcknowledgeWay,
  type ChannelFacts,
  type Escalation,
  type Ladder,
  type LadderOptions,
  type LadderProblem,
  type LadderState,
  type Rung,
} from './ladder/state.ts';
export { dueEscalations, ladderStep, nextLadderMs, type LadderOutcome } from './ladder/step.ts';
export type { Route } from './net/dial.ts';
export { applyOutboxEvent } from './outbox/apply.ts';
export { decodeOutboxEvent, decodeOutboxState, encodeOutboxEvent, encodeOutboxState } from './outbox/codec.ts';
export type { OutboxEffect } from './outbox/due.ts';
export type { Hold, OutboxEvent, OutboxInput } from './outbox/event.ts';
export {
  createOutboxState,
  deadChannels,
  OUTBOX_DEFAULTS,
  type Lane,
  type OutboxOptions,
  type OutboxState,
  type Post,
} from './outbox/state.ts';
export { outboxStep } from './outbox/step.ts';
export { heartbeatPost, selfTestPost } from './schedule/regular.ts';
export { lastMoment, nextMoment, type Schedule } from './schedule/schedule.ts';
export { cleanLabel } from './words/clean.ts';
export { checkMessage, type CheckedMessage, type SignMessage, type VerifyMessage } from './words/signature.ts';
export {
  btc,
  describeFinding,
  findingHeadline,
  findingJson,
  groupOf,
  type Privacy,
  type WalletWords,
  type Words,
} from './words/describe.ts';
