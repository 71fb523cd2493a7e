import { z } from 'zod';
import { evmAddress, evmChain, name, safeInteger, shortId, weiString } from './shapes.ts';

/**
 * A grant as it is asked for, stands in files and in the journal. The vault reads it a second time, as strictly, and a
 * test keeps the two apart from drifting. Amounts are decimal strings in base units, times are milliseconds since 1970.
 */

const MAX_UINT256 = (1n << 256n) - 1n;
const MAX_UINT64 = (1n << 64n) - 1n;

const amount = (min: bigint, max = MAX_UINT256) =>
  weiString.refine((text) => {
    if (!/^(0|[1-9][0-9]{0,77})$/.test(text)) return false;
    const value = BigInt(text);
    return value >= min && value <= max;
  }, `from ${min} to ${max}`);
const limit = amount(1n);

/** Each item once. JSON Schema has a word for it, which zod does not write. */
const distinct = <T extends z.ZodType>(item: T, min: number, max: number) =>
  z
    .array(item)
    .min(min)
    .max(max)
    .refine((items) => new Set(items.map((each) => JSON.stringify(each))).size === items.length, 'each item once')
    .meta({ uniqueItems: true });
const anyOf = <T extends z.ZodType>(item: T, max: number) => z.union([z.literal('any'), distinct(item, 0, max)]);

const asset = z
  .string()
  .regex(
    /^(native|erc20:0x[0-9a-f]{40}|erc721:0x[0-9a-f]{40}|erc1155:0x[0-9a-f]{40}(\/(0|[1-9][0-9]{0,77}))?)$/,
    'native, erc20:0x…, erc721:0x… or erc1155:0x…/ID, in lower case',
  );
const zone = z
  .string()
  .max(100)
  .regex(/^(UTC|[A-Za-z_]{2,32}(\/[A-Za-z0-9_+-]{1,32}){1,2})$/, 'an IANA time zone such as Europe/Berlin');
const seconds = z
  .int()
  .min(1)
  .max(366 * 86_400)
  .describe('at most 366 days');

export const window = z.union([
  z.strictObject({ ever: z.literal(true) }),
  z.strictObject({ seconds }),
  z.strictObject({ calendar: z.enum(['day', 'week', 'month']), zone }),
]);

/** The last time that a date can show. */
const time = z.int().min(0).max(8_640_000_000_000_000).nullable();
const HOURS = '(?:[01][0-9]|2[0-3]):[0-5][0-9]';
const span = z
  .strictObject({
    days: distinct(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']), 1, 7),
    from: z.string().regex(new RegExp(`^${HOURS}$`)),
    to: z.string().regex(new RegExp(`^(?:${HOURS}|24:00)$`)),
  })
  .refine(({ from, to }) => from !== to, 'another time than from');

export const constraint = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('volume'), asset, limit, window }),
  z.strictObject({ type: z.literal('count'), limit: z.int().min(1).max(1_000_000_000), window }),
  z.strictObject({ type: z.literal('max-value'), asset, limit }),
  z.strictObject({ type: z.literal('gas-limit'), limit: amount(1n, MAX_UINT64) }),
  z.strictObject({ type: z.literal('max-fee-per-gas'), limit }),
  z.strictObject({ type: z.literal('max-priority-fee'), limit: amount(0n) }),
  z.strictObject({ type: z.literal('max-fee'), limit }),
  z
    .strictObject({ type: z.literal('validity'), fromMs: time, untilMs: time })
    .refine(
      ({ fromMs, untilMs }) => (fromMs === null ? untilMs !== null : untilMs === null || fromMs < untilMs),
      'it ends after it begins, and has one bound at least',
    ),
  z.strictObject({ type: z.literal('weekly'), zone, spans: distinct(span, 1, 21) }),
  z.strictObject({ type: z.literal('min-interval'), seconds }),
  z.strictObject({ type: z.literal('outstanding'), asset, limit }),
  z.strictObject({
    type: z.literal('quorum'),
    above: z.strictObject({ asset, amount: amount(0n) }),
    approvals: z.int().min(1).max(16),
  }),
]);

