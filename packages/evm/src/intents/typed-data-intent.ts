import type { TypedData } from '../typed-data/typed-data.ts';
import type { Intent } from './intent.ts';
import type { IntentContext } from './transaction-intent.ts';

/**
 * What a signature over the typed data would allow. A type that no registered contract's standard has may allow
 * anything: the intent is then opaque, and its fields are shown.
 */
export function intentOfTypedData(data: TypedData, chain: string, _context: IntentContext): Intent {
  const { domain, primaryType, typeHash, fields } = data;
  const chainId = domain.chainId === null ? null : BigInt(domain.chainId);
  return {
    form: 'typed-data',
    chain,
    nonce: null,
    fee: null,
    actions: [{ kind: 'typed-data', domain: { ...domain, chainId }, primaryType, typeHash, fields, registered: false }],
    outflows: [],
    opaque: 'unregistered_type',
    notes: [],
  };
}
