import { err, ok, type Result } from '@keepwatch/base';
import type { Network } from '@keepwatch/bitcoin';
import { checkedAll, descriptorLines } from './descriptors.ts';
import { electrum, electrumWithChanges, labelOf } from './electrum.ts';
import { ImportRefused, refuse, type Imported, type ImportError, type Reading } from './imported.ts';
import { bip388, bitcoinCore, has, liana, specter } from './json-formats.ts';
import { bip329 } from './labels.ts';

/** Files of wallets are small; what is larger is none. */
const MAX_CHARS = 32 << 20;

/**
 * Reads what another program exported, whatever it is: `listdescriptors` of Bitcoin Core; the descriptors, labels or wallet
 * files of Sparrow, Electrum, Specter and Liana; wallet policies (BIP388); labels (BIP329); plain descriptors. Public parts
 * alone are taken, and a file with a private key is refused before anything of it is kept.
 */
export function readWalletFile(text: string, network: Network): Result<Imported, ImportError> {
  try {
    if (text.length > MAX_CHARS) refuse('import_unknown_format', 'The file is larger than any wallet export.');
    return ok(detect(text.replace(/^\uFEFF/, ''), { network }));
  } catch (error) {
    if (error instanceof ImportRefused) return err(error.reason);
    throw error;
  }
}

function detect(text: string, reading: Reading): Imported {
  const json = parse(text) ?? electrumWithChanges(text);
  if (json !== undefined) return fromJson(json, text, reading);
  const first = text.trimStart();
  if (first.startsWith('{')) return bip329(text);
  const lines = descriptorLines(text);
  if (lines.length === 0) refuse('import_unknown_format', 'The file is empty.');
  // Electrum's encrypted files are one line of base64.
  if (lines.length === 1 && /^[A-Za-z0-9+/]{64,}={0,2}$/.test(lines[0]!)) {
    refuse('import_private_key', 'The file looks encrypted: export what is public, such as the descriptor.');
  }
  if (!lines.every((line) => /^[a-z_]+\(/.test(line))) {
    refuse('import_unknown_format', 'The file is no wallet export that is known: neither JSON nor descriptors.');
  }
  const wallet = {
    name: null,
    descriptors: checkedAll(lines, reading.network),
    addresses: [],
    birthday: null,
    gapLimit: null,
  };
  const sparrow = /^# Receive and change descriptor/m.test(text);
  return { format: sparrow ? 'sparrow' : 'descriptors', wallets: [wallet], labels: [] };
}

function fromJson(json: unknown, text: string, reading: Reading): Imported {
  // The whole answer of a node, as `curl` has it.
  if (has(json, 'result', 'error') && has(json['result'], 'descriptors')) return bitcoinCore(json['result'], reading);
  if (has(json, 'descriptors')) return bitcoinCore(json, reading);
  if (has(json, 'wallet_type')) return electrum(json, reading);
  if (has(json, 'accounts')) return liana(json, reading);
  if (['descriptor_template', 'description_template', 'template'].some((member) => has(json, member))) {
    return bip388(json, reading);
  }
  if (has(json, 'descriptor')) return specter(json, reading);
  if (has(json, 'type', 'ref')) return bip329(text);
  // Electrum exports its labels as one object of strings.
  if (has(json) && !Array.isArray(json) && Object.values(json).every((value) => typeof value === 'string')) {
    const entries = Object.entries(json as Record<string, string>);
    const labels = entries.flatMap(([ref, label]) => labelOf(ref, label, reading.network));
    if (labels.length > 0) return { format: 'electrum', wallets: [], labels };
  }
  return refuse('import_unknown_format', 'The file is JSON, and no wallet export that is known.');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
