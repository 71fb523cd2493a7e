import { canonicalJson, type Json } from '@keepwatch/base';
import type { Charge, Jsonified } from '@keepwatch/permission';
import type { Entry, JournaledLine, RequestPermitted } from './events.ts';
import type { SignedFees } from './nonces.ts';

/**
 * The canonical JSON of an entry: what is hashed into the journal, and what a receipt shows. The salt stands inside, so a
 * neighbour's hash in a Merkle path reveals nothing about an entry whose content could be guessed.
 *
 * A permit, which stands before every signature, is put together member by member, at a third of the time: its members
 * are known and are named here in their canonical order.
 */
export function entryText(entry: Entry): string {
  return entry.type === 'request.permitted' ? permitText(entry) : canonicalJson(entry as unknown as Json);
}

/** What the vault itself makes of letters, digits and `-_:.` stands in quotes as it is; everything else is escaped. */
function permitText(entry: Entry & RequestPermitted): string {
  const { approval, asks, at, budgets, chain, charges, client, core, digest, fees, form, grant, key, nonce } = entry;
  const { payload, prior, replaces, request, salt, version, wallet } = entry;
  return (
    `{"approval":${idText(approval)},"asks":${JSON.stringify(asks)},"at":${at},"budgets":${listText(budgets, lineText)},` +
    `"chain":"${chain}","charges":${charges === null ? 'null' : listText(charges, chargeText)},"client":"${client}","core":${JSON.stringify(core)},` +
    `"digest":"${digest}","fees":${fees === null ? 'null' : feesText(fees)},"form":"${form}","grant":"${grant}",` +
    `"key":"${key}","nonce":${nonce},"payload":${JSON.stringify(payload)},"prior":${prior},"replaces":${idText(replaces)},` +
    `"request":"${request}","salt":"${salt}","type":"request.permitted","version":${version},"wallet":"${wallet}"}`
  );
}

const idText = (id: string | null) => (id === null ? 'null' : `"${id}"`);

function listText<T>(items: readonly T[], write: (item: T) => string): string {
  let text = '[';
  for (let i = 0; i < items.length; i++) text += i === 0 ? write(items[i]!) : `,${write(items[i]!)}`;
  return `${text}]`;
}

function lineText({ asset, grant, limit, rule, spentAfter, spentBefore, window }: JournaledLine): string {
  return (
    `{${asset === undefined ? '' : `"asset":${JSON.stringify(asset)},`}` +
    `${grant === undefined ? '' : `"grant":"${grant}",`}"limit":"${limit}",` +
    `"rule":"${rule}","spentAfter":"${spentAfter}","spentBefore":"${spentBefore}"` +
    `${window === undefined ? '' : `,"window":${JSON.stringify(window)}`}}`
  );
}

function chargeText({ amount, budget, fromMs, grant, holds, untilMs }: Jsonified<Charge>): string {
  return (
    `{"amount":"${amount}","budget":${JSON.stringify(budget)},${fromMs === undefined ? '' : `"fromMs":${fromMs},`}` +
    `"grant":"${grant}"${holds === undefined ? '' : `,"holds":"${holds}"`}` +
    `${untilMs === undefined ? '' : `,"untilMs":${untilMs}`}}`
  );
}

function feesText({ charged, maxFeePerBlobGas, maxFeePerGas, maxPriorityFeePerGas }: SignedFees): string {
  return (
    `{"charged":"${charged}","maxFeePerBlobGas":${idText(maxFeePerBlobGas)},"maxFeePerGas":"${maxFeePerGas}",` +
    `"maxPriorityFeePerGas":"${maxPriorityFeePerGas}"}`
  );
}
