export { findAge, type Age, type FoundAge } from './find-age.ts';
export { startNostrRelay, type NostrRelay } from './nostr-relay.ts';
