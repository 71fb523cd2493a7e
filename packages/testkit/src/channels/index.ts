export { startNostrRelay, type NostrRelay } from './nostr-relay.ts';
export { startHttpService, type HttpCall, type HttpService } from './http-service.ts';
export { startSmtpService, type SmtpService } from './smtp-service.ts';
