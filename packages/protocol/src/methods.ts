import { z } from 'zod';
import { entryPurpose } from './commands.ts';
import { budgetLine, grantDraft } from './grant-shapes.ts';
import { replayStep } from './replay-shapes.ts';
import {
  approvalInfo,
  authorizationRequest,
  messageRequest,
  payload,
  settlement,
  signatureAnswer,
  transactionRequest,
  typedDataRequest,
} from './signing.ts';
import {
  entryKey,
  evmAddress,
  evmChain,
  hash32,
  name,
  peerKey,
  receipt,
  role,
  safeInteger,
  shortId,
  signedHead,
} from './shapes.ts';

/** Who is on the other end of a session. A candidate is known by its key only and may do nothing but ask to be let in. */
export type Caller = 'operator' | 'client' | 'candidate';

export interface MethodSpec<P extends z.ZodType, R extends z.ZodType> {
  readonly summary: string;
  readonly callers: readonly Caller[];
  /** Whether it answers while the vault is sealed or has not been initialised. */
  readonly whileSealed: boolean;
  readonly params: P;
  readonly result: R;
}

const method = <P extends z.ZodType, R extends z.ZodType>(
  callers: readonly Caller[],
  whileSealed: boolean,
  summary: string,
  params: P,
  result: R,
): MethodSpec<P, R> => ({ callers, whileSealed, summary, params, result });

const none = z.strictObject({});
/** What fits one frame, however long the names. */
const page = z.strictObject({ after: shortId.optional(), limit: z.number().int().min(1).max(200).optional() });

const freeze = z.strictObject({ reason: z.string(), since: safeInteger }).nullable();

export const vaultStatus = z.strictObject({
  phase: z.enum(['uninitialised', 'sealed', 'unsealed']),
  identity: hash32,
  version: safeInteger.describe('state version, for the `expects` of a command'),
  epoch: safeInteger,
  time: safeInteger,
  clockFrozen: freeze,
  signingFrozen: freeze,
  head: signedHead.nullable(),
  retryAfterMs: safeInteger.describe('how long an unseal must wait after wrong passwords'),
  idleSealSeconds: z.number().int().nullable(),
  counts: z
    .strictObject({
      operators: safeInteger,
      clients: safeInteger,
      wallets: safeInteger,
      grants: safeInteger,
      proposals: safeInteger,
    })
    .nullable(),
});

export const peerInfo = z.strictObject({
  peer: shortId,
  role,
  name,
  key: peerKey,
  state: z.enum(['registered', 'proposed', 'revoked']),
  since: safeInteger,
  observes: z.array(shortId),
  groups: z.array(z.string()),
  connected: z.boolean(),
});

export const walletInfo = z.strictObject({
  wallet: shortId,
  name,
  address: evmAddress,
  publicKey: z.string(),
  origin: z.enum(['mnemonic', 'derived', 'random', 'imported-key', 'imported-mnemonic']),
  path: z.string().nullable(),
  created: safeInteger,
});

export const grantInfo = z.strictObject({
  grant: z.string(),
  draft: grantDraft,
  created: safeInteger,
  revoked: safeInteger.nullable(),
  budgets: z.array(budgetLine),
  sentence: z.string(),
});