type ConstraintJson = z.infer<typeof constraint>;

function constraintKey(each: ConstraintJson): string {
  switch (each.type) {
    case 'volume':
      return JSON.stringify([each.type, each.asset, each.window]);
    case 'count':
      return JSON.stringify([each.type, each.window]);
    case 'max-value':
    case 'outstanding':
      return JSON.stringify([each.type, each.asset]);
    case 'quorum':
      return JSON.stringify([each.type, each.above]);
    default:
      return each.type;
  }
}

const constraints = z
  .array(constraint)
  .max(16)
  .refine(
    (list) => new Set(list.map(constraintKey)).size === list.length,
    'one constraint of each type, asset and window',
  );

const hash = z.string().regex(/^0x[0-9a-f]{64}$/, 'a hash: 0x and 64 lower-case hex digits');
const visible = (max: number) =>
  z
    .string()
    .max(max)
    .regex(
      /^[^\p{C}\p{Zl}\p{Zp}\p{Zs}]([^\p{C}\p{Zl}\p{Zp}]*[^\p{C}\p{Zl}\p{Zp}\p{Zs}])?$/u,
      'visible characters, no space at either end',
    );
const foreignText = z
  .string()
  .max(4096)
  .regex(/^(?:\n|[^\p{C}\p{Zl}\p{Zp}])+$/u, 'visible characters or line feeds');
const functionName = z
  .string()
  .max(512)
  .regex(/^[A-Za-z_$][A-Za-z0-9_$]*\([A-Za-z0-9_$,()[\]]*\)$/, 'such as deposit(uint256,address)');
const route = z.enum([
  'value',
  'transfer',
  'transfer-from',
  'approve',
  'increase-allowance',
  'permit',
  'dai-permit',
  'permit2',
  'permit2-transfer',
  'eip3009',
  'erc777',
  'transfer-and-call',
  'approval-for-all',
  'vault-4626',
  'weth',
  'shares',
  'aave-delegation',
  'aave-withdraw',
  'compound-allow',
  'lending',
  'router',
  'order',
  'safe',
]);
/** Routes that are signed as data and cost the wallet no fee. */
const SIGNED_ROUTES = ['permit', 'dai-permit', 'permit2', 'permit2-transfer', 'eip3009', 'order'];

const path = z
  .string()
  .max(1024)
  .regex(
    /^(\/([A-Za-z_$][A-Za-z0-9_$]*|-?[0-9]{1,6}|\*)){1,16}$/,
    'names or positions from the outside in, such as /order/recipient or /path/-1',
  );
const literal = z.union([z.boolean(), foreignText]);
/** Integers of an ABI have a sign or none. */
const BOUND = /^(0|-?[1-9][0-9]{0,77})$/;
const bound = z
  .string()
  .regex(BOUND)
  .refine((text) => {
    if (!BOUND.test(text)) return false;
    const value = BigInt(text);
    return value <= MAX_UINT256 && value >= -(1n << 255n);
  })
  .nullable();

/** A bound that is none has been refused by itself already; this looks at it all the same. */
function isRange({ min, max }: { readonly min: string | null; readonly max: string | null }): boolean {
  if (min === null || max === null) return min !== max;
  return BOUND.test(min) && BOUND.test(max) && BigInt(min) <= BigInt(max);
}

const condition = z.discriminatedUnion('test', [
  z.strictObject({ path, test: z.literal('equals'), value: literal }),
  z.strictObject({ path, test: z.literal('one-of'), values: distinct(literal, 1, 1_000) }),
  z
    .strictObject({ path, test: z.literal('range'), min: bound, max: bound })
    .refine(isRange, 'a range has one bound at least, and is not empty'),
  z.strictObject({ path, test: z.literal('prefix'), value: foreignText }),
  z.strictObject({ path, test: z.literal('is-wallet') }),
]);
const where = distinct(condition, 0, 16);

const template = foreignText.refine((text) => {
  const parts = text.split('{}');
  return parts.length <= 17 && parts.slice(1, -1).every((part) => part !== '') && !/[{}]/.test(parts.join(''));
}, 'at most 16 placeholders {} with text between them, and no other braces');

