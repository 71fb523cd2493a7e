import { z } from 'zod';
import { grantDraft } from './grant-shapes.ts';
import { settlement } from './signing.ts';
import {
  entryKey,
  evmAddress,
  evmChain,
  hash32,
  MAX_NAME_CHARS,
  name,
  role,
  safeInteger,
  sealedBox,
  shortId,
} from './shapes.ts';

/**
 * What an operator commands. Each command travels as a JWS by the operator's long-term key inside the session's frame
 * and is journaled with that signature. `expects` in its payload is the state version that the operator saw; where it
 * differs, the command is refused (`version_conflict`), except for commands that only tighten: those are instant.
 */
export interface CommandSpec<P extends z.ZodType> {
  readonly summary: string;
  readonly params: P;
  /** The phase in which the command has a meaning. */
  readonly phase: 'uninitialised' | 'sealed' | 'unsealed' | 'initialised';
  /** True where the command can only narrow what is allowed: the state version is not compared. */
  readonly tightens?: true;
}

/** A command whose parameters are not looked at yet. */
export type AnyCommandSpec = CommandSpec<z.ZodType>;

const spec = <P extends z.ZodType>(
  phase: CommandSpec<P>['phase'],
  summary: string,
  params: P,
  tightens?: true,
): CommandSpec<P> => ({ phase, summary, params, ...(tightens ? { tightens } : {}) });

const time = safeInteger.describe("the operator's clock, ms since the Unix epoch");
const none = z.strictObject({});
/** New wallets in one command: the journal entry and the answer that name them fit one frame, however long the names. */
export const MAX_NEW_WALLETS = 100;

/** Several wallets are called NAME-1, NAME-2, …, and each of these is a name. */
function hasRoomForNumber({ name: wanted, count }: { readonly name: string; readonly count: number }): boolean {
  return count === 1 || [...wanted].length + `-${count}`.length <= MAX_NAME_CHARS;
}
const NUMBERED = { path: ['name'], message: 'a name that leaves room for the number of each wallet' };

const nonceFloor = z.strictObject({ chain: evmChain, floor: safeInteger });