export const METHODS = {
  'vault.status': method(
    ['operator', 'client', 'candidate'],
    true,
    'Phase, version, head and freezes.',
    none,
    vaultStatus,
  ),
  'entry.begin': method(
    ['operator'],
    true,
    'A one-time hybrid key for one secret, bound to this session and purpose.',
    z.strictObject({ purpose: entryPurpose }),
    z.strictObject({ key: entryKey, expires: safeInteger }),
  ),
  command: method(
    ['operator'],
    true,
    'Carry out a signed command (see Commands).',
    // The entry that journals a command holds its parameters and this text: both must fit one frame when they are read.
    z.strictObject({ jws: z.string().max(72_000) }),
    z.strictObject({ version: safeInteger, receipt: receipt.nullable(), value: z.unknown() }),
  ),
  'peer.register': method(
    ['candidate'],
    false,
    'Ask to be registered. An operator sees the key and approves or rejects.',
    z.strictObject({ name, role }),
    z.strictObject({ peer: shortId, state: z.enum(['registered', 'proposed', 'revoked']) }),
  ),
  'peer.list': method(
    ['operator'],
    false,
    'Peers, then proposals; as many as fit one frame, from position `from` on.',
    z.strictObject({ from: safeInteger.optional() }),
    z.strictObject({ peers: z.array(peerInfo), next: safeInteger.nullable() }),
  ),
  'wallet.list': method(
    ['operator', 'client'],
    false,
    'Wallets, by id; a client sees those that a grant or the observer’s right names.',
    page,
    z.strictObject({ wallets: z.array(walletInfo), next: shortId.nullable() }),
  ),
  'grant.list': method(
    ['operator', 'client'],
    false,
    'Grants with what is left of them, as many as fit one frame; a client sees its own.',
    z.strictObject({ revoked: z.boolean().optional(), from: safeInteger.optional() }),
    z.strictObject({ grants: z.array(grantInfo), next: safeInteger.nullable() }),
  ),
  'transaction.sign': method(
    ['client'],
    false,
    'Sign an unsigned Ethereum transaction, of any type, if a grant allows it. The client adds the signature and broadcasts.',
    transactionRequest,
    signatureAnswer,
  ),
  'typed-data.sign': method(
    ['client'],
    false,
    'Sign typed data (EIP-712), if a grant allows it.',
    typedDataRequest,
    signatureAnswer,
  ),
  'message.sign': method(
    ['client'],
    false,
    'Sign a text (EIP-191), if a grant allows it.',
    messageRequest,
    signatureAnswer,
  ),
  'authorization.sign': method(
    ['client'],
    false,
    'Sign an authorisation that hands the wallet over to a delegate (EIP-7702), if a grant allows it.',
    authorizationRequest,
    signatureAnswer,
  ),
  'grant.explain': method(
    ['operator', 'client'],
    false,
    'What would be decided of this, with the verdict of every rule of every grant. Nothing is signed, journaled or consumed.',
    z.strictObject({
      client: shortId.optional().describe('whose request it would be; a client leaves it out'),
      wallet: shortId,
      chain: evmChain,
      payload,
    }),
    z.strictObject({
      verdict: z.enum(['permit', 'deny', 'needs-approval']),
      asks: z.string(),
      grant: z.string().nullable().describe('the grant that would be charged'),
      reasons: z.array(z.string()),
      forbidden: z.array(z.string()),
      grants: z.array(
        z.strictObject({
          grant: z.string(),
          verdict: z.enum(['pass', 'needs-approval', 'fail']),
          rules: z.array(
            z.strictObject({
              rule: z.string(),
              verdict: z.enum(['pass', 'needs-approval', 'fail']),
              words: z.string(),
            }),
          ),
        }),
      ),
    }),
  ),
  'grant.lint': method(
    ['operator'],
    false,
    'What to look at again in the grants in force: rules that never match, limits that another way bypasses.',
    none,
    z.strictObject({
      findings: z.array(
        z.strictObject({ topic: z.string(), grant: z.string(), about: z.string().nullable(), words: z.string() }),
      ),
      left: safeInteger,
    }),
  ),
  'replay.load': method(
    ['operator'],
    false,
    'Candidate grants for a replay of the journal, in pieces: `from` is how many came before, 0 begins anew. A vault replays for one operator at a time: the last who began.',
    z.strictObject({ from: safeInteger, grants: z.array(grantDraft).max(200) }),
    z.strictObject({ loaded: safeInteger }),
  ),
  'replay.step': method(
    ['operator'],
    false,
    'Goes on with the replay of what `replay.load` brought, for some thousand entries, and says what the candidates would have decided otherwise. Nothing is signed, journaled or consumed. To be repeated until `finished`.',
    none,
    replayStep,
  ),
  'nonce.next': method(
    ['client'],
    false,
    'The lowest nonce that the vault has not signed and has given to nobody else in the last minute.',
    z.strictObject({ wallet: shortId, chain: evmChain, atLeast: safeInteger.optional() }),
    z.strictObject({ nonce: safeInteger, heldMs: safeInteger }),
  ),
  'approval.list': method(
    ['operator', 'client'],
    false,
    'Requests that wait for operators, as many as fit one frame; a client sees its own.',
    z.strictObject({ from: safeInteger.optional() }),
    z.strictObject({ approvals: z.array(approvalInfo), next: safeInteger.nullable() }),
  ),
  'contract.list': method(
    ['operator', 'client'],
    false,
    'Registered contracts, in the order in which they came, as many as fit one frame; of clients, for those that observe a wallet: by them they read what was signed as the vault does.',
    z.strictObject({ from: safeInteger.optional() }),
    z.strictObject({
      version: safeInteger,
      contracts: z.array(z.strictObject({ since: safeInteger, entry: z.record(z.string(), z.unknown()) })),
      next: safeInteger.nullable(),
    }),
  ),
  'contract.suggestions': method(
    ['operator'],
    false,
    'Well-known contracts of a chain, to be registered by who has compared their addresses: as many as fit one frame.',
    z.strictObject({ chain: evmChain, from: safeInteger.optional() }),
    z.strictObject({ contracts: z.array(z.record(z.string(), z.unknown())), next: safeInteger.nullable() }),
  ),
  'settlement.report': method(
    ['client'],
    false,
    'Say how a signed request of a wallet ended. For observers of the wallet, and not for who asked for it.',
    settlement,
    z.strictObject({ version: safeInteger }),
  ),
  'observer.standing': method(
    ['operator', 'client'],
    true,
    'Where the journal ends, and which entry is the last permit of each of these wallets (0: none; null: not known while sealed). Sealed, it knows what the peer observed when the seal was journaled, unless something stands behind that.',
    z.strictObject({ wallets: z.array(shortId).max(200) }),
    z.strictObject({
      phase: z.enum(['uninitialised', 'sealed', 'unsealed']),
      head: signedHead.nullable(),
      last: z.array(z.strictObject({ wallet: shortId, seq: safeInteger.nullable() })),
    }),
  ),
  'observer.heads': method(
    ['operator', 'client'],
    true,
    'Heads of the journal in order, from the one on that covers entry `from`: each names the hash of the one before.',
    z.strictObject({ from: safeInteger }),
    z.strictObject({ heads: z.array(signedHead) }),
  ),
  'receipts.read': method(
    ['operator', 'client'],
    false,
    'Receipts of a wallet in order, for a peer with the observer’s right; follow with `from` = last seq + 1. `complete` is the head up to which nothing is missing.',
    z.strictObject({ wallet: shortId, from: safeInteger, limit: z.number().int().min(1).max(200).optional() }),
    z.strictObject({ receipts: z.array(receipt), next: safeInteger, complete: signedHead }),
  ),
  'journal.read': method(
    ['operator'],
    false,
    'Journal entries in order.',
    z.strictObject({ from: safeInteger, limit: z.number().int().min(1).max(200).optional() }),
    z.strictObject({ entries: z.array(z.strictObject({ seq: safeInteger, entry: z.string() })), head: signedHead }),
  ),
  'journal.verify': method(
    ['operator'],
    false,
    'Check every signature, hash and link from the first entry, and fold the state anew.',
    none,
    z.strictObject({ entries: safeInteger, batches: safeInteger, head: signedHead, foldMatches: z.boolean() }),
  ),
  'journal.receipt': method(
    ['operator'],
    false,
    'The receipt of one entry.',
    z.strictObject({ seq: safeInteger }),
    z.strictObject({ receipt }),
  ),
  'backup.read': method(
    ['operator'],
    false,
    'A piece of the backup that `vault.backup` prepared in this session.',
    z.strictObject({ offset: safeInteger }),
    z.strictObject({ bytes: z.string(), total: safeInteger }),
  ),
  'backup.write': method(
    ['operator'],
    true,
    'Upload a piece of a backup to an uninitialised vault, in order.',
    z.strictObject({ offset: safeInteger, total: safeInteger, bytes: z.string().max(180_000) }),
    z.strictObject({ received: safeInteger }),
  ),
  'doctor.report': method(
    ['operator'],
    true,
    'What protects this vault process, and what does not.',
    none,
    z.strictObject({
      findings: z.array(
        z.strictObject({
          check: z.string(),
          state: z.enum(['good', 'warning', 'bad']),
          words: z.string(),
          remedy: z.string().nullable(),
        }),
      ),
    }),
  ),
} as const satisfies Record<string, MethodSpec<z.ZodType, z.ZodType>>;

