import { assertNever } from '@keepwatch/base';
import { lookup } from '../registry/registry.ts';
import type { OpaqueCode } from '../routes/route.ts';
import type { TypedRoute } from '../routes/typed-route.ts';
import type { TypedData } from '../typed-data/typed-data.ts';
import { addLeak, newFindings, walkCall, type TreeContext } from './call-tree.ts';
import type { Intent, TypedDataAction } from './intent.ts';
import type { IntentContext } from './transaction-intent.ts';

/**
 * What whoever holds the signature of the typed data can do. `chain` (CAIP-2) is the chain of the request. Data that do not
 * name their chain or their contract, or whose type is not one that the registered contract has, are opaque: where a
 * signature is good is for nobody to say.
 */
export function intentOfTypedData(data: TypedData, chain: string, context: IntentContext): Intent {
  const { wallet, registry, delegated } = context;
  const findings = newFindings();
  const tree: TreeContext = { chain, wallet, registry, delegated, findings };
  const { domain, fields } = data;
  const { verifyingContract: contract } = domain;
  const registered = contract === null ? undefined : lookup(registry, chain, contract);
  const routes = registered?.entry.standards.flatMap(
    (name) => registry.standards.byName.get(name)?.standard.types ?? [],
  );
  const route = routes?.find((each) => isOfType(data, each));

  const opaque = (why: OpaqueCode, known: boolean): void => {
    findings.actions.push(actionOf(data, known));
    findings.opaque = why;
  };
  if (domain.chainId === null) opaque('domain_without_chain', false);
  else if (contract === null) opaque('domain_without_contract', false);
  else if (!registered) opaque('unregistered_contract', false);
  else if (!route) opaque('unregistered_type', false);
  else {
    const effect = route.effect({ chain, wallet, contract, entry: registered.entry, fields, registry });
    switch (effect.does) {
      case 'opaque':
        opaque(effect.why, true);
        break;
      case 'allow':
        findings.actions.push(actionOf(data, true));
        for (const leak of effect.leaks) addLeak(tree, leak, route.route ?? 'value');
        break;
      case 'nest':
        for (const leak of effect.leaks) addLeak(tree, leak, route.route ?? 'value');
        walkCall(tree, effect.call);
        break;
      default:
        assertNever(effect);
    }
  }
  return { form: 'typed-data', chain, nonce: null, fee: null, ...findings };
}

function isOfType({ encodedType }: TypedData, { type }: TypedRoute): boolean {
  return type.endsWith(',') ? encodedType.startsWith(type) && PERMITTED.test(encodedType) : encodedType === type;
}

/** What the free rest of a type refers to stands behind it; what its beginning refers to must be there and be what it is. */
const PERMITTED = /\)TokenPermissions\(address token,uint256 amount\)/;

function actionOf({ domain, primaryType, typeHash, fields }: TypedData, registered: boolean): TypedDataAction {
  const chainId = domain.chainId === null ? null : BigInt(domain.chainId);
  return { kind: 'typed-data', domain: { ...domain, chainId }, primaryType, typeHash, fields, registered };
}