const addresses = anyOf(evmAddress, 1_000);
const contracts = distinct(evmAddress, 0, 1_000);
/** The kinds of grants, where clients and wallets are named by `ref`: by their ids, or in a file by their names. */
function kindsOf(ref: z.ZodType<string, string>) {
  const party = z.union([ref, z.strictObject({ group: name })]);
  const scope = { client: party, wallet: ref, chain: evmChain, constraints, label: name.optional() };
  const permitting = {
    ...scope,
    unlimited: distinct(asset, 1, 64).optional(),
    accounts: distinct(evmAddress, 1, 64).optional(),
  };
  const delegatecall = z.literal('the called code acts as the caller and may take everything').optional();

  const etherTransfer = z.strictObject({ ...permitting, kind: z.literal('ether-transfer'), recipients: addresses });
  const tokenTransfer = z.strictObject({
    ...permitting,
    kind: z.literal('token-transfer'),
    assets: distinct(
      z.strictObject({ asset, symbol: visible(32).optional(), decimals: z.int().min(0).max(77).optional() }),
      1,
      64,
    ),
    routes: anyOf(route, route.options.length),
    recipients: addresses,
    spenders: addresses,
  });
  const contractCall = z.strictObject({
    ...permitting,
    kind: z.literal('contract-call'),
    contracts,
    functions: distinct(z.strictObject({ function: functionName, where }), 1, 64),
    recipients: addresses.optional(),
    delegatecall,
  });
  const opaqueCall = z.strictObject({
    ...permitting,
    kind: z.literal('opaque-call'),
    contracts,
    selectors: anyOf(z.string().regex(/^(0x[0-9a-f]{8}|none)$/, '0x and 8 lower-case digits, or none'), 64),
    acknowledge: z.literal('calls are not understood and may move anything that the contract may move'),
    delegatecall,
  });
  const contractCreation = z.strictObject({
    ...permitting,
    kind: z.literal('contract-creation'),
    initCodeHashes: anyOf(hash, 1_000),
  });
  const typedData = z.strictObject({
    ...permitting,
    kind: z.literal('typed-data'),
    contract: z.union([z.literal('none'), evmAddress]),
    name: visible(128).optional(),
    types: distinct(
      z.strictObject({
        primaryType: z
          .string()
          .max(128)
          .regex(/^[A-Za-z_$][A-Za-z0-9_$]*$/),
        typeHash: hash.optional(),
        where,
      }),
      1,
      32,
    ),
    recipients: addresses.optional(),
    acknowledge: z.literal('what the signed data allows is not understood').optional(),
  });
  const message = z.strictObject({
    ...permitting,
    kind: z.literal('message'),
    messages: distinct(z.union([z.strictObject({ prefix: foreignText }), z.strictObject({ template })]), 1, 32),
  });
  const delegation = z.strictObject({
    ...permitting,
    kind: z.literal('delegation'),
    delegates: distinct(evmAddress, 1, 64),
    acknowledge: z.literal('the delegate controls the whole wallet on this chain'),
  });

  const actionKind = z.enum([
    'ether-transfer',
    'token-transfer',
    'contract-call',
    'opaque-call',
    'contract-creation',
    'typed-data',
    'message',
    'delegation',
  ]);
  const denyRule = z.strictObject({
    kind: z.literal('deny'),
    client: z.union([z.literal('any'), ...party.options]),
    wallet: z.union([z.literal('any'), ref]),
    chain: z.union([z.literal('any'), evmChain]),
    actions: distinct(actionKind, 1, actionKind.options.length).optional(),
    assets: distinct(asset, 1, 64).optional(),
    addresses: distinct(evmAddress, 1, 1_000).optional(),
    functions: distinct(functionName, 1, 64).optional(),
    routes: distinct(route, 1, route.options.length).optional(),
    label: name.optional(),
  });
  const walletCap = z.strictObject({
    kind: z.literal('cap'),
    wallet: ref,
    chain: evmChain,
    constraints: constraints.refine((list) => list.length > 0, 'at least one'),
    label: name.optional(),
  });

  return z.discriminatedUnion('kind', [
    etherTransfer,
    tokenTransfer,
    contractCall,
    opaqueCall,
    contractCreation,
    typedData,
    message,
    delegation,
    denyRule,
    walletCap,
  ]);
}

