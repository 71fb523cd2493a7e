import { CodedError } from '@keepwatch/base';
import type { Method, Methods } from '../api/conversation.ts';

/** Who somebody is to a monitor. A candidate has asked, and nobody has answered. */
export type Right = 'operator' | 'reader' | 'candidate';

/** What a reader may ask: nothing that changes anything, and nothing that tells a secret. What is not named is denied. */
const OF_READERS: ReadonlySet<string> = new Set([
  ...[
    'status',
    'settings',
    'peer.self',
    'wallet.list',
    'wallet.show',
    'evm.list',
    'evm.show',
    'channel.list',
    'rules.show',
    'ladder.show',
  ],
  ...['findings.list', 'findings.show', 'findings.follow', 'findings.verify', 'findings.acknowledge'],
]);
const OF_CANDIDATES: ReadonlySet<string> = new Set(['peer.self']);
/** What only the monitor's own user may do, on its machine. */
const NOT_BY_NETWORK: ReadonlySet<string> = new Set(['unlock', 'connection']);

/** Those of the methods that this right covers. Others are there, and refuse. */
export function methodsFor(right: Right, methods: Methods): Methods {
  const may = (name: string): boolean => {
    switch (right) {
      case 'operator':
        return !NOT_BY_NETWORK.has(name);
      case 'reader':
        return OF_READERS.has(name);
      case 'candidate':
        return OF_CANDIDATES.has(name);
    }
  };
  const entries = Object.entries(methods).map(([name, method]): [string, Method] => {
    if (!may(name)) return [name, { params: method.params, call: () => Promise.reject(notAllowed(name, right)) }];
    return [name, name === 'channel.put' ? withoutPrograms(method) : method];
  });
  return Object.fromEntries(entries);
}

/** A channel that starts a program would give whoever holds an operator's key the monitor's user: only that user adds one. */
function withoutPrograms(method: Method): Method {
  return {
    ...method,
    call(params, signal) {
      const { channel } = params as { readonly channel?: { readonly kind?: unknown } };
      if (channel?.kind === 'command') return Promise.reject(notAllowed('channel.put of a command', 'operator'));
      return method.call(params, signal);
    },
  };
}

const notAllowed = (what: string, right: Right) =>
  new CodedError('monitor_not_allowed', `${what} is not for a ${right} over the network.`, {
    remedy: 'Ask an operator of the monitor, or run the command on its machine as its user.',
  });
