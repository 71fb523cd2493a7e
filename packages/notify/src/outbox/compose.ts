import { canonicalJson, type Json } from '@keepwatch/base';
import type { AcknowledgeBy, Message } from '../channel.ts';
import { SUMMARY, type Entry } from './state.ts';

/** The words as they go out, made of the entry alone: every try says the same. */
export function composeMessage(entry: Entry): Message {
  const { post, more, bare, sent } = entry;
  if (!sent) throw new TypeError('a message has words once it has a number');
  const subject = subjectOf(entry);
  const parts = bare ? [BARE] : [post.body, ...(more.count > 0 ? [gathered(entry)] : [])];
  if (post.acknowledgement) parts.push(acknowledgeWords(post.acknowledgement));
  parts.push(numberWords(sent));
  return {
    // Another text needs another key: a service that drops what it saw would drop this too.
    id: bare ? `${sent.id}-bare` : sent.id,
    subject: bare ? 'Something happened: look' : subject,
    body: parts.join('\n\n'),
    ...{ severity: post.severity, number: sent.number, atMs: post.atMs },
    acknowledgement: post.acknowledgement && { code: post.acknowledgement.code, url: post.acknowledgement.url },
    data: bare ? null : inOrder(post.data),
  };
}

/** After a restart members stand in the order of the journal, before it in that in which they were made. */
const inOrder = (data: Json) => JSON.parse(canonicalJson(data)) as Json;

function subjectOf({ post, more }: Entry): string {
  if (more.count === 0) return post.subject;
  const count = more.count + 1;
  return post.group === SUMMARY
    ? `Keepwatch: a summary of ${count} findings`
    : `${count} of this kind: ${post.subject}`;
}

const BARE = 'Something happened. This channel would not take the words for it: look at the monitor.';

function gathered({ post, more }: Entry): string {
  const rest = more.count - more.subjects.length;
  const head = `${more.count} more${post.group === SUMMARY ? '' : ' of this kind'}:`;
  return [head, ...more.subjects.map((each) => `- ${each}`), ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n');
}

/** It promises no more than is so: on most channels nobody reads what is sent back. */
function acknowledgeWords({ code, url, sendBack = true }: AcknowledgeBy): string {
  const ways = [
    ...(sendBack ? [`send back the code ${code} and nothing else`] : []),
    ...(url === null ? [] : [`open ${url}`]),
    ...(sendBack ? [] : [`run: keepwatch findings acknowledge ${code}`]),
  ];
  return `To say that you have seen this, ${ways.join(', or ')}`;
}

/** “Message 17; the one before was 16”: whoever did not see 16 knows that something was kept from them. */
function numberWords({ number, missing }: { number: number; missing: readonly number[] }): string {
  const before = number === 1 ? 'the first on this channel' : `the one before was ${number - 1}`;
  const words = `Message ${number}; ${before}.`;
  if (missing.length === 0) return words;
  return `${words} Not delivered here: ${missing.length === 1 ? 'message' : 'messages'} ${missing.join(', ')}.`;
}
