/**
 * notify: how news reaches people. One adapter for each channel behind one port, and the outbox that never loses a
 * message. What is worth telling, and to whom, is decided before; what happened is the watch's to say.
 */
export type { Channel, ChannelKind, Delivery, Message } from './channel.ts';
