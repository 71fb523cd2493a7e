import { CodedError } from '@keepwatch/base';
import { MONITOR_METHODS, specOf, type MethodSpec } from '../api/contract.ts';
import type { Method, Methods } from '../api/conversation.ts';

/** Who somebody is to a monitor. A candidate has asked, and nobody has answered. */
export type Right = 'operator' | 'reader' | 'candidate';

const RANK: Readonly<Record<MethodSpec['callers'], number>> = { candidate: 0, reader: 1, operator: 2, owner: 3 };

/** Whether this right covers a method. What is not in the table is denied. */
export function may(right: Right, method: string): boolean {
  const spec = specOf(method);
  return spec !== undefined && RANK[spec.callers] <= RANK[right];
}

/** Those of the methods that this right covers. Others are there, and refuse; and an order has to be signed. */
export function methodsFor(right: Right, methods: Methods): Methods {
  const names = new Set([...Object.keys(MONITOR_METHODS), ...Object.keys(methods)]);
  const entries = [...names].flatMap((name): [string, Method][] => {
    const method = methods[name];
    const params = method?.params ?? specOf(name)!.params;
    if (!may(right, name)) return [[name, refusing(params, notAllowed(name, right))]];
    if (specOf(name)!.effect !== 'asks') return [[name, refusing(params, unsigned(name))]];
    return method ? [[name, method]] : [];
  });
  return Object.fromEntries(entries);
}

const refusing = (params: Method['params'], error: CodedError): Method => ({
  params,
  call: () => Promise.reject(error),
});

const WORDS = { operator: 'an operator', reader: 'a reader', candidate: 'a candidate' } as const;

export function notAllowed(what: string, right: Right | undefined): CodedError {
  const words = right ? WORDS[right] : 'this peer';
  return new CodedError('monitor_not_allowed', `${what} is not for ${words} over the network.`, {
    remedy: 'Ask an operator of the monitor, or run the command on its machine as its user.',
  });
}

const unsigned = (method: string) =>
  new CodedError('command_unsigned', `${method} changes something, and was not signed.`, {
    remedy: 'Update this client: it signs what it orders.',
  });