export const COMMANDS = {
  'vault.init': spec(
    'uninitialised',
    'Create the vault: its root key is wrapped under the password.',
    z.strictObject({ password: sealedBox, kdf: z.enum(['interactive', 'moderate', 'sensitive']), time }),
  ),
  'vault.restore': spec(
    'uninitialised',
    'Open an uploaded backup with its password. Signing stays frozen until `vault.resume`.',
    z.strictObject({ password: sealedBox, time }),
  ),
  'vault.unseal': spec(
    'sealed',
    'Unwrap the root key. The signed time confirms the clock.',
    z.strictObject({ password: sealedBox, time }),
  ),
  'vault.seal': spec('initialised', 'Wipe every key from memory at once; an unseal under way fails.', none, true),
  'vault.configure': spec(
    'unsealed',
    'Change settings: after how many seconds without a command or a permitted request the vault seals itself (null: never).',
    z.strictObject({ idleSealSeconds: z.number().int().min(10).max(31_536_000).nullable() }),
  ),
  'vault.password': spec(
    'unsealed',
    'Change the password: the root key alone is wrapped anew.',
    z.strictObject({ old: sealedBox, next: sealedBox }),
  ),
  'vault.rotate-root': spec(
    'unsealed',
    'Make a new root key and re-encrypt every key under it. The password stays.',
    z.strictObject({ password: sealedBox }),
  ),
  'vault.rotate-tls': spec('unsealed', 'Make a new TLS key; the keep signs the new fingerprint.', none),
  'vault.confirm-time': spec(
    'unsealed',
    'Confirm the clock after a jump, so that time-dependent grants work again.',
    z.strictObject({ time }),
  ),
  'vault.backup': spec(
    'unsealed',
    'Prepare an encrypted backup of the whole vault; read it with `backup.read`.',
    z.strictObject({ password: sealedBox }),
  ),
  'vault.resume': spec(
    'unsealed',
    'End the freeze after a restore or a detected rollback: name what is still in force. What is not named is revoked, unless `others` says that peers are kept, and grants of peers that stay kept with their limits counted as spent: that holds for any number of them.',
    z.strictObject({
      peers: z.array(shortId).max(10_000),
      grants: z
        .array(
          z.strictObject({
            grant: z.string().max(24),
            remaining: z
              .array(z.strictObject({ constraint: z.number().int().min(0).max(15), left: z.string().max(78) }))
              .max(16),
          }),
        )
        .max(100_000),
      nonceFloors: z.array(z.strictObject({ wallet: shortId, chain: evmChain, floor: safeInteger })).max(100_000),
      others: z
        .strictObject({ peers: z.enum(['revoked', 'kept']), grants: z.enum(['revoked', 'spent']) })
        .optional()
        .describe('what becomes of peers and grants that are not named'),
    }),
  ),
  'peer.approve': spec(
    'unsealed',
    'Register a peer that asked for it. The key is the one shown in the proposal.',
    z.strictObject({ peer: shortId, role, name }),
  ),
  'peer.reject': spec('unsealed', 'Drop a proposal.', z.strictObject({ peer: shortId }), true),
  'peer.rename': spec('unsealed', 'Give a peer another name.', z.strictObject({ peer: shortId, name })),
  'peer.revoke': spec(
    'unsealed',
    'End a peer’s rights and its sessions at once. Its grants end with it.',
    z.strictObject({ peer: shortId }),
    true,
  ),
  'peer.observe': spec(
    'unsealed',
    'Say of which wallets a client may read the receipts (the whole list, [] for none).',
    z.strictObject({ peer: shortId, wallets: z.array(shortId).max(100_000) }),
  ),
  'wallet.create': spec(
    'unsealed',
    'Make wallets: a new mnemonic, the next account of an existing one, or random keys.',
    z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('mnemonic'), name, words: z.union([z.literal(12), z.literal(24)]) }),
      z
        .strictObject({
          kind: z.literal('derived'),
          name,
          from: shortId,
          count: z.number().int().min(1).max(MAX_NEW_WALLETS),
        })
        .refine(hasRoomForNumber, NUMBERED),
      z
        .strictObject({ kind: z.literal('random'), name, count: z.number().int().min(1).max(MAX_NEW_WALLETS) })
        .refine(hasRoomForNumber, NUMBERED),
    ]),
  ),
  'wallet.import': spec(
    'unsealed',
    'Take in a private key (32 bytes) or a mnemonic (words, then optionally a line feed and the NFKD passphrase).',
    z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('key'), name, secret: sealedBox, nonceFloors: z.array(nonceFloor).max(64) }),
      z.strictObject({
        kind: z.literal('mnemonic'),
        name,
        secret: sealedBox,
        path: z.string().regex(/^m(\/(0|[1-9][0-9]{0,9})'?){1,10}$/),
        nonceFloors: z.array(nonceFloor).max(64),
      }),
    ]),
  ),
  'wallet.backup': spec(
    'unsealed',
    'Hand out a wallet’s mnemonic or key, sealed to the operator’s one-time key. Asks for the password again.',
    z.strictObject({ wallet: shortId, password: sealedBox, recipient: entryKey }),
  ),
  'wallet.floor': spec(
    'unsealed',
    'Say from which nonce on a wallet signs on a chain. A floor never falls.',
    z.strictObject({ wallet: shortId, chain: evmChain, floor: safeInteger }),
  ),
  'wallet.rename': spec('unsealed', 'Give a wallet another name.', z.strictObject({ wallet: shortId, name })),
  'grant.create': spec(
    'unsealed',
    'Allow a client something; or forbid something, or cap a wallet.',
    z.strictObject({ grant: grantDraft }),
  ),
  'grant.revoke': spec('unsealed', 'End a grant at once.', z.strictObject({ grant: z.string().max(24) }), true),
  'grant.lift': spec(
    'unsealed',
    'Lift what restricts: a deny rule or a cap. This widens what the grants allow.',
    z.strictObject({ grant: z.string().max(24) }),
  ),
  'peer.groups': spec(
    'unsealed',
    'Say to which groups a client belongs (the whole list). Grants for a group are for each of its clients.',
    z.strictObject({ peer: shortId, groups: z.array(name).max(64) }),
  ),
  'wallet.delegated': spec(
    'unsealed',
    'Say whether code may stand at a wallet’s address on a chain (EIP-7702). A vault that signed an authorisation knows.',
    z.strictObject({ wallet: shortId, chain: evmChain, delegated: z.boolean() }),
  ),
  'wallet.settle': spec(
    'unsealed',
    'Say how a signed request ended: what was outstanding of it is free again.',
    settlement,
  ),
  'contract.register': spec(
    'unsealed',
    'Say what a contract is: its standards, functions, token. The vault cannot check the claim. `abi`: functions besides those of the entry, as the text of an ABI in JSON or of an artefact (solc, Foundry, Hardhat), which is read strictly.',
    z.strictObject({
      entry: z.record(z.string().max(40), z.unknown()),
      abi: z
        .strictObject({
          text: z.string().max(60_000),
          contract: z.string().min(1).max(128).optional().describe('which contract of an artefact that has several'),
        })
        .optional(),
    }),
  ),
  'contract.remove': spec(
    'unsealed',
    'Forget what a contract is: calls of it are opaque from then on.',
    z.strictObject({ chain: evmChain, address: evmAddress }),
  ),
  'approval.give': spec(
    'unsealed',
    'Agree to a request that waits. `digest` and `asks` are those that the operator saw.',
    z.strictObject({ approval: shortId, digest: hash32, asks: z.string().max(8_192) }),
  ),
  'approval.reject': spec('unsealed', 'Drop a request that waits.', z.strictObject({ approval: shortId }), true),
} as const satisfies Record<string, CommandSpec<z.ZodType>>;

export type CommandName = keyof typeof COMMANDS;
export type CommandParams<N extends CommandName> = z.infer<(typeof COMMANDS)[N]['params']>;

/** Purposes for which `entry.begin` hands out a one-time key: a secret sealed for one opens for no other. */
export const entryPurpose = z.enum([
  'vault.init',
  'vault.restore',
  'vault.unseal',
  'vault.password.old',
  'vault.password.next',
  'vault.rotate-root',
  'vault.backup',
  'wallet.import',
  'wallet.backup',
]);
export type EntryPurpose = z.infer<typeof entryPurpose>;
