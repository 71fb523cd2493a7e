export { startNostrRelay, type NostrRelay } from './nostr-relay.ts';
export { startHttpService, type Answer, type HttpCall, type HttpService } from './http-service.ts';
export { startSmtpService, type SmtpAccount, type SmtpService } from './smtp-service.ts';
