import { isToken } from './codes.ts';
import type { AcknowledgeAnswer } from './acknowledge.ts';

/** The page behind the link of a message. Mail scanners and previews open links, so opening it answers nothing. */
export interface PageRequest {
  readonly method: string;
  /** The part behind the prefix at which the page is mounted: the token. */
  readonly path: string;
  /** Of a POST, as text; at most a few hundred bytes are needed. */
  readonly body: string;
}

export interface PageResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Either an answer, or a token to put to `acknowledge`, with the answer that then fits. It looks nothing up: an open
 * page does not tell whether its token is any good.
 */
export type PageOutcome =
  | { readonly kind: 'respond'; readonly response: PageResponse }
  | {
      readonly kind: 'acknowledge';
      readonly code: string;
      readonly by: string | null;
      respond(answer: AcknowledgeAnswer): PageResponse;
    };

const LONGEST_BODY = 2_048;

export function handleAcknowledgement({ method, path, body }: PageRequest): PageOutcome {
  const token = path.replace(/^\//, '');
  if (!isToken(token)) return respond(404, 'There is nothing here.');
  switch (method) {
    case 'GET':
    case 'HEAD':
      return { kind: 'respond', response: page(200, FORM) };
    case 'POST': {
      if (body.length > LONGEST_BODY) return respond(413, 'This is too much.');
      const form = new URLSearchParams(body);
      if (form.get('confirm') !== 'yes') return respond(400, 'Open the page and press the button.');
      return { kind: 'acknowledge', code: token, by: form.get('by'), respond: answerPage };
    }
    default:
      return {
        kind: 'respond',
        response: page(405, text('This page is read or answered.'), { allow: 'GET, HEAD, POST' }),
      };
  }
}

const respond = (status: number, words: string): PageOutcome => ({
  kind: 'respond',
  response: page(status, text(words)),
});

function answerPage(answer: AcknowledgeAnswer): PageResponse {
  const [status, words] = ANSWERS[answer];
  return page(status, text(words));
}

const ANSWERS: Readonly<Record<AcknowledgeAnswer, readonly [number, string]>> = {
  acknowledged: [200, 'Thank you. The others are told that you have seen it.'],
  already: [409, 'Somebody has answered this already.'],
  expired: [410, 'This link is no longer valid. Look at the monitor.'],
  unknown: [404, 'There is nothing here.'],
  busy: [429, 'Try again in some minutes.'],
};

const text = (words: string) => `<p>${words}</p>`;

const FORM = `<p>You were told that something happened. Press the button to say that you have seen it.</p>
<form method="post"><input type="hidden" name="confirm" value="yes">
<p><label>Your name <input name="by" maxlength="64" autocomplete="name"></label></p>
<p><button type="submit">I have seen it</button></p></form>`;

/** No script, nothing from elsewhere, no frame around it, and the token in no referrer, cache or index. */
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex, nofollow',
};

function page(status: number, content: string, more: Readonly<Record<string, string>> = {}): PageResponse {
  const body = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Keepwatch</title><body>${content}</body></html>
`;
  return { status, headers: { ...HEADERS, ...more }, body };
}
