import type { IncomingMessage, ServerResponse } from 'node:http';
import { handleAcknowledgement, type AcknowledgeAnswer, type Answered, type PageResponse } from '@keepwatch/notify';
import { PAGE_PATH } from './settings.ts';

/** More than the form ever sends. What is longer is read no further. */
const MOST_BYTES = 4_096;

/**
 * Serves the page of acknowledgements. Only a POST of its form asks `answer`; what else comes, and whatever mail scanners
 * and previews do, changes nothing. False: the path is not its own.
 */
export function servePage(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (given: {
    readonly code: string;
    readonly by: string | null;
  }) => Promise<{ readonly answer: AcknowledgeAnswer; readonly answered: Answered | null }>,
): boolean {
  const path = (request.url ?? '/').split('?')[0]!;
  if (!path.startsWith(PAGE_PATH)) return false;
  void (async () => {
    const body = await bodyOf(request);
    const outcome = handleAcknowledgement({
      ...{ method: request.method ?? '', path: path.slice(PAGE_PATH.length), body },
    });
    if (outcome.kind === 'respond') return send(outcome.response);
    const { answer: what, answered } = await answer({ code: outcome.code, by: outcome.by });
    send(outcome.respond(what, answered));
  })().catch(() => response.destroy());

  function send({ status, headers, body }: PageResponse): void {
    response.writeHead(status, { ...headers, connection: 'close' });
    response.end(request.method === 'HEAD' ? undefined : body);
  }
  return true;
}

/** At most one byte more than is looked at. */
async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MOST_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, MOST_BYTES).toString('utf8');
}
