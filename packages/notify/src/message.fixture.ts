import type { Message } from './channel.ts';

export function sampleMessage(over: Partial<Message> = {}): Message {
  return {
    ...{ id: 'sample-1', subject: 'Received 0.00012345 BTC', body: 'Savings received 0.00012345 BTC.\n\nMessage 1; …' },
    ...{ severity: 'notice', number: 1, atMs: 1_790_000_000_000, acknowledgement: null, data: { kind: 'received' } },
    ...over,
  };
}