export type MethodName = keyof typeof METHODS;
export type MethodParams<N extends MethodName> = z.infer<(typeof METHODS)[N]['params']>;
export type MethodResult<N extends MethodName> = z.infer<(typeof METHODS)[N]['result']>;

export type VaultStatus = z.infer<typeof vaultStatus>;
export type PeerInfo = z.infer<typeof peerInfo>;
export type WalletInfo = z.infer<typeof walletInfo>;
export type GrantInfo = z.infer<typeof grantInfo>;

/** What the keep tells peers unasked (JSON-RPC notifications). */
export const NOTIFICATIONS = {
  /** The first message of a session: it confirms the keys and says how the vault stands. */
  ready: z.strictObject({ peer: shortId, caller: z.enum(['operator', 'client', 'candidate']), status: vaultStatus }),
  'vault.phase': z.strictObject({ phase: z.enum(['uninitialised', 'sealed', 'unsealed']), reason: z.string() }),
  'peer.proposed': z.strictObject({ peer: shortId, role, name }),
  receipt: z.strictObject({ wallet: shortId, receipt }),
  'approval.asked': z.strictObject({ approval: approvalInfo }),
  'approval.decided': z.strictObject({
    approval: shortId,
    state: z.enum(['waiting', 'approved', 'rejected']),
    given: safeInteger,
    needed: safeInteger,
  }),
  'tls.rotated': z.strictObject({ statement: z.string() }),
} as const;
export type NotificationName = keyof typeof NOTIFICATIONS;

