export { findAge, type Age, type FoundAge } from './find-age.ts';
export { startMatrixHomeserver, type MatrixHomeserver } from './matrix-homeserver.ts';
export { startNostrRelay, type NostrRelay } from './nostr-relay.ts';
export { startNtfyServer, type NtfyServer } from './ntfy-server.ts';
export { startSignalRest, type SignalRest } from './signal-rest.ts';
export { startTelegramBots, type TelegramBots } from './telegram-bots.ts';
