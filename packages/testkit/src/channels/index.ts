export { startNostrRelay, type NostrRelay } from './nostr-relay.ts';
