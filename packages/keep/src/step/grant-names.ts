import { clientOf, type State } from '../state/state.ts';
import type { Grant, Names } from '@keepwatch/permission';

/** What people call the client and the wallet of a grant, for its sentence. Names that change later change the sentence. */
export function namesOfGrant(state: State, grant: Grant): Names {
  const client = clientOf(grant);
  const peer = client === null ? undefined : state.peers.get(client)?.name;
  const wallet = state.wallets.get(grant.wallet)?.name;
  return { ...(peer === undefined ? {} : { client: peer }), ...(wallet === undefined ? {} : { wallet }) };
}