/** Decision of a denied request, in the error's `details`. */
export const denialDetails = z.strictObject({
  reasons: z.array(z.record(z.string(), z.unknown())),
  sentences: z.array(z.string()),
  receipt: receipt.nullable(),
});

/**
 * What a permitted request leaves in the journal, and so in the client’s receipt. `asks`: what it would do, in words;
 * `payload`: what was to be signed, null where it is too long. Amounts are decimal strings in base units.
 */
export const permittedEntry = z.looseObject({
  type: z.literal('request.permitted'),
  at: safeInteger,
  client: shortId,
  wallet: shortId,
  chain: evmChain,
  request: hash32,
  digest: hash32,
  form: z.enum(['transaction', 'typed-data', 'message', 'delegation']),
  nonce: safeInteger.nullable(),
  grant: z.string(),
  prior: safeInteger.optional().describe('the wallet’s permit before this one; 0: none'),
  asks: z.string(),
  payload: z.string().nullable(),
  budgets: z.array(
    z.looseObject({
      grant: z.string().optional().describe('left out: the grant that pays'),
      rule: z.string(),
      asset: z.string().optional(),
      window: z.string().optional(),
      limit: z.string(),
      spentBefore: z.string(),
      spentAfter: z.string(),
    }),
  ),
});
export type PermittedEntry = z.infer<typeof permittedEntry>;
