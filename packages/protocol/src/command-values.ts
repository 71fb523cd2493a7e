import { z } from 'zod';
import type { CommandName } from './commands.ts';
import { evmAddress, hash32, safeInteger, sealedBox, shortId } from './shapes.ts';

/** What `value` in the answer to a command holds; commands that are not listed answer `null`. */
export const COMMAND_VALUES = {
  'vault.restore': z.strictObject({
    identity: hash32.describe('the restored vault has a new boot key, and so a new identity'),
    vault: hash32,
  }),
  'vault.backup': z.strictObject({ bytes: safeInteger.describe('size, to be read with backup.read') }),
  'vault.rotate-tls': z.strictObject({ tls: hash32.describe('the new SPKI SHA-256'), statement: z.string() }),
  'wallet.create': z.strictObject({
    wallets: z.array(
      z.strictObject({ wallet: shortId, name: z.string(), address: evmAddress, path: z.string().nullable() }),
    ),
  }),
  'wallet.import': z.strictObject({
    wallets: z.array(
      z.strictObject({ wallet: shortId, name: z.string(), address: evmAddress, path: z.string().nullable() }),
    ),
  }),
  'wallet.backup': z.strictObject({
    kind: z.enum(['mnemonic', 'key']),
    path: z.string().nullable(),
    sealed: sealedBox,
  }),
  'approval.give': z.strictObject({ given: safeInteger, needed: safeInteger }),
  'contract.register': z.strictObject({ functions: safeInteger.describe('how many of its functions are known') }),
  'grant.create': z.strictObject({ grant: z.string(), sentence: z.string() }),
} as const satisfies Partial<Record<CommandName, z.ZodType>>;

export type CommandValue<N extends CommandName> = N extends keyof typeof COMMAND_VALUES
  ? z.infer<(typeof COMMAND_VALUES)[N]>
  : null;
