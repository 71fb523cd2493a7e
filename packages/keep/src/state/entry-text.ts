import { canonicalJson, type Json } from '@keepwatch/base';
import type { Charge, Jsonified } from '@keepwatch/permission';
import type { EntryText } from '@keepwatch/wire';
import type { Entry, JournaledLine, RequestPermitted } from './events.ts';
import { hasSameFees, type SignedFees } from './nonces.ts';

/**
 * Writes entries as canonical JSON: what is hashed into the journal, and what a receipt shows. The salt stands inside, so a
 * neighbour's hash in a Merkle path reveals nothing about an entry whose content could be guessed.
 *
 * A permit, which stands before every signature, is put together member by member, at a third of the time: its members
 * are known and are named here in their canonical order. What a client's permits have in common is their form. It is the
 * same object for as long as it stays the same, so that it need not be written, nor compared, for each of them.
 */
export function createEntryWriter(): (entry: Entry) => EntryText {
  const last = new Map<string, LastForm>();

  function formOf(entry: Permit): readonly string[] {
    const known = last.get(entry.client);
    if (known && hasSameForm(known.of, entry)) return known.form;
    const form = permitForm(entry);
    if (last.size >= MAX_FORMS) last.clear();
    last.set(entry.client, { of: formed(entry), form });
    return form;
  }

  return (entry) =>
    entry.type === 'request.permitted'
      ? { form: formOf(entry), fill: permitFill(entry) }
      : { form: [canonicalJson(entry as unknown as Json)], fill: [] };
}

/** Clients whose last form is remembered. */
const MAX_FORMS = 1_024;

type Permit = Entry & RequestPermitted;

/** What a permit's form is made of. */
type Formed = Omit<RequestPermitted, 'type' | 'digest' | 'key' | 'nonce' | 'payload' | 'prior' | 'request'>;

interface LastForm {
  readonly of: Formed;
  readonly form: readonly string[];
}

/** Without the payload, which may be long. */
function formed(permit: Formed): Formed {
  const { approval, asks, budgets, chain, charges, client, core, fees, form, grant, replaces, version, wallet } =
    permit;
  return { approval, asks, budgets, chain, charges, client, core, fees, form, grant, replaces, version, wallet };
}

function hasSameForm(a: Formed, b: Formed): boolean {
  return (
    a.version === b.version &&
    a.grant === b.grant &&
    a.wallet === b.wallet &&
    a.chain === b.chain &&
    a.client === b.client &&
    a.form === b.form &&
    a.approval === b.approval &&
    a.replaces === b.replaces &&
    a.charges === null &&
    b.charges === null &&
    (a.fees === null || b.fees === null ? a.fees === b.fees : hasSameFees(a.fees, b.fees)) &&
    hasSameLimits(a.budgets, b.budgets) &&
    a.core === b.core &&
    a.asks === b.asks
  );
}

function hasSameLimits(a: readonly JournaledLine[], b: readonly JournaledLine[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const one = a[i]!;
    const other = b[i]!;
    if (one.rule !== other.rule || one.limit !== other.limit || one.asset !== other.asset) return false;
    if (one.grant !== other.grant || one.window !== other.window) return false;
  }
  return true;
}

/** What differs from one request to the next, in the order of {@link permitForm}'s gaps. */
function permitFill(entry: Permit): readonly string[] {
  const { at, budgets, digest, key, nonce, payload, prior, request, salt } = entry;
  const fill = [`${at}`];
  for (let i = 0; i < budgets.length; i++) fill.push(budgets[i]!.spentAfter, budgets[i]!.spentBefore);
  fill.push(digest, key, `${nonce}`, JSON.stringify(payload), `${prior}`, request, salt);
  return fill;
}

/** What the vault itself makes of letters, digits and `-_:.` stands in quotes as it is; everything else is escaped. */
function permitForm(permit: Formed): readonly string[] {
  const { approval, asks, budgets, chain, charges, client, core, fees, form, grant, replaces, version, wallet } =
    permit;
  const pieces = [`{"approval":${idText(approval)},"asks":${JSON.stringify(asks)},"at":`];
  let open = ',"budgets":[';
  for (let i = 0; i < budgets.length; i++) {
    const line = budgets[i]!;
    pieces.push(`${open}${i === 0 ? '' : ','}${lineStart(line)}`, '","spentBefore":"');
    open = lineEnd(line);
  }
  pieces.push(
    `${open}],"chain":"${chain}","charges":${charges === null ? 'null' : listText(charges, chargeText)},"client":"${client}",` +
      `"core":${JSON.stringify(core)},"digest":"`,
    `","fees":${fees === null ? 'null' : feesText(fees)},"form":"${form}","grant":"${grant}","key":"`,
    '","nonce":',
    ',"payload":',
    ',"prior":',
    `,"replaces":${idText(replaces)},"request":"`,
    '","salt":"',
    `","type":"request.permitted","version":${version},"wallet":"${wallet}"}`,
  );
  return pieces;
}

const idText = (id: string | null) => (id === null ? 'null' : `"${id}"`);

function listText<T>(items: readonly T[], write: (item: T) => string): string {
  let text = '[';
  for (let i = 0; i < items.length; i++) text += i === 0 ? write(items[i]!) : `,${write(items[i]!)}`;
  return `${text}]`;
}

function lineStart({ asset, grant, limit, rule }: JournaledLine): string {
  return (
    `{${asset === undefined ? '' : `"asset":${JSON.stringify(asset)},`}` +
    `${grant === undefined ? '' : `"grant":"${grant}",`}"limit":"${limit}","rule":"${rule}","spentAfter":"`
  );
}

const lineEnd = ({ window }: JournaledLine) => `"${window === undefined ? '' : `,"window":${JSON.stringify(window)}`}}`;

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
