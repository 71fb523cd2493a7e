import type { Channel, ChannelKind, Delivery, Message } from '../channel.ts';
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
  /** The same for a probe. */
  probeMeaning?(answer: HttpAnswer): Delivery | undefined;
}

export function createHttpChannel(service: HttpService): Channel {
  const { name, kind, route, meaning, probeMeaning = meaning } = service;
  const http = createHttp(route);
  const ask = async (request: HttpRequest, means: HttpService['meaning'], signal: AbortSignal): Promise<Delivery> => {
    const answer = await http.ask(request, signal);
    return isAnswer(answer) ? (means?.(answer) ?? deliveryOf(answer)) : answer;
  };
  return {
    ...{ name, kind },
    send: (message, signal) => ask(service.request(message), meaning, signal),
    probe: (signal) => ask(service.probe, probeMeaning, signal),
    close: () => http.close(),
  };
}

export const JSON_TYPE = { 'content-type': 'application/json' };

/** A member of a JSON answer, where the answer is JSON and has it. */
export function memberOf(answer: HttpAnswer, name: string): unknown {
  try {
    const value = JSON.parse(answer.text) as unknown;
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  } catch {
    return undefined;
  }
}

/** As much of a text as its service takes, cut between characters, with the end kept: it holds code and number. */
export function fitted(text: string, most: number): string {
  const letters = [...text];
  if (text.length <= most) return text;
  const tail = letters.slice(-Math.min(600, Math.floor(most / 2))).join('');
  const mark = '\n[…]\n';
  let head = '';
  for (const letter of letters) {
    if (head.length + letter.length + mark.length + tail.length > most) break;
    head += letter;
  }
  return `${head}${mark}${tail}`;
}