type Draft = z.infer<ReturnType<typeof kindsOf>>;

const limited = (kinds: ReturnType<typeof kindsOf>) =>
  kinds.refine((draft) => isLimited(draft), {
    path: ['constraints'],
    message: 'a limit for whatever may leave: a volume of each asset, and of native or a max-fee for fees',
  });

/**
 * A grant before the vault has given it an id. `recipients: []` permits nobody; `any` must be said by name. Two kinds
 * permit nothing: `deny` forbids, whatever is granted, and `cap` limits a wallet over all clients.
 */
export const grantDraft = limited(kindsOf(shortId));

/** A grant as it stands in a file: with names instead of ids. */
const grantInFile = limited(kindsOf(z.union([name, shortId])));

/** A file of grants that a team reviews like code. `$schema` is for editors, and decides nothing. */
export const grantFile = z.strictObject({ $schema: z.string().optional(), grants: z.array(grantInFile) });

/**
 * JSON Schema (draft-07, which editors know best) of a file of grants. It takes a little more than the vault does: also
 * what letters a name may have is left out, for many programs cannot read patterns with classes of Unicode.
 */
export function grantFileSchema(): Readonly<Record<string, unknown>> {
  return {
    title: 'Keepwatch grants',
    description:
      'What clients may have signed: see docs/permissions.md. The vault checks besides that whatever may leave has a limit, that amounts are in range, that names and texts are visible, that the capitals of an address are its checksum, that time zones exist, and that no constraint stands twice.',
    ...z.toJSONSchema(grantFile, {
      target: 'draft-7',
      io: 'input',
      reused: 'ref',
      override: ({ jsonSchema }) => {
        if (jsonSchema.pattern?.includes('\p{') === true) delete jsonSchema.pattern;
        // The command line reads the capitals of a checksum (EIP-55) before it looks at the file.
        jsonSchema.pattern &&= jsonSchema.pattern.replaceAll('0x[0-9a-f]{40}', '0x[0-9a-fA-F]{40}');
      },
    }),
  };
}

/** The vault would deny every request under a grant that does not limit what leaves. */
function isLimited(draft: Draft): boolean {
  const hasVolume = (of: string) =>
    'constraints' in draft &&
    (('unlimited' in draft && draft.unlimited?.includes(of) === true) ||
      draft.constraints.some((each) => each.type === 'volume' && each.asset === of));
  const hasFee = () =>
    hasVolume('native') || ('constraints' in draft && draft.constraints.some(({ type }) => type === 'max-fee'));
  switch (draft.kind) {
    case 'ether-transfer':
      return hasVolume('native');
    case 'token-transfer': {
      const isSigned = draft.routes !== 'any' && draft.routes.every((each) => SIGNED_ROUTES.includes(each));
      return draft.assets.every((each) => hasVolume(each.asset)) && (isSigned || hasFee());
    }
    case 'contract-call':
    case 'opaque-call':
    case 'contract-creation':
      return hasFee();
    case 'typed-data':
    case 'message':
    case 'delegation':
    case 'deny':
    case 'cap':
      return true;
  }
}

/**
 * How one constraint of a grant stands, in the grant's order. Amounts are decimal strings in base units, or a number of
 * signatures; null where the constraint has none. `window`: `86400s`, `ever` or `day Europe/Berlin`. `allFreeAt`: when
 * the whole limit is free again if nothing more is charged, ms; null: not by waiting.
 */
export const budgetLine = z.strictObject({
  rule: z.string(),
  words: z.string(),
  asset: z.string().nullable(),
  window: z.string().nullable(),
  limit: z.string().nullable(),
  spent: z.string().nullable(),
  left: z.string().nullable(),
  allFreeAt: safeInteger.nullable(),
});

export type GrantDraft = z.infer<typeof grantDraft>;
export type GrantInFile = z.infer<typeof grantInFile>;
