import { createHmac, createPrivateKey, sign } from 'node:crypto';
import { CodedError } from '@keepwatch/base';
import type { Channel, Delivery, Message } from '../channel.ts';
import { delivered } from '../delivery.ts';
import { DIRECT, type Route } from '../net/dial.ts';
import { createHttp, deliveryOf, isAnswer } from '../net/http.ts';

export interface WebhookOptions {
  readonly name: string;
  readonly url: string;
  /** `whsec_` (HMAC-SHA256, 24 to 64 bytes) or `whsk_` (Ed25519 seed, or seed and public key), base64 behind it. */
  readonly secrets: readonly string[];
  readonly route?: Route;
  readonly nowMs?: () => number;
}

/**
 * A POST that its receiver can check (Standard Webhooks 1.0): `webhook-id` stays the same from try to try, so that the
 * receiver can drop a second one, `webhook-timestamp` in seconds, `webhook-signature` over both and the body. With
 * several secrets there is a signature for each, so that they can be exchanged without a gap.
 *
 * Throws `webhook_secret_malformed`.
 */
export function createWebhook({ name, url, secrets, route = DIRECT, nowMs = Date.now }: WebhookOptions): Channel {
  const signers = secrets.map(signerOf);
  const http = createHttp(route);

  return {
    ...{ name, kind: 'webhook' },
    async send(message, signal) {
      const timestamp = String(Math.floor(nowMs() / 1_000));
      const body = JSON.stringify(payloadOf(message));
      const signed = `${message.id}.${timestamp}.${body}`;
      const headers = {
        'content-type': 'application/json',
        'webhook-id': message.id,
        'webhook-timestamp': timestamp,
        'webhook-signature': signers.map((each) => each(signed)).join(' '),
      };
      const answer = await http.ask({ method: 'POST', url, headers, body }, signal);
      return isAnswer(answer) ? deliveryOf(answer) : answer;
    },
    async probe(signal): Promise<Delivery> {
      // Any answer shows that somebody is there; a receiver that takes only POST says 404 or 405, which is fine.
      const answer = await http.ask({ method: 'GET', url }, signal);
      return isAnswer(answer) ? (answer.status < 500 ? delivered() : deliveryOf(answer)) : answer;
    },
    close: () => http.close(),
  };
}

/** What the body holds: the spec's `type`, `timestamp` and `data`. */
function payloadOf({ subject, body, severity, number, atMs, acknowledgement, data }: Message) {
  return {
    type: 'keepwatch.message',
    timestamp: new Date(atMs).toISOString(),
    data: { subject, body, severity, number, acknowledgement, finding: data },
  };
}

function signerOf(secret: string): (text: string) => string {
  const [, kind, encoded] = /^(whsec|whsk)_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
  const bytes = Buffer.from(encoded ?? '', 'base64');
  if (kind === 'whsec' && bytes.length >= 24 && bytes.length <= 64) {
    return (text) => `v1,${createHmac('sha256', bytes).update(text).digest('base64')}`;
  }
  if (kind === 'whsk' && (bytes.length === 32 || bytes.length === 64)) {
    const seed = Buffer.concat([PKCS8_ED25519, bytes.subarray(0, 32)]);
    const key = createPrivateKey({ key: seed, format: 'der', type: 'pkcs8' });
    return (text) => `v1a,${sign(null, Buffer.from(text), key).toString('base64')}`;
  }
  throw new CodedError('webhook_secret_malformed', 'A secret of the webhook has another form than it must have.', {
    remedy: 'Give whsec_ and 24 to 64 bytes in base64, or whsk_ and an Ed25519 seed of 32 bytes in base64.',
  });
}

/** What stands before the seed in PKCS #8 (RFC 8410 §7). */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');
