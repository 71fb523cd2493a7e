import type { Network } from '@keepwatch/bitcoin';
import { z } from 'zod';
import { bothBranches, checked, checkedAll } from './descriptors.ts';
import { gapBehind, refuse, type Birthday, type Imported, type ImportedWallet, type Reading } from './imported.ts';
import { labelsOf } from './labels.ts';

/**
 * Files that are one JSON value. Other programs add members as they like, so what is not needed is not looked at; what is
 * needed is checked.
 */
type Json = Record<string, unknown>;

export function has(value: unknown, ...members: readonly string[]): value is Json {
  return typeof value === 'object' && value !== null && members.every((member) => Object.hasOwn(value, member));
}

function read<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  refuse('import_malformed', `${what}: ${path.join('.')}: ${message}.`);
}

const seconds = z.number().nonnegative();

/** `listdescriptors` of Bitcoin Core (doc/descriptors.md). */
const core = z.object({
  wallet_name: z.string().optional(),
  descriptors: z
    .array(
      z.object({
        desc: z.string(),
        timestamp: z.union([seconds, z.literal('now')]).optional(),
        next: z.int().nonnegative().optional(),
        next_index: z.int().nonnegative().optional(),
      }),
    )
    .min(1),
});

export function bitcoinCore(value: unknown, { network }: Reading): Imported {
  const { wallet_name: name, descriptors } = read(core, value, 'listdescriptors');
  const times = descriptors.flatMap(({ timestamp }) => (typeof timestamp === 'number' ? [timestamp] : []));
  const wallet = {
    name: name || null,
    descriptors: checkedAll(
      descriptors.map(({ desc }) => desc),
      network,
    ),
    addresses: [],
    // 1: of a wallet whose time nobody knew.
    birthday: times.length > 0 ? timeOf(Math.min(...times)) : null,
    gapLimit: gapBehind(Math.max(...descriptors.map(({ next, next_index }) => next_index ?? next ?? 0))),
  };
  return { format: 'bitcoin-core', wallets: [wallet], labels: [] };
}

const timeOf = (timeSeconds: number): Birthday | null =>
  timeSeconds > 1 ? { timeSeconds: Math.floor(timeSeconds) } : { height: 0 };

/** The export of Specter Desktop: the descriptor of the receiving branch, and the height at which the wallet was made. */
const specterFile = z.object({
  label: z.string().optional(),
  descriptor: z.string(),
  blockheight: z.int().nonnegative().optional(),
});

export function specter(value: unknown, { network }: Reading): Imported {
  const { label, descriptor, blockheight } = read(specterFile, value, 'Specter');
  // The file's own checksum is of its own text.
  checked(descriptor, network);
  const wallet = {
    name: label || null,
    descriptors: [checked(bothBranches(descriptor), network)],
    addresses: [],
    birthday: blockheight === undefined ? null : { height: blockheight },
    gapLimit: null,
  };
  return { format: 'specter', wallets: [wallet], labels: [] };
}

const index = z.int().nonnegative().nullish();

/** As programs in Rust name the networks; two of the test networks have keys of one kind. */
const NETWORK_NAMES: Readonly<Record<string, Network | null>> = {
  bitcoin: 'main',
  main: 'main',
  testnet4: 'test4',
  signet: 'signet',
  regtest: 'regtest',
  testnet: null,
};

/** A wallet backup as Liana writes it: accounts with a descriptor and the labels of BIP329. */
const lianaFile = z.object({
  name: z.string().nullish(),
  alias: z.string().nullish(),
  network: z.string().nullish(),
  accounts: z
    .array(
      z.object({
        name: z.string().nullish(),
        descriptor: z.string(),
        timestamp: seconds.nullish(),
        receive_index: index,
        change_index: index,
        labels: z.array(z.unknown()).nullish(),
      }),
    )
    .min(1),
});

export function liana(value: unknown, { network }: Reading): Imported {
  const { name, alias, accounts, network: of } = read(lianaFile, value, 'Liana');
  if (of && Object.hasOwn(NETWORK_NAMES, of) && NETWORK_NAMES[of] !== network) {
    refuse('import_wrong_network', `Liana: the backup is of the network ${of}, and this monitor watches ${network}.`);
  }
  const wallets = accounts.map((account): ImportedWallet => {
    return {
      name: account.name || alias || name || null,
      descriptors: [checked(account.descriptor, network)],
      addresses: [],
      birthday: account.timestamp ? timeOf(account.timestamp) : null,
      gapLimit: gapBehind(Math.max(account.receive_index ?? 0, account.change_index ?? 0)),
    };
  });
  const labels = accounts.flatMap((account) => labelsOf(account.labels ?? []));
  return { format: 'liana', wallets, labels };
}

/** A wallet policy (BIP388): a template and the keys that stand in it. Programs name the two differently. */
const policyFile = z.object({
  name: z.string().nullish(),
  template: z.string(),
  keys: z.array(z.string()).min(1),
});

export function bip388(value: unknown, { network }: Reading): Imported {
  const given = value as Json;
  const template = given['descriptor_template'] ?? given['description_template'] ?? given['template'];
  const keys = given['keys_info'] ?? given['keys'];
  const policy = read(policyFile, { name: given['name'], template, keys }, 'wallet policy');
  const used = new Set<number>();
  const text = policy.template.replaceAll(/@(\d+)/g, (_whole, digits: string) => {
    const key = policy.keys[Number(digits)];
    if (key === undefined) refuse('import_malformed', `The template names key @${digits}, and there is none.`);
    used.add(Number(digits));
    return key.trim();
  });
  if (used.size !== policy.keys.length) refuse('import_malformed', 'A key of the policy is not in its template.');
  // BIP388 §Wallet descriptor template: `/**` stands for `/<0;1>/*`.
  const descriptor = checked(text.replaceAll('/**', '/<0;1>/*'), network);
  const wallet = {
    name: policy.name || null,
    descriptors: [descriptor],
    addresses: [],
    birthday: null,
    gapLimit: null,
  };
  return { format: 'bip388', wallets: [wallet], labels: [] };
}
