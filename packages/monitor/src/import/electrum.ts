import { addressToScript, type Network } from '@keepwatch/bitcoin';
import { DEFAULT_GAP_LIMIT } from '@keepwatch/watch';
import { z } from 'zod';
import { checked } from './descriptors.ts';
import { readExtendedKey, type KeyUse } from './extended-key.ts';
import { MAX_GAP_LIMIT, refuse, type Imported, type ImportedLabel, type Reading } from './imported.ts';

/**
 * A wallet file of Electrum that is not encrypted (File, Save backup; or a watching-only wallet). Of its keystores only
 * what is public is read. Electrum says by the version of the key (SLIP-132) what scripts it makes, receives at branch 0
 * and gives change at branch 1.
 */
const keystore = z.object({
  type: z.string(),
  xpub: z.string().nullish(),
  derivation: z.string().nullish(),
  root_fingerprint: z.string().nullish(),
});
const file = z.looseObject({
  wallet_type: z.string(),
  keystore: keystore.nullish(),
  addresses: z.unknown().optional(),
  labels: z.record(z.string(), z.string()).nullish(),
  gap_limit: z.int().min(1).nullish().catch(null),
});
/** Of wallets with keys: the addresses that were derived so far. */
const derived = z.object({ receiving: z.array(z.unknown()).catch([]), change: z.array(z.unknown()).catch([]) });

/**
 * Electrum (since 4.5) writes what changed in a wallet behind its file, each as a JSON Patch operation (RFC 6902), until it
 * writes the whole anew: `{…},\n{"op":"add","path":"/labels/…","value":…}`. Undefined: the text is no such file.
 */
export function electrumWithChanges(text: string): unknown {
  let parts: unknown;
  try {
    parts = JSON.parse(`[${text}]`);
  } catch {
    return undefined;
  }
  const [whole, ...changes] = parts as readonly unknown[];
  const read = z.array(change).min(1).safeParse(changes);
  if (!read.success || !file.safeParse(whole).success) return undefined;
  for (const each of read.data) applyChange(whole as Json, each);
  return whole;
}

type Json = Record<string, unknown>;
const change = z.object({
  op: z.enum(['add', 'replace', 'remove']),
  path: z.string().startsWith('/'),
  value: z.unknown().optional(),
});

/** What leads nowhere is passed over: of a wallet file little is needed. */
function applyChange(whole: Json, { op, path, value }: z.infer<typeof change>): void {
  const names = path
    .slice(1)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = names.pop()!;
  let place: unknown = whole;
  for (const name of names) {
    if (typeof place !== 'object' || place === null || !Object.hasOwn(place, name)) return;
    place = (place as Json)[name];
  }
  if (typeof place !== 'object' || place === null || last === '__proto__') return;
  if (Array.isArray(place)) {
    const at = last === '-' ? place.length : Number(last);
    if (!Number.isInteger(at) || at < 0 || at > place.length) return;
    place.splice(at, op === 'add' ? 0 : 1, ...(op === 'remove' ? [] : [value]));
  } else if (op === 'remove') {
    delete (place as Json)[last];
  } else {
    (place as Json)[last] = value;
  }
}

export function electrum(value: unknown, { network }: Reading): Imported {
  const result = file.safeParse(value);
  if (!result.success) refuse('import_malformed', `Electrum: ${result.error.issues[0]!.message}.`);
  const wallet = result.data;
  const labels = Object.entries(wallet.labels ?? {}).flatMap(([ref, label]) => labelOf(ref, label, network));
  const known = derived.safeParse(wallet.addresses);
  const lengths = known.success ? [known.data.receiving.length, known.data.change.length] : [];
  const gap = Math.min(Math.max(wallet.gap_limit ?? 0, ...lengths), MAX_GAP_LIMIT);
  const plain = { name: null, birthday: null, gapLimit: gap > DEFAULT_GAP_LIMIT ? gap : null };
  if (wallet.wallet_type === 'imported') {
    const addresses = Object.keys((wallet.addresses ?? {}) as object);
    if (!addresses.every((address) => addressToScript(address, network).ok)) {
      refuse('import_malformed', `Electrum: an address is not one of ${network}.`);
    }
    return { format: 'electrum', wallets: [{ ...plain, descriptors: [], addresses }], labels };
  }
  const text = descriptorOf(wallet, network);
  return {
    format: 'electrum',
    wallets: [{ ...plain, descriptors: [checked(text, network)], addresses: [] }],
    labels,
  };
}

function descriptorOf(wallet: z.infer<typeof file>, network: Network): string {
  if (wallet.wallet_type === 'standard') {
    const { text, use } = keyOf(wallet.keystore, network);
    switch (use) {
      case 'wpkh':
        return `wpkh(${text})`;
      case 'sh-wpkh':
        return `sh(wpkh(${text}))`;
      case 'unsaid':
      case 'pkh':
        return `pkh(${text})`;
      default:
        return refuse('import_malformed', 'Electrum: the key of a standard wallet is one of a multisig wallet.');
    }
  }
  // With two factors: the owner's two keys and that of the service, of which two sign.
  const kind = wallet.wallet_type === '2fa' ? '2of3' : wallet.wallet_type;
  const [, threshold, count] = /^([0-9]{1,2})of([0-9]{1,2})$/.exec(kind) ?? [];
  if (threshold === undefined) {
    return refuse('import_malformed', `Electrum: wallets of the type “${wallet.wallet_type}” are not known.`);
  }
  const keys = Array.from({ length: Number(count) }, (_, i) => {
    const read = keystore.safeParse(wallet[`x${i + 1}/`] ?? wallet[`x${i + 1}`]);
    return keyOf(read.success ? read.data : undefined, network);
  });
  const uses = new Set(keys.map(({ use }) => use));
  if (uses.size !== 1) return refuse('import_malformed', 'Electrum: the keys are of different kinds of script.');
  const multi = `sortedmulti(${threshold},${keys.map(({ text }) => text).join(',')})`;
  const [use] = uses;
  return use === 'wsh' ? `wsh(${multi})` : use === 'sh-wsh' ? `sh(wsh(${multi}))` : `sh(${multi})`;
}

function keyOf(store: z.infer<typeof keystore> | null | undefined, network: Network): { text: string; use: KeyUse } {
  if (!store) return refuse('import_malformed', 'Electrum: a keystore is missing, or the file is encrypted.');
  if (!store.xpub || !['bip32', 'hardware'].includes(store.type)) {
    return refuse('import_malformed', `Electrum: keystores of the type “${store.type}” have no extended public key.`);
  }
  const { xpub, use } = readExtendedKey(store.xpub, network);
  const path = (store.derivation ?? '').replace(/^m/, '').replaceAll("'", 'h');
  const origin = store.root_fingerprint ? `[${store.root_fingerprint}${path}]` : '';
  return { text: `${origin}${xpub}/<0;1>/*`, use };
}

/** What Electrum calls by an address or a txid. */
export function labelOf(ref: string, label: string, network: Network): readonly ImportedLabel[] {
  if (label === '') return [];
  if (/^[0-9a-f]{64}$/.test(ref)) return [{ type: 'tx', ref, label }];
  if (/^[0-9a-f]{64}:\d+$/.test(ref)) return [{ type: 'output', ref, label }];
  return addressToScript(ref, network).ok ? [{ type: 'addr', ref, label }] : [];
}
