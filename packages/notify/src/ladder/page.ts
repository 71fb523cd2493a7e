import { createHash } from 'node:crypto';
import { cleanLabel } from '../words/clean.ts';
import { secondOf } from '../words/measure.ts';
import type { AcknowledgeAnswer } from './acknowledge.ts';
import { isToken } from './codes.ts';

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
      /** `answered`: by whom and when, where somebody was first. Who has a link of the finding may know. */
      respond(answer: AcknowledgeAnswer, answered: Answered | null): PageResponse;
    };

export interface Answered {
  readonly by: string;
  readonly atMs: number;
}

const LONGEST_BODY = 2_048;

export function handleAcknowledgement({ method, path, body }: PageRequest): PageOutcome {
  const token = path.replace(/^\//, '');
  if (!isToken(token)) return respond(404, NOTHING_HERE);
  switch (method) {
    case 'GET':
    case 'HEAD':
      return { kind: 'respond', response: page(200, FORM) };
    case 'POST': {
      if (body.length > LONGEST_BODY) return respond(413, ['This is too much', 'Nothing was answered.']);
      const form = new URLSearchParams(body);
      if (form.get('confirm') !== 'yes') {
        return respond(400, ['Nothing was answered', 'Open the link and press the button.']);
      }
      return { kind: 'acknowledge', code: token, by: form.get('by'), respond: answerPage };
    }
    default:
      return {
        kind: 'respond',
        response: page(405, text(['Nothing was answered', 'Open the link and press the button.']), {
          allow: 'GET, HEAD, POST',
        }),
      };
  }
}

/** A heading, and a sentence below it. */
type Said = readonly [heading: string, words: string];

const respond = (status: number, words: Said): PageOutcome => ({
  kind: 'respond',
  response: page(status, text(words)),
});

function answerPage(answer: AcknowledgeAnswer, answered: Answered | null): PageResponse {
  const [status, [heading, words]] = ANSWERS[answer];
  if (answer !== 'already' || answered === null) return page(status, text([heading, words]));
  return page(status, text([`${cleanLabel(answered.by)} was first`, `It was answered at ${secondOf(answered.atMs)}.`]));
}

const NOTHING_HERE: Said = [
  'There is nothing here',
  'If you came by the link of a message, it may have been cut: copy the whole of it. Or send the code of the message.',
];

const ANSWERS: Readonly<Record<AcknowledgeAnswer, readonly [number, Said]>> = {
  acknowledged: [
    200,
    [
      'Thank you',
      'The others are told that you have seen it, and nobody else is asked. What to do stands in the message.',
    ],
  ],
  already: [409, ['It was answered already', 'Somebody else was first.']],
  expired: [
    410,
    [
      'This link is too old',
      'Nothing was answered. Take the link or the code of a newer message, or look at the monitor.',
    ],
  ],
  unknown: [404, NOTHING_HERE],
  busy: [429, ['Not now', 'Nothing was answered. Try again in some minutes.']],
};

const text = ([heading, words]: Said) => `<h1>${escaped(heading)}</h1>\n<p>${escaped(words)}</p>`;
const escaped = (words: string) => words.replace(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`);

/** What pressing it does is said before: nobody else is woken afterwards. */
const FORM = `<h1>Have you seen it?</h1>
<p>You got a message that waits for an answer. Whoever answers takes care of it: <strong>nobody else is asked any more</strong>.</p>
<form method="post"><input type="hidden" name="confirm" value="yes">
<label for="by">Your name, so that the others know</label>
<input id="by" name="by" maxlength="64" autocomplete="name">
<button type="submit">I have seen it</button></form>
<p class="small">Nothing else comes of it, and nothing is answered until you press.</p>`;

const STYLE = `:root{color-scheme:light dark}
body{max-width:30rem;margin:0 auto;padding:1.5rem 1.25rem;font:1.0625rem/1.5 system-ui,sans-serif}
h1{margin:0 0 .75rem;font-size:1.5rem;line-height:1.25}
label{display:block;margin:1.5rem 0 .375rem}
input,button{box-sizing:border-box;width:100%;min-height:3rem;padding:.5rem .75rem;border-radius:.5rem;font:inherit}
input{border:1px solid GrayText}
button{margin:1rem 0 0;min-height:3.5rem;border:0;background:#0a5c36;color:#fff;font-weight:600}
button:focus-visible,input:focus-visible{outline:3px solid Highlight;outline-offset:2px}
.small{margin-top:1.5rem;font-size:.9375rem;opacity:.8}`;
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** No script, nothing from elsewhere, no frame around it, and the token in no referrer, cache or index. */
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex, nofollow',
};

function page(status: number, content: string, more: Readonly<Record<string, string>> = {}): PageResponse {
  const body = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Keepwatch</title><style>${STYLE}</style></head>
<body><main>
${content}
</main></body></html>
`;
  return { status, headers: { ...HEADERS, ...more }, body };
}
