import type { Channel, ChannelKind, Delivery, Message, Replies } from '../channel.ts';
import { delivered, later, notTaken } from '../delivery.ts';
import type { Route } from '../net/dial.ts';
import { createHttp, deliveryOf, isAnswer, type HttpAnswer, type HttpRequest } from '../net/http.ts';

/** What a service that is reached by one HTTP request for each message needs to say of itself. */
export interface HttpService {
  readonly name: string;
  readonly kind: ChannelKind;
  readonly route: Route;
  request(message: Message): HttpRequest;
  /** Asks something that sends nothing. */
  readonly probe: HttpRequest;
  /** What its answer means, where the status alone does not say it. */
  meaning?(answer: HttpAnswer): Delivery | undefined;
  /** How a message that was taken is looked for: by what the answer said of it. */
  readonly readBack?: {
    referenceOf(answer: HttpAnswer): string | null;
    request(reference: string): HttpRequest;
    isThere(answer: HttpAnswer, reference: string): boolean;
  };
  /** How it is asked for what people sent back. `read`: undefined where the answer is none. */
  readonly replies?: {
    request(cursor: string | null): HttpRequest;
    read(answer: HttpAnswer, cursor: string | null): Replies | undefined;
  };
  /** The same for a probe. */
  probeMeaning?(answer: HttpAnswer): Delivery | undefined;
}

export function createHttpChannel(service: HttpService): Channel {
  const { name, kind, route, meaning, probeMeaning = meaning, readBack, replies } = service;
  const http = createHttp(route);
  const ask = async (request: HttpRequest, means: HttpService['meaning'], signal: AbortSignal): Promise<Delivery> => {
    const answer = await http.ask(request, signal);
    return isAnswer(answer) ? (means?.(answer) ?? deliveryOf(answer)) : answer;
  };
  return {
    ...{ name, kind },
    async send(message, signal) {
      let reference: string | null = null;
      const means = (answer: HttpAnswer) => {
        reference = readBack?.referenceOf(answer) ?? null;
        return meaning?.(answer);
      };
      const delivery = await ask(service.request(message), means, signal);
      return delivery.kind === 'delivered' ? delivered(reference) : delivery;
    },
    ...(replies && {
      async replies(cursor: string | null, signal: AbortSignal) {
        const answer = await http.ask(replies.request(cursor), signal);
        return isAnswer(answer) ? replies.read(answer, cursor) : undefined;
      },
    }),
    ...(readBack && {
      readBack: async (reference: string | null, signal: AbortSignal) =>
        reference === null
          ? later('not_looked_for', 'The service did not say under which name it keeps the message.')
          : ask(
              readBack.request(reference),
              (answer) => {
                if (answer.status === 404) return notTaken('not_there', 'The message is not there.');
                if (answer.status !== 200) return undefined;
                return readBack.isThere(answer, reference)
                  ? delivered(reference)
                  : notTaken('not_there', 'The message is not there.');
              },
              signal,
            ),
    }),
    probe: (signal) => ask(service.probe, probeMeaning, signal),
    close: () => http.close(),
  };
}

export const JSON_TYPE = { 'content-type': 'application/json' };

/** What is older than two days answers nothing: it may be somebody’s who sends again what was said long ago. */
export const isRecent = (atMs: number, nowMs: number) => Math.abs(nowMs - atMs) < 2 * 86_400_000;

/** A member of a JSON answer, where the answer is JSON and has it. */
export function memberOf(answer: HttpAnswer, name: string): unknown {
  try {
    const value = JSON.parse(answer.text) as unknown;
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  } catch {
    return undefined;
  }
}

/** A short text from elsewhere; null where it is none. */
export const wordOf = (value: unknown): string | null =>
  typeof value === 'string' && value.length <= 300 ? value : null;

/**
 * As much of a text as its service takes, cut between characters, with the end kept: it holds code and number. `sizeOf`: how
 * the service counts; `most` in its measure.
 */
export function fitted(text: string, most: number, sizeOf: (text: string) => number = ({ length }) => length): string {
  if (sizeOf(text) <= most) return text;
  const letters = [...text];
  const mark = '\n[…]\n';
  let tail = '';
  for (let at = letters.length - 1; at >= 0 && tail.length < 600; at--) {
    if (sizeOf(letters[at]! + tail) > most / 2) break;
    tail = letters[at]! + tail;
  }
  let left = most - sizeOf(mark) - sizeOf(tail);
  let head = '';
  for (const letter of letters) {
    left -= sizeOf(letter);
    if (left < 0) break;
    head += letter;
  }
  return `${head}${mark}${tail}`;
}

/** In UTF-8. */
export const bytesOf = (text: string) => Buffer.byteLength(text);
